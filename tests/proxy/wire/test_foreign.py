"""Every exception of the HTTP client has one meaning."""

from __future__ import annotations

import errno
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import BadHttpMessage, HttpProcessingError

from proxy.errors import BadAnswer, Unavailable, UpstreamError, UpstreamTimeout
from proxy.policy import Timeouts
from proxy.wire.foreign import translate

KEY = ConnectionKey("secret-host.example", 443, True, True, None, None, None, None)


@pytest.mark.parametrize(
    ("foreign", "ours", "says"),
    [
        (aiohttp.ConnectionTimeoutError("to secret-host.example"), UpstreamTimeout, "`connect` timeout of 5 s"),
        (aiohttp.SocketTimeoutError(), UpstreamTimeout, "too long"),
        (TimeoutError(), UpstreamTimeout, "`connect`"),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("x")), Unavailable, "certificate"),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError("x")), Unavailable, "TLS handshake"),
        (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "x")), Unavailable, "cannot be resolved"),
        (aiohttp.ClientConnectorError(KEY, OSError(errno.ECONNREFUSED, "x")), Unavailable, "Connection refused"),
        (aiohttp.ServerDisconnectedError(), Unavailable, "without an answer"),
        (aiohttp.ClientOSError(errno.ECONNRESET, "x"), Unavailable, "reset"),
        (aiohttp.ClientConnectionError("Connector is closed."), Unavailable, "closed"),
        (aiohttp.ClientPayloadError("x"), BadAnswer, "breaks off"),
        (aiohttp.InvalidURL("x"), BadAnswer, "cannot be used"),
        (HttpProcessingError(), BadAnswer, "not valid HTTP"),
        (BadHttpMessage("x"), BadAnswer, "not valid HTTP"),
        (ssl.SSLError("x"), Unavailable, "TLS"),
        (ConnectionResetError(), Unavailable, "reset"),
        (BrokenPipeError(), Unavailable, "reset"),
        (RuntimeError("Connection closed."), Unavailable, "closed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_each_exception_has_its_meaning_and_names_no_host(
    foreign: Exception, ours: type[UpstreamError], says: str
) -> None:
    error = translate(foreign, Timeouts())
    assert type(error) is ours
    assert says in error.message
    assert "secret-host" not in error.message


def test_one_of_ours_stays_what_it_is() -> None:
    error = BadAnswer("x")
    assert translate(error, Timeouts()) is error


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        translate(KeyError("x"), Timeouts())
