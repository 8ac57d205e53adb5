"""A request of the Messages API as Google Cloud wants it: its version in the body, its model in the path."""

from __future__ import annotations

from proxy.dialects.anthropic_messages.body import VERTEX_VERSION
from proxy.dialects.members import Members, apply
from proxy.errors import BadRequest

_VERSION = "anthropic_version"
_ADDED = {_VERSION: b'"%b"' % VERTEX_VERSION.encode()}


def for_vertex(body: bytes, *, keeps_model: bool) -> bytes:
    """``body`` with the version and without its model; all else untouched.

    Raises:
        BadRequest: it is no object.
    """
    try:
        members = Members(body)
        has_version = any(member.name == _VERSION for member in members.found)
        edits = members.edits(drop=() if keeps_model else ("model",), add=None if has_version else _ADDED)
        return apply(body, edits)
    except ValueError as error:
        raise BadRequest(f"The body cannot be passed on: {error}", code="invalid_json") from None
