"""OpenAI's paths."""

from __future__ import annotations

import pytest

from proxy.dialects.paths import EXACT, endpoint_for


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/v1/chat/completions", "chat.completions"),
        ("POST", "/v1/responses", "responses"),
        ("GET", "/v1/responses/resp_1", "responses.stored"),
        ("GET", "/v1/responses/resp_1/input_items", "responses.stored"),
        ("POST", "/v1/responses/resp_1/cancel", "responses.stored"),
        ("POST", "/v1/files", "files"),
        ("GET", "/v1/files/file-abc.1/content", "files"),
        ("POST", "/v1/batches/batch_1/cancel", "batches"),
        ("DELETE", "/v1/chat/completions/chatcmpl-1", "chat.completions.stored"),
        ("WEBSOCKET", "/v1/realtime", "realtime"),
    ],
)
def test_paths_have_their_endpoints(method: str, path: str, name: str) -> None:
    """Fixed paths by look-up, resources by prefix."""
    found = endpoint_for(method, path)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "path",
    ["/v1/files/", "/v1/files//a", "/v1/files/../x", "/v1/files/a/../b", "/v1/files/.a", "/v1/files/a%2fb",
     "/v1/files/a;b", "/v1/files/a b", "/v1/files/a?b", "/v1/files/a/", "/v1/files/ä", "/v1/filesx", "/v1/responses"],
)  # fmt: skip
def test_nothing_else_is_a_resource(path: str) -> None:
    """What another server could read as another path is no path here."""
    assert endpoint_for("GET", path) is None


def test_every_stream_has_an_end() -> None:
    """An endpoint that can stream knows what its last event looks like."""
    streaming = {"chat.completions", "completions", "responses", "images.generations", "images.edits", "audio.speech"}
    assert streaming <= {endpoint.name for endpoint in EXACT.values() if endpoint.ends}
