#!/usr/bin/env python3
"""What the provider is made of: checked against deny.toml, and told to whoever receives it. Offline.

  scripts/supply.py check                  licences, bans and sources of every crate in Cargo.lock
  scripts/supply.py notices TARGET FILE    the licences of the crates that a binary for TARGET contains
  scripts/supply.py sbom TARGET FILE       the same crates as a bill of materials (CycloneDX)

It knows of deny.toml what stands there; cargo-deny itself, in the workflow, knows the rest.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROVIDER = "terraform-provider-rekey"
# How a file with a licence or a notice begins.
LEGAL = ("copying", "copyright", "licence", "license", "notice", "unlicense")


PREFACE = f"""{PROVIDER} contains what is listed below, each under the licence that follows it,
and the standard library of Rust, under MIT or Apache-2.0 (https://www.rust-lang.org/policies/licenses).
The source of a crate is at https://crates.io/crates/NAME/VERSION.
Whoever wants to link another version of any of it builds the provider from its own source: make dist.
"""


def main(command=None, *arguments):
    commands = {"check": check, "notices": notices, "sbom": sbom}
    if command not in commands:
        sys.exit(__doc__)
    commands[command](*arguments)


# What may be used

def check():
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    packages = metadata()["packages"]
    found = sorted(problem for package in packages for problem in problems(package, rules))
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        sys.exit("See deny.toml.")
    print(f"{len(packages)} crates: licences, bans and sources are as deny.toml wants them")


def problems(package, rules):
    name = f"{package['name']} {package['version']}"
    allowed = set(rules["licenses"]["allow"])
    if not package["license"]:
        yield f"{name} names no licence"
    elif not is_allowed(package["license"], allowed):
        yield f"{name}: its licence {package['license']} is not allowed"
    for ban in rules["bans"]["deny"]:
        if package["name"] == ban["crate"]:
            yield f"{name} is banned: {ban['reason']}"
    source = package["source"]
    if source is not None and source.removeprefix("registry+") not in rules["sources"]["allow-registry"]:
        yield f"{name} comes from {source}"
    for dependency in package["dependencies"] if source is None else []:
        if dependency["req"] == "*" and "path" not in dependency:
            yield f"{name} takes any version of {dependency['name']}"


def is_allowed(expression, allowed):
    """Whether an SPDX expression can be met by what is allowed. A slash is an old way to write OR."""
    words = re.findall(r"[()]|[^\s()/]+|/", expression)
    words = ["OR" if word == "/" else word for word in words]

    def either():
        met = both()
        while words and words[0] == "OR":
            words.pop(0)
            # Both sides are read, whatever the first one says.
            met = both() | met
        return met

    def both():
        met = single()
        while words and words[0] == "AND":
            words.pop(0)
            met = single() & met
        return met

    def single():
        word = words.pop(0)
        if word == "(":
            met = either()
            words.pop(0)
            return met
        if words and words[0] == "WITH":
            word = f"{word} WITH {words[1]}"
            del words[:2]
        return word in allowed

    return either()


# What is in it

def notices(target, file):
    crates = linked(target)
    texts, borrowed = {}, []
    for package in crates:
        legal = legal_files(package)
        if not legal:
            legal = of_a_sibling(package, crates)
            borrowed.append(f"{package['name']} {package['version']}")
        if not legal:
            sys.exit(f"{package['name']} {package['version']} ships no licence, and no crate of its repository does")
        for path in legal:
            text = path.read_text(errors="replace").strip().replace("\r\n", "\n")
            texts.setdefault(text, []).append(f"{package['name']} {package['version']} ({package['license']})")
    if target.endswith("-linux-gnu"):
        glibc = (ROOT / "LICENSES" / "LGPL-2.1.txt").read_text().strip()
        texts.setdefault(glibc, []).append("GNU C Library, https://www.gnu.org/software/libc (LGPL-2.1-or-later)")
    lines = [PREFACE]
    for text, users in sorted(texts.items(), key=lambda item: item[1]):
        lines += ["=" * 100, *users, "-" * 100, text, ""]
    pathlib.Path(file).write_text("\n".join(lines))
    print(f"{file}: {len(crates)} crates, {len(texts)} texts; {', '.join(borrowed) or 'none'} by those of a sibling")


def legal_files(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    named = [folder / package["license_file"]] if package["license_file"] else []
    found = [path for path in sorted(folder.iterdir()) if path.name.lower().startswith(LEGAL) and path.is_file()]
    return sorted(set(named + found))


def of_a_sibling(package, crates):
    """Some crates leave out the licence that stands at the top of their repository, and others do not."""
    for same in ("repository", "license"):
        for other in crates:
            alike = (other[same] or "").removesuffix(".git") == (package[same] or "").removesuffix(".git")
            # Of licences, only Apache's is the same text for everybody.
            if alike and (same == "repository" or package["license"] == "Apache-2.0") and legal_files(other):
                return legal_files(other)
    return []


def sbom(target, file):
    crates = linked(target)
    version = os.environ.get("VERSION") or own(metadata())["version"]
    hashes = checksums()
    components = [{
        "type": "library", "bom-ref": purl(package), "name": package["name"], "version": package["version"],
        "purl": purl(package), "licenses": [{"expression": package["license"].replace("/", " OR ")}],
        "hashes": [{"alg": "SHA-256", "content": hashes[key(package)]}],
    } for package in crates]
    name = f"{PROVIDER}@{version}"
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        # The same for the same contents, so that a release can be made twice.
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([name, target, components])).urn,
        "metadata": {"component": {"type": "application", "bom-ref": name, "name": PROVIDER, "version": version,
                                   "licenses": [{"license": {"id": "MPL-2.0"}}]}},
        "components": components,
        "dependencies": [{"ref": name, "dependsOn": [component["bom-ref"] for component in components]}],
    }
    pathlib.Path(file).write_text(json.dumps(document, indent=2) + "\n")
    print(f"{file}: {len(components)} crates")


def linked(target):
    """Every crate of which the binary may contain code: what is needed only to build or to test is left out."""
    graph = metadata("--filter-platform", target)
    packages = {package["id"]: package for package in graph["packages"]}
    nodes = {node["id"]: node for node in graph["resolve"]["nodes"]}
    seen, waiting = set(), [own(graph)["id"]]
    while waiting:
        node = waiting.pop()
        for dependency in nodes[node]["deps"]:
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            macro = any("proc-macro" in kind["kind"] for kind in packages[dependency["pkg"]]["targets"])
            if normal and not macro and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    return sorted((packages[crate] for crate in seen), key=key)


def own(graph):
    return next(package for package in graph["packages"] if package["name"] == PROVIDER)


def checksums():
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    return {key(package): package["checksum"] for package in lock["package"] if "checksum" in package}


def key(package):
    return package["name"], package["version"]


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def metadata(*arguments):
    command = ["cargo", "metadata", "--format-version", "1", "--locked", *arguments]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
