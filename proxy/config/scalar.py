"""What a plain word in the file means: the core schema of YAML 1.2.

``no``, ``on``, ``yes``, ``12:30:45`` and dates are text; ``1e3`` is a number; ``010`` is ten.
"""

from __future__ import annotations

import math
import re

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
# More digits than any quantity here has; beyond 64 bits the readers of JSON disagree.
_MAX_DIGITS = 18


def read_scalar(text: str) -> str | int | float | bool | None:
    """The value of a word that stands without quotes.

    Raises:
        ValueError: with a sentence, for a number that no setting can have.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise ValueError("this number has too many digits; quote it if it is text")
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError("this number is too large; quote it if it is text")
        return number
    if _SPECIAL.fullmatch(text):
        raise ValueError(f"{text} is not a usable number; quote it if it is text")
    return text
