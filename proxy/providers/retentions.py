"""For how long each service keeps a prompt in its cache, and from what length on. Read in November 2026.

Where a service gives a range, the longer end stands here: who returns too late to an account finds there what he would
find anywhere else, and who does not return pays anew for what is still there.
"""

from __future__ import annotations

from msgspec.structs import replace

from proxy.prefixes.retention import UNKNOWN, Retention
from proxy.providers.capabilities import Known

_HOUR = 3600.0
# 5 to 10 minutes without use, an hour at most; with `prompt_cache_retention: 24h` a day. From 1,024 tokens on.
# https://developers.openai.com/api/docs/guides/prompt-caching
# https://learn.microsoft.com/azure/foundry/openai/how-to/prompt-caching
_OPENAI = Retention(lifetime=_HOUR, asked=24 * _HOUR)
# 5 minutes from each use, or an hour, as the marks say. 512 to 4,096 tokens by model, which its usage tells.
# https://platform.claude.com/docs/en/build-with-claude/prompt-caching
_ANTHROPIC = Retention(lifetime=300.0, marked=_HOUR, automatic=False)
# The same marks. https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
_BEDROCK = _ANTHROPIC
# "A short amount of time" for what is cached by itself. From 2,048 tokens on, 4,096 with the newest models.
# https://ai.google.dev/gemini-api/docs/caching
_GEMINI = Retention(lifetime=600.0, marked=_HOUR, least=2048)
# On disks, for a few hours to a few days; from 64 tokens on, which are worth no detour.
# https://api-docs.deepseek.com/guides/kv_cache
_DEEPSEEK = Retention(lifetime=3 * _HOUR)
# By kind or preset; all others as ``Retention`` has it by itself.
_OF: dict[str, Retention] = {
    "openai": _OPENAI,
    "azure_openai": _OPENAI,
    "anthropic": _ANTHROPIC,
    "bedrock": _BEDROCK,
    "gemini": _GEMINI,
    "vertex": _GEMINI,
    "deepseek": _DEEPSEEK,
    "openrouter": Retention(lifetime=300.0, marked=_HOUR, automatic=False),
}


def retention_of(known: Known, model: str) -> Retention:
    """Of ``model`` of an account. What it is not known to keep by itself, its usage may tell all the same."""
    found = _OF.get(known.kind, UNKNOWN)
    is_automatic = known.of(model).prompt_cache == "automatic"
    return found if found.automatic == is_automatic else replace(found, automatic=is_automatic)
