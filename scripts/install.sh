#!/usr/bin/env bash
# Builds the release and puts it where terraform and tofu look for providers of this user (PLUGIN_DIR: elsewhere).
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
version=$(scripts/version.sh)
binary=$(VERSION=$version scripts/release.sh)
case $(uname -m) in
  x86_64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) arch=$(uname -m) ;;
esac
system=$(uname -s | tr '[:upper:]' '[:lower:]')_$arch

# A development version is a pre-release, which the command lines take only where a configuration asks for exactly it.
# So that one without a version works too, the same file is there under a plain number.
names=("$version")
[ "$version" = "$(scripts/version.sh --release)" ] || names+=("$(scripts/version.sh --plain)")
for address in $(scripts/address.sh --full); do
  for name in "${names[@]}"; do
    folder=${PLUGIN_DIR:-$HOME/.terraform.d/plugins}/$address/$name/$system
    mkdir -p "$folder"
    install -m 755 "$binary" "$folder/terraform-provider-rekey_v$name"
    echo "installed $folder/terraform-provider-rekey_v$name"
  done
done
cat <<TEXT

This is version $version. A configuration asks for it so:

  terraform {
    required_providers {
      rekey = { source = "$(scripts/address.sh)" }
    }
  }

A directory that was initialized with another build keeps that one in .terraform.lock.hcl: "terraform init -upgrade"
(or "tofu init -upgrade") takes this one. A build of the same version that was made anew is refused until its block is
removed from that file. To take exactly this one, write version = "$version".
TEXT
