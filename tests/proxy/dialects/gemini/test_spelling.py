"""Members in snake case are read like those in camel case; what belongs to the caller is left alone."""

from __future__ import annotations

import msgspec
import pytest

from proxy.dialects.gemini.spelling import foreign_tools, in_camel_case, others


def test_a_body_in_camel_case_stays_the_same_object() -> None:
    body = b'{"contents":[{"parts":[{"text":"inline_data and \\"file_data\\": no"}]}],"x_y":1}'
    assert in_camel_case(body) is body


def test_names_are_respelled_but_not_within_what_is_the_callers() -> None:
    opaque = {"inline_data": 1, "mime_type": {"file_uri": 2}}
    body = {
        "system_instruction": {"parts": [{"text": "a"}]},
        "contents": [
            {
                "parts": [
                    {"inline_data": {"mime_type": "image/png", "data": ""}},
                    {"function_call": {"name": "f", "args": opaque}},
                    {"function_response": {"name": "f", "response": opaque}},
                ]
            }
        ],
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": opaque}]}],
        "generation_config": {"max_output_tokens": 5, "thinking_config": {"thinking_budget": 1}},
        "labels": {"mime_type": "x"},
    }
    found = msgspec.json.decode(in_camel_case(msgspec.json.encode(body)))
    parts = found["contents"][0]["parts"]
    assert parts[0] == {"inlineData": {"mimeType": "image/png", "data": ""}}
    assert parts[1]["functionCall"]["args"] == parts[2]["functionResponse"]["response"] == opaque
    assert found["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"] == opaque
    assert found["generationConfig"] == {"maxOutputTokens": 5, "thinkingConfig": {"thinkingBudget": 1}}
    assert found["labels"] == {"mime_type": "x"}
    assert "systemInstruction" in found


def test_what_nobody_else_has_a_word_for_is_named() -> None:
    body = b'{"contents":[],"safetySettings":[1],"cachedContent":null,"generationConfig":{"topP":1,"speechConfig":{}}}'
    assert others(body) == {"safetySettings": [1], "generationConfig.speechConfig": {}}
    assert others(b'{"generationConfig":null}') == {}


def test_tools_of_google_are_found_beside_functions() -> None:
    body = b'{"tools":[{"functionDeclarations":[]},{"googleSearch":{"a":1},"urlContext":{}}]}'
    assert foreign_tools(body) == [[], [("googleSearch", {"a": 1}), ("urlContext", {})]]


@pytest.mark.parametrize("body", [b'{"inline_data":', b'{"file_uri": \xff}'])
def test_what_is_no_json_is_told(body: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        in_camel_case(body)
