"""Single edits that make a valid file invalid, each at a place that is known.

An edit is made in the text, at the marks of the parsed tree, so that what surrounds it stays as a person wrote it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from proxy.config.document import Node
from proxy.config.problem import Path
from proxy.config.syntax import parse

# Maps whose keys are names that the file gives.
FREE = {
    "providers", "routes", "policies", "tenants", "teams", "keys", "header", "tag", "set", "from_headers", "from_body",
    "headers", "deployments", "models", "variants", "outcomes", "deny", "patterns", "entities",
}  # fmt: skip
_QUANTITY = re.compile(r"\d+(ms|s|m|h|B|KiB|MiB)")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Mutant(NamedTuple):
    """``line`` is where the problem must be reported, 0 for anywhere; ``hint``: a suggestion must be made."""

    kind: str
    data: bytes
    line: int = 0
    hint: bool = False


class Place(NamedTuple):
    """A value of a file."""

    path: Path
    node: Node
    parent: Node


class Source:
    """A valid file, ready to be broken."""

    def __init__(self, data: bytes) -> None:
        root, problems = parse(data, "source")
        assert root is not None
        assert not problems
        self.text = data.decode()
        self.lines = self.text.split("\n")
        self.places = list(_places(root, ()))
        self.scalars = [place for place in self.places if not place.node.children() and place.node.text]
        optional = [p.path[:2] for p in self.places if p.path[2:] == ("optional",) and p.node.value is True]
        self.required = [place for place in self.scalars if place.path[:2] not in optional]

    def replaced(self, node: Node, new: str) -> bytes:
        """The file with another scalar in place of ``node``."""
        line = self.lines[node.mark.line - 1]
        start = node.mark.col - 1
        end = start + len(node.text)
        if line[start] in "\"'":
            end = line.index(line[start], start + 1) + 1
        return self.with_line(node.mark.line, line[:start] + new + line[end:])

    def with_line(self, number: int, *new: str) -> bytes:
        """The file with line ``number`` (from 1) replaced."""
        return "\n".join([*self.lines[: number - 1], *new, *self.lines[number:]]).encode()


def _places(node: Node, path: Path) -> Iterator[Place]:
    for key, child in node.children():
        yield Place((*path, key), child, node)
        yield from _places(child, (*path, key))


def typed_wrong(rng: random.Random, word: str) -> str:
    """``word`` with one typing error."""
    at = rng.randrange(len(word))
    letter = rng.choice(_LETTERS)
    return rng.choice(
        [
            word[:at] + word[at + 1 :] if len(word) > 2 else word + letter,
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
        ]
    )


def _typo_in_key(rng: random.Random, source: Source) -> Mutant | None:
    def is_known(place: Place) -> bool:
        above = place.path[:-1]
        is_free = bool(above) and (above[-1] in FREE or above[-2:] == ("claims", "tags"))
        return isinstance(place.path[-1], str) and not is_free

    place = rng.choice([place for place in source.places if is_known(place)])
    key = str(place.path[-1])
    mark = place.parent.keys[key]
    wrong = typed_wrong(rng, key)
    siblings = set(place.parent.value) | {"models", "model", "tags", "headers", "set", "use", "of", "on"}
    if wrong in siblings or wrong == key or not wrong.isidentifier():
        return None
    line = source.lines[mark.line - 1]
    data = source.with_line(mark.line, line[: mark.col - 1] + wrong + line[mark.col - 1 + len(key) :])
    return Mutant("typo in a key", data, mark.line, hint=True)


def _wrong_type(rng: random.Random, source: Source) -> Mutant:
    place = rng.choice(source.scalars)
    return Mutant(
        "wrong type", source.replaced(place.node, rng.choice(["{a: 1}", "[{a: 1}]", "[[x]]"])), place.node.mark.line
    )


def _bad_quantity(rng: random.Random, source: Source) -> Mutant | None:
    found = [place.node for place in source.scalars if _QUANTITY.fullmatch(place.node.text)]
    if not found:
        return None
    node = rng.choice(found)
    new = rng.choice(
        ["30", '"30"', "5 parsecs", "-5s", "-1MiB", "1e3s", "30 S", "no", "2026-01-01", "12:30:45", "0o17", "~"]
    )
    return Mutant("bad unit", source.replaced(node, new), node.mark.line)


def _missing_reference(rng: random.Random, source: Source) -> Mutant:
    place = rng.choice(source.required)
    new = rng.choice(['"${env:IS_MISSING}"', '"${file:/is/missing}"', '"${IS_MISSING}"', '"a ${ b"'])
    return Mutant("missing reference", source.replaced(place.node, new), place.node.mark.line)


def _duplicate_key(rng: random.Random, source: Source) -> Mutant | None:
    rows = [(at, m) for at, line in enumerate(source.lines, 1) if (m := re.match(r"( *)([a-z_]+):", line))]
    if not rows:
        return None
    number, found = rng.choice(rows)
    line = source.lines[number - 1]
    return Mutant("duplicate key", source.with_line(number, f"{found[1]}{found[2]}: 1", line), number + 1)


def _tab(rng: random.Random, source: Source) -> Mutant:
    rows = [at for at, line in enumerate(source.lines, 1) if re.match(r" +[^ #]", line)]
    number = rng.choice(rows)
    return Mutant("tab", source.with_line(number, "\t" + source.lines[number - 1].lstrip()), number)


def _bomb(rng: random.Random, source: Source) -> Mutant:
    width = rng.randrange(9, 12)
    lines = ["bomb0: &b0 [" + ", ".join(["x"] * width) + "]"]
    lines += [f"bomb{n}: &b{n} [" + ", ".join([f"*b{n - 1}"] * width) + "]" for n in range(1, 10)]
    return Mutant("bomb", (source.text + "\n" + "\n".join(lines) + "\n").encode())


def _unknown_provider(rng: random.Random, source: Source) -> Mutant | None:
    names = {place.path[1] for place in source.places if place.path[0] == "providers" and len(place.path) == 2}
    leaves = [place.node for place in source.scalars if "target" in place.path and "/" in place.node.text]
    node = rng.choice(leaves)
    provider, _, model = node.text.partition("/")
    wrong = typed_wrong(rng, provider)
    if wrong in names or not wrong.isidentifier():
        return None
    return Mutant("unknown provider", source.replaced(node, f"{wrong}/{model}"), node.mark.line, hint=True)


def _unknown_name(rng: random.Random, source: Source) -> Mutant | None:
    """Of a named list, or of a model that a tenant may use."""
    found = [p.node for p in source.scalars if p.path[-1] == "use"]
    found += [p.node for p in source.scalars if p.path[0] == "tenants" and "models" in p.path and p.node.text.isalpha()]
    if not found:
        return None
    node = rng.choice(found)
    wrong = typed_wrong(rng, node.text)
    if wrong == node.text or not wrong.isidentifier():
        return None
    return Mutant("unknown name", source.replaced(node, wrong), node.mark.line, hint=True)


def _zero_weights(rng: random.Random, source: Source) -> Mutant | None:
    text = re.sub(r"weight: [0-9.e]+", "weight: 0", source.text)
    return None if text == source.text else Mutant("weights of zero", text.encode())


def _negative(rng: random.Random, source: Source) -> Mutant | None:
    numbers = [p.node for p in source.scalars if type(p.node.value) in (int, float)]
    if not numbers:
        return None
    node = rng.choice(numbers)
    new = rng.choice(["-1", "-0.5", "no", "2026-01-01", "12:30:45", ".inf", "1" * 30])
    return Mutant("wrong number", source.replaced(node, new), node.mark.line)


def _yes(rng: random.Random, source: Source) -> Mutant | None:
    switches = [p.node for p in source.scalars if isinstance(p.node.value, bool)]
    if not switches:
        return None
    node = rng.choice(switches)
    return Mutant(
        "yes for true", source.replaced(node, rng.choice(["yes", "on", "no", "off"])), node.mark.line, hint=True
    )


def _octal(rng: random.Random, source: Source) -> Mutant:
    """A number where text must stand."""
    node = rng.choice([p.node for p in source.scalars if isinstance(p.node.value, str)])
    return Mutant(
        "number for text", source.replaced(node, rng.choice(["010", "0o17", "1e3", "0x1f", "true"])), node.mark.line
    )


def _unbalanced(rng: random.Random, source: Source) -> Mutant | None:
    rows = [at for at, line in enumerate(source.lines, 1) if line.rstrip().endswith(("}", "]"))]
    if not rows:
        return None
    number = rng.choice(rows)
    return Mutant("bracket removed", source.with_line(number, source.lines[number - 1].rstrip()[:-1]))


def _garbage(rng: random.Random, source: Source) -> Mutant:
    at = rng.randrange(len(source.text))
    data = source.text.encode()
    return Mutant("garbage", data[:at] + rng.choice([b"\x00", b"\xff", b"\x07", b"\xc3("]) + data[at:])


def _model_twice(rng: random.Random, source: Source) -> Mutant | None:
    lists = [p for p in source.places if p.path[-1] == "models" and isinstance(p.node.value, list)]
    if not lists:
        return None
    node = rng.choice(lists).node
    first = node.value[0]
    line = source.lines[first.mark.line - 1]
    end = line.index(",", first.mark.col) if "," in line[first.mark.col :] else line.index("]", first.mark.col)
    item = line[first.mark.col - 1 : min(end, line.index("]", first.mark.col))]
    again = line[: first.mark.col - 1] + item + ", " + line[first.mark.col - 1 :]
    return Mutant("model twice", source.with_line(first.mark.line, again), first.mark.line)


MUTATORS: tuple[Callable[[random.Random, Source], Mutant | None], ...] = (
    _typo_in_key, _typo_in_key, _typo_in_key, _wrong_type, _wrong_type, _bad_quantity, _missing_reference,
    _duplicate_key, _tab, _bomb, _unknown_provider, _unknown_name, _zero_weights, _negative, _yes, _octal, _unbalanced,
    _garbage, _model_twice,
)  # fmt: skip


def mutants(data: bytes, seed: Any, count: int) -> Iterator[Mutant]:
    """``count`` invalid files, each one edit away from ``data``."""
    rng = random.Random(repr(seed))
    source = Source(data)
    made = 0
    while made < count:
        mutant = rng.choice(MUTATORS)(rng, source)
        if mutant is not None:
            made += 1
            yield mutant
