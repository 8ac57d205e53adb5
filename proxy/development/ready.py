"""Lines to paste: how clients and coding agents are told where the gateway is.

Sources: code.claude.com/docs/en/llm-gateway.md, openrouter.ai/blog/tutorials/codex-cli-openrouter,
aider.chat/docs/llms/openai-compat.html, opencode.ai/v1/docs/providers.md (version 2 reads that, too). Read in
November 2026.
"""

from __future__ import annotations

import json
import shlex

from proxy.development.services import UNUSED


def ready(url: str, model: str, *, has_claude: bool) -> list[str]:
    """The lines for a gateway at ``url``. ``model``: one that it has; agents have to be told, unless it has theirs."""
    quoted, base = shlex.quote(model), f"{url}/v1"
    chosen = "" if has_claude else f" --model {quoted}"
    provider = "model_providers.sluicegate"
    codex = [f'{provider}.name="Sluicegate"', f'{provider}.base_url="{base}"', f'{provider}.wire_api="responses"']
    opened = {
        "provider": {
            "sluicegate": {
                "npm": "@ai-sdk/openai-compatible",
                "options": {"baseURL": base, "apiKey": UNUSED},
                "models": {model: {}},
            }
        }
    }
    return [
        f"  OpenAI       export OPENAI_BASE_URL={base}",
        f"  Anthropic    export ANTHROPIC_BASE_URL={url}",
        f"  Gemini       export GOOGLE_GEMINI_BASE_URL={url}",
        f"  Claude Code  ANTHROPIC_BASE_URL={url} ANTHROPIC_AUTH_TOKEN={UNUSED} claude{chosen}",
        f"  Codex        codex --model {quoted} -c model_provider=sluicegate "
        + " ".join(f"-c {shlex.quote(one)}" for one in codex),
        f"  aider        OPENAI_API_BASE={base} OPENAI_API_KEY={UNUSED} aider --model openai/{quoted}",
        f"  opencode     OPENCODE_CONFIG_CONTENT={shlex.quote(json.dumps(opened, separators=(',', ':')))} "
        f"opencode --model sluicegate/{quoted}",
    ]
