"""What Google's client understands of generateContent and its stream."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.genai import types

from tests.support.heard.answer import Called, Heard, demand
from tests.support.sse import read_events
from tests.upstream.say import Tokens


def of_responses(found: list[types.GenerateContentResponse]) -> Heard:
    """An answer in one piece or many."""
    heard = Heard(model=found[-1].model_version or "")
    for response in found:
        for candidate in response.candidates or []:
            for part in (candidate.content.parts if candidate.content else None) or []:
                _add(heard, part)
            if candidate.finish_reason is not None:
                heard.stop = candidate.finish_reason.value
            grounding = candidate.grounding_metadata
            for chunk in (grounding.grounding_chunks if grounding else None) or []:
                if chunk.web is not None:
                    heard.sources.append((chunk.web.uri or "", chunk.web.title or ""))
        if response.usage_metadata is not None:
            heard.usage = tokens(response.usage_metadata)
    return heard


def _add(heard: Heard, part: types.Part) -> None:
    if part.thought_signature:
        heard.proofs.append(base64.b64encode(part.thought_signature).decode())
    if part.function_call is not None:
        call = part.function_call
        heard.calls.append(Called(call.id or "", call.name or "", json.dumps(call.args or {})))
    elif part.thought:
        heard.reasoning += part.text or ""
    else:
        heard.text += part.text or ""


def _of(details: list[types.ModalityTokenCount] | None, modality: str) -> int:
    return sum(one.token_count or 0 for one in details or [] if one.modality and one.modality.value == modality)


def tokens(usage: types.GenerateContentResponseUsageMetadata) -> Tokens:
    """Usage by class: the cached are among those of the prompt, thoughts stand apart."""
    cached, thought = usage.cached_content_token_count or 0, usage.thoughts_token_count or 0
    heard, spoken = _of(usage.prompt_tokens_details, "AUDIO"), _of(usage.candidates_tokens_details, "AUDIO")
    prompt, wrote = usage.prompt_token_count or 0, usage.candidates_token_count or 0
    if wrote or thought:
        demand((usage.total_token_count or 0) == prompt + wrote + thought, "the total is no sum", usage)
    return Tokens(
        input=prompt - cached - heard,
        cached_read=cached,
        input_audio=heard,
        output=wrote - spoken,
        reasoning=thought,
        output_audio=spoken,
    )


def _read(value: Any) -> types.GenerateContentResponse:
    return types.GenerateContentResponse.model_validate(value)


def of_whole(body: bytes) -> Heard:
    """The bytes of a whole answer."""
    return of_responses([_read(json.loads(body))])


def of_stream(body: bytes) -> Heard:
    """The bytes of a stream: responses, of which the last and no other says why it stopped."""
    found = [_read(json.loads(data or "")) for _, data in read_events(body)]
    stops = [at for at, one in enumerate(found) for candidate in one.candidates or [] if candidate.finish_reason]
    demand(len(stops) == 1, "reasons to stop:", len(stops))
    rest = found[stops[0] + 1 :]
    demand(all(not part.parts for one in rest for part in _contents(one)), "content after the end")
    demand(len({one.response_id for one in found}) == 1, "the id changes")
    return of_responses(found)


def _contents(response: types.GenerateContentResponse) -> list[types.Content]:
    return [candidate.content for candidate in response.candidates or [] if candidate.content is not None]
