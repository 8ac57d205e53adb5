"""From the path that a client called to the address at the provider.

The host, the scheme and the beginning of the path come from the file alone. What the client adds below them is checked
to be exactly what it looks like: no dot segments, nothing that another server could read as something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, unquote_plus

from yarl import URL

from proxy.errors import BadRequest

_PATH = re.compile(r"(?:/[A-Za-z0-9_~!$&'()*+,;=:@%.-]+)+/?")
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?=/|$)|%2f|%5c|%00", re.IGNORECASE)
_QUERY = re.compile(rb"[A-Za-z0-9_~!$&'()*+,;=:@%./?\[\]-]*")
# Names under which clients put credentials into a query. None of them reaches a provider.
_CREDENTIALS = frozenset(
    {"key", "api_key", "api-key", "apikey", "access_token", "auth_token", "token", "subscription-key", "sig"}
)


def check_base_url(text: str, fail: Callable[[str, str], None]) -> URL | None:
    """The base address of an account, without a slash at its end; None after telling ``fail`` what is wrong."""
    try:
        url = URL(text.rstrip("/"))
        port = url.port
    except ValueError as error:
        fail(f"{text!r} is not a URL: {error}", "base_url")
        return None
    if url.scheme not in ("http", "https") or not url.host or port is None:
        fail(f"{text!r} is not an http or https URL; write it like https://api.openai.com/v1", "base_url")
    elif url.user or url.password:
        fail("a URL with a user or password in it; put credentials into `api_key` or `headers`", "base_url")
    elif url.query_string or url.fragment:
        fail("a base URL has no query and no fragment", "base_url")
    else:
        return url
    return None


def below(base: str, path: str) -> URL:
    """``base`` with a client's raw ``path`` behind it.

    Raises:
        BadRequest: the path holds dot segments, encoded slashes, or bytes that do not belong in a path.
    """
    if not _PATH.fullmatch(path) or _DOTS.search(path):
        raise BadRequest("The path holds characters or segments that are not passed on.", code="invalid_path")
    return URL(base + path, encoded=True)


def clean_query(query: bytes, model: str | None, drop: frozenset[str] = frozenset()) -> str:
    """A client's query without credentials and without the names in ``drop``; ``model`` replaces the one in it.

    Raises:
        BadRequest: it holds bytes that do not belong in a query.
    """
    if not _QUERY.fullmatch(query):
        raise BadRequest("The query holds characters that must be percent-encoded.", code="invalid_query")
    kept: list[str] = []
    for pair in query.decode("ascii").split("&"):
        name = unquote_plus(pair.partition("=")[0]).lower()
        if not pair or name in _CREDENTIALS or name in drop or (name == "model" and model is not None):
            continue
        kept.append(pair)
    if model is not None:
        kept.append("model=" + quote(model, safe=""))
    return "&".join(kept)
