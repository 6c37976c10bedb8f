#!/usr/bin/env bash
# Whether a release is the same bytes wherever it is built: makes it here, and in a copy of the source in another folder.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
export OUT
OUT=$PWD/target/dist
scripts/dist.py

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"
OUT=$copy/dist CARGO_TARGET_DIR=$copy/target "$copy/scripts/dist.py"
diff -r "$OUT" "$copy/dist"
echo "The same bytes, twice."
