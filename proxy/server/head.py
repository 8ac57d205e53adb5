"""A request's head, read strictly: one grammar, no second meaning.

Proxies are attacked where two parsers read the same bytes differently. So the raw bytes must match one grammar before
httptools sees them, and httptools must find the same number of header lines. What is refused here never reaches the
application, and nothing behind it on the connection is answered.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import httptools
import msgspec

from proxy.errors import Header
from proxy.server.limits import ServerLimits

CHUNKED = -1

# Header names are tokens of RFC 9110. The first grammar has no underscore: names with one are rare and looked at apart.
_NAME = rb"[!#$%&'*+\-.^`|~0-9A-Za-z]++"
_NAME_OR_UNDERSCORE = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
# A value holds no control but a tab, and a tab does not stand before it: that spelling exists only to confuse.
_HEAD = rb"([A-Z]{1,24}) ([!\"$-~]++) HTTP/1\.([01])\r\n(?:%b:(?:\ *+[!-~\x80-\xff][\t -~\x80-\xff]*+)?+ *+\r\n)*+\r\n"
_STRICT = re.compile(_HEAD % _NAME)
_WITH_UNDERSCORES = re.compile(_HEAD % _NAME_OR_UNDERSCORE)
_UNDERSCORED = re.compile(rb"\n([^:\r]*_[^:\r]*):")
_BROKEN_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)(?!\Z)|\x00")
_FOLDED = re.compile(rb"\r\n[ \t]")
_VERSION = re.compile(rb"[^\r\n]* HTTP/1\.[01]\r\n")
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_ABSOLUTE = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# Headers that decide how the message is read. Only `connection` may come twice.
_WATCHED = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"expect", b"content-encoding"}
)
# With an underscore these would be a second spelling of something that another party may have checked.
_MEANINGFUL = _WATCHED | {
    b"authorization",
    b"content-type",
    b"cookie",
    b"forwarded",
    b"idempotency-key",
    b"proxy-authorization",
    b"te",
    b"trailer",
    b"x-api-key",
    b"x-goog-api-key",
    b"x-real-ip",
    b"x-request-id",
    b"x-user-id",
}
_MEANINGFUL_PREFIXES = (b"x-forwarded-", b"x-sluicegate-", b"sec-")
_PLAIN_CONNECTION = frozenset({b"keep-alive", b"close", b"Keep-Alive", b"Close"})
_CONNECTION_OPTIONS = frozenset({b"keep-alive", b"close", b"upgrade", b"te", b""})


class Refusal(msgspec.Struct, frozen=True):
    """Why a request is not read any further: the status and the error object of the answer."""

    status: int
    code: str
    message: str


class Head:
    """A head that was accepted. ``length`` is the size of the body, or ``CHUNKED``."""

    __slots__ = (
        "expects_continue",
        "headers",
        "keep_alive",
        "length",
        "method",
        "minor",
        "path",
        "query",
        "raw_path",
        "target",
        "upgrade",
        "watched",
    )

    def __init__(self, method: bytes, target: bytes, minor: bytes) -> None:
        self.method = method.decode("ascii")
        self.target = target
        self.minor = minor
        self.headers: list[Header] = []
        self.watched: dict[bytes, bytes] = {}
        self.length = 0
        self.keep_alive = minor == b"1"
        self.expects_continue = False
        self.upgrade = b""
        self.path = ""
        self.raw_path = b""
        self.query = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools for each header line."""
        name = name.lower()
        if name in _WATCHED:
            before = self.watched.get(name)
            # Two values never pass as one: a comma is in none that is allowed, except in `connection`.
            self.watched[name] = value if before is None else before + b"," + value
        self.headers.append((name, value))


def _bad(message: str) -> Refusal:
    return Refusal(400, "malformed_request", message)


_TOO_MANY = "too many bytes in the header block; at most {} are read"
_URL_TOO_LONG = "the URL is too long; at most {} bytes are read"


def check_partial(data: bytes, limits: ServerLimits) -> Refusal | None:
    """What can be said of a head whose end has not arrived: whether waiting for the rest makes sense."""
    if data.find(b"\r\n", 0, limits.max_url + 64) < 0 and len(data) > limits.max_url + 64:
        return Refusal(414, "url_too_long", _URL_TOO_LONG.format(limits.max_url))
    if len(data) > limits.max_headers:
        return Refusal(431, "headers_too_large", _TOO_MANY.format(limits.max_headers))
    if _BROKEN_LINE_END.search(data):
        return _bad("a line of the head does not end in CR LF, or holds a NUL byte")
    return None


def read_head(block: bytes, limits: ServerLimits) -> Head | Refusal:
    """Read ``block``, a head with its closing empty line, or say why it is refused."""
    count = block.count(b"\r\n") - 2
    if len(block) > limits.max_headers or count > limits.max_header_count:
        return _refuse_size(block, limits)
    match = _STRICT.fullmatch(block)
    if match is None:
        match = _WITH_UNDERSCORES.fullmatch(block)
        if match is None:
            return _explain(block)
        if (refusal := _check_underscores(block)) is not None:
            return refusal
    method, target, minor = match.groups()
    if len(target) > limits.max_url:
        return Refusal(414, "url_too_long", _URL_TOO_LONG.format(limits.max_url))
    head = Head(method, target, minor)
    try:
        httptools.HttpRequestParser(head).feed_data(block)
    except httptools.HttpParserUpgrade:
        pass  # said of every head with `upgrade`; what becomes of it is decided by the server
    except httptools.HttpParserError:
        return _bad("the request is not HTTP/1.1")
    if len(head.headers) != count:
        return _bad("the header lines cannot be told apart")
    return _read_framing(head) or _read_target(head) or head


