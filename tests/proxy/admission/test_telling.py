"""What the operator hears."""

from __future__ import annotations

from collections import Counter

from proxy.admission.control import Admission, Rules
from proxy.admission.telling import Shedding
from proxy.telemetry.metrics import Metrics


class Lines:
    """A log that counts."""

    def __init__(self) -> None:
        self.found: list[dict[str, object]] = []

    def warning(self, _event: str, **fields: object) -> None:
        self.found.append(fields)


def test_refusals_are_counted_each_tick_and_logged_once_a_second() -> None:
    """Forty ticks of fifty milliseconds: every refusal is in the metric, and there are two lines."""
    metrics, lines = Metrics(), Lines()
    shedding = Shedding(metrics, lambda: lines)
    for _ in range(40):
        shedding(Admission(Rules()), Counter(lag=3), 0.03)
    assert b'sluicegate_overload_shed_total{reason="lag"} 120.0' in metrics.render()
    assert len(lines.found) == 2
