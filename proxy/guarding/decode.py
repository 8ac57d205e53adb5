"""What is encoded in a text, decoded by one level: base64, hexadecimal, URLs, HTML entities, escapes of programs.

All is linear: patterns without nested repetition, and no more is decoded than the text is long.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from html.entities import html5
from urllib.parse import unquote_plus

_WRAPPED = re.compile(r"(?<=[A-Za-z0-9+/]{56})\r?\n(?=[A-Za-z0-9+/])")  # lines of base64 belong together
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :,]?){8,}")
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]{2,31}));?")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8}))")
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
_READABLE = 0.9  # share of letters, digits, blanks and common signs in a text that was meant to be read
_SIGNS = frozenset(" \n\t.,:;!?'\"()[]{}<>/|#@=&%$*+-_")


def decoded(text: str) -> Iterator[tuple[str, str]]:
    """The way and the text, for every way in which something was encoded."""
    if len(_PERCENT.findall(text, 0, 100_000)) > 1 or "%" in text:
        yield from _changed("url", text, unquote_plus(text, errors="ignore"))
    if "&" in text:
        yield from _changed("html entities", text, _ENTITY.sub(_entity, text))
    if "\\" in text:
        yield from _changed("escapes", text, _ESCAPE.sub(_escape, text))
    for way, found in (("base64", _base64(text)), ("hexadecimal", _hex(text))):
        if readable := "\n".join(piece for piece in found if _is_readable(piece)):
            yield way, readable


def _changed(way: str, text: str, found: str) -> Iterator[tuple[str, str]]:
    if found != text:
        yield way, found


def _entity(found: re.Match[str]) -> str:
    decimal, hexadecimal, name = found.groups()
    if name is not None:
        return html5.get(name + ";", found[0])
    return _character(int(decimal) if decimal else int(hexadecimal, 16), found[0])


def _escape(found: re.Match[str]) -> str:
    return _character(int(next(filter(None, found.groups())), 16), found[0])


def _character(code: int, otherwise: str) -> str:
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else otherwise


def _base64(text: str) -> Iterator[str]:
    for run in _BASE64.findall(_WRAPPED.sub("", text)):
        digits = run.replace("-", "+").replace("_", "/")
        try:
            yield base64.b64decode(digits[: len(digits) // 4 * 4]).decode("utf-8", "ignore") + _rest(digits)
        except (binascii.Error, ValueError):
            continue


def _rest(digits: str) -> str:
    """The last one or two bytes, whose padding is missing or stands apart."""
    left = digits[len(digits) // 4 * 4 :]
    if len(left) < 2:
        return ""
    return base64.b64decode(left + "=" * (4 - len(left))).decode("utf-8", "ignore")


def _hex(text: str) -> Iterator[str]:
    for run in _HEX.findall(text):
        yield bytes.fromhex(run.replace(":", "").replace(",", "").replace(" ", "")).decode("utf-8", "ignore")


def _is_readable(text: str) -> bool:
    """Hashes and keys decode to noise; sentences do not."""
    good = sum(c.isalnum() or c in _SIGNS for c in text)
    return len(text) >= 8 and good >= _READABLE * len(text)
