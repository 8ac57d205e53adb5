"""Services that speak OpenAI's format, by name: where they are, what they want otherwise, what they do not take.

``quirks`` are those of ``proxy.dialects.openai_chat.body.QUIRKS``. ``refuses`` are parameters by their neutral names
that no model of the service takes: it answers with an error, or ignores them in silence. What differs by model stands
in ``capability_rows``. Read in November 2026; ``source`` says where.
"""

from __future__ import annotations

import msgspec

_CHAT = ("openai_chat",)
# Members that OpenAI's format has and most others never took over.
_OPENAI_ALONE = frozenset(
    {"audio", "metadata", "modalities", "prediction", "prompt_cache_key", "service_tier", "store", "verbosity"}
)
# What goes without saying for everybody but OpenAI: the newer words for the same are not known everywhere.
_PLAIN = frozenset({"functions_only", "no_developer", "no_refusals"})
_OLDER = _PLAIN | {"max_tokens"}
# The same service at home and abroad.
_GLM = _OLDER | {"auto_choice", "reasoning_content", "thinking_switch"}
_GLM_REFUSES = _OPENAI_ALONE | {
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "seed",
    "top_logprobs",
    "user",
}


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """One service. ``speaks``: its dialects; the first is that of translated conversations. A service whose Responses
    API keeps no state is asked in chat, so that the gateway can keep it."""

    base_url: str
    source: str
    quirks: frozenset[str] = _PLAIN
    refuses: frozenset[str] = frozenset()
    speaks: tuple[str, ...] = _CHAT


