"""Addresses at which the gateway listens, and how it is reached there."""

from __future__ import annotations

import re
from pathlib import Path

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s\[\]:/]+):\d{1,5}")
_MAX_PORT = 65535
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - named here to be shown as loopback


def is_address(text: str) -> bool:
    """Whether this is ``host:port`` or ``[v6]:port``."""
    return _ADDRESS.fullmatch(text) is not None and split_address(text)[1] <= _MAX_PORT


def split_address(listen: str) -> tuple[str, int]:
    """``host:port`` or ``[v6]:port``, checked already."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def reached_at(host: str, port: int) -> str:
    """The URL of a listener for this machine."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{'127.0.0.1' if host in _EVERYWHERE else shown}:{port}"


def banner(host: str, port: int, path: Path) -> str:
    """Lines to paste into applications."""
    url = reached_at(host, port)
    return "\n".join(
        (
            f"Sluicegate serves {path} on {url}; edit the file while it runs.",
            "",
            f'  OpenAI Python   OpenAI(base_url="{url}/v1", api_key="…")',
            f'  OpenAI Node     new OpenAI({{baseURL: "{url}/v1", apiKey: "…"}})',
            f'  Anthropic       Anthropic(base_url="{url}", api_key="…")',
            f'  Google          genai.Client(api_key="…", http_options={{"base_url": "{url}"}})',
            f"  environment     export OPENAI_BASE_URL={url}/v1 ANTHROPIC_BASE_URL={url}",
            f"  curl            curl {url}/v1/models",
            "",
        )
    )
