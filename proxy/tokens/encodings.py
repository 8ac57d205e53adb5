"""OpenAI's tokenizers, from the rank files in this package; other models are counted by one of them and a margin.

Nothing is downloaded. An encoding is read when it is first needed, which takes 0.5 to 1 second and 60 MB: call ``load``
in a thread before the first request. A megabyte takes 0.05 to 0.3 seconds, whatever it holds: prose, base64, one
letter, or nothing but blanks.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tiktoken import Encoding


O200K, CL100K = "o200k_base", "cl100k_base"
# Both as in tiktoken_ext/openai_public.py of tiktoken 0.14: SHA-256 of the rank file, pattern, special tokens.
_HASHES: Final = {
    O200K: "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    CL100K: "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
_PATTERNS: Final = {
    O200K: "|".join(
        (
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        )
    ),
    CL100K: "|".join(
        (
            r"'(?i:[sdmt]|ll|ve|re)",
            r"[^\r\n\p{L}\p{N}]?+\p{L}++",
            r"\p{N}{1,3}+",
            r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
            r"\s++$",
            r"\s*[\r\n]",
            r"\s+(?!\S)",
            r"\s",
        )
    ),
}
_SPECIAL: Final = {
    O200K: {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    CL100K: {
        "<|endoftext|>": 100257,
        "<|fim_prefix|>": 100258,
        "<|fim_middle|>": 100259,
        "<|fim_suffix|>": 100260,
        "<|endofprompt|>": 100276,
    },
}
# As in tiktoken/model.py, but "gpt-4" is asked last: everything newer than it has the newer encoding.
_NEWER = ("gpt-4o", "gpt-4.", "gpt-5", "gpt-oss", "chatgpt-", "o1", "o3", "o4", "computer-use", "codex-mini")
_OLDER = ("gpt-4", "gpt-3.5", "gpt-35", "text-embedding-", "davinci-002", "babbage-002")
# How many tokens a model of others makes where o200k_base makes one. Their tokenizers are not public, or many: these
# are margins, so that rather too much is held back for a request, and none is a measured truth. Anthropic's notes on
# Opus 4.7 tell of 1 to 1.35 times as many tokens as before.
_FACTORS: Final = tuple(
    (re.compile(family), factor)
    for family, factor in (
        (r"claude-(?:opus-|sonnet-|haiku-)?(?:4[-.][7-9]\b|[5-9]\b)", 1.6),
        (r"claude", 1.2),
        (r"mistral|mixtral|codestral|ministral|magistral|pixtral|devstral", 1.2),
        (r"gemini|gemma|llama|qwen|deepseek|command|grok|nova", 1.1),
    )
)
# Characters that are encoded at once: longer ones take disproportionately long, and a megabyte of blanks ends in a
# panic of the pattern's engine.
_PIECE = 16_384

_loaded: dict[str, Encoding] = {}
_lock = Lock()


def load() -> None:
    """Read both encodings now. For a thread; waits where another one is at it.

    Raises:
        OSError: a rank file is missing.
        ValueError: it is not the one that it should be.
    """
    for name in _HASHES:
        _encoding(name)


def encoding_for(model: str) -> Encoding:
    """The encoding of ``model``, or what comes nearest for models that are not OpenAI's."""
    return _encoding(_kind(model)[0])


def is_loading() -> bool:
    """Whether a thread reads an encoding at this moment, which keeps the interpreter busy."""
    return _lock.locked()


def is_loaded(model: str) -> bool:
    """Whether counting for ``model`` can begin at once."""
    return _kind(model)[0] in _loaded


def count(text: str, model: str) -> int:
    """Tokens of ``text`` for ``model``. Names of special tokens within it are text like any other."""
    return count_all((text,), model)


def count_all(texts: Iterable[str], model: str, more: int = 0) -> int:
    """Tokens of texts that stand apart from each other, with ``more`` that are known to be added to them."""
    name, factor = _kind(model)
    encoding = _encoding(name)
    tokens = more + sum(_count(encoding, text) for text in texts if text)
    return tokens if factor == 1.0 else ceil(tokens * factor)


@lru_cache(4096)
def _kind(model: str) -> tuple[str, float]:
    """The name of an encoding, and by what its count is multiplied. Deployments, vendors and regions may stand before
    the model's own name (``openai/gpt-4o``, ``ft:gpt-4o``, ``eu.anthropic.claude-…``)."""
    own = model.lower().rpartition("/")[2].removeprefix("ft:")
    if own.startswith(_NEWER):
        return O200K, 1.0
    if own.startswith(_OLDER):
        return CL100K, 1.0
    whole = model.lower()
    return O200K, next((factor for family, factor in _FACTORS if family.search(whole)), 1.0)


def _count(encoding: Encoding, text: str) -> int:
    if len(text) <= _PIECE:
        return len(encoding.encode_ordinary(text))
    return sum(len(encoding.encode_ordinary(piece)) for piece in _pieces(text))


def _pieces(text: str) -> list[str]:
    """The text cut before a space or behind a line's end, where a token may well begin."""
    pieces, start = list[str](), 0
    while len(text) - start > _PIECE:
        end = start + _PIECE
        at = max(text.rfind(" ", start + 1, end), text.rfind("\n", start + 1, end) + 1)
        end = at if at > start else end
        pieces.append(text[start:end])
        start = end
    return [*pieces, text[start:]]


def _encoding(name: str) -> Encoding:
    found = _loaded.get(name)
    if found is None:
        with _lock:
            found = _loaded.get(name)
            if found is None:
                found = _loaded[name] = _read(name)
    return found


def _read(name: str) -> Encoding:
    from tiktoken import Encoding

    raw = files("proxy").joinpath("ranks", f"{name}.tiktoken").read_bytes()
    if hashlib.sha256(raw).hexdigest() != _HASHES[name]:
        raise ValueError(f"the rank file of {name} is damaged: its SHA-256 is not {_HASHES[name]}")
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in raw.splitlines())}
    made = Encoding(name, pat_str=_PATTERNS[name], mergeable_ranks=ranks, special_tokens=_SPECIAL[name])
    made._mergeable_ranks = {}  # its engine has them; a second copy is 25 MB that only pickling would need
    return made
