"""What a request is about: user, session, project … by the client's word, a header, the body, or the file."""

from __future__ import annotations

from typing import Any, Self

import msgspec

from proxy.exchange import Exchange
from proxy.policy import CompileContext, Config, Policy
from proxy.tags import TAGS_HEADER, is_tag_name, is_tag_value, read_tags


class TagsConfig(Config, frozen=True):
    """``accept``: tags taken from ``x-sluicegate-tags``; ``from_headers`` and ``from_body``: tag → header, body member;
    ``set``: constants, which win over everything."""

    accept: tuple[str, ...] = ()
    from_headers: dict[str, str] = {}
    from_body: dict[str, str] = {}
    set: dict[str, str] = {}


class Tags(Policy):
    """Decides which tags stand on the exchange. Tags attribute and steer; they never identify.

    Those that go with the caller's proof win over whatever the request says, and the file's own over both.
    """

    __slots__ = ("_accept", "_body", "_body_tags", "_headers", "_set")

    Config = TagsConfig

    def __init__(
        self,
        accept: frozenset[str],
        headers: tuple[tuple[str, bytes], ...],
        from_body: dict[str, str],
        set_: dict[str, str],
    ) -> None:
        self._accept = accept
        self._headers = headers
        self._body_tags = tuple(from_body)
        self._body = _members(tuple(from_body.values()))
        self._set = set_

    @classmethod
    def compile(cls, config: TagsConfig, context: CompileContext) -> Self:
        for at, name in enumerate(config.accept):
            if not is_tag_name(name):
                context.fail(f"{name!r} is not a tag name: lower-case letters, digits, _ . -", f"accept[{at}]")
        for group in ("from_headers", "from_body", "set"):
            for name in getattr(config, group):
                if not is_tag_name(name):
                    context.fail(f"{name!r} is not a tag name: lower-case letters, digits, _ . -", f"{group}.{name}")
        for name, value in config.set.items():
            if not is_tag_value(value):
                context.fail("a tag's value is 1 to 256 printable characters", f"set.{name}")
        headers = tuple((tag, name.lower().encode()) for tag, name in config.from_headers.items())
        return cls(frozenset(config.accept), headers, dict(config.from_body), dict(config.set))

    def on_request(self, x: Exchange) -> None:
        tags = x.tags
        if self._accept and (sent := x.header(TAGS_HEADER)) is not None:
            tags.update((name, value) for name, value in read_tags(sent).items() if name in self._accept)
        for tag, header in self._headers:
            if (raw := x.header(header)) is not None and is_tag_value(text := raw.decode("utf-8", "replace")):
                tags[tag] = text
        if self._body_tags and x.endpoint.body == "json":
            for tag, member in zip(self._body_tags, msgspec.structs.astuple(self._body.decode(x.body)), strict=True):
                if bytes(member)[:1] == b'"' and is_tag_value(text := msgspec.json.decode(member)):
                    tags[tag] = text
        if x.identity is not None:
            tags.update(x.identity.tags)
        tags.update(self._set)

    def explain(self, x: Exchange) -> str:
        return ", ".join(f"{name}={value}" for name, value in x.tags.items()) or "no tags"


def _members(names: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """A decoder of just these members of a JSON object, as raw bytes; all others are skipped over."""
    fields = [(f"member_{at}", msgspec.Raw, msgspec.Raw()) for at in range(len(names))]
    rename = {f"member_{at}": name for at, name in enumerate(names)}
    return msgspec.json.Decoder(msgspec.defstruct("Members", fields, rename=rename))
