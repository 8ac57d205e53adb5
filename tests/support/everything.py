"""A request of each inbound dialect with everything that it can say, typed from the documentation."""

from __future__ import annotations

import json
from typing import Any

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "a city", "minLength": 1},
        "days": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
        "where": {"$ref": "#/$defs/place"},
    },
    "$defs": {"place": {"type": "object", "properties": {"at": {"$ref": "#/$defs/place"}, "x": {"enum": ["a", 1]}}}},
    "required": ["city"],
    "additionalProperties": False,
}
_CLAUDE = "anthropic-claude-v1"
_OPEN_API: dict[str, Any] = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}
_DATA = "iVBORw0KGgo="
_URL = f"data:image/png;base64,{_DATA}"

OPENAI_CHAT: dict[str, Any] = {
    "model": "m-1",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}], "name": "dev"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "image_url", "image_url": {"url": _URL, "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}},
                {"type": "input_audio", "input_audio": {"data": _DATA, "format": "wav"}},
                {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{_DATA}", "filename": "a.pdf"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "Hm.",
            "reasoning_details": [
                {
                    "type": "reasoning.text",
                    "text": "Hm.",
                    "signature": "c2ln",
                    "format": _CLAUDE,
                    "index": 0,
                },
                {"type": "reasoning.encrypted", "data": "ZGF0YQ==", "format": _CLAUDE, "index": 1},
            ],
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "f", "arguments": '{"city": "Paris"}'},
                    "extra_content": {"google": {"thought_signature": "c2ln"}},
                },
                {"id": "call_2", "type": "custom", "custom": {"name": "g", "input": "free text"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "21 C"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "done"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "So."}, {"type": "refusal", "refusal": "No."}]},
        {"role": "user", "content": "Go on"},
    ],
    "max_completion_tokens": 100,
    "temperature": 0.5,
    "top_p": 0.9,
    "n": 1,
    "stop": ["END", "STOP"],
    "seed": 7,
    "presence_penalty": 0.1,
    "frequency_penalty": -0.1,
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "top_logprobs": 2,
    "tools": [
        {
            "type": "function",
            "function": {"name": "f", "description": "d", "parameters": _SCHEMA, "strict": True},
        },
        {"type": "custom", "custom": {"name": "g", "description": "d", "format": {"type": "text"}}},
    ],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": False,
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": _SCHEMA, "strict": True}},
    "reasoning_effort": "low",
    "verbosity": "low",
    "service_tier": "auto",
    "user": "u-1",
    "metadata": {"a": "b"},
    "modalities": ["text"],
    "audio": {"voice": "alloy", "format": "wav"},
    "prediction": {"type": "content", "content": "x"},
    "prompt_cache_key": "k",
    "store": False,
    "stream": False,
    "stream_options": {"include_usage": True},
}
OPENAI_RESPONSES: dict[str, Any] = {
    "model": "m-1",
    "instructions": "Be brief.",
    "input": [
        {"role": "developer", "content": "Be kind."},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": _URL, "detail": "auto"},
                {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{_DATA}"},
            ],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "content": [{"type": "reasoning_text", "text": "Hm, hm."}],
            "encrypted_content": "ZGF0YQ==",
        },
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "So.", "annotations": [], "logprobs": []},
                {"type": "refusal", "refusal": "No."},
            ],
        },
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"city": "Paris"}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "21 C"},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "g", "input": "free"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "done"},
        {"role": "user", "content": "Go on"},
    ],
    "max_output_tokens": 100,
    "temperature": 0.5,
    "top_p": 0.9,
    "tools": [
        {"type": "function", "name": "f", "description": "d", "parameters": _SCHEMA, "strict": False},
        {"type": "custom", "name": "g", "format": {"type": "text"}},
        {"type": "web_search", "user_location": {"type": "approximate"}},
    ],
    "tool_choice": {"type": "function", "name": "f"},
    "parallel_tool_calls": True,
    "text": {"format": {"type": "json_schema", "name": "a", "schema": _SCHEMA, "strict": True}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "service_tier": "auto",
    "metadata": {"a": "b"},
    "store": False,
    "truncation": "disabled",
    "user": "u-1",
    "stream": False,
}
ANTHROPIC: dict[str, Any] = {
    "model": "m-1",
    "max_tokens": 4000,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _DATA}},
                {"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}},
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": _DATA},
                    "title": "t",
                    "context": "c",
                    "citations": {"enabled": True},
                },
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "ZGF0YQ=="},
                {"type": "text", "text": "So."},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"city": "Paris"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "is_error": True,
                    "content": [
                        {"type": "text", "text": "21 C"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _DATA}},
                    ],
                    "cache_control": {"type": "ephemeral"},
                },
                {"type": "text", "text": "Go on"},
            ],
        },
        {"role": "assistant", "content": "Well"},
        {"role": "user", "content": "And?"},
    ],
    "temperature": 1.0,
    "top_p": 0.9,
    "top_k": 5,
    "stop_sequences": ["END"],
    "tools": [
        {"name": "f", "description": "d", "input_schema": _SCHEMA, "cache_control": {"type": "ephemeral"}},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
    ],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 2000},
    "output_config": {"format": {"type": "json_schema", "schema": _SCHEMA}, "effort": "low"},
    "service_tier": "auto",
    "metadata": {"user_id": "u-1"},
    "stream": False,
}
GEMINI: dict[str, Any] = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "Look"},
                {"inlineData": {"mimeType": "image/png", "data": _DATA}},
                {"fileData": {"mimeType": "image/png", "fileUri": "https://a.example/x.png"}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "Hm.", "thought": True},
                {"text": "So.", "thoughtSignature": "c2ln"},
                {"functionCall": {"name": "f", "args": {"city": "Paris"}}, "thoughtSignature": "c2ln"},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "f", "response": {"output": "21 C"}}},
                {"text": "Go on"},
            ],
        },
    ],
    "tools": [
        {"functionDeclarations": [{"name": "f", "description": "d", "parametersJsonSchema": _SCHEMA}]},
        {
            "functionDeclarations": [
                {"name": "g", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}}
            ]
        },
        {"googleSearch": {}},
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    "generationConfig": {
        "maxOutputTokens": 100,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 5,
        "candidateCount": 1,
        "stopSequences": ["END"],
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.1,
        "responseLogprobs": True,
        "logprobs": 2,
        "responseMimeType": "application/json",
        "responseJsonSchema": _SCHEMA,
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 1024},
    },
}
BODIES = {
    "openai_chat": OPENAI_CHAT,
    "openai_responses": OPENAI_RESPONSES,
    "anthropic_messages": ANTHROPIC,
    "gemini": GEMINI,
}
EVERYTHING: dict[str, bytes] = {name: json.dumps(body).encode() for name, body in BODIES.items()}
