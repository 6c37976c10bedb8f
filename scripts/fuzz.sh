#!/usr/bin/env bash
# Fuzzes every target of fuzz/ for RUNS executions each (default: one million). What is found is kept in
# fuzz/corpus/TARGET, which `make test` replays for ever.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/../fuzz"
runs=${RUNS:-1000000}
command -v cargo-fuzz >/dev/null || { echo "cargo-fuzz is missing: cargo install --locked cargo-fuzz" >&2; exit 1; }
rustup toolchain list | grep -q ^nightly || { echo "The nightly toolchain is missing: rustup toolchain install nightly --profile minimal" >&2; exit 1; }
for target in ${TARGETS:-$(cargo +nightly fuzz list)}; do
  echo "fuzz: $target, $runs runs"
  work=../target/fuzz-corpus/$target
  mkdir -p "$work"
  cargo +nightly fuzz run --release "$target" "$work" "corpus/$target" -- \
    -runs="$runs" -max_len=4096 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=1
done
