"""What models can do, as their providers' documentation tells (read in November 2026). One row per family.

A glob is matched against the model's name without regard to case; of several that match, the one with the most
characters that are no wildcards counts. ``*`` stands for all models of a kind that have no row of their own: what is
not known to be refused is let through there. ``max_output`` is given only where it is certain, as it cuts requests.

Sources by kind:

* openai: https://platform.openai.com/docs/models, https://platform.openai.com/docs/guides/reasoning
* anthropic: https://platform.claude.com/docs/en/models/overview and the page of each model;
  https://platform.claude.com/docs/en/build-with-claude/{adaptive-thinking,structured-outputs,prompt-caching}
* gemini: https://ai.google.dev/gemini-api/docs/models, https://ai.google.dev/gemini-api/docs/thinking
* bedrock: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html,
  https://docs.aws.amazon.com/nova/latest/userguide/
* mistral: https://docs.mistral.ai/models, https://docs.mistral.ai/inference/conversations/reasoning
* cohere: https://docs.cohere.com/docs/models
* deepseek: https://api-docs.deepseek.com/quick_start/pricing, https://api-docs.deepseek.com/guides/reasoning_model
* groq: https://console.groq.com/docs/openai, https://console.groq.com/docs/models
"""

from __future__ import annotations

from typing import Any

_SAMPLING = frozenset({"temperature", "top_p", "top_k"})
# What OpenAI's reasoning models do not take.
_OPENAI_REASONING = frozenset(
    {"temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs"}
)
_TEXT_ONLY: dict[str, Any] = {"vision": False, "files": False}
_NO_JSON: dict[str, Any] = {"json_object": False, "json_schema": False}
_K = 1024

Rows = dict[str, dict[str, Any]]

_OPENAI_KNOWN: dict[str, Any] = {"prompt_cache": "automatic", "count_tokens": True}
_OPENAI_THINKS = {**_OPENAI_KNOWN, "thinking": "effort", "refuses": _OPENAI_REASONING}
_O_SERIES = {
    **_OPENAI_THINKS,
    "always_thinks": True,
    "parallel_tools": False,
    "max_output": 100_000,
    "context": 200_000,
}
_GPT_5 = {**_OPENAI_THINKS, "max_output": 128_000, "context": 400_000}
# From 5.1 on they do not think unless asked, and take everything until then.
_GPT_5_1 = {**_GPT_5, "refuses": frozenset(), "refuses_thinking": _OPENAI_REASONING}
_OPENAI: Rows = {
    "*": {"audio": True, "thinking": "effort", "prompt_cache": "automatic"},
    "gpt-3.5-*": {**_OPENAI_KNOWN, **_TEXT_ONLY, "json_schema": False, "max_output": 4096, "context": 16_385},
    "gpt-4": {**_OPENAI_KNOWN, **_TEXT_ONLY, **_NO_JSON, "max_output": 8192, "context": 8192},
    "gpt-4-0613": {**_OPENAI_KNOWN, **_TEXT_ONLY, **_NO_JSON, "max_output": 8192, "context": 8192},
    "gpt-4-turbo*": {
        **_OPENAI_KNOWN, "files": False, "json_schema": False, "max_output": 4096, "context": 128_000,
    },
    "gpt-4o*": {**_OPENAI_KNOWN, "max_output": 16_384, "context": 128_000},
    "gpt-4o-2024-05-13": {**_OPENAI_KNOWN, "json_schema": False, "max_output": 4096, "context": 128_000},
    "gpt-4o*-audio-*": {**_OPENAI_KNOWN, **_TEXT_ONLY, "audio": True, "json_schema": False, "max_output": 16_384},
    "gpt-4o*-search-*": {
        **_OPENAI_KNOWN,
        "tools": False,
        "max_output": 16_384,
        "context": 128_000,
        "refuses": _OPENAI_REASONING | {"n", "seed"},
    },
    "gpt-audio*": {**_OPENAI_KNOWN, **_TEXT_ONLY, "audio": True, "json_schema": False, "max_output": 16_384},
    "chatgpt-4o-latest": {**_OPENAI_KNOWN, "tools": False, "json_schema": False, "max_output": 16_384},
    "gpt-4.1*": {**_OPENAI_KNOWN, "max_output": 32_768, "context": 1_047_576},
    "o1*": _O_SERIES,
    "o3*": _O_SERIES,
    "o3-mini*": {**_O_SERIES, **_TEXT_ONLY},
    "o4-mini*": _O_SERIES,
    "codex-mini*": _O_SERIES,
    "gpt-5*": _OPENAI_THINKS,
    "gpt-5": {**_GPT_5, "always_thinks": True},
    "gpt-5-20*": {**_GPT_5, "always_thinks": True},
    "gpt-5-mini*": {**_GPT_5, "always_thinks": True},
    "gpt-5-nano*": {**_GPT_5, "always_thinks": True},
    "gpt-5-codex*": {**_GPT_5, "always_thinks": True},
    "gpt-5-chat*": {**_OPENAI_KNOWN, "max_output": 16_384, "context": 128_000},
    "gpt-5.1*": _GPT_5_1,
    "gpt-5.2*": _GPT_5_1,
    "gpt-5.1-chat*": {**_GPT_5_1, "max_output": 16_384, "context": 128_000},
    "gpt-5.2-chat*": {**_GPT_5_1, "max_output": 16_384, "context": 128_000},
    "gpt-5.?-codex*": {**_GPT_5, "always_thinks": True},
    "gpt-5.?-pro*": {**_OPENAI_THINKS, "always_thinks": True},
    "gpt-5.4*": {**_OPENAI_KNOWN, "thinking": "effort", "refuses_thinking": _OPENAI_REASONING, "max_output": 128_000},
    "gpt-6*": _OPENAI_THINKS,
    "gpt-oss-*": {**_TEXT_ONLY, "thinking": "effort", "always_thinks": True, "context": 131_072},
}  # fmt: skip

