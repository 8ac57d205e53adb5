"""Everything of a request beside its turns, as the official types take it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from google.genai import types

from proxy.chat import Chat, Format, Losses, Message, Text, Thinking, Tool, ToolChoice
from proxy.choosing.capability import Capabilities
from proxy.dialects.dialect import Aim
from proxy.dialects.gemini.body import write_count_request, write_request
from proxy.errors import BadRequest

NEW = Aim(model="gemini-3-flash", capabilities=Capabilities(thinking="level"))
OLD = Aim(model="gemini-2.5-flash", capabilities=Capabilities(thinking="budget"))
F, G = (
    Tool(name="f", description="d", parameters={"type": "object", "properties": {"a": {"type": "string"}}}),
    Tool(name="g"),
)


def _write(aim: Aim = NEW, **more: Any) -> tuple[Any, list[str]]:
    losses = Losses()
    chat = Chat(model="m", messages=[Message("user", [Text("hi")])], **more)
    return msgspec.json.decode(write_request(chat, aim, losses)), list(losses.names)


def test_every_parameter_has_its_place() -> None:
    body, lost = _write(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        n=2,
        max_tokens=9,
        stop=["a", "", "b"],
        seed=2**40 + 5,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=True,
        top_logprobs=30,
        modalities=["text", "image"],
        thinking=Thinking(effort="low", visible=True),
        service_tier="priority",
        metadata={"team": "x", "Bad Name": "y"},
    )
    config: Any = types.GenerationConfig.model_validate(body["generationConfig"])
    assert (config.temperature, config.top_p, config.top_k, config.candidate_count) == (0.5, 0.9, 40, 2)
    assert (config.max_output_tokens, config.stop_sequences, config.seed) == (9, ["a", "b"], 5)
    assert (config.presence_penalty, config.frequency_penalty) == (0.1, 0.2)
    assert (config.response_logprobs, config.logprobs) == (True, 20)
    assert [one.value for one in config.response_modalities] == ["TEXT", "IMAGE"]
    assert (config.thinking_config.thinking_level.value, config.thinking_config.include_thoughts) == ("LOW", True)
    assert (body["serviceTier"], body["labels"]) == ("priority", {"team": "x"})
    assert lost == ["metadata.Bad Name"]


@pytest.mark.parametrize(
    ("choice", "strict", "meant"),
    [
        (None, None, None),
        (None, True, {"mode": "VALIDATED"}),
        (ToolChoice("auto"), None, {"mode": "AUTO"}),
        (ToolChoice("none"), True, {"mode": "NONE"}),
        (ToolChoice("required"), None, {"mode": "ANY"}),
        (ToolChoice("required", allowed=("f",)), None, {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice("auto", allowed=("f",)), None, {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
        (ToolChoice("tool", "g"), None, {"mode": "ANY", "allowedFunctionNames": ["g"]}),
    ],
)
def test_every_choice_of_tools_has_its_mode(choice: ToolChoice | None, strict: bool | None, meant: Any) -> None:
    body, _ = _write(tools=[msgspec.structs.replace(F, strict=strict), G], tool_choice=choice)
    assert (body.get("toolConfig") or {}).get("functionCallingConfig") == meant
    if meant is not None:
        types.FunctionCallingConfig.model_validate(meant)


def test_tools_are_declared_with_real_schemas() -> None:
    foreign = Tool(name="googleSearch", foreign="gemini", value={"googleSearch": {}})
    theirs = Tool(name="web_search", foreign="anthropic_messages", value={})
    free = Tool(name="free", custom=True, format={"type": "grammar"})
    body, lost = _write(tools=[F, G, foreign, theirs, free])
    declared = [types.FunctionDeclaration.model_validate(one) for one in body["tools"][0]["functionDeclarations"]]
    assert [one.name for one in declared] == ["f", "g", "free"]
    assert declared[0].parameters_json_schema == F.parameters
    assert declared[1].parameters_json_schema is None
    assert body["tools"][1] == {"googleSearch": {}}
    assert lost == ["tools[3]", "tools[4].format"]


def test_a_choice_of_a_tool_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadRequest):
        _write(tools=[F], tool_choice=ToolChoice("tool", "x"))


def test_the_shape_of_the_answer_is_a_json_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "multipleOf": 2}}, "required": ["a"]}
    body, lost = _write(format=Format(kind="json_schema", schema=schema))
    config: Any = types.GenerationConfig.model_validate(body["generationConfig"])
    assert config.response_mime_type == "application/json"
    assert config.response_json_schema["properties"]["a"] == {"type": "integer"}
    assert lost == ["format.schema.properties.a.multipleOf"]
    body, _ = _write(format=Format(kind="json_object"))
    assert body["generationConfig"] == {"responseMimeType": "application/json"}


def test_older_models_take_tools_or_a_shape_but_not_both() -> None:
    body, lost = _write(OLD, tools=[F], format=Format(kind="json_object"))
    assert lost == ["format"]
    assert "generationConfig" not in body
    assert _write(NEW, tools=[F], format=Format(kind="json_object"))[1] == []


def test_a_model_that_does_not_think_is_not_told_to() -> None:
    assert "generationConfig" not in _write(Aim(model="gemini-2.0-flash"), thinking=Thinking(effort="low"))[0]


@pytest.mark.parametrize(
    ("tier", "told", "lost"),
    [("auto", None, []), ("default", None, []), ("flex", "flex", []), ("scale", None, ["service_tier"])],
)
def test_tiers_are_told_where_there_is_one(tier: str, told: str | None, lost: list[str]) -> None:
    body, names = _write(service_tier=tier)
    assert (body.get("serviceTier"), names) == (told, lost)


def test_more_stops_than_are_taken_are_named() -> None:
    body, lost = _write(stop=list("abcdef"))
    assert (len(body["generationConfig"]["stopSequences"]), lost) == (5, ["stop"])


def test_a_question_for_tokens_leaves_out_what_costs_none() -> None:
    chat = Chat(
        model="m", messages=[Message("user", [Text("hi")])], tools=[F], service_tier="flex", metadata={"a": "b"}
    )
    asked = msgspec.json.decode(write_count_request(chat, NEW, Losses()))["generateContentRequest"]
    assert list(asked) == ["model", "contents", "tools"]
