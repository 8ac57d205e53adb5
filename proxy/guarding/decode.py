"""What is encoded in a text, decoded by one level: base64, hexadecimal, URLs, HTML entities, escapes of programs.

All is linear: patterns without nested repetition, and no more is decoded than the text is long.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from html.entities import html5
from urllib.parse import unquote_plus

from proxy.guarding.gates import Gates

_WRAPPED = re.compile(r"(?<=[A-Za-z0-9+/]{56})\r?\n(?=[A-Za-z0-9+/])")  # lines of base64 belong together
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :,]?){8,}")
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]{2,31}));?")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8}))")
_READABLE = 0.9  # share of letters, digits, blanks and common signs in a text that was meant to be read
_NOISE = re.compile(r"""[^\w \n\t.,:;!?'"()\[\]{}<>/|#@=&%$*+-]+""")
_SHORTEST = 8  # characters of one that is worth a look


_GATES = Gates(
    {
        "html entities": "&(?:#[0-9]|#[xX][0-9a-fA-F]|[A-Za-z]{2})",
        "escapes": r"\\(?:u\{?[0-9a-fA-F]|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8})",
        "base64": "[A-Za-z0-9+/_-]{16}",
        "wrapped": r"[A-Za-z0-9+/]{56}\r?\n[A-Za-z0-9+/]",
        "hexadecimal": "(?:[0-9a-fA-F]{2}[ :,]?){8}",
    }
)


def decoded(text: str) -> Iterator[tuple[str, str]]:
    """The way and the text, for every way in which something was encoded."""
    if "%" in text:
        yield from _changed("url", text, unquote_plus(text, errors="ignore"))
    gates = _GATES.open(text)
    if "html entities" in gates:
        yield from _changed("html entities", text, _ENTITY.sub(_entity, text))
    if "escapes" in gates:
        yield from _changed("escapes", text, _ESCAPE.sub(_escape, text))
    if "base64" in gates and (found := _readable(_base64(_WRAPPED.sub("", text) if "wrapped" in gates else text))):
        yield "base64", found
    if "hexadecimal" in gates and (found := _readable(_hex(text))):
        yield "hexadecimal", found


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
    for run in _BASE64.findall(text):
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


def _readable(pieces: Iterable[str]) -> str:
    """Hashes and keys decode to noise; sentences do not."""
    return "\n".join(piece for piece in pieces if len(piece) >= _SHORTEST and _is_readable(piece))


def _is_readable(text: str) -> bool:
    return sum(map(len, _NOISE.findall(text))) <= (1 - _READABLE) * len(text)
