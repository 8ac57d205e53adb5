"""What it saves that nobody had to be asked, and where that is written down."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from proxy.exchange import Attempt, Exchange

# An equal request's kept answer, one that is too old, one to a question that means the same, or a request in flight.
Kind = Literal["exact", "stale", "semantic", "shared"]


class Saved(NamedTuple):
    """Nano-dollars and tokens of the answer when a provider gave it."""

    cost: int = 0
    input: int = 0
    output: int = 0

    @classmethod
    def of(cls, attempts: list[Attempt]) -> Saved:
        """What these have cost, as far as that is known."""
        cost = input_tokens = output_tokens = 0
        for attempt in attempts:
            if (charge := attempt.charge) is not None:
                cost += charge.cost
                input_tokens += charge.input_tokens
                output_tokens += charge.output_tokens
        return cls(cost, input_tokens, output_tokens)


class Savings(Protocol):
    """The ledger, for answers that cost nothing."""

    def saved(self, x: Exchange, kind: Kind, target: str, saved: Saved) -> None:
        """``x`` gets what ``target`` (provider/model) has answered before. Quick, and never a failure."""
