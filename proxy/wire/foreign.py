"""The one table from the exceptions of aiohttp and the operating system to our own, by meaning.

The messages go to the caller and into the log. They name what happened and which setting decides, never a URL, a
header or an address: those may hold what the caller must not see. The foreign exception is the cause of ours.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from proxy.errors import BadAnswer, Unavailable, UpstreamError, UpstreamTimeout
from proxy.policy import Timeouts

_Say = Callable[[BaseException, Timeouts], str]


def _connecting(exc: BaseException, timeouts: Timeouts) -> str:
    return f"no connection to the provider within its `connect` timeout of {timeouts.connect:g} s"


def _os_reason(exc: BaseException, timeouts: Timeouts) -> str:
    number = exc.errno if isinstance(exc, OSError) else None
    return f"the provider cannot be reached: {os.strerror(number) if number else 'no connection'}"


def _malformed(exc: BaseException, timeouts: Timeouts) -> str:
    cause = exc.__cause__
    if isinstance(cause, LineTooLong):
        return "the provider sent a header that is too long"
    if cause is not None and "Too many headers" in str(cause):
        return "the provider sent too many headers"
    return "the provider's answer is not valid HTTP"


def _fixed(text: str) -> _Say:
    return lambda exc, timeouts: text


# Most specific first: the first entry that the exception is an instance of counts.
_TABLE: tuple[tuple[type[BaseException], type[UpstreamError], _Say], ...] = (
    (aiohttp.ConnectionTimeoutError, UpstreamTimeout, _connecting),
    (aiohttp.ServerTimeoutError, UpstreamTimeout, _fixed("the provider took too long")),
    (
        aiohttp.ClientConnectorCertificateError,
        Unavailable,
        _fixed("the provider's TLS certificate is not valid for its address or not trusted"),
    ),
    (aiohttp.ClientConnectorDNSError, Unavailable, _fixed("the provider's host name cannot be resolved")),
    (aiohttp.ClientSSLError, Unavailable, _fixed("the TLS handshake with the provider failed")),
    (aiohttp.ClientConnectorError, Unavailable, _os_reason),
    (aiohttp.ServerDisconnectedError, Unavailable, _fixed("the provider closed the connection without an answer")),
    (aiohttp.ClientOSError, Unavailable, _fixed("the connection to the provider was reset")),
    (
        aiohttp.ClientPayloadError,
        BadAnswer,
        _fixed("the provider's answer breaks off or is not framed as HTTP demands"),
    ),
    (aiohttp.ClientConnectionError, Unavailable, _fixed("the connection to the provider is closed")),
    (aiohttp.ClientError, BadAnswer, _fixed("the provider's answer cannot be used")),
    (HttpProcessingError, BadAnswer, _malformed),
    (TimeoutError, UpstreamTimeout, _connecting),
    (ssl.SSLError, Unavailable, _fixed("the TLS connection to the provider failed")),
    (OSError, Unavailable, _fixed("the connection to the provider was reset")),
    (RuntimeError, Unavailable, _fixed("the connection to the provider is closed")),
)


def translate(foreign: BaseException, timeouts: Timeouts) -> UpstreamError:
    """The meaning of ``foreign``; one of ours stays what it is. What the table does not know is a bug, raised again."""
    if isinstance(foreign, UpstreamError):
        return foreign
    for kind, ours, say in _TABLE:
        if isinstance(foreign, kind):
            return ours(say(foreign, timeouts))
    raise foreign
