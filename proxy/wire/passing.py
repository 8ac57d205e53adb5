"""Which headers of an upstream's answer may reach the caller: those of a short list, and nothing else.

Not the provider's limits and account names (they are the gateway's own, not the caller's), no cookies, nothing that
belongs to the connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from proxy.choosing.headroom import PREFIXES
from proxy.errors import BadAnswer, Header

MAX_BYTES = 32 << 10  # of all headers that pass

# Name as the upstream sends it → name as the caller sees it.
_PASSED = {
    b"content-type": b"content-type",
    b"content-disposition": b"content-disposition",
    b"content-language": b"content-language",
    b"openai-processing-ms": b"openai-processing-ms",
    b"openai-version": b"openai-version",
    b"openai-model": b"openai-model",
    b"x-request-id": b"x-upstream-request-id",
    b"request-id": b"x-upstream-request-id",
    b"apim-request-id": b"x-upstream-request-id",
    b"x-amzn-requestid": b"x-upstream-request-id",
}
_PASSED_ON_ERRORS = _PASSED | {
    b"retry-after": b"retry-after",
    b"retry-after-ms": b"retry-after-ms",
    b"x-should-retry": b"x-should-retry",
}
_FACTS = frozenset({b"content-length", b"content-encoding"})
# What stays here: the name of an error at AWS, and what is left of the limits of the gateway's account.
_OF_ERRORS = b"x-amzn-errortype"
_OF_LIMITS = re.compile(
    rb"anthropic-ratelimit-[a-z-]{1,30}-(?:limit|remaining|reset)"
    rb"|x-ratelimit-(?:limit|remaining|reset)(?:-[a-z-]{1,30})?"
)
_MAX_TOLD = 32
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Facts:
    """What the headers say about the body. ``length`` is -1 if they do not tell.

    ``told``: headers about limits, and those that say more of an error. They are for nobody but the gateway.
    """

    __slots__ = ("encoded", "is_json", "is_sse", "length", "told")

    def __init__(self) -> None:
        self.length = -1
        self.encoded = False
        self.is_sse = False
        self.is_json = False
        self.told: list[Header] = []


def passed_on(raw: Iterable[Header], *, is_error: bool) -> tuple[list[Header], Facts]:
    """The headers to pass on (of a name sent twice, the first), and the facts."""
    table = _PASSED_ON_ERRORS if is_error else _PASSED
    facts = Facts()
    passed: dict[bytes, bytes] = {}
    for name, value in raw:
        name = name.lower()
        target = table.get(name)
        if target is not None:
            passed.setdefault(target, value)
        elif name in _FACTS:
            if name == b"content-length":
                facts.length = int(value)  # the parser has refused anything but digits
            elif value.strip().lower() not in (b"", b"identity"):
                facts.encoded = True
        elif (
            (is_error or name.startswith(PREFIXES))
            and _tells(name)
            and len(value) < 256
            and len(facts.told) < _MAX_TOLD
        ):
            facts.told.append((name, value))
    kind = passed.get(b"content-type")
    if kind is not None:
        kind = kind.lower()
        facts.is_sse = kind.startswith(b"text/event-stream")
        facts.is_json = kind.startswith(b"application/json") or b"+json" in kind
    values = b"".join(passed.values())
    if _CONTROL.search(values) is not None:
        raise BadAnswer("the provider sent a control character in a header")
    if len(values) > MAX_BYTES:
        raise BadAnswer("the provider's headers are too large")
    return list(passed.items()), facts


def _tells(name: bytes) -> bool:
    """Whether a header is for the gateway: what is left of a limit, or more about an error."""
    return name == _OF_ERRORS or _OF_LIMITS.fullmatch(name) is not None
