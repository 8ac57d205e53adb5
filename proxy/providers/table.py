"""Every kind of provider, in the order in which the reference lists them."""

from __future__ import annotations

from proxy.providers.anthropic import Anthropic
from proxy.providers.azure_openai import AzureOpenAI
from proxy.providers.bedrock import Bedrock
from proxy.providers.cohere import Cohere
from proxy.providers.gemini import Gemini
from proxy.providers.mistral import Mistral
from proxy.providers.openai import OpenAI
from proxy.providers.provider import Provider
from proxy.providers.replay import Replay
from proxy.providers.sagemaker import SageMaker
from proxy.providers.simulated import Simulated
from proxy.providers.vertex import Vertex

PROVIDERS: dict[str, type[Provider]] = {
    "openai": OpenAI,
    "azure_openai": AzureOpenAI,
    "anthropic": Anthropic,
    "gemini": Gemini,
    "vertex": Vertex,
    "bedrock": Bedrock,
    "sagemaker": SageMaker,
    "mistral": Mistral,
    "cohere": Cohere,
    "simulated": Simulated,
    "replay": Replay,
}
