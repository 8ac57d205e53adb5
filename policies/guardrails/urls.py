"""Where links may lead and images may come from: who shows an image tells its host whatever stands in the address."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from fnmatch import translate
from typing import ClassVar, Literal

from policies.guardrails._helpers import Guard, GuardConfig
from proxy.guarding.scanner import Pattern, Patterns, Scanner
from proxy.policy import CompileContext

# What a browser takes for the begin of an address with a host: backslashes are slashes to it.
_ADDRESS = r"(?:https?|wss?|ftps?|file|ssh|git):[/\\]+[^\s<>\"'`)\]}|]+|\bwww\.[^\s<>\"'`)\]}|]+"
_IMAGES = (
    r"!\[[^\]\n]*\]\(\s{0,8}<?([^\s)>]+)",  # Markdown
    r"(?m)^[ \t]{0,3}\[[^\]\n]+\]:[ \t]{0,8}<?([^\s>]+)",  # its definitions, which images may name
    r"(?i)<[a-z][^<>]*?[\s\"'](?:src|srcset|poster|background|data|xlink:href)\s*=\s*[\"']?\s*([^\s\"'<>]+)",
    r"(?i)\burl\(\s*[\"']?\s*([^\s\"')]+)",  # style sheets
)
_LINKS = (f"(?i){_ADDRESS}", r"\]\(\s{0,8}<?([/\\]{2}[^\s)>]+)")
_IN_IMAGE = re.compile(
    r"!\[[^\]\n]*\]\(\s*<?$|[\s\"'](?:src|srcset|poster|background|data)\s*=\s*[\"']?\s*$", re.IGNORECASE
)
_HOST = re.compile(r"(?:([a-z][a-z0-9+.-]*):)?[/\\]{2,}([^/\\?#]*)|(www\.[^/\\?#]*)", re.IGNORECASE)
# Characters before an address that tell whether it is that of an image: what may be one is held back from its begin.
_BEFORE, _NEAR = 300, 8
_UNREADABLE = "?"  # no host is called that


class UrlsConfig(GuardConfig, frozen=True):
    """Globs of hosts. ``allow_hosts`` empty: all that are not denied; ``image_hosts`` None: as for links."""

    on: Literal["input", "output", "both"] = "output"
    allow_hosts: tuple[str, ...] = ()
    deny_hosts: tuple[str, ...] = ()
    image_hosts: tuple[str, ...] | None = None


class Urls(Guard):
    """Finds addresses whose hosts are not allowed: those of images (``image``), and all others (``link``)."""

    __slots__ = ()

    name: ClassVar[str] = "urls"
    Config = UrlsConfig

    @classmethod
    def scanner(cls, config: UrlsConfig, context: CompileContext) -> Scanner:
        if not (config.allow_hosts or config.deny_hosts or config.image_hosts is not None):
            context.fail("this lets every address pass; name hosts that are allowed or denied, or `image_hosts`")
        for key in ("allow_hosts", "deny_hosts", "image_hosts"):
            for at, host in enumerate(getattr(config, key) or ()):
                if re.search(r"[/\\:@\s]", host):
                    context.fail("a host alone is expected here, such as `*.example.com`", f"{key}[{at}]")
        allowed, denied = _matcher(config.allow_hosts or ("*",)), _matcher(config.deny_hosts)
        images = allowed if config.image_hosts is None else _matcher(config.image_hosts)

        def wrong(text: str, start: int, end: int, known: re.Pattern[str]) -> bool:
            host = host_of(text[start:end])
            return host is not None and (not known.match(host) or bool(denied.match(host)))

        def wrong_image(text: str, start: int, end: int) -> bool:
            return wrong(text, start, end, images)

        def wrong_link(text: str, start: int, end: int) -> bool:
            before = text[max(0, start - _NEAR) : start].rstrip("< \t\r\n\"'")
            may_be = before.endswith(("(", "=")) or not before
            is_image = may_be and _IN_IMAGE.search(text, max(0, start - _BEFORE), start) is not None
            return wrong(text, start, end, images if is_image else allowed)

        return Patterns([*_patterns("image", _IMAGES, wrong_image, 1.0), *_patterns("link", _LINKS, wrong_link, 0.9)])


def _patterns(
    entity: str, regexes: Iterable[str], check: Callable[[str, int, int], bool], score: float
) -> list[Pattern]:
    return [Pattern(entity, regex, check, score, group=re.compile(regex).groups) for regex in regexes]


def _matcher(globs: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{translate(_plain(glob))})" for glob in globs) or r"(?!)")


def host_of(address: str) -> str | None:
    """The host to which a browser would go, in lower case and ASCII; None if it would go to none of another page's."""
    address = unicodedata.normalize("NFKC", address.strip()).replace("\u3002", ".")
    found = _HOST.match(address)
    if found is None:
        return None
    if found[1] is not None and found[1].lower() == "file" and not found[2]:
        return None
    host = (found[2] or found[3] or "").rpartition("@")[2]
    if "%" in host:
        return _UNREADABLE
    name = host if host.startswith("[") else host.partition(":")[0]
    return _plain(name) or _UNREADABLE


def _plain(host: str) -> str:
    """A host as it is compared."""
    host = host.lower().rstrip(".")
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return _UNREADABLE
