#!/usr/bin/env bash
# The version of what is built here: that of Cargo.toml where this very commit carries its tag, else a development
# version, which changes with the commit and with what is not committed: 0.1.0-dev.321+eba8880.
#   scripts/version.sh             prints it
#   scripts/version.sh --release   prints that of Cargo.toml
#   scripts/version.sh --plain     the same as 0.0.321+eba8880: a pre-release is taken only by whoever asks for exactly it
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
release=$(sed -n '/^\[package\]/,/^version/s/^version = "\(.*\)"/\1/p' Cargo.toml)
if [ "${1:-}" = --release ]; then echo "$release"; exit; fi

number=0 build=source
if commit=$(git rev-parse --short=8 HEAD 2>/dev/null); then
  number=$(git rev-list --count HEAD) build=$commit
  if ! git diff --quiet HEAD; then
    build=$build.$(git diff HEAD | git hash-object --stdin | cut -c1-8)
  elif git tag --points-at HEAD | grep -qx "v$release"; then
    echo "$release"
    exit
  fi
fi
if [ "${1:-}" = --plain ]; then echo "0.0.$number+$build"; else echo "$release-dev.$number+$build"; fi
