"""Words of the protocols, by which carriers are told from what is no text, and whose text it is."""

from __future__ import annotations

from typing import Literal

_Place = Literal["system", "user", "assistant", "tool_definition", "tool_call", "tool_result", "metadata", "other"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Names of members that every client and provider uses: they are nobody's text.
NAMES = _words(
    """
    model messages role content type text name user metadata stream stream_options include_usage temperature top_p
    top_k n stop max_tokens max_completion_tokens max_output_tokens presence_penalty frequency_penalty logit_bias
    logprobs top_logprobs seed tools tool_choice function functions function_call description parameters strict
    arguments tool_calls tool_call_id id index delta choices finish_reason refusal annotations audio usage
    prompt_tokens completion_tokens total_tokens object created system_fingerprint service_tier response_format
    json_schema schema properties required additionalProperties enum items anyOf oneOf allOf title default examples
    image_url url detail input_audio data format file file_data file_id filename reasoning_effort reasoning
    reasoning_content summary effort verbosity parallel_tool_calls store prompt prediction modalities voice
    input output instructions previous_response_id truncation include text_format status call_id encrypted_content
    input_text output_text input_image input_file conversation background safety_identifier prompt_cache_key
    system stop_sequences thinking budget_tokens signature source media_type cache_control ttl tool_use_id is_error
    input_schema citations context document cited_text stop_reason stop_sequence container mcp_servers
    contents parts inlineData inline_data mimeType mime_type fileData fileUri functionCall function_call
    functionResponse args response generationConfig generation_config systemInstruction system_instruction
    safetySettings toolConfig functionDeclarations candidateCount maxOutputTokens topP topK stopSequences
    responseMimeType responseSchema thinkingConfig thoughtSignature thought candidates finishReason labels
    suffix echo best_of encoding_format dimensions query documents embedding message code param error
    item_id output_index content_index sequence_number item part response incomplete_details reason
    """
)

# Values of `type` and `role`.
WORDS = _words(
    """
    system developer user assistant tool function model text input_text output_text image_url input_image image
    input_audio audio file input_file document message function_call function_call_output custom_tool_call
    custom_tool_call_output tool_use tool_result server_tool_use web_search_tool_result thinking redacted_thinking
    reasoning summary_text reasoning_text refusal item_reference computer_call_output local_shell_call_output
    mcp_call mcp_list_tools mcp custom json_schema json_object object string number integer boolean array null
    base64 url content search_result ephemeral enabled disabled adaptive auto none any required
    web_search web_search_preview file_search code_interpreter computer_use_preview image_generation
    url_citation file_citation file_search_call web_search_call code_interpreter_call mcp_tool_use mcp_tool_result
    shell_call shell_call_output apply_patch_call apply_patch_call_output web_fetch_tool_result web_fetch_result
    code_execution_tool_result bash_code_execution_tool_result text_editor_code_execution_tool_result logs
    """
)

# Members that hold what is no text, in base64; and text now and then.
BLOBS = _words(
    """
    data file_data b64_json signature encrypted_content thoughtSignature thought_signature url image_url bytes
    partial_image_b64 result
    """
)

# Who says what stands in a member of the document …
TOP_PLACES: dict[str, _Place] = {
    "system": "system",
    "instructions": "system",
    "systemInstruction": "system",
    "system_instruction": "system",
    "tools": "tool_definition",
    "functions": "tool_definition",
    "response_format": "tool_definition",
    "metadata": "metadata",
    "labels": "metadata",
    "user": "metadata",
    "safety_identifier": "metadata",
    "documents": "tool_result",  # retrieved: nobody who may speak wrote them
}
# … in a member of something in it …
PLACES: dict[str, _Place] = {
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "functionCall": "tool_call",
    "functionResponse": "tool_result",
    "function_response": "tool_result",
    "codeExecutionResult": "tool_result",
    "code_execution_result": "tool_result",
}
# … and in something of a type.
TYPES: dict[str, _Place] = {
    "tool_use": "tool_call",
    "server_tool_use": "tool_call",
    "function_call": "tool_call",
    "custom_tool_call": "tool_call",
    "web_search_call": "tool_call",
    "tool_result": "tool_result",
    "web_search_tool_result": "tool_result",
    "function_call_output": "tool_result",
    "custom_tool_call_output": "tool_result",
    "computer_call_output": "tool_result",
    "local_shell_call_output": "tool_result",
    "shell_call_output": "tool_result",
    "apply_patch_call_output": "tool_result",
    "file_search_call": "tool_result",  # calls of a provider's own tools, with what they brought
    "code_interpreter_call": "tool_result",
    "mcp_call": "tool_result",
    "mcp_list_tools": "tool_definition",
    "mcp_tool_use": "tool_call",
    "mcp_tool_result": "tool_result",
    "web_fetch_tool_result": "tool_result",
    "code_execution_tool_result": "tool_result",
    "bash_code_execution_tool_result": "tool_result",
    "text_editor_code_execution_tool_result": "tool_result",
    "search_result": "tool_result",  # retrieved and attached: written by others
    "document": "tool_result",
    "file": "tool_result",
    "input_file": "tool_result",
}
