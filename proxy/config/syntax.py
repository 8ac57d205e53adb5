"""From the text of one file to a tree with positions, by the events of libyaml, within fixed bounds.

Nothing is built beyond the bounds, so a hostile file costs no more than a large good one.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from proxy.config.complaint import explain_error
from proxy.config.document import UNREADABLE, Mark, Node
from proxy.config.problem import Path, Problem, nearest, quote, render_path
from proxy.config.scalar import read_scalar

MAX_DEPTH = 64
# Values of one file, aliases expanded. A file of a thousand routes has some twenty thousand.
MAX_VALUES = 30_000

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MERGE = "<<"
_KINDS: dict[Any, str] = {dict: "a map", list: "a list"}


class _Stop(Exception):
    """Reading ends here; the reason has been reported."""


class _Frame:
    """A map or list that is still open. ``key`` None: a map waits for its key; ``drop``: its value is of no use."""

    __slots__ = ("drop", "is_tagged", "key", "key_mark", "merged", "node")

    def __init__(self, node: Node, *, is_tagged: bool) -> None:
        self.node = node
        self.is_tagged = is_tagged
        self.key: str | None = None
        self.key_mark = node.mark
        self.drop = False
        self.merged: list[Node] = []


# Refused in an included file too: a file that is just being written would take its settings away for a moment.
EMPTY = "the file is empty"


def parse(data: bytes, file: str) -> tuple[Node | None, list[Problem]]:
    """The tree of a file and what is wrong with it; no tree when it could not be read to its end."""
    try:
        text = _decode(data)
    except ValueError as error:
        line, col, sentence = error.args
        return None, [Problem(file, line, col, "", sentence)]
    return _Builder(file, text).build()


def _decode(data: bytes) -> str:
    """The text of the file, or a ValueError with line, column and a sentence."""
    if data.startswith(_BYTE_ORDER_MARKS):
        raise ValueError(1, 1, "the file is UTF-16; save it as UTF-8")
    if data.startswith(b"\xef\xbb\xbf"):
        raise ValueError(1, 1, "the file begins with a byte order mark; save it as UTF-8 without one")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line, col = _place(data[: error.start].decode("utf-8", "replace"))
        raise ValueError(
            line, col, f"the byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None
    if found := _UNPRINTABLE.search(text):
        line, col = _place(text[: found.start()])
        raise ValueError(line, col, f"the control character U+{ord(found[0]):04X} cannot stand in the file; remove it")
    return text


def _place(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - before.rfind("\n")


class _Builder:
    """Turns events into nodes. One per file."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._parser: Any = yaml.CSafeLoader(text)
        self._problems: list[Problem] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Node | None] = {}  # None: not yet complete
        self._open_anchors: dict[int, str] = {}
        self._root: Node | None = None
        self._events = 0
        self._documents = 0

    def build(self) -> tuple[Node | None, list[Problem]]:
        try:
            while not isinstance(event := self._parser.get_event(), yaml.StreamEndEvent):
                self._take(event)
        except yaml.YAMLError as error:
            line, col, sentence = explain_error(error, self._text)
            self._problems.append(Problem(self._file, line, col, render_path(self._path()), sentence))
            return None, self._problems
        except _Stop:
            return None, self._problems
        if self._root is None:
            return self._unusable(Mark(self._file, 1, 1), EMPTY)
        if not isinstance(self._root.value, dict):
            kind = _KINDS.get(type(self._root.value), "a single value")
            return self._unusable(
                self._root.mark, f"the top level must be a map with keys such as `routes:`, not {kind}"
            )
        return self._root, self._problems

    def _unusable(self, mark: Mark, sentence: str) -> tuple[None, list[Problem]]:
        self._complain(mark, sentence)
        return None, self._problems

    def _take(self, event: Any) -> None:
        self._events += 1
        if self._events > 2 * MAX_VALUES:
            self._stop(
                self._mark(event), f"the file holds more than {MAX_VALUES:,} values; this is not a configuration"
            )
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._open(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close()
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._stop(self._mark(event), "a second document begins here (`---`); one file holds one")

    def _scalar(self, event: Any) -> None:
        mark = self._mark(event)
        value: Any = event.value
        if not self._has_no_tag(event, mark):
            value = UNREADABLE
        elif event.implicit[0]:
            try:
                value = read_scalar(event.value)
            except ValueError as error:
                self._complain(mark, str(error))
                value = UNREADABLE
        node = Node(mark, value, event.value)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._attach(node, mark, is_merge=event.implicit[0] and value == _MERGE)

    def _alias(self, event: Any) -> None:
        mark = self._mark(event)
        name = event.anchor
        if name not in self._anchors:
            hint = nearest(name, self._anchors)
            self._complain(mark, f"no anchor `&{name}` stands above this alias", None if hint is None else f"*{hint}")
            self._attach(Node(mark, UNREADABLE), mark)
            return
        node = self._anchors[name]
        if node is None:
            self._complain(mark, f"the alias `*{name}` stands inside of what `&{name}` names, so it has no end")
            node = Node(mark, UNREADABLE)
        self._attach(node, mark, is_alias=True)

    def _open(self, event: Any) -> None:
        mark = self._mark(event)
        is_tagged = not self._has_no_tag(event, mark)
        if len(self._stack) >= MAX_DEPTH:
            self._stop(mark, f"this is nested more than {MAX_DEPTH} levels deep")
        node = Node(mark, {} if isinstance(event, yaml.MappingStartEvent) else [])
        if event.anchor is not None:
            self._anchors[event.anchor] = None
            self._open_anchors[id(node)] = event.anchor
        self._stack.append(_Frame(node, is_tagged=is_tagged))

    def _close(self) -> None:
        frame = self._stack.pop()
        node = frame.node
        for source in frame.merged:
            self._merge(node, source)
        if frame.is_tagged:
            node.value = UNREADABLE
        anchor = self._open_anchors.pop(id(node), None)
        if anchor is not None:
            self._anchors[anchor] = node
        self._attach(node, node.mark)

    def _attach(self, node: Node, mark: Mark, *, is_merge: bool = False, is_alias: bool = False) -> None:
        """Give a complete value, key or merge sign to what is open."""
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        parent = frame.node
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif frame.key is None:
            self._key(frame, node, mark, is_merge=is_merge, is_alias=is_alias)
            return
        else:
            if frame.key == _MERGE and not frame.drop:
                frame.merged.append(node)
            elif not frame.drop:
                parent.value[frame.key] = node
                parent.keys[frame.key] = frame.key_mark
            frame.key, frame.drop = None, False
        self._grow(parent, node, mark)

    def _key(self, frame: _Frame, node: Node, mark: Mark, *, is_merge: bool, is_alias: bool) -> None:
        frame.key_mark = mark
        if not isinstance(node.value, str) or node.value is UNREADABLE or is_alias:
            self._complain_of_key(node, mark, is_alias=is_alias)
            frame.key, frame.drop = "", True
            return
        frame.key = node.value
        if is_merge:
            return
        first = frame.node.keys.get(frame.key)
        # A key spelled "<<" in quotes is not the merge sign; nothing here has such a name.
        frame.drop = first is not None or frame.key == _MERGE
        if first is not None:
            self._complain(mark, f"the key {quote(frame.key)} stands here for the second time; the first is at {first}")

    def _complain_of_key(self, node: Node, mark: Mark, *, is_alias: bool) -> None:
        if node.value is UNREADABLE:
            return
        if is_alias:
            self._complain(mark, "an alias cannot be a key; write the key out")
        elif isinstance(node.value, (dict, list)):
            self._complain(mark, f"{_KINDS[type(node.value)]} cannot be a key; quote it if it is text")
        elif node.text:
            self._complain(mark, f"the key {node.text} is not text; write {quote(node.text)}")
        else:
            self._complain(mark, "a key is missing before the `:`")

    def _merge(self, node: Node, source: Node) -> None:
        """``<<: *other``: what is not written out comes from there."""
        maps = source.value if isinstance(source.value, list) else [source]
        for one in maps:
            if not isinstance(one.value, dict):
                if one.value is not UNREADABLE:
                    self._complain(one.mark, "`<<` takes a map or a list of maps, usually an alias such as *defaults")
                continue
            for key, value in one.value.items():
                if key not in node.value:
                    node.value[key] = value
                    node.keys[key] = one.keys[key]

    def _grow(self, parent: Node, child: Node, mark: Mark) -> None:
        """Count the child with all that its aliases stand for."""
        parent.size += child.size
        parent.height = max(parent.height, child.height + 1)
        if parent.size > MAX_VALUES:
            self._stop(
                mark,
                f"the file holds more than {MAX_VALUES:,} values, its aliases written out; this is not a configuration",
            )
        if len(self._stack) + child.height > MAX_DEPTH:
            self._stop(mark, f"this is nested more than {MAX_DEPTH} levels deep, its aliases written out")

    def _has_no_tag(self, event: Any, mark: Mark) -> bool:
        if event.tag is None:
            return True
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self._complain(mark, f"the tag {quote(tag)} is not allowed; write the plain value")
        return False

    def _mark(self, event: Any) -> Mark:
        return Mark(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _path(self) -> Path:
        """Where the reader stands."""
        path: Path = ()
        for frame in self._stack:
            if isinstance(frame.node.value, list):
                path += (len(frame.node.value),)
            elif frame.key is not None:
                path += (frame.key,)
        return path

    def _complain(self, mark: Mark, sentence: str, suggestion: str | None = None) -> None:
        path = render_path(self._path())
        self._problems.append(Problem(mark.file, mark.line, mark.col, path, sentence, suggestion))

    def _stop(self, mark: Mark, sentence: str) -> None:
        self._complain(mark, sentence)
        raise _Stop
