#!/usr/bin/env python3
"""Makes what a release consists of, in target/dist: the same bytes from the same source, wherever it is built.

  scripts/dist.py             the archive for TARGET (default: this machine), then the sums of all that is there
  scripts/dist.py sums        only the sums: when archives of several machines have been brought together

An archive is what a registry serves and what a filesystem mirror takes: terraform-provider-rekey_VERSION_OS_ARCH.zip.
VERSION overrides the one of Cargo.toml, OUT the folder.
"""
import hashlib
import os
import pathlib
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = pathlib.Path(os.environ.get("OUT") or ROOT / "target" / "dist")
NAME = "terraform-provider-rekey"
SYSTEMS = {"linux": "linux", "apple": "darwin", "windows": "windows"}
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def main(command="archive"):
    if command not in ("archive", "sums"):
        sys.exit(__doc__)
    OUT.mkdir(parents=True, exist_ok=True)
    version = os.environ.get("VERSION") or said("scripts/version.sh", "--release")
    if command == "archive":
        archive(version)
    sums(version)


def archive(version):
    target = os.environ.get("TARGET") or host()
    machine, *rest = target.split("-")
    system = next((name for part, name in SYSTEMS.items() if part in rest), None)
    if system is None or machine not in MACHINES:
        sys.exit(f"No name is known for {target} in a registry.")
    binary = pathlib.Path(said("scripts/release.sh", VERSION=version, TARGET=target))
    base = f"{NAME}_{version}_{system}_{MACHINES[machine]}"
    notices = OUT / "THIRD-PARTY-NOTICES"
    supply("notices", target, notices)
    supply("sbom", target, OUT / f"{base}.cdx.json", VERSION=version)
    path = OUT / f"{base}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        pack(file, f"{NAME}_v{version}{binary.suffix}", binary, 0o755)
        pack(file, "LICENSE", ROOT / "LICENSE", 0o644)
        pack(file, "README.md", ROOT / "README.md", 0o644)
        pack(file, notices.name, notices, 0o644)
    notices.unlink()
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, the binary {binary.stat().st_size / 1e6:.1f} MB")


def pack(file, name, path, mode):
    """Without a time, an owner or a mode of this machine."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr = 3, (0o100000 | mode) << 16
    file.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def sums(version):
    """As both registries want them: every archive, and the manifest that names the protocol."""
    manifest = OUT / f"{NAME}_{version}_manifest.json"
    manifest.write_bytes((ROOT / "terraform-registry-manifest.json").read_bytes())
    files = sorted([*OUT.glob(f"{NAME}_{version}_*.zip"), *OUT.glob(f"{NAME}_{version}_*.cdx.json"), manifest])
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    path = OUT / f"{NAME}_{version}_SHA256SUMS"
    path.write_text("".join(lines))
    print(f"{path}: {len(files)} files")


def supply(*arguments, **environment):
    said(sys.executable, "scripts/supply.py", *map(str, arguments), **environment)


def host():
    return next(line.removeprefix("host: ") for line in said("rustc", "-vV").splitlines() if line.startswith("host: "))


def said(*command, **environment):
    result = subprocess.run(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(result.returncode)
    return result.stdout.strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