_CLAUDE_ALL: dict[str, Any] = {
    "prompt_cache": "marks",
    "count_tokens": True,
    "json_object": False,
    "json_by_tool": True,
}
_CLAUDE_4_6 = {**_CLAUDE_ALL, "thinking": "adaptive", "max_output": 128_000, "context": 1_000_000}
_CLAUDE_NEW = {**_CLAUDE_4_6, "refuses": _SAMPLING}
_CLAUDE_4_5 = {**_CLAUDE_ALL, "thinking": "budget", "max_output": 64_000, "context": 200_000}
_CLAUDE_4 = {**_CLAUDE_4_5, "json_schema": False}
_CLAUDE_3: dict[str, Any] = {**_CLAUDE_ALL, "json_schema": False, "context": 200_000}
_CLAUDE: Rows = {
    "claude-*": _CLAUDE_NEW,
    "claude-fable-*": {**_CLAUDE_NEW, "always_thinks": True},
    "claude-mythos-*": {**_CLAUDE_NEW, "always_thinks": True},
    "claude-opus-5-5*": {**_CLAUDE_NEW, "always_thinks": True},
    "claude-opus-4-6*": _CLAUDE_4_6,
    "claude-sonnet-4-6*": _CLAUDE_4_6,
    "claude-opus-4-5*": _CLAUDE_4_5,
    "claude-sonnet-4-5*": _CLAUDE_4_5,
    "claude-haiku-4-5*": _CLAUDE_4_5,
    "claude-opus-4-1*": {**_CLAUDE_4, "max_output": 32_000},
    "claude-opus-4-0*": {**_CLAUDE_4, "max_output": 32_000},
    "claude-opus-4-2025*": {**_CLAUDE_4, "max_output": 32_000},
    "claude-sonnet-4-0*": _CLAUDE_4,
    "claude-sonnet-4-2025*": _CLAUDE_4,
    "claude-3-7-*": _CLAUDE_4,
    "claude-3-5-*": {**_CLAUDE_3, "max_output": 8192},
    "claude-3-opus*": {**_CLAUDE_3, "files": False, "max_output": 4096},
    "claude-3-haiku*": {**_CLAUDE_3, "files": False, "max_output": 4096},
    "claude-3-sonnet*": {**_CLAUDE_3, "files": False, "max_output": 4096, "prompt_cache": "none"},
}
# Others that speak Anthropic's format.
_ANTHROPIC: Rows = {"*": {**_CLAUDE_ALL, "json_schema": False, "thinking": "budget"}, **_CLAUDE}

