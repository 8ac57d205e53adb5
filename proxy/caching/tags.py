"""How kept answers are named, to have them forgotten: all, by route, model, template, who asked, or one of them."""

from __future__ import annotations

import re
from functools import lru_cache

from proxy.caching.key import SHOWN, shown
from proxy.exchange import Exchange

ALL = "all"
KINDS = ("route", "model", "version", "template", "organisation", "team", "key", "tag", "entry")
# Which model has answered is known of an answer, and of no request. So a store that replicas share, where a look-up
# tells its tags, forgets with one version all others.
VERSION = "version"
TEMPLATE = "template"  # the caller's tag, too
_ENTRY = re.compile(f"[0-9a-f]{{{SHOWN},64}}")
_MAX = 300  # characters
_KNOWN = 1024  # callers, and models, whose tags are at hand


def tags_of(x: Exchange, key: bytes, template: str = "") -> tuple[str, ...]:
    """Those of the answer to ``x``. ``template``: as the file names the prompts of the route."""
    who = x.identity
    found = (*_of_route(x.route, x.model), f"entry:{shown(key)}")
    if who is not None:
        found += _of_caller(who.organisation, who.team, who.key)
    if x.tags:
        found += tuple([f"tag:{name}={value}" for name, value in sorted(x.tags.items())])
        found += _of_template(x.tags.get(TEMPLATE, ""))
    return found + _of_template(template) if template else found


# The same ones again and again: entries share them, too.


@lru_cache(_KNOWN)
def _of_route(route: str, model: str) -> tuple[str, ...]:
    return ALL, VERSION, f"route:{route}", f"model:{model}"


@lru_cache(_KNOWN)
def _of_caller(organisation: str, team: str, key: str) -> tuple[str, ...]:
    return f"organisation:{organisation}", f"team:{organisation}/{team}", f"key:{organisation}/{team}/{key}"


def _of_template(name: str) -> tuple[str, ...]:
    """Of one version, and of all: "support@3" is a "support"."""
    return (f"template:{name}", f"template:{name.partition('@')[0]}") if name else ()


def version_tags(version: str) -> tuple[str, ...]:
    """Of an answer by this version of a model, "" if that is not known; beside those of ``tags_of``."""
    return (f"version:{version}",) if version else ()


def shared_tag(tag: str) -> str:
    """The tag by whose count a store that replicas share forgets what has ``tag``."""
    return VERSION if tag.startswith(f"{VERSION}:") else tag


def read_tag(text: str) -> str:
    """A tag as people write it: ``all``, ``model:gpt-4o``, ``team:acme/search``, ``tag:feature=faq``, ``entry:…``.

    Raises:
        ValueError: it is none, with a sentence for people.
    """
    if text == ALL:
        return text
    kind, colon, name = text.partition(":")
    if not colon or kind not in KINDS or not name or len(text) > _MAX or not text.isprintable():
        listed = ", ".join(f"`{one}:…`" for one in KINDS)
        raise ValueError(f"write `all`, or one of {listed}")
    if kind == "entry":
        if _ENTRY.fullmatch(name) is None:
            raise ValueError(
                f"an entry is named by the first {SHOWN} or more hex digits of its key, as receipts show it"
            )
        return f"entry:{name[:SHOWN]}"
    if kind in ("team", "key") and name.count("/") != (1 if kind == "team" else 2):
        raise ValueError("write a team as `team:ORGANISATION/TEAM`, a key as `key:ORGANISATION/TEAM/KEY`")
    if kind == "tag" and "=" not in name:
        raise ValueError("write a tag as `tag:NAME=VALUE`")
    return text
