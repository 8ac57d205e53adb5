"""What is counted of kept answers."""

from __future__ import annotations

from proxy.telemetry.metrics import Metrics


def test_reports_are_counted() -> None:
    """By route and result; what came from a store is no label."""
    metrics = Metrics()
    metrics.told("cache.request", {"route": "chat", "result": "hit", "saved": 2_000_000})
    metrics.told("cache.request", {"route": "chat", "result": "miss", "saved": 0})
    metrics.told("cache.saved", {"route": "chat", "saved": 1_000_000})
    metrics.told("cache.kept", {"route": "chat", "result": "stored"})
    metrics.told("cache.damaged", {"route": "chat", "reason": "checksum"})
    metrics.told("cache.damaged", {"route": "chat", "reason": "whatever"})
    metrics.told("cache.damaged", {"route": "chat", "reason": "model"})
    metrics.told("cache.store", {"route": "chat", "reason": "TimeoutError"})
    text = metrics.render().decode()
    for line in (
        'sluicegate_cache_requests_total{result="hit",route="chat"} 1.0',
        'sluicegate_cache_requests_total{result="miss",route="chat"} 1.0',
        'sluicegate_cache_saved_usd_total{route="chat"} 0.003',
        'sluicegate_cache_answers_total{result="stored",route="chat"} 1.0',
        'sluicegate_cache_damaged_total{reason="checksum"} 1.0',
        'sluicegate_cache_damaged_total{reason="content"} 1.0',
        'sluicegate_cache_damaged_total{reason="model"} 1.0',
        "sluicegate_cache_store_failures_total 1.0",
    ):
        assert line in text