def _refuse_size(block: bytes, limits: ServerLimits) -> Refusal:
    if block.find(b"\r\n") > limits.max_url + 64:
        return Refusal(414, "url_too_long", _URL_TOO_LONG.format(limits.max_url))
    if len(block) > limits.max_headers:
        return Refusal(431, "headers_too_large", _TOO_MANY.format(limits.max_headers))
    return Refusal(431, "too_many_headers", f"too many headers; at most {limits.max_header_count} are read")


def _explain(block: bytes) -> Refusal:
    if _BROKEN_LINE_END.search(block):
        return _bad("a line of the head does not end in CR LF, or holds a NUL byte")
    if _VERSION.match(block) is None:
        return _bad("the request line is not `METHOD target HTTP/1.1`")
    if _FOLDED.search(block):
        return _bad("a header is folded over two lines")
    return _bad("the request line or a header holds a character that does not belong there")


def _check_underscores(block: bytes) -> Refusal | None:
    for name in _UNDERSCORED.findall(block):
        dashed = name.lower().replace(b"_", b"-")
        if dashed in _MEANINGFUL or dashed.startswith(_MEANINGFUL_PREFIXES) or b"\n" + dashed + b":" in block.lower():
            return _bad(f"the header {name.decode()!r} is written with an underscore; write {dashed.decode()!r}")
    return None


def _read_framing(head: Head) -> Refusal | None:
    watched = head.watched
    host = watched.get(b"host")
    if host is None:
        if head.minor == b"1":
            return _bad("a Host header is missing")
    elif _HOST.fullmatch(host) is None:
        return _bad("the Host header is malformed, or there is more than one")
    connection = watched.get(b"connection")
    length = watched.get(b"content-length")
    if length is not None:
        if not length.isdigit() or len(length) > 15:
            return _bad("Content-Length is not one decimal number")
        head.length = int(length)
    if connection is not None:
        if connection not in _PLAIN_CONNECTION:
            return _read_rare(head, connection)
        head.keep_alive = head.keep_alive and connection[0] in b"kK"
    # Host, Connection and Content-Length are all that a usual request has.
    if len(watched) > (host is not None) + (connection is not None) + (length is not None):
        return _read_rare(head, connection)
    return None


def _read_rare(head: Head, connection: bytes | None) -> Refusal | None:
    watched = head.watched
    transfer = watched.get(b"transfer-encoding")
    if transfer is not None:
        if b"content-length" in watched:
            return _bad("Content-Length and Transfer-Encoding exclude each other")
        if head.minor == b"0" or transfer.lower() != b"chunked":
            return _bad("Transfer-Encoding may only be `chunked`, once, in HTTP/1.1")
        head.length = CHUNKED
    encoding = watched.get(b"content-encoding")
    if encoding is not None and encoding.lower() not in (b"identity", b""):
        return Refusal(415, "unsupported_encoding", "a compressed request body is not accepted; send it as it is")
    expect = watched.get(b"expect")
    if expect is not None:
        if expect.lower() != b"100-continue":
            return Refusal(417, "unsupported_expectation", "Expect may only be `100-continue`")
        head.expects_continue = head.minor == b"1"
    return None if connection is None else _read_connection(head, connection)


def _read_connection(head: Head, connection: bytes) -> Refusal | None:
    options = {option.strip(b" \t") for option in connection.lower().split(b",")}
    head.keep_alive = head.minor == b"1" and b"close" not in options
    if b"upgrade" in options and head.minor == b"1":
        head.upgrade = head.watched.get(b"upgrade", b"").lower()
    named = options - _CONNECTION_OPTIONS
    if named & _MEANINGFUL:
        return _bad("Connection names a header that belongs to the whole way")
    if named:  # these end at the next hop, which is here
        head.headers = [header for header in head.headers if header[0] not in named]
    return None


def _read_target(head: Head) -> Refusal | None:
    target = head.target
    if target[0] != 0x2F:  # "/"
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            return _bad("the request target is neither a path nor an http URL")
        authority, target = absolute.groups()
        if _same_host(authority) != _same_host(head.watched.get(b"host", authority)):
            return _bad("the request target names another host than the Host header")
        if not target.startswith(b"/"):
            target = b"/" + target
    head.raw_path, _, head.query = target.partition(b"?")
    path = head.raw_path.decode("ascii")
    if "%" in path:
        path = unquote(path)
        if _CONTROL.search(path):
            return _bad("the path holds an encoded control character")
    head.path = path
    return None


def _same_host(authority: bytes) -> bytes:
    authority = authority.lower()
    return authority.removesuffix(b":80") if _HOST.fullmatch(authority) else b"?" + authority
