"""Providers that an environment may have a key for, and servers of models that may run on this machine."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

# What the printed lines say where a client wants a key. It is nobody's key, though it may stand in the environment.
UNUSED = "unused"
_MAX_PORT = 65535
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0", "")  # noqa: S104 - as Ollama listens, not as we do


class Service(msgspec.Struct, frozen=True):
    """A provider. ``keys``: variables that may hold its key, the first that does counts. ``models``: patterns of what
    it alone serves; a service without any serves what others make, and is asked for all that nobody claims."""

    name: str
    keys: tuple[str, ...]
    models: tuple[str, ...] = ()
    sample: str = ""
    is_preset: bool = True


class Server(msgspec.Struct, frozen=True):
    """A server of models on this machine, and the names that it gave."""

    name: str
    url: str
    models: tuple[str, ...] = ()


SERVICES = (
    Service(
        "openai",
        ("OPENAI_API_KEY",),
        (
            "gpt-*",
            "chatgpt-*",
            "codex-*",
            "o1*",
            "o3*",
            "o4*",
            "computer-use-*",
            "text-embedding-*",
            "omni-moderation-*",
            "dall-e-*",
            "whisper-*",
            "tts-*",
        ),
        "gpt-4o-mini",
        False,
    ),
    Service("anthropic", ("ANTHROPIC_API_KEY",), ("claude-*",), "claude-sonnet-4-5", False),
    Service("gemini", ("GEMINI_API_KEY", "GOOGLE_API_KEY"), ("gemini-*", "gemma-*"), "gemini-2.5-flash", False),
    Service(
        "mistral",
        ("MISTRAL_API_KEY",),
        ("mistral-*", "ministral-*", "magistral-*", "codestral-*", "devstral-*", "pixtral-*", "voxtral-*", "open-mi*"),
        "mistral-small-latest",
        False,
    ),
    Service("cohere", ("COHERE_API_KEY", "CO_API_KEY"), ("command-*", "c4ai-*", "embed-*", "rerank-*"), "", False),
    Service("deepseek", ("DEEPSEEK_API_KEY",), ("deepseek-*",), "deepseek-chat"),
    Service("xai", ("XAI_API_KEY",), ("grok-*",)),
    Service("moonshot", ("MOONSHOT_API_KEY",), ("kimi-*", "moonshot-*")),
    Service("zai", ("ZAI_API_KEY",), ("glm-*",)),
    Service("zhipu", ("ZHIPU_API_KEY",), ("glm-*",)),
    Service("dashscope", ("DASHSCOPE_API_KEY",), ("qwen-*", "qwen2*", "qwen3*", "qwq-*")),
    Service("openrouter", ("OPENROUTER_API_KEY",), (), "openai/gpt-4o-mini"),
    Service("groq", ("GROQ_API_KEY",), (), "llama-3.3-70b-versatile"),
    Service("cerebras", ("CEREBRAS_API_KEY",)),
    Service("together", ("TOGETHER_API_KEY",)),
    Service("fireworks", ("FIREWORKS_API_KEY",)),
    Service("deepinfra", ("DEEPINFRA_API_KEY",)),
    Service("sambanova", ("SAMBANOVA_API_KEY",)),
    Service("nebius", ("NEBIUS_API_KEY",)),
    Service("hyperbolic", ("HYPERBOLIC_API_KEY",)),
    Service("nvidia", ("NVIDIA_API_KEY",)),
)
# Where they listen unless told otherwise; each name is that of a preset.
PORTS = {"ollama": 11434, "lmstudio": 1234, "vllm": 8000, "llamacpp": 8080}


def keys_in(environ: Mapping[str, str]) -> list[tuple[Service, str]]:
    """Services with a key, and the variable that holds it."""
    found = []
    for service in SERVICES:
        variable = next((name for name in service.keys if environ.get(name, "").strip() not in ("", UNUSED)), None)
        if variable is not None:
            found.append((service, variable))
    return found


def ports_in(environ: Mapping[str, str]) -> dict[str, int]:
    """Where servers may listen on this machine; Ollama says it in a variable of its own, ``OLLAMA_HOST``."""
    given = environ.get("OLLAMA_HOST", "").strip().rpartition("://")[2].partition("/")[0]
    host, colon, port = given.rpartition(":")
    if colon and host in _LOOPBACK and port.isdecimal() and 0 < int(port) <= _MAX_PORT:
        return PORTS | {"ollama": int(port)}
    return PORTS
