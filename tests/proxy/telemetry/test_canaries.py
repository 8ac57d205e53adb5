"""What is counted of canaries."""

from __future__ import annotations

from proxy.telemetry.metrics import Metrics


def test_reports_are_counted() -> None:
    """By their names, which come from the file."""
    metrics = Metrics()
    metrics.told("canary.counted", {"canary": "next", "side": "stable", "outcome": "ok"})
    metrics.told("canary.stands", {"canary": "next", "state": "running", "share": 0.25})
    metrics.told("canary.step", {"canary": "next"})
    text = metrics.render().decode()
    assert 'sluicegate_canary_requests_total{canary="next",outcome="ok",side="stable"} 1.0' in text
    assert 'sluicegate_canary_share{canary="next"} 0.25' in text
    assert 'sluicegate_canary_state{canary="next",state="running"} 1.0' in text
    assert 'sluicegate_canary_state{canary="next",state="promoted"} 0.0' in text
    metrics.told("canary.gone", {"canary": "next"})
    text = metrics.render().decode()
    assert 'sluicegate_canary_state{canary="next",state="running"} 0.0' in text


def test_a_way_back_is_an_alert() -> None:
    """Like others that operators must hear of."""
    metrics = Metrics()
    metrics.told("canary.rolled_back", {"canary": "next"})
    assert 'sluicegate_alerts_total{kind="rolled_back"} 1.0' in metrics.render().decode()
