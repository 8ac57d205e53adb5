"""The JSON Schema of the file: one self-contained document for editors, and the reference that people read."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


GATEWAY, TEST = "gateway.json", "test.json"  # of the file itself, and of what is expected of it


def bundle(name: str = GATEWAY) -> Schema:
    """The whole schema in one document: every file that is referred to stands in ``$defs``."""
    defs: dict[str, Schema] = {}
    root = _inline(json.loads(_read(SCHEMAS / name)), SCHEMAS, defs)
    defs.update(root.pop("$defs"))
    return {**root, "$defs": dict(sorted(defs.items()))}


def _inline(schema: Any, directory: Path, defs: dict[str, Schema]) -> Any:
    """``schema`` with references to files replaced by references into ``defs``, which gets those files."""
    if isinstance(schema, list):
        return [_inline(item, directory, defs) for item in schema]
    if not isinstance(schema, dict):
        return schema
    ref = schema.get("$ref", "")
    if not isinstance(ref, str) or not ref or ref.startswith("#"):
        return {key: _inline(value, directory, defs) for key, value in schema.items()}
    file, _, pointer = ref.partition("#")
    path = (directory / file).resolve()
    if path.name == "gateway.json":
        return {**schema, "$ref": f"#{pointer}"}
    name = f"{path.parent.name}.{path.stem}"
    if name not in defs:
        defs[name] = {}  # stands here while the file is read, so that circles end
        content = _inline(json.loads(_read(path)), path.parent, defs)
        content.pop("$schema", None)
        defs[name] = content
    return {**schema, "$ref": f"#/$defs/{name}"}


def resolve(schema: Schema, root: Schema) -> Schema:
    """``schema`` with its own ``$ref`` followed; what stands beside the reference wins."""
    while "$ref" in schema:
        found = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


_REFERENCE_HEAD = """# Reference of `gateway.yaml`

Every key, in the order of the schema. This file is generated from the schemas in this folder
(`python -m proxy.config.schema --write`); editors read them through the first line of a file:

```yaml
# yaml-language-server: $schema=schemas/gateway.json
```

`sluicegate schema --output gateway.schema.json` writes them as one file for use elsewhere.

How values are written:

| kind | written |
|---|---|
| percent | a number and `%`: `5%`, `0.5%` |
| money | dollars: `$0.15`, `$20` |
| duration | a number and `ms`, `s`, `m` (or `min`), `h` or `d`: `250ms`, `30s`, `5m` |
| size | a number and `B`, `kB`, `MB`, `GB`, `KiB`, `MiB` or `GiB`: `64KiB`, `10MiB` |
| pattern | text in which `*` stands for anything, `?` for one character, `[ab]` for one of those |
| secret | text that is never shown; better a reference than the value itself |
| day | `2027-01-31` |
| limit | an amount (`k`, `M`, `G`), what of (nothing: requests), and a time: `60/min`, `100k tokens/min`, `$50/month` |

Text may hold references, which are resolved once, when the file is read:

- `${env:NAME}`: an environment variable; an empty one counts as absent
- `${env:NAME:-default}`: the same, with a value for when it is absent
- `${file:/path}`: the content of a file without its last line break, by path relative to the file that names it
- `$${`: the text `${` itself

The file is YAML 1.2: `no`, `on` and `12:30` are text, `010` is ten. Duplicate keys, tags and several documents are
problems; anchors, aliases and `<<` work.
"""
_POLICIES_HEAD = """What may stand beside each, then the entries of a list of policies, then the nodes of a target tree.

