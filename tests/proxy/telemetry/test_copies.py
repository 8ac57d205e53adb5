"""What is counted of races and mirrors."""

from __future__ import annotations

from proxy.telemetry.metrics import Metrics


def test_reports_are_counted() -> None:
    """By their labels, which come from the file."""
    metrics = Metrics()
    metrics.told("race.hedged", {"route": "chat", "result": "won"})
    metrics.told("mirror.left", {"route": "chat", "target": "up/b", "result": "dropped"})
    both = {"main": 1, "shadow": 2}
    metrics.told(
        "mirror.compared",
        {
            "route": "chat",
            "target": "up/b",
            "result": "compared",
            "status": {**both, "same": True},
            "exact": {"same": False},
            "similarity": 0.5,
            "first_token_ms": {"main": 20.0, "shadow": None},
            "total_ms": {"main": 20.0, "shadow": 300.0},
        },
    )
    metrics.told("stream.broken", {"route": "chat", "result": "continued"})
    metrics.told("something.else", {})
    text = metrics.render().decode()
    assert 'sluicegate_broken_streams_total{result="continued",route="chat"} 1.0' in text
    assert 'sluicegate_race_copies_total{result="won",route="chat"} 1.0' in text
    assert 'sluicegate_mirror_requests_total{result="dropped",route="chat",target="up/b"} 1.0' in text
    assert 'sluicegate_mirror_requests_total{result="compared",route="chat",target="up/b"} 1.0' in text
    assert 'sluicegate_mirror_differences_total{aspect="exact",route="chat",target="up/b"} 1.0' in text
    assert 'aspect="status"' not in text
    assert 'sluicegate_mirror_similarity_count{route="chat",target="up/b"} 1.0' in text
    assert 'sluicegate_mirror_first_token_seconds_count{route="chat",side="main",target="up/b"} 1.0' in text
    assert 'sluicegate_mirror_duration_seconds_count{route="chat",side="shadow",target="up/b"} 1.0' in text
