"""LiteLLM's names for providers, and the accounts that they become."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from proxy.config.problem import Path
from proxy.importing.source import Source


class Prefix(msgspec.Struct, frozen=True):
    """What stands before the slash of LiteLLM's ``model``. ``key``: the variable that LiteLLM reads; ``path``: what its
    ``api_base`` leaves out."""

    kind: str
    key: str = ""
    preset: str = ""
    path: str = ""


# https://docs.litellm.ai/docs/providers, read in November 2026.
PREFIXES: dict[str, Prefix] = {
    "openai": Prefix("openai", "OPENAI_API_KEY"),
    "text-completion-openai": Prefix("openai", "OPENAI_API_KEY"),
    "azure": Prefix("azure_openai", "AZURE_API_KEY"),
    "azure_text": Prefix("azure_openai", "AZURE_API_KEY"),
    "anthropic": Prefix("anthropic", "ANTHROPIC_API_KEY"),
    "gemini": Prefix("gemini", "GEMINI_API_KEY"),
    "vertex_ai": Prefix("vertex"),
    "vertex_ai_beta": Prefix("vertex"),
    "bedrock": Prefix("bedrock"),
    "bedrock_converse": Prefix("bedrock"),
    "sagemaker": Prefix("sagemaker"),
    "sagemaker_chat": Prefix("sagemaker"),
    "mistral": Prefix("mistral", "MISTRAL_API_KEY"),
    "cohere": Prefix("cohere", "COHERE_API_KEY"),
    "cohere_chat": Prefix("cohere", "COHERE_API_KEY"),
    "cerebras": Prefix("openai", "CEREBRAS_API_KEY", "cerebras"),
    "dashscope": Prefix("openai", "DASHSCOPE_API_KEY", "dashscope"),
    "deepinfra": Prefix("openai", "DEEPINFRA_API_KEY", "deepinfra"),
    "deepseek": Prefix("openai", "DEEPSEEK_API_KEY", "deepseek"),
    "fireworks_ai": Prefix("openai", "FIREWORKS_AI_API_KEY", "fireworks"),
    "github": Prefix("openai", "GITHUB_API_KEY", "github"),
    "groq": Prefix("openai", "GROQ_API_KEY", "groq"),
    "huggingface": Prefix("openai", "HF_TOKEN", "huggingface"),
    "hyperbolic": Prefix("openai", "HYPERBOLIC_API_KEY", "hyperbolic"),
    "lm_studio": Prefix("openai", "", "lmstudio"),
    "moonshot": Prefix("openai", "MOONSHOT_API_KEY", "moonshot"),
    "nebius": Prefix("openai", "NEBIUS_API_KEY", "nebius"),
    "nvidia_nim": Prefix("openai", "NVIDIA_NIM_API_KEY", "nvidia"),
    "ollama": Prefix("openai", "", "ollama", "/v1"),
    "ollama_chat": Prefix("openai", "", "ollama", "/v1"),
    "openrouter": Prefix("openai", "OPENROUTER_API_KEY", "openrouter"),
    "perplexity": Prefix("openai", "PERPLEXITYAI_API_KEY", "perplexity"),
    "sambanova": Prefix("openai", "SAMBANOVA_API_KEY", "sambanova"),
    "together_ai": Prefix("openai", "TOGETHERAI_API_KEY", "together"),
    "hosted_vllm": Prefix("openai", "", "vllm"),
    "xai": Prefix("openai", "XAI_API_KEY", "xai"),
    "zai": Prefix("openai", "ZAI_API_KEY", "zai"),
}
# Models that LiteLLM knows without a prefix, by how their names begin.
_FAMILIES = (("claude-", "anthropic"), ("gemini-", "gemini"), ("command-", "cohere"), ("mistral-", "mistral"))
# Settings that stand elsewhere under other names: kind → LiteLLM's → ours.
_OF_KIND: dict[str, dict[str, str]] = {
    "openai": {"organization": "organization"},
    "azure_openai": {"api_version": "api_version"},
    "vertex": {"vertex_project": "project", "vertex_location": "location"},
    "bedrock": {"aws_region_name": "region", "aws_profile_name": "profile", "aws_role_name": "role_arn"},
    "sagemaker": {"aws_region_name": "region", "aws_profile_name": "profile", "aws_role_name": "role_arn"},
}
_AWS = {
    "aws_access_key_id": ("access_key_id", "AWS_ACCESS_KEY_ID"),
    "aws_secret_access_key": ("secret_access_key", "AWS_SECRET_ACCESS_KEY"),
    "aws_session_token": ("session_token", "AWS_SESSION_TOKEN"),
}
# Kind → LiteLLM's → ours, and the variable for one in plain text.
_SECRETS = {
    "vertex": {"vertex_credentials": ("credentials", "VERTEX_CREDENTIALS")},
    "bedrock": _AWS,
    "sagemaker": _AWS,
}
# What must be there: kind → ours → the variable that LiteLLM reads.
_NEEDED = {
    "azure_openai": {"base_url": "AZURE_API_BASE"},
    "bedrock": {"region": "AWS_REGION_NAME"},
    "sagemaker": {"region": "AWS_REGION_NAME"},
    "vertex": {"project": "VERTEXAI_PROJECT", "location": "VERTEXAI_LOCATION"},
}
_OF_BEDROCK = ("converse/", "invoke/", "converse_like/")


class Accounts:
    """The providers of the new file. Entries with the same settings share one."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._names: dict[str, str] = {}
        self.found: dict[str, dict[str, Any]] = {}

    def target(self, path: Path, params: dict[str, Any], where: dict[str, Path]) -> tuple[str, str] | None:
        """Provider and model of one entry; None, and a finding, if nothing here can be asked for it. ``where``: the
        place of a parameter that does not stand below ``path``."""
        source = self._source
        full = str(params.get("model", ""))
        prefix, model = self._split(full, params)
        known = PREFIXES.get(prefix)
        if known is None and "api_base" not in params:
            said = f"there is no provider `{prefix}` here; with `api_base` it would be asked in OpenAI's format"
            source.lost((*path, "model"), said)
            return None
        if known is None:
            known = Prefix("openai", f"{prefix.upper().replace('-', '_')}_API_KEY")
            source.carried((*path, "model"), f"`{prefix}` is asked in OpenAI's format at its address")
        if not model:
            source.lost((*path, "model"), "no model is named")
            return None
        settings = self._settings(path, params, where, known)
        name = self._name(prefix, settings)
        source.carried((*path, "model"), f"{name}/{model}")
        return name, model

    def simulated(self, text: str) -> str:
        """An account that answers with ``text``."""
        return self._name("sim", {"kind": "simulated", "text": text})

    def _split(self, full: str, params: dict[str, Any]) -> tuple[str, str]:
        """Prefix and model."""
        custom = params.get("custom_llm_provider")
        head, slash, rest = full.partition("/")
        if isinstance(custom, str) and custom:
            prefix, model = custom, rest if head == custom else full
        elif slash and (head in PREFIXES or "api_base" in params or head.islower()):
            prefix, model = head, rest
        else:
            prefix, model = next((one for start, one in _FAMILIES if full.startswith(start)), "openai"), full
        if PREFIXES.get(prefix, Prefix("")).kind == "bedrock":
            for word in _OF_BEDROCK:
                model = model.removeprefix(word)
        return prefix, model.removeprefix("chat/").removeprefix("responses/") if prefix in (
            "openai",
            "azure",
        ) else model

    def _settings(self, path: Path, params: dict[str, Any], where: dict[str, Path], known: Prefix) -> dict[str, Any]:
        source = self._source
        settings: dict[str, Any] = {"kind": known.kind}
        if known.preset:
            settings["preset"] = known.preset
        base = params.get("api_base", params.get("base_url"))
        if base is not None:
            key = "api_base" if "api_base" in params else "base_url"
            settings["base_url"] = _address(source.text(base), known)
            source.carried(where.get(key, (*path, key)), "`base_url` of the account")
        for theirs, ours in _OF_KIND.get(known.kind, {}).items():
            if params.get(theirs) is not None:
                settings[ours] = source.text(params[theirs])
                source.carried(where.get(theirs, (*path, theirs)), f"`{ours}` of the account")
        for theirs, (ours, variable) in _SECRETS.get(known.kind, {}).items():
            value = params.get(theirs)
            if isinstance(value, str) and value.endswith(".json"):  # where it is, not what it is
                settings[ours] = f"${{file:{value}}}"
                source.carried(where.get(theirs, (*path, theirs)), "the content of that file")
            elif value is not None:
                found = source.secret(where.get(theirs, (*path, theirs)), params[theirs], variable)
                if found is not None:
                    settings[ours] = found
        self._key(path, params, where, known, settings)
        for ours, variable in _NEEDED.get(known.kind, {}).items():
            if ours not in settings:
                settings[ours] = source.variable(variable)
        for key in ("extra_headers", "headers"):
            headers = params.get(key)
            if isinstance(headers, dict) and all(isinstance(one, str) for one in headers.values()):
                settings["headers"] = {name: source.text(value) for name, value in headers.items()}
                source.carried(where.get(key, (*path, key)), "`headers` of the account")
        if "${" in json.dumps(settings).replace("$${", ""):
            settings["optional"] = True
        return settings

    def _key(
        self, path: Path, params: dict[str, Any], where: dict[str, Path], known: Prefix, into: dict[str, Any]
    ) -> None:
        """The credential: what is said, or what LiteLLM would look for in the environment."""
        if "api_key" in params:
            suggestion = known.key or f"{(known.preset or known.kind).upper()}_API_KEY"
            found = self._source.secret(where.get("api_key", (*path, "api_key")), params["api_key"], suggestion)
            if found is not None:
                into["api_key"] = found
        elif known.key and ("api_base" not in params or known.kind == "azure_openai"):
            into["api_key"] = self._source.variable(known.key)

    def _name(self, prefix: str, settings: dict[str, Any]) -> str:
        identity = json.dumps(settings, sort_keys=True)
        if identity not in self._names:
            plain = "".join(one if one.isalnum() and one.isascii() else "_" for one in prefix).strip("_") or "provider"
            name, at = plain, 2
            while name in self.found:
                name, at = f"{plain}_{at}", at + 1
            self._names[identity] = name
            self.found[name] = settings
        return self._names[identity]


def _address(base: str, known: Prefix) -> str:
    """The address below which this gateway's paths stand."""
    base = base.rstrip("/")
    if known.path and not base.endswith(known.path):
        base += known.path
    return base.removesuffix("/v1") if known.kind == "anthropic" else base