PRESETS: dict[str, Preset] = {
    "cerebras": Preset(
        base_url="https://api.cerebras.ai/v1",
        source="https://inference-docs.cerebras.ai/resources/openai",
        refuses=frozenset({"frequency_penalty", "logit_bias", "presence_penalty"}),
    ),
    "dashscope": Preset(
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        source="https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
        quirks=_OLDER | {"top_k"},
    ),
    "deepinfra": Preset(
        base_url="https://api.deepinfra.com/v1/openai",
        source="https://deepinfra.com/docs/advanced/openai_api",
        quirks=_OLDER,
    ),
    "deepseek": Preset(
        base_url="https://api.deepseek.com/v1",
        source="https://api-docs.deepseek.com/guides/thinking_mode",
        quirks=_OLDER | {"reasoning_content", "thinking_off"},
        refuses=_OPENAI_ALONE
        | {"frequency_penalty", "logit_bias", "n", "parallel_tool_calls", "presence_penalty", "seed", "user"},
    ),
    "fireworks": Preset(
        base_url="https://api.fireworks.ai/inference/v1",
        source="https://docs.fireworks.ai/tools-sdks/openai-compatibility",
        quirks=_OLDER | {"top_k"},
    ),
    "github": Preset(
        base_url="https://models.github.ai/inference",
        source="https://docs.github.com/en/rest/models/inference",
        quirks=_OLDER,
    ),
    "groq": Preset(
        base_url="https://api.groq.com/openai/v1",
        source="https://console.groq.com/docs/openai",
        quirks=_PLAIN | {"no_names"},
        refuses=frozenset({"logit_bias", "logprobs", "n", "top_logprobs"}),
    ),
    "huggingface": Preset(
        base_url="https://router.huggingface.co/v1",
        source="https://huggingface.co/docs/inference-providers/index",
        quirks=_OLDER,
    ),
    "hyperbolic": Preset(
        base_url="https://api.hyperbolic.xyz/v1",
        source="https://www.lava.so/docs/gateway/providers/hyperbolic",
        quirks=_OLDER,
    ),
    "llamacpp": Preset(
        base_url="http://127.0.0.1:8080/v1",
        source="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        quirks=_OLDER | {"top_k"},
    ),
    "lmstudio": Preset(
        base_url="http://127.0.0.1:1234/v1",
        source="https://lmstudio.ai/docs/developer/openai-compat",
        quirks=_OLDER | {"top_k"},
        speaks=("openai_chat", "openai_responses"),
    ),
    "moonshot": Preset(
        base_url="https://api.moonshot.ai/v1",
        source="https://platform.kimi.ai/docs/api/overview",
        quirks=_PLAIN | {"reasoning_content", "thinking_off"},
    ),
    "nebius": Preset(
        base_url="https://api.tokenfactory.nebius.com/v1",
        source="https://docs.tokenfactory.nebius.com/api-reference/introduction",
        quirks=_OLDER,
    ),
    "nvidia": Preset(
        base_url="https://integrate.api.nvidia.com/v1",
        source="https://docs.nvidia.com/nim/large-language-models/latest/api-reference.html",
        quirks=_OLDER,
    ),
    "ollama": Preset(
        base_url="http://127.0.0.1:11434/v1",
        source="https://docs.ollama.com/api/openai-compatibility",
        quirks=_OLDER,
        refuses=_OPENAI_ALONE | {"logit_bias", "n", "parallel_tool_calls", "user"},
    ),
    "openrouter": Preset(
        base_url="https://openrouter.ai/api/v1",
        source="https://openrouter.ai/docs/use-cases/reasoning-tokens",
        quirks=frozenset({"cache_control", "functions_only", "reasoning_details", "top_k"}),
    ),
    # Its chat completions ended in September 2026.
    "perplexity": Preset(
        base_url="https://api.perplexity.ai/v1",
        source="https://docs.perplexity.ai/docs/agent-api/migrate-from-sonar/how-to",
        speaks=("openai_responses",),
    ),
    "sambanova": Preset(
        base_url="https://api.sambanova.ai/v1",
        source="https://docs.sambanova.ai/docs/en/features/openai-compatibility",
        quirks=_OLDER | {"top_k"},
    ),
    "together": Preset(
        base_url="https://api.together.ai/v1",
        source="https://docs.together.ai/docs/inference/openai-compatibility",
        quirks=_OLDER | {"top_k"},
    ),
    "vllm": Preset(
        base_url="http://127.0.0.1:8000/v1",
        source="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        quirks=_PLAIN | {"top_k"},
    ),
    "xai": Preset(
        base_url="https://api.x.ai/v1",
        source="https://docs.x.ai/docs/api-reference",
        refuses=frozenset({"frequency_penalty", "logit_bias", "presence_penalty"}),
        speaks=("openai_chat", "openai_responses"),
    ),
    "zai": Preset(
        base_url="https://api.z.ai/api/paas/v4",
        source="https://docs.z.ai/api-reference/llm/chat-completion",
        quirks=_GLM,
        refuses=_GLM_REFUSES,
    ),
    "zhipu": Preset(
        base_url="https://open.bigmodel.cn/api/paas/v4",
        source="https://docs.bigmodel.cn/api-reference",
        quirks=_GLM,
        refuses=_GLM_REFUSES,
    ),
}

# Kinds of their own, which speak the same format with differences.
MISTRAL = Preset(
    base_url="https://api.mistral.ai/v1",
    source="https://docs.mistral.ai/api",
    quirks=_OLDER
    | {
        "any",
        "by_url",
        "no_names",
        "no_stream_options",
        "no_user_after_tool",
        "random_seed",
        "thinking",
        "tool_ids_9",
    },
    refuses=frozenset(
        {"audio", "logit_bias", "logprobs", "modalities", "service_tier", "store", "top_logprobs", "user", "verbosity"}
    ),
)
COHERE = Preset(
    base_url="https://api.cohere.com",
    source="https://docs.cohere.com/docs/compatibility-api",
    quirks=frozenset({"functions_only", "max_tokens", "no_names", "no_refusals", "none_or_high"}),
    refuses=_OPENAI_ALONE | {"logit_bias", "logprobs", "n", "parallel_tool_calls", "top_logprobs", "user"},
)

# What no model of a service takes, by the name of its preset or kind.
REFUSED: dict[str, frozenset[str]] = {
    "mistral": MISTRAL.refuses,
    "cohere": COHERE.refuses,
    **{name: preset.refuses for name, preset in PRESETS.items()},
}
