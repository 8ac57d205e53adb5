"""What tokens of a model cost."""

from __future__ import annotations

import msgspec

MILLION = 1_000_000


class Price(msgspec.Struct, frozen=True):
    """Integer nano-dollars for a million tokens: $1 is 1,000,000,000."""

    input: int
    output: int

    def of(self, input_tokens: int, output_tokens: int) -> int:
        """Nano-dollars for a request of this size, rounded up."""
        return -(-(self.input * input_tokens + self.output * output_tokens) // MILLION)


def shown(nano_dollars: int) -> str:
    """An amount for people: four digits that count."""
    return f"${nano_dollars / 1e9:.4g}" if nano_dollars else "$0"
