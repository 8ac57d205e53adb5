"""What overload tells the operator: metrics each tick, a line of the log at most once a second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from proxy.admission.control import Admission
from proxy.telemetry.log import Logger
from proxy.telemetry.metrics import Metrics

_TICKS_A_LINE = 20  # of 50 ms, and more where the loop is late


class Shedding:
    """Counts what was refused. Called by ``Admission`` once a tick."""

    def __init__(self, metrics: Metrics, log: Callable[[], Logger]) -> None:
        self._metrics = metrics
        self._log = log
        self._untold: Counter[str] = Counter()
        self._ticks = _TICKS_A_LINE

    def __call__(self, admission: Admission, shed: Counter[str], lag: float) -> None:
        self._metrics.overload(shed, lag, admission.limit)
        self._ticks += 1
        self._untold.update(shed)
        if self._untold and self._ticks >= _TICKS_A_LINE:
            self._log().warning(
                "overload.shedding",
                refused=dict(self._untold),
                lag_ms=round(admission.lag * 1000, 1),
                requests_per_second=round(admission.limit, 1) if admission.shedding_since is not None else None,
                in_flight=admission.in_flight,
            )
            self._untold.clear()
            self._ticks = 0
