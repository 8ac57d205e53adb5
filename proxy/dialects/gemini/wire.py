"""generateContent as it stands on the wire: requests of clients, answers of providers.

Members are camelCase here. Google takes their snake_case names too, and so does ``spelling`` before a request is read.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

NAME = "gemini"
SIGNS = "gemini"

Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Heat = Annotated[float, msgspec.Meta(ge=0, le=2)]
Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]


class Wire(msgspec.Struct, rename="camel"):
    """What all of them have in common."""


class Blob(Wire):
    """Data, as base64 in either alphabet."""

    mime_type: str | None = None
    data: str | None = None
    display_name: str | None = None


class FileData(Wire):
    """Data that lie elsewhere."""

    file_uri: str | None = None
    mime_type: str | None = None
    display_name: str | None = None


class PartialArg(Wire):
    """A piece of the arguments of a call: what is added to the value at ``json_path``."""

    json_path: str = ""
    string_value: str | None = None
    number_value: int | float | None = None
    bool_value: bool | None = None
    will_continue: bool | None = None


class FunctionCall(Wire):
    """A call; its arguments whole, or in pieces while it ``will_continue``."""

    name: str | None = None
    id: str | None = None
    args: msgspec.Raw = msgspec.Raw()
    partial_args: list[PartialArg] | None = None
    will_continue: bool | None = None


class ResponsePart(Wire):
    """An image or a file within the result of a call."""

    inline_data: Blob | None = None
    file_data: FileData | None = None


class FunctionResponse(Wire):
    """The result of a call."""

    name: str | None = None
    id: str | None = None
    response: msgspec.Raw = msgspec.Raw()
    parts: list[ResponsePart] | None = None
    will_continue: bool | None = None
    scheduling: str | None = None


class PartWire(Wire):
    """A part; what it is depends on which member it has. The last ones are for Gemini alone."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: Any = None
    code_execution_result: Any = None
    tool_call: Any = None
    tool_response: Any = None
    video_metadata: Any = None
    media_resolution: Any = None
    media_processing: Any = None
    part_metadata: Any = None


class Content(Wire):
    """A turn."""

    role: str | None = None
    parts: list[PartWire] | None = None


class Declaration(Wire):
    """A function that may be called; its parameters in OpenAPI's form or as JSON Schema."""

    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_json_schema: Any = None
    response: Any = None
    response_json_schema: Any = None
    behavior: Any = None


class ToolWire(Wire):
    """Functions, and tools that Google runs itself (``spelling`` keeps these under ``others``)."""

    function_declarations: list[Declaration] | None = None


class CallingConfig(Wire):
    """Which functions may or must be called."""

    mode: str | None = None
    allowed_function_names: list[str] | None = None
    stream_function_call_arguments: bool | None = None


class ToolConfig(Wire):
    """How tools are used."""

    function_calling_config: CallingConfig | None = None
    retrieval_config: Any = None
    include_server_side_tool_invocations: bool | None = None


class ThinkingConfig(Wire):
    """How much to think."""

    include_thoughts: bool | None = None
    thinking_budget: Annotated[int, msgspec.Meta(ge=-1, le=1_000_000_000)] | None = None
    thinking_level: str | None = None


class GenerationConfig(Wire):
    """How the answer is made."""

    temperature: Heat | None = None
    top_p: Share | None = None
    top_k: Annotated[float, msgspec.Meta(ge=0, le=1_000_000_000)] | None = None
    candidate_count: Annotated[int, msgspec.Meta(ge=1, le=128)] | None = None
    max_output_tokens: Count | None = None
    stop_sequences: list[str] | None = None
    seed: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: Any = None
    response_logprobs: bool | None = None
    logprobs: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    thinking_config: ThinkingConfig | None = None
    response_modalities: list[str] | None = None


class Request(Wire):
    """What a client asks. The model stands in the path; older clients repeat it here."""

    contents: list[Content] | None = None
    system_instruction: Content | None = None
    tools: list[ToolWire] | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    labels: dict[str, str] | None = None
    service_tier: str | None = None
    model: str | None = None


class CountRequest(Wire):
    """The question for the number of tokens: of ``contents``, or of a whole request."""

    generate_content_request: msgspec.Raw = msgspec.Raw()


class Modality(Wire):
    """Tokens of one kind."""

    modality: str = ""
    token_count: int | None = None


class UsageWire(Wire):
    """Every member may be missing."""

    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    prompt_tokens_details: list[Modality] | None = None
    cache_tokens_details: list[Modality] | None = None
    candidates_tokens_details: list[Modality] | None = None
    traffic_type: str | None = None


class Candidate(Wire):
    """One answer, or a piece of one."""

    content: Content | None = None
    finish_reason: str | None = None
    index: int = 0
    citation_metadata: dict[str, Any] | None = None
    grounding_metadata: dict[str, Any] | None = None
    logprobs_result: dict[str, Any] | None = None


class Feedback(Wire):
    """What became of the prompt."""

    block_reason: str | None = None


class Answer(Wire):
    """A whole answer, or an event of a streamed one."""

    candidates: list[Candidate] | None = None
    prompt_feedback: Feedback | None = None
    usage_metadata: Any = None
    model_version: str | None = None
    response_id: str | None = None
    error: msgspec.Raw = msgspec.Raw()


REQUEST = msgspec.json.Decoder(Request)
COUNT = msgspec.json.Decoder(CountRequest)
ANSWER = msgspec.json.Decoder(Answer)
TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
# What only Gemini understands, by its field: a part of it is carried as it is.
FOREIGN_PARTS = (
    ("executable_code", "executableCode"),
    ("code_execution_result", "codeExecutionResult"),
    ("tool_call", "toolCall"),
    ("tool_response", "toolResponse"),
)
STRUCTS = (
    Blob, FileData, PartialArg, FunctionCall, ResponsePart, FunctionResponse, PartWire, Content, Declaration, ToolWire,
    CallingConfig, ToolConfig, ThinkingConfig, GenerationConfig, Request, CountRequest,
)  # fmt: skip
