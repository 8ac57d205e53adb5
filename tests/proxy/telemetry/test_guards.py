"""Guards in the metrics: verdicts, and what was found, by names that the file knows."""

from __future__ import annotations

from proxy.telemetry.metrics import Metrics


def test_verdicts_and_findings_are_counted() -> None:
    metrics = Metrics()
    metrics.guarded("chat", "pii", "input", "redacted")
    metrics.fired("chat", "pii", "input", "email", "redact", 3)
    told = metrics.render().decode()
    assert 'sluicegate_guard_verdicts_total{direction="input",guard="pii",outcome="redacted",route="chat"} 1.0' in told
    assert 'entity="email",guard="pii",route="chat"} 3.0' in told