_GEMINI_ALL: dict[str, Any] = {
    "audio": True,
    "video": True,
    "prompt_cache": "automatic",
    "count_tokens": True,
    "context": 1_048_576,
}
_GEMINI_2_5 = {**_GEMINI_ALL, "thinking": "budget", "max_output": 65_536}
_GEMINI_3 = {**_GEMINI_ALL, "thinking": "level", "always_thinks": True, "max_output": 65_536}
_GEMINI: Rows = {
    "*": {**_GEMINI_ALL, "context": None, "thinking": "level"},
    "gemini-1.5-*": {**_GEMINI_ALL, "max_output": 8192},
    "gemini-2.0-*": {**_GEMINI_ALL, "max_output": 8192},
    "gemini-2.5-*": _GEMINI_2_5,
    "gemini-2.5-pro*": {**_GEMINI_2_5, "always_thinks": True},
    "gemini-2.5-flash-image*": {
        **_GEMINI_ALL, **_NO_JSON, "tools": False, "audio": False, "max_output": 32_768, "context": 65_536,
    },
    "gemini-3*": _GEMINI_3,
    "gemini-3*-image*": {**_GEMINI_3, "tools": False, "audio": False, "max_output": 32_768, "context": 65_536},
    "gemma-3*": {
        **_NO_JSON, "files": False, "tools": False, "count_tokens": True, "max_output": 8192, "context": 128 * _K,
    },
}  # fmt: skip

_BEDROCK_PLAIN: dict[str, Any] = {**_NO_JSON, "json_by_tool": True}
_BEDROCK_TEXT = {**_BEDROCK_PLAIN, "vision": False}
_BEDROCK_NO_TOOLS = {**_BEDROCK_TEXT, "tools": False, "json_by_tool": False}
_NOVA = {**_BEDROCK_PLAIN, "video": True, "prompt_cache": "automatic", "context": 300_000, "max_output": 10_000}
_BEDROCK: Rows = {
    "*": _BEDROCK_PLAIN,
    **{f"*{glob}": row for glob, row in _CLAUDE.items()},
    "*claude-3-5-haiku*": {**_CLAUDE_3, "vision": False, "max_output": 8192},
    "*claude-3-5-sonnet*": {**_CLAUDE_3, "prompt_cache": "none", "max_output": 8192},
    "*claude-3-opus*": {**_CLAUDE_3, "prompt_cache": "none", "max_output": 4096},
    "*claude-3-haiku*": {**_CLAUDE_3, "prompt_cache": "none", "max_output": 4096},
    "*nova-micro*": {**_NOVA, **_TEXT_ONLY, "video": False, "context": 128_000},
    "*nova-lite*": _NOVA,
    "*nova-pro*": _NOVA,
    "*nova-premier*": {**_NOVA, "max_output": None, "context": 1_000_000},
    "*nova-2-*": {**_NOVA, "thinking": "effort", "max_output": None, "context": 1_000_000},
    "*amazon.titan-text-*": _BEDROCK_NO_TOOLS,
    "*amazon.titan-text-premier*": {**_BEDROCK_NO_TOOLS, "files": False},
    "*meta.llama2-*": _BEDROCK_NO_TOOLS,
    "*meta.llama3-8b-*": _BEDROCK_NO_TOOLS,
    "*meta.llama3-70b-*": _BEDROCK_NO_TOOLS,
    "*meta.llama3-1-*": {**_BEDROCK_TEXT, "context": 128_000},
    "*meta.llama3-2-1b-*": {**_BEDROCK_NO_TOOLS, "context": 128_000},
    "*meta.llama3-2-3b-*": {**_BEDROCK_NO_TOOLS, "context": 128_000},
    "*meta.llama3-2-11b-*": {**_BEDROCK_PLAIN, "context": 128_000},
    "*meta.llama3-2-90b-*": {**_BEDROCK_PLAIN, "context": 128_000},
    "*meta.llama3-3-*": {**_BEDROCK_TEXT, "context": 128_000},
    "*meta.llama4-*": _BEDROCK_PLAIN,
    "*mistral.mistral-7b-*": _BEDROCK_NO_TOOLS,
    "*mistral.mixtral-*": _BEDROCK_NO_TOOLS,
    "*mistral.mistral-large-*": _BEDROCK_TEXT,
    "*mistral.mistral-small-*": {**_BEDROCK_TEXT, "files": False},
    "*mistral.pixtral-*": _BEDROCK_PLAIN,
    "*cohere.command-r*": {**_BEDROCK_TEXT, "context": 128_000},
    "*ai21.jamba-1-5-*": _BEDROCK_TEXT,
    "*ai21.jamba-instruct*": {**_BEDROCK_NO_TOOLS, "files": False},
    "*deepseek.r1*": {**_BEDROCK_NO_TOOLS, "thinking": "always", "always_thinks": True},
    "*deepseek.v*": {**_BEDROCK_TEXT, "files": False},
    "*openai.gpt-oss-*": {**_BEDROCK_TEXT, "files": False, "thinking": "effort", "always_thinks": True},
}

