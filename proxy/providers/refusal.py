"""What the body of a refusal says, however its provider nests it: names, words, a wait."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from proxy.choosing.headroom import duration
from proxy.errors import Header

MAX_QUOTE = 500  # characters of the provider's words that reach the caller
_MAX_TEXT = 2000  # characters of them in which a meaning is sought
_MAX_DETAILS = 20
_NAMES = ("code", "type", "status", "reason", "error_type", "__type", "ErrorCode")
_WORDS = ("message", "Message", "detail", "OriginalMessage", "raw")
_NESTED = ("error", "response", "innererror", "metadata")
_TYPE_HEADER = b"x-amzn-errortype"
_SPACE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
# Whose account it is, is not the caller's business: keys, organisations, ARNs, AWS account numbers.
_OURS = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf|AIza|AKIA|ASIA|org|proj)[-_]?(?=[A-Za-z_-]{0,40}[0-9])[A-Za-z0-9*_-]{10,200}"
    r"|arn:aws[A-Za-z0-9:/._-]{5,200}|\baccount[ :]{1,3}[0-9]{12}\b|\bprojects?/[a-z0-9-]{4,40}(?=/)"
)


class Refusal(msgspec.Struct):
    """``names``: every code and type in it, lower-case. ``text``: its message, lower-case, the beginning of it.

    ``quote``: the message as the caller may see it. ``wait``: seconds that a detail asks for. ``status``: of what stood
    behind the one that told, where it is told. ``flagged``: it says which words of the request were found unfit.
    """

    names: frozenset[str]
    text: str
    quote: str
    wait: float | None = None
    status: int | None = None
    flagged: bool = False


class _Found:
    """What is collected, layer by layer from the outermost."""

    __slots__ = ("flagged", "names", "said", "status", "wait")

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.said: Any = ""
        self.wait: float | None = None
        self.status: int | None = None
        self.flagged = False

    def layer(self, layer: dict[str, Any], depth: int) -> None:
        """One object of the body, then those in it."""
        for key in _NAMES:
            value = layer.get(key)
            if isinstance(value, str | int) and value is not True and value is not False:
                self.names.add(_bare(str(value)))
        said = next((value for key in reversed(_WORDS) if (value := layer.get(key))), None)
        self.said = said or self.said
        status = layer.get("OriginalStatusCode") or layer.get("originalStatusCode")
        if type(status) is int and 400 <= status <= 599:
            self.status = status
        self.flagged = self.flagged or "flagged_input" in layer
        self._details(layer.get("details"))
        for key in _NESTED:
            inner = layer.get(key)
            if isinstance(inner, dict) and depth < 4:
                self.layer(inner, depth + 1)
            elif key == "error" and isinstance(inner, str) and inner:
                self.names.add(inner[:100].lower())
                self.said = said or inner

    def _details(self, details: Any) -> None:
        """Google's: google.rpc.ErrorInfo, RetryInfo, QuotaFailure."""
        if not isinstance(details, list):
            return
        for detail in details[:_MAX_DETAILS]:
            if not isinstance(detail, dict):
                continue
            for key in ("reason", "code"):
                if isinstance(value := detail.get(key), str):
                    self.names.add(value.lower())
            delay = detail.get("retryDelay")
            if isinstance(delay, str):
                self.wait = duration(delay)
            violations = detail.get("violations")
            for violation in violations[:_MAX_DETAILS] if isinstance(violations, list) else ():
                quota = violation.get("quotaId") if isinstance(violation, dict) else None
                if isinstance(quota, str) and "PerDay" in quota:
                    self.names.add("quota_per_day")


def read(body: bytes, told: Sequence[Header] = ()) -> Refusal | None:
    """What a body says; None if it is not a JSON object. ``told``: headers that name the error."""
    found = _decoded(body)
    if isinstance(found, list) and found:  # Gemini wraps it in a list
        found = found[0]
    named = [_bare(value.decode("latin-1")) for name, value in told if name == _TYPE_HEADER]
    if not isinstance(found, dict):
        return Refusal(frozenset(named), "", "") if named else None
    all_ = _Found()
    all_.names.update(named)
    all_.layer(found, 0)
    said = all_.said
    if isinstance(said, str) and said[:1] in "{[":  # a container's answer in SageMaker's, a provider's in OpenRouter's
        inner = _decoded(said.encode("utf-8", "replace"))
        if isinstance(inner, dict):
            all_.layer(inner, 0)
    quote = _quote(all_.said)
    text = all_.said if isinstance(all_.said, str) else quote
    return Refusal(frozenset(all_.names), text[:_MAX_TEXT].lower(), quote, all_.wait, all_.status, all_.flagged)


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _text(said: Any) -> str:
    """A list of what is wrong (FastAPI's, Mistral's) as text."""
    try:
        return msgspec.json.encode(said).decode()
    except OverflowError:  # a number beyond 64 bits
        return ""


def _bare(name: str) -> str:
    """AWS writes ``namespace#Name:link`` for ``Name``."""
    return name[:200].rpartition("#")[2].partition(":")[0].strip().lower()


def _quote(said: Any) -> str:
    """The provider's words in one line, bounded, without what tells whose account was used."""
    if not isinstance(said, str):
        said = _text(said)
    line = _SPACE.sub(" ", said[: 4 * MAX_QUOTE]).strip()
    line = _OURS.sub("***", line)
    return line if len(line) <= MAX_QUOTE else f"{line[: MAX_QUOTE - 1]}…"
