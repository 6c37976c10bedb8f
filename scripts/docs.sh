#!/usr/bin/env bash
# Writes docs/ from the provider's schema, templates/ and examples/, with the ecosystem's own tool.
#   scripts/docs.sh            writes docs/
#   scripts/docs.sh --check    fails when docs/ is not what would be written
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
version=v0.25.0
tool=$PWD/target/tools/tfplugindocs
cli=$(scripts/need.sh --cli)

# The version is part of the mark: another one is installed anew.
if [ ! -x "$tool" ] || [ "$(cat "$tool.version" 2>/dev/null)" != "$version" ]; then
  echo "installing tfplugindocs $version into target/tools"
  mkdir -p target/tools
  GOBIN=$PWD/target/tools go install "github.com/hashicorp/terraform-plugin-docs/cmd/tfplugindocs@$version"
  echo "$version" > "$tool.version"
fi

# As the Makefile does, so that nothing is compiled anew.
cargo build --locked --quiet --workspace --features test-clock --lib --bins --examples

work=$(mktemp -d "$PWD/target/docs.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/plugins" "$work/home"
ln target/debug/terraform-provider-rekey "$work/plugins/" 2>/dev/null || cp target/debug/terraform-provider-rekey "$work/plugins/"

# The tool looks the provider up under this address, whatever its real one is.
address=registry.terraform.io/hashicorp/rekey
cat > "$work/cli.tfrc" <<RC
disable_checkpoint = true
provider_installation {
  dev_overrides { "$address" = "$work/plugins" }
  direct {}
}
RC
cat > "$work/main.tf" <<TF
terraform {
  required_providers {
    rekey = { source = "$address" }
  }
}
TF
(cd "$work" && env -i HOME="$work/home" PATH="$PATH" TF_CLI_CONFIG_FILE="$work/cli.tfrc" CHECKPOINT_DISABLE=1 \
  "$cli" providers schema -json) > "$work/schema.json"

out=docs
if [ "${1:-}" = --check ]; then
  mkdir "$work/provider"
  cp -R templates examples docs "$work/provider/"
  dir=$work/provider
else
  dir=$PWD
fi
# A page takes the drawing from there.
"${PYTHON:-python3}" scripts/timeline.py > "$dir/examples/rotation-with-overlap/timeline.txt"

"$tool" generate --provider-dir "$dir" --provider-name terraform-provider-rekey --rendered-provider-name rekey \
  --providers-schema "$work/schema.json" > "$work/generate.log" 2>&1 || { cat "$work/generate.log" >&2; exit 1; }
"$tool" validate --provider-dir "$dir" --provider-name terraform-provider-rekey \
  --providers-schema "$work/schema.json" > "$work/validate.log" 2>&1 || { cat "$work/validate.log" >&2; exit 1; }

if [ "${1:-}" = --check ]; then
  if ! diff -u examples/rotation-with-overlap/timeline.txt "$dir/examples/rotation-with-overlap/timeline.txt" >&2 ||
    ! diff -ru "$out" "$work/provider/docs" >&2; then
    echo "docs/ is stale: run make docs and commit what changes" >&2
    exit 1
  fi
  echo "docs/ is up to date"
fi
