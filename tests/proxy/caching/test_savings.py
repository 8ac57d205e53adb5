"""What it saves that nobody had to be asked."""

from __future__ import annotations

from typing import Any

from proxy.caching.savings import Saved
from proxy.exchange import Attempt


class Cost:
    """A charge."""

    cost, input_tokens, output_tokens = 7, 5, 2


def test_all_attempts_of_the_first_answer_count() -> None:
    """Those that cost nothing anybody knows of are nothing."""
    charged: list[Attempt] = [Attempt("up/a"), Attempt("up/b"), Attempt("up/c")]
    charge: Any = Cost()
    charged[1].charge = charged[2].charge = charge
    assert Saved.of(charged) == (14, 10, 4)
    assert Saved.of([]) == (0, 0, 0) == Saved()
