#!/usr/bin/env bash
# Builds the release and puts it where terraform and tofu look for providers of this user.
# A configuration then needs no more than `source = "rekey/rekey"`; `terraform init` finds it there.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --bin terraform-provider-rekey

version=$(sed -n '/^\[package\]/,/^version/s/^version = "\(.*\)"/\1/p' Cargo.toml)
case $(uname -m) in
  x86_64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) arch=$(uname -m) ;;
esac
system=$(uname -s | tr '[:upper:]' '[:lower:]')_$arch
for host in registry.terraform.io registry.opentofu.org; do
  folder=${PLUGIN_DIR:-$HOME/.terraform.d/plugins}/$host/rekey/rekey/$version/$system
  mkdir -p "$folder"
  install -m 755 target/release/terraform-provider-rekey "$folder/terraform-provider-rekey_v$version"
  echo "installed $folder/terraform-provider-rekey_v$version"
done
