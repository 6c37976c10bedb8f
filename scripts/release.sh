#!/usr/bin/env bash
# Builds the provider as it is released, and prints where it lies.
#   TARGET=aarch64-unknown-linux-gnu    for another machine than this one
#   VERSION=0.1.0                       what it says of itself; Cargo.toml's otherwise
#
# On Linux it is one static file, which runs where there is no libc at all, or another one. No path of the builder's
# is in it: the same source gives the same bytes in whatever folder.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
# What `cargo test` tells its tests of the crate under test is no concern of this build; a build script of a dependency
# that looks at it would have the dependency compiled anew.
for name in $(compgen -e | grep -E '^(OUT_DIR$|CARGO_(BIN|CRATE|MANIFEST|PKG|PRIMARY|TARGET_TMPDIR))' || true); do unset "$name"; done
target=${TARGET:-$(rustc -vV | sed -n 's/^host: //p')}
flags=(
  "--remap-path-prefix=$PWD=/rekey"
  "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
  "--remap-path-prefix=$(rustc --print sysroot)=/rust"
)
case $target in
  *-linux-gnu)
    # From 2.34 on, glibc looks up names without loading libraries of the system that it runs on.
    if glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null) && [ "$(printf '%s\n' 2.34 "${glibc#* }" | sort -V | head -n1)" != 2.34 ]; then
      echo "A static release needs glibc 2.34 or newer, this is $glibc" >&2
      exit 1
    fi
    flags+=("-Ctarget-feature=+crt-static")
    # Random numbers are the system call's. A static file cannot look for its function, so that the crate would open
    # /dev/urandom instead, which is not there in an empty root.
    flags+=('--cfg=getrandom_backend="linux_getrandom"')
    # For x86_64 rustc brings a linker that folds what is the same, and packs relocations: half a megabyte.
    case $target in x86_64-*) flags+=("-Clink-arg=-Wl,--icf=all,--pack-dyn-relocs=relr") ;; esac
    ;;
  *-windows-msvc) flags+=("-Ctarget-feature=+crt-static") ;;
esac

CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; echo "${flags[*]}")
CFLAGS="${CFLAGS:-} -ffile-prefix-map=$PWD=/rekey -ffile-prefix-map=${CARGO_HOME:-$HOME/.cargo}=/cargo"
export CARGO_ENCODED_RUSTFLAGS CFLAGS
PROVIDER_VERSION=${VERSION:-$(scripts/version.sh --release)} \
  cargo build --locked --release --target "$target" --bin terraform-provider-rekey >&2
folder=${CARGO_TARGET_DIR:-$PWD/target}/$target/release
[ ! -e "$folder/terraform-provider-rekey.exe" ] || { echo "$folder/terraform-provider-rekey.exe"; exit; }
echo "$folder/terraform-provider-rekey"
