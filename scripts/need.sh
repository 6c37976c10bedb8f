#!/usr/bin/env bash
# Says at once what is missing on this machine, and how to get it.
#   scripts/need.sh rust go python cli     any of these; exit code 1 if something is missing
#   scripts/need.sh --cli                  prints the path of the terraform or tofu to use
set -euo pipefail
unset CDPATH

missing=()
lack() { missing+=("$1"); }

# TF (or TOFU) may name one; else terraform, else tofu.
cli() {
  local candidate
  for candidate in "${TF:-}" "${TOFU:-}" terraform tofu; do
    if [ -n "$candidate" ] && command -v "$candidate"; then return 0; fi
  done
  return 1
}

rust() {
  local wanted
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  if ! command -v cargo >/dev/null; then
    lack "Rust $wanted or newer: https://rustup.rs"
  elif [ "$(printf '%s\n%s\n' "$wanted" "$(rustc --version | cut -d' ' -f2)" | sort -V | head -n1)" != "$wanted" ]; then
    lack "Rust $wanted or newer, this is $(rustc --version | cut -d' ' -f2): rustup update"
  fi
}

rust_tools() {
  cargo fmt --version >/dev/null 2>&1 || lack "rustfmt: rustup component add rustfmt"
  cargo clippy --version >/dev/null 2>&1 || lack "clippy: rustup component add clippy"
}

go() {
  command -v go >/dev/null || lack "Go 1.24 or newer, for the documentation tool: https://go.dev/dl"
}

python() {
  local program=${PYTHON:-python3}
  if ! command -v "$program" >/dev/null; then
    lack "Python 3.11 or newer, for the real Keystone of the tests: https://www.python.org/downloads (or set PYTHON)"
  elif ! "$program" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    lack "Python 3.11 or newer, this is $("$program" --version): set PYTHON to another one"
  elif ! "$program" -c 'import ensurepip, venv' 2>/dev/null; then
    lack "Python's venv and pip (Debian: apt-get install python3-venv)"
  fi
}

if [ "${1:-}" = --cli ]; then cli || exit 1; exit 0; fi

cd "$(dirname "$0")/.."
for need in "$@"; do
  case $need in
    rust | rust_tools | go | python) "$need" ;;
    cli) cli >/dev/null || lack "terraform (https://developer.hashicorp.com/terraform/install) or tofu (https://opentofu.org/docs/intro/install), on the PATH or named by TF or TOFU" ;;
    *) echo "need.sh: no such need: $need" >&2; exit 2 ;;
  esac
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "Missing on this machine:" >&2
  printf '  - %s\n' "${missing[@]}" >&2
  exit 1
fi
