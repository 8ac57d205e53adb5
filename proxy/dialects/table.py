"""Every format of conversations, by the name that endpoints and providers use."""

from __future__ import annotations

from proxy.dialects.anthropic_messages.dialect import AnthropicMessages
from proxy.dialects.bedrock.dialect import Bedrock
from proxy.dialects.dialect import Dialect
from proxy.dialects.gemini.dialect import Gemini
from proxy.dialects.openai_chat.dialect import OpenAIChat
from proxy.dialects.openai_responses.dialect import OpenAIResponses

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect for dialect in (OpenAIChat(), OpenAIResponses(), AnthropicMessages(), Gemini(), Bedrock())
}
