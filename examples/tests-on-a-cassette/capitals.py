"""The application: what is the capital of a country? It knows nothing of gateways and cassettes."""

from openai import OpenAI

QUESTION = "What is the capital of {country}? Answer with the name alone."


class UnknownCountryError(Exception):
    """The model has no answer."""


def capital(client: OpenAI, country: str) -> str:
    """Ask once, get the whole answer."""
    messages = [{"role": "user", "content": QUESTION.format(country=country)}]
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    text = (answer.choices[0].message.content or "").strip()
    if text.lower() == "unknown":
        raise UnknownCountryError(country)
    return text


def letters(client: OpenAI, country: str) -> list[str]:
    """The same, as it streams in."""
    messages = [{"role": "user", "content": QUESTION.format(country=country)}]
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
    return [event.choices[0].delta.content for event in stream if event.choices and event.choices[0].delta.content]
