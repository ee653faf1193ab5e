#!/usr/bin/env python3
"""Lists the crates that homerule is made of: as CycloneDX, and with the texts of their licences.

    packaging/components.py --check                     are all licences ones that deny.toml allows?
    packaging/components.py --sbom FILE --licences FILE
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def components():
    """Returns the crates that end up in the program or build it, without those of tests alone, sorted by name."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host()]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    wanted, waiting = set(), [root]
    while waiting:
        crate = waiting.pop()
        if crate in wanted:
            continue
        wanted.add(crate)
        for dependency in nodes[crate]["deps"]:
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    found = [package for package in metadata["packages"] if package["id"] in wanted]
    return sorted(found, key=lambda package: (package["name"], package["version"])), root


def host():
    told = subprocess.run(["rustc", "-vV"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return re.search(r"^host: (.*)$", told, re.M).group(1)


def is_allowed(expression, allowed):
    """Returns whether an SPDX expression can be met with allowed licences alone."""
    words = re.findall(r"[()]|[^()\s]+", expression.replace("/", " OR "))

    def either():
        verdict = both()
        while words and words[0] == "OR":
            words.pop(0)
            verdict = both() or verdict
        return verdict

    def both():
        verdict = one()
        while words and words[0] == "AND":
            words.pop(0)
            verdict = one() and verdict
        return verdict

    def one():
        word = words.pop(0)
        if word == "(":
            verdict = either()
            words.pop(0)
            return verdict
        if words and words[0] == "WITH":
            words.pop(0)
            word += " WITH " + words.pop(0)
        # `MPL-2.0+` is MPL-2.0 or a later one.
        return word.removesuffix("+") in allowed

    return either()


def texts(package):
    """Returns the files of a crate's licence, by their names."""
    folder = Path(package["manifest_path"]).parent
    pattern = re.compile(r"^(licen[cs]e|copying|copyright|notice|unlicense)", re.I)
    named = [path for path in folder.iterdir() if path.is_file() and pattern.match(path.name)]
    return {path.name: path.read_text(errors="replace").strip() for path in sorted(named)}


def sbom(packages, root):
    def component(package):
        purl = f"pkg:cargo/{package['name']}@{package['version']}"
        told = {"type": "library", "name": package["name"], "version": package["version"], "purl": purl, "bom-ref": purl}
        if package["license"]:
            told["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        return told

    main = next(package for package in packages if package["id"] == root)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(main) | {"type": "application"}},
        "components": [component(package) for package in packages if package["id"] != root],
    }


def licences(packages, root):
    """Returns all licences as text: each text once, with the crates that it is of."""
    by_text = {}
    for package in packages:
        if package["id"] == root:
            continue
        told = texts(package) or {"": f"{package['license']}; the crate has no file with its text."}
        for text in told.values():
            by_text.setdefault(text, []).append(f"{package['name']} {package['version']} ({package['license']})")
    parts = ["homerule contains these components, under these licences.\n"]
    for text, crates in sorted(by_text.items(), key=lambda item: item[1]):
        parts.append("=" * 80 + "\n" + "\n".join(crates) + "\n" + "-" * 80 + "\n" + text + "\n")
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--sbom", type=Path)
    parser.add_argument("--licences", type=Path)
    arguments = parser.parse_args()
    packages, root = components()
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    refused = [package for package in packages if not is_allowed(package["license"] or "none", allowed)]
    for package in refused:
        print(f"{package['name']} {package['version']}: deny.toml doesn't allow {package['license']}", file=sys.stderr)
    if arguments.check:
        print(f"{len(packages)} crates, {len(refused)} with a licence that isn't allowed")
    if arguments.sbom:
        arguments.sbom.write_text(json.dumps(sbom(packages, root), indent=1) + "\n")
    if arguments.licences:
        arguments.licences.write_text(licences(packages, root))
    return 1 if refused else 0


sys.exit(main())