```yaml
policies:
  - {prompt_cache: {}, rollout: 10% by user, flag: cache-marks}
target:
  fallback:
    - {model: openai/gpt-5, enabled: tier == 'premium', flag: new-model}
    - openai/gpt-4o-mini
```
"""
_KINDS = {
    "object": "map",
    "array": "list",
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "limit": "limit",
    "time_zone": "time zone",
    "duration": "duration",
    "money": "money",
    "percent": "percent",
    "size": "size",
    "secret": "secret",
    "glob": "pattern",
    "date": "day",
    "rollout": "share, or share by a tag",
}


def reference() -> str:
    """The text of ``schemas/README.md``: every key with type, unit, default, example and meaning."""
    root = bundle()
    writer = _Reference(root)
    for name in root["properties"]:
        writer.section(name, 2, root["properties"][name], name in root["required"])
    writer.section("limit", 2, {"$ref": "#/$defs/limit"}, False)
    writer.text += ["## policies and targets\n", _POLICIES_HEAD]
    for name in ("enabled", "rollout", "flag"):
        writer.section(name, 3, {"$ref": f"#/$defs/{name}"}, False)
    for name in _entries(root, "policies."):
        writer.section(name, 3, {"$ref": f"#/$defs/policies.{name}"}, False)
    writer.text += ["## kinds of providers\n"]
    for name in _entries(root, "providers."):
        writer.section(name, 3, {"$ref": f"#/$defs/providers.{name}"}, False)
    return _REFERENCE_HEAD + "\n" + "\n".join(writer.text)


def _entries(root: Schema, prefix: str) -> list[str]:
    """Policies, targets or kinds of providers, in the order in which the schema names them."""
    text = json.dumps(root["$defs"]["policy_entry"]) + json.dumps(root["$defs"]["target"]) + json.dumps(root)
    names = [name.removeprefix(prefix) for name in root["$defs"] if name.startswith(prefix)]
    return sorted(names, key=lambda name: text.index(f"#/$defs/{prefix}{name}"))


class _Reference:
    """Collects the sections of the reference. What has a section of its own is described there alone."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self.text: list[str] = []

    def section(self, name: str, level: int, schema: Schema, is_required: bool) -> None:
        """A heading, what the key means, a table of its keys, and sections for the maps among them."""
        schema = resolve(schema, self._root)
        self.text.append(f"{'#' * level} {name}\n")
        facts = self._facts(schema, is_required)
        self.text.append(f"{schema['description']}{f' ({facts})' if facts else ''}\n")
        if "examples" in schema:
            self.text.append(f"```yaml\n{_example(name, schema['examples'][0])}```\n")
        entry = schema.get("additionalProperties")
        if isinstance(entry, dict) and "oneOf" not in entry and resolve(entry, self._root).get("type") == "object":
            self.section(f"{name}.{schema['x-entry']}", min(level + 1, 4), entry, False)
            return
        shape = self._map(schema)
        if shape is None or not shape.get("properties"):
            return
        self._table(shape)
        for key, value in shape["properties"].items():
            if self._has_section(key, value):
                self.section(f"{name}.{key}", level + 1 if level < 4 else 4, value, key in shape.get("required", ()))

    def _map(self, schema: Schema) -> Schema | None:
        """The map among the forms of a value, or the one that a list is made of."""
        if schema.get("type") == "array":
            schema = resolve(schema["items"], self._root)
        forms = [resolve(form, self._root) for form in schema.get("oneOf", [schema])]
        maps = [form for form in forms if form.get("type") == "object" and "x-noun" not in form]
        return maps[0] if maps else None

    def _has_section(self, key: str, value: Schema) -> bool:
        value = resolve(value, self._root)
        if key in ("target", "policies"):
            return False
        entry = value.get("additionalProperties")
        shape = self._map(value)
        return bool(shape and shape.get("properties")) or (
            isinstance(entry, dict) and resolve(entry, self._root).get("type") == "object"
        )

    def _table(self, shape: Schema) -> None:
        self.text.append("| key | type | default | example | meaning |\n|---|---|---|---|---|")
        for key, value in shape["properties"].items():
            value = resolve(value, self._root)
            default = "required" if key in shape.get("required", ()) else _code(value.get("default"))
            example = _code(value["examples"][0]) if "examples" in value else ""
            cells = [f"`{key}`", self._kind(value), default, example, value.get("description", "")]
            self.text.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        self.text.append("")

    def _facts(self, schema: Schema, is_required: bool) -> str:
        kind = self._kind(schema)
        if is_required:
            return f"{kind}, required"
        default = schema.get("default")
        return kind if default is None or default == {} else f"{kind}, default {_code(default)}"

    def _kind(self, schema: Schema) -> str:
        """The type of a value, with its unit and bounds."""
        schema = resolve(schema, self._root)
        if "x-noun" in schema:
            return str(schema["x-noun"])
        if "oneOf" in schema:
            return " or ".join(dict.fromkeys(self._kind(form) for form in schema["oneOf"]))
        if "enum" in schema:
            return " ".join(f"`{word}`" for word in schema["enum"])
        if schema["type"] == "array":
            return f"list of {self._kind(schema['items'])}"
        entry = schema.get("additionalProperties")
        if schema["type"] == "object" and isinstance(entry, dict):
            return f"map of {self._kind(entry)}"
        kind = _KINDS[str(schema.get("format", schema["type"]))]
        low = schema.get("x-min", schema.get("minimum"))
        high = schema.get("x-max", schema.get("maximum"))
        return kind if low is None or high is None else f"{kind}, {low} to {high}"


def _example(name: str, value: Any) -> str:
    """``value`` under its keys, as YAML."""
    if value == name:  # a policy that stands by its bare name
        return f"- {name}\n"
    for key in reversed(name.split(".")):
        value = {key: value}
    text = yaml.safe_dump(value, default_flow_style=None, sort_keys=False, allow_unicode=True, width=110)
    return f"{text[1:-2]}\n" if text.startswith("{") else text


def _code(value: Any) -> str:
    if value is None:
        return ""
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value, ensure_ascii=False)}`"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        (SCHEMAS / "README.md").write_text(reference(), encoding="utf-8")
    else:
        sys.stdout.write(reference())
