"""Every kind of provider, in the order in which the reference lists them."""

from __future__ import annotations

from proxy.providers.azure_openai import AzureOpenAI
from proxy.providers.openai import OpenAI
from proxy.providers.provider import Provider

PROVIDERS: dict[str, type[Provider]] = {
    "openai": OpenAI,
    "azure_openai": AzureOpenAI,
}
