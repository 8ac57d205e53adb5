"""Every path that can be called."""

from __future__ import annotations

import pytest

from proxy.dialects.paths import endpoint_for, read_path, style_of


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
        ("POST", "/v1/messages", "messages"),
        ("POST", "/v1/messages/count_tokens", "messages.count_tokens"),
        ("POST", "/v1beta/models/gemini-2.5-pro:generateContent", "generate_content"),
        ("POST", "/v1beta/models/fast:streamGenerateContent", "generate_content"),
        ("POST", "/v1/models/fast:generateContent", "generate_content"),
        ("POST", "/v1beta/models/a%2Fb:c:countTokens", "count_tokens"),
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


def test_a_path_of_geminis_tells_model_and_stream() -> None:
    """The model may hold anything, percent-encoded."""
    assert read_path("/v1beta/models/gemini-2.5-pro:generateContent") == ("gemini-2.5-pro", False)
    assert read_path("/v1beta/models/org%2Fllama%3A8b:streamGenerateContent") == ("org/llama:8b", True)
    assert read_path("/v1beta/models/llama:8b:countTokens") == ("llama:8b", False)


@pytest.mark.parametrize("path", ["/v1beta/models/m", "/v1beta/models/m:", "/v1beta/models/m:delete", "/v1beta/x"])
def test_other_verbs_of_geminis_are_no_paths(path: str) -> None:
    assert endpoint_for("POST", path) is None
    assert endpoint_for("GET", f"{path}:generateContent") is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/messages", "anthropic"),
        ("/v1/messages/x", "anthropic"),
        ("/v1beta/x", "gemini"),
        ("/v1/models/m:countTokens", "gemini"),
        ("/v1/models/m", "openai"),
        ("/v1/x", "openai"),
    ],
)
def test_an_error_has_a_style_by_its_path_alone(path: str, name: str) -> None:
    assert style_of(path).name == name


def test_conversations_answer_in_the_style_of_their_dialect() -> None:
    """And what only passes has none."""
    styles = {
        path: endpoint.style.name
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1beta/models/m:generateContent")
        if (endpoint := endpoint_for("POST", path)) is not None and endpoint.dialect is not None
    }
    assert list(styles.values()) == ["openai", "openai_responses", "anthropic", "gemini"]
