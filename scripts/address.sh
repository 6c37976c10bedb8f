#!/usr/bin/env bash
# The provider's address, which stands in Cargo.toml.
#   scripts/address.sh                      prints it
#   scripts/address.sh --full               prints it with its host; without one, for each registry
#   scripts/address.sh NAMESPACE/rekey      sets it, with a host or without, also in what users copy
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
old=$(sed -n '/^\[package.metadata.terraform\]/,/^$/s/^address = "\(.*\)"/\1/p' Cargo.toml)

case ${1:-} in
  "") echo "$old" ;;
  --full)
    case $old in
      */*/*) echo "$old" ;;
      *) printf '%s\n' "registry.terraform.io/$old" "registry.opentofu.org/$old" ;;
    esac
    ;;
  -*) echo "address.sh: no such option: $1" >&2; exit 2 ;;
  *)
    case $1 in
      *[!a-z0-9./-]* | /* | */ | */*/*/*) echo "address.sh: $1 is not [HOST/]NAMESPACE/rekey" >&2; exit 2 ;;
      */rekey) ;;
      *) echo "address.sh: $1 does not end with /rekey, which is the name of the binary" >&2; exit 2 ;;
    esac
    full() { case $1 in */*/*) echo "$1" ;; *) echo "registry.terraform.io/$1" ;; esac; }
    from=$(full "$old") to=$(full "$1") changed=$(mktemp)
    trap 'rm -f "$changed"' EXIT
    grep -rlF "$old" Cargo.toml README.md docs examples templates | while read -r file; do
      # Only as a whole word in quotation marks of either kind, and as the folder of a plugin.
      sed -E -e "s|([\"\`])${old//./\\.}([\"\`])|\1$1\2|g" -e "s|plugins/${from//./\\.}|plugins/$to|g" \
        "$file" > "$changed"
      cat "$changed" > "$file"
    done
    echo "The address is $1."
    ;;
esac