_MISTRAL: Rows = {
    "*": {},
    "mistral-small-*": {"thinking": "effort"},
    "mistral-small-25*": {},
    "mistral-small-24*": _TEXT_ONLY,
    "mistral-medium-*": {"thinking": "effort"},
    "mistral-medium-25*": {},
    "mistral-large-*": {"thinking": "effort"},
    "mistral-large-24*": {**_TEXT_ONLY, "json_schema": True},
    "mistral-large-25*": {},
    "magistral-*": {"thinking": "always", "always_thinks": True},
    "codestral-*": _TEXT_ONLY,
    "devstral-*": _TEXT_ONLY,
    "open-mistral-*": _TEXT_ONLY,
    "open-mixtral-*": _TEXT_ONLY,
    "voxtral-*": {"vision": False, "audio": True},
}

_COHERE: Rows = {
    "*": {"files": False, "thinking": "budget"},
    "command-a-03-2025": {**_TEXT_ONLY, "max_output": 8000, "context": 256_000},
    "command-a-vision-*": {"files": False, "tools": False, "max_output": 8000, "context": 128_000},
    "command-a-reasoning-*": {**_TEXT_ONLY, "thinking": "budget", "max_output": 32_000, "context": 256_000},
    "command-a-translate-*": {**_TEXT_ONLY, "max_output": 8000, "context": 8000},
    "command-r*": {**_TEXT_ONLY, "max_output": 4000, "context": 128_000},
    "c4ai-aya-*": {**_TEXT_ONLY, "tools": False, "max_output": 4000},
    "c4ai-aya-vision-*": {"files": False, "tools": False, "max_output": 4000, "context": 16_000},
}

_DEEPSEEK: Rows = {
    "*": {**_TEXT_ONLY, "json_schema": False, "thinking": "effort", "prompt_cache": "automatic"},
    "deepseek-reasoner": {
        **_TEXT_ONLY,
        "json_schema": False,
        "thinking": "always",
        "always_thinks": True,
        "prompt_cache": "automatic",
        "refuses": _OPENAI_REASONING - {"logit_bias"},
    },
}

_GROQ_REFUSES = frozenset({"logit_bias", "logprobs", "top_logprobs", "n"})
_GROQ: Rows = {
    "*": {**_TEXT_ONLY, "json_schema": False, "thinking": "effort", "refuses": _GROQ_REFUSES},
    "openai/gpt-oss-*": {
        **_TEXT_ONLY,
        "thinking": "effort",
        "always_thinks": True,
        "prompt_cache": "automatic",
        "refuses": _GROQ_REFUSES,
    },
    "llama-3.*": {**_TEXT_ONLY, "json_schema": False, "refuses": _GROQ_REFUSES},
    "meta-llama/llama-4-*": {"files": False, "refuses": _GROQ_REFUSES},
    "moonshotai/kimi-k2-*": {**_TEXT_ONLY, "prompt_cache": "automatic", "refuses": _GROQ_REFUSES},
}

# OpenRouter speaks for everybody: it turns what a model lacks into what it has, and takes markers for two families.
_OPENROUTER: Rows = {
    "*": {"audio": True, "video": True, "thinking": "effort", "prompt_cache": "automatic"},
    "anthropic/*": {"thinking": "effort", "prompt_cache": "marks"},
}

# What its models sample with is fixed, but for the oldest. https://platform.kimi.ai/docs/api/models-overview
_MOONSHOT_REFUSES = frozenset({"temperature", "top_p", "n", "presence_penalty", "frequency_penalty"})
_MOONSHOT: Rows = {
    "*": {"files": False, "thinking": "effort", "prompt_cache": "automatic", "refuses": _MOONSHOT_REFUSES},
    "moonshot-v1-*": {**_TEXT_ONLY, "prompt_cache": "automatic"},
    "moonshot-v1-*vision*": {"files": False, "prompt_cache": "automatic"},
}

ROWS: dict[str, Rows] = {
    "openai": _OPENAI,
    "anthropic": _ANTHROPIC,
    "gemini": _GEMINI,
    "vertex": {**_GEMINI, **{glob: row for glob, row in _ANTHROPIC.items() if glob != "*"}},
    "bedrock": _BEDROCK,
    "mistral": _MISTRAL,
    "cohere": _COHERE,
    "deepseek": _DEEPSEEK,
    "groq": _GROQ,
    "openrouter": _OPENROUTER,
    "moonshot": _MOONSHOT,
    "sagemaker": {"*": {"files": False, "thinking": "none"}},
}
# Kinds whose models are those of another; a kind or preset that is named nowhere is like `openai`.
SAME_AS: dict[str, str] = {"azure_openai": "openai"}
