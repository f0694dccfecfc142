#!/usr/bin/python3
"""Hold a Job of Kubernetes against its schema.

        kubernetes.py MANIFEST

The schema is the type declarations that the npm package kubernetes-models has been generated with from Kubernetes' own OpenAPI document; they are
fetched into the cache folder ($OG_CACHE, by default ~/.cache/og). Keys must be known, those that are required there, values of the right type.
Prints what does not fit, and then exits 1.
"""
import io
import json
import os
import re
import sys
import tarfile
import urllib.request

import yaml

PACKAGES = {"kubernetes-models": "5.1.0", "@kubernetes-models/apimachinery": "3.0.2"}
PROPERTY = re.compile(r'"(\w+)"(\??): (.*);\s*', re.S)


def fetch(cache, name, version):
    folder = os.path.join(cache, "kubernetes", f"{name}-{version}")
    if not os.path.isdir(folder):
        registry = os.environ.get("npm_config_registry", "https://registry.npmjs.org").rstrip("/")
        with urllib.request.urlopen(f"{registry}/{name.replace('/', '%2f')}/{version}") as answer:
            url = json.load(answer)["dist"]["tarball"]
        with urllib.request.urlopen(url) as answer:
            with tarfile.open(fileobj=io.BytesIO(answer.read())) as tar:
                tar.extractall(folder + ".new", [m for m in tar if m.name.endswith(".d.ts")])
        os.rename(folder + ".new", folder)
    return os.path.join(folder, "package")


class Schema:
    def __init__(self, roots):
        self.roots = roots
        self.files = {}

    def file(self, path):
        """The declarations in a file: its properties, and where the types that it names come from."""
        if path not in self.files:
            with open(path, encoding="utf-8") as f:
                text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
            imports = dict(re.findall(r'^import \{ (\w+) \} from "([^"]+)";$', text, re.M))
            body = re.search(r"^export interface \w+ (?:extends \w+ )?\{\n(.*?)^\}", text, re.M | re.S)
            alias = re.search(r"^export type \w+ = (.*?);$", text, re.M | re.S)
            each = [PROPERTY.fullmatch(p) for p in re.split(r'^    (?=")', body[1], flags=re.M)[1:]] if body else []
            properties = {m[1]: (m[3], m[2] == "") for m in each} if body else None
            self.files[path] = (properties, alias and alias[1], imports)
        return self.files[path]

    def find(self, path, spec):
        for name, root in self.roots.items():
            if spec.startswith(name + "/"):
                return os.path.join(root, spec[len(name) + 1:] + ".d.ts")
        return os.path.normpath(os.path.join(os.path.dirname(path), re.sub(r"\.js$", "", spec) + ".d.ts"))

    def check(self, path, kind, value, where):
        kind = kind.strip()
        if "|" in kind and not kind.startswith(("{", "Array<")):
            if any(not list(self.check(path, k, value, where)) for k in kind.split("|")):
                return
            yield f"{where}: {value!r} is none of {kind}"
        elif kind.startswith('"'):
            if value != json.loads(kind):
                yield f"{where}: {value!r} is not {kind}"
        elif kind in ("string", "number", "boolean"):
            types = {"string": str, "number": (int, float), "boolean": bool}[kind]
            if not isinstance(value, types) or (kind == "number" and isinstance(value, bool)):
                yield f"{where}: {value!r} is no {kind}"
        elif kind.startswith("Array<"):
            if not isinstance(value, list):
                yield f"{where}: no list"
                return
            for i, v in enumerate(value):
                yield from self.check(path, kind[6:-1], v, f"{where}[{i}]")
        elif kind.startswith("{"):
            of = re.fullmatch(r"\{\s*\[key: string\]: (.*);\s*\}", kind, re.S)[1]
            if not isinstance(value, dict):
                yield f"{where}: no mapping"
                return
            for k, v in value.items():
                yield from self.check(path, of, v, f"{where}.{k}")
        else:
            yield from self.object(self.find(path, self.file(path)[2][kind]), value, where)

    def object(self, path, value, where):
        properties, alias, _ = self.file(path)
        if properties is None:
            yield from self.check(path, alias, value, where)
            return
        if not isinstance(value, dict):
            yield f"{where}: no mapping"
            return
        for k, v in value.items():
            if k not in properties:
                yield f"{where}: no key {k} in {os.path.basename(path)[:-5]}"
            else:
                yield from self.check(path, properties[k][0], v, f"{where}.{k}")
        for k, (_, required) in properties.items():
            if required and k not in value:
                yield f"{where}: {k} is missing"


def main():
    cache = os.environ.get("OG_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "og")
    schema = Schema({name: fetch(cache, name, version) for name, version in PACKAGES.items()})
    with open(sys.argv[1], encoding="utf-8") as f:
        job = yaml.safe_load(f)
    faults = list(schema.object(os.path.join(schema.roots["kubernetes-models"], "batch/v1/Job.d.ts"), job, "job"))
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
