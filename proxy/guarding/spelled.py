"""What repeats a text in pieces: probabilities of its tokens, times of its words. Read as the texts that it spells.

Each piece by itself says nothing; in a row they say what a guard may have taken out of the text itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from proxy.guarding.carriers import Carrier

SPELLED = frozenset({"logprobs", "logprobsResult"})
_OWN = frozenset(
    (
        *("logprobs", "logprobsResult", "token", "tokens", "logprob", "top_logprobs", "token_logprobs", "text_offset"),
        *("chosenCandidates", "topCandidates", "candidates", "tokenId", "logProbability", "bytes", "words", "word"),
        *(
            "segments",
            "start",
            "end",
            "id",
            "seek",
            "temperature",
            "avg_logprob",
            "compression_ratio",
            "no_speech_prob",
        ),
    )
)
SPOKEN = SPELLED | {"words", "segments"}  # of a transcript


def spelled(found: Iterable[Carrier], names: frozenset[str]) -> list[str]:
    """The texts that stand in members of these names, one for each way of going through them: what was chosen, what was
    likely next to it, and so on."""
    rows: dict[tuple[Any, ...], list[str]] = {}
    for carrier in found:
        steps = carrier.steps
        at = next((at for at, step in enumerate(steps) if step in names), -1)
        if at < 0 or carrier.is_number or (carrier.is_name and carrier.text in _OWN):
            continue
        place = next((place for place in range(at, len(steps)) if isinstance(steps[place], int)), at)
        row = (*steps[:place], *steps[place + 1 :])
        rows.setdefault((*row[:-1], None) if carrier.is_name else row, []).append(carrier.text)
    return [(" " if "words" in row or "segments" in row else "").join(texts) for row, texts in rows.items()]


def without(value: Any, names: frozenset[str]) -> Any:
    """A decoded document in which such members say nothing."""
    if isinstance(value, dict):
        return {name: _empty(name, one) if name in names else without(one, names) for name, one in value.items()}
    return [without(one, names) for one in value] if isinstance(value, list) else value


def _empty(name: str, value: Any) -> Any:
    return [] if isinstance(value, list) and name not in SPELLED else None
