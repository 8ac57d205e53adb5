"""Blocks of a request in Converse's words: markers, documents, results."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from proxy.chat import Cache, Chat, Losses, Media, Message, Part, Reasoning, Text, ToolCall, ToolResult
from proxy.choosing.capability import Capabilities
from proxy.dialects.bedrock.body import write_request
from proxy.dialects.dialect import Aim
from tests.proxy.dialects.bedrock.client import accepted
from tests.proxy.dialects.bedrock.official import check_conversation, check_request

AIM = Aim(model="anthropic.claude-sonnet-4-5-20250929-v1:0", capabilities=Capabilities(prompt_cache="marks"))
DATA = base64.b64encode(b"some data").decode()
CALL = ToolCall(id="c1", name="f", arguments='{"a":1}')


def written(*messages: Message, losses: Losses | None = None) -> list[dict[str, Any]]:
    """The messages as they are sent, once all judges have taken them."""
    lost = Losses() if losses is None else losses
    body = write_request(Chat(model="m", messages=[*messages]), AIM, lost)
    accepted(body)
    found: list[dict[str, Any]] = check_request(body)["messages"]
    check_conversation(found)
    return found


def user(*parts: Part) -> Message:
    """What the user says."""
    return Message("user", [*parts])


def pdf(**more: Any) -> Media:
    """A document."""
    return Media(kind="file", data=DATA, media_type="application/pdf", **more)


def test_a_marker_stands_behind_what_it_marks() -> None:
    (turn,) = written(user(Text("a", Cache("5m")), Text("b", Cache("1h")), Text("c")))
    assert turn["content"] == [
        {"text": "a"},
        {"cachePoint": {"type": "default"}},
        {"text": "b"},
        {"cachePoint": {"type": "default", "ttl": "1h"}},
        {"text": "c"},
    ]


@pytest.mark.parametrize("inside", [True, False])
def test_a_marker_in_a_result_stands_behind_the_result(inside: bool) -> None:
    """Within results there are none."""
    text = Text("done", Cache("1h") if inside else None)
    result = ToolResult(call_id="c1", parts=(text,), cache=None if inside else Cache("1h"))
    _, _, turn = written(user(Text("go")), Message("assistant", [CALL]), user(result, Text("so?")))
    came, marker, said = turn["content"]
    assert came["toolResult"]["content"] == [{"text": "done"}]
    assert marker == {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert said == {"text": "so?"}


def test_results_may_hold_images_documents_and_videos_but_no_sound() -> None:
    losses = Losses()
    parts = (
        Media(kind="image", data=DATA, media_type="image/png"),
        pdf(name="a.pdf"),
        Media(kind="video", data=DATA, media_type="video/mp4"),
        Media(kind="audio", data=DATA, media_type="audio/wav"),
    )
    result = ToolResult(call_id="c1", parts=parts, is_error=True)
    _, _, turn = written(user(Text("go")), Message("assistant", [CALL]), user(result), losses=losses)
    came = turn["content"][0]["toolResult"]
    assert [next(iter(one)) for one in came["content"]] == ["image", "document", "video"]
    assert came["status"] == "error"
    assert "audio" in [name.rpartition(".")[2] for name in losses.names]


def test_a_result_of_nothing_says_so() -> None:
    result = ToolResult(call_id="c1", parts=())
    _, _, turn = written(user(Text("go")), Message("assistant", [CALL]), user(result))
    assert turn["content"][0]["toolResult"]["content"][0]["text"]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("report.pdf", "report pdf"),
        ("  a   b\tc ", "a b c"),
        ("Ünïcode–€", "n code"),
        ("", "document"),
        (None, "document"),
        ("[x] (y) - z", "[x] (y) - z"),
        ("../../etc/passwd", "etc passwd"),
    ],
)
def test_documents_are_called_in_letters_that_are_allowed(title: str | None, name: str) -> None:
    (turn,) = written(user(pdf(name=title), Text("read")))
    assert turn["content"][0]["document"]["name"] == name


def test_every_document_has_a_name_of_its_own() -> None:
    (turn,) = written(user(*(pdf(name="x" * 300) for _ in range(3)), pdf(), pdf(), Text("read")))
    names = [block["document"]["name"] for block in turn["content"] if "document" in block]
    assert names == ["x" * 190, "x" * 190 + " 2", "x" * 190 + " 3", "document", "document 2"]


def test_words_stand_beside_a_document() -> None:
    (turn,) = written(user(pdf(name="a", context="about it", cite=True)))
    document, words = turn["content"]
    assert document["document"]["context"] == "about it"
    assert document["document"]["citations"] == {"enabled": True}
    assert words["text"]


def test_the_user_begins() -> None:
    losses = Losses()
    first, *_ = written(Message("assistant", [Text("hello")]), user(Text("hi")), losses=losses)
    assert first["role"] == "user"
    assert "messages[0].role" in losses.names


def test_thoughts_go_back_to_who_signed_them() -> None:
    """Hidden ones as they came; those of others do not go."""
    losses = Losses()
    thoughts: list[Part] = [
        Reasoning(text="hm", signature="sig", origin="anthropic"),
        Reasoning(redacted=DATA, origin="anthropic"),
        Reasoning(text="x", signature="other", origin="gemini"),
        Text("so"),
    ]
    _, turn, _ = written(user(Text("a")), Message("assistant", thoughts), user(Text("b")), losses=losses)
    assert turn["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": DATA}},
        {"text": "so"},
    ]
    assert [*losses.names] == ["messages.reasoning"]
