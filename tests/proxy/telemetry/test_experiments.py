"""What is counted of experiments and feedback."""

from __future__ import annotations

from proxy.telemetry.metrics import Metrics


def test_all_of_it_is_counted() -> None:
    """By names of the file."""
    metrics = Metrics()
    metrics.experiments.finished({"short": ("concise", "ada"), "other": ("a", "ada")})
    metrics.told("experiment.left", {"experiment": "short", "reason": "no_subject"})
    metrics.experiments.dropped(3)
    metrics.experiments.said("unknown")
    text = metrics.render().decode()
    assert 'sluicegate_experiment_requests_total{experiment="short",variant="concise"} 1.0' in text
    assert 'sluicegate_experiment_requests_total{experiment="other",variant="a"} 1.0' in text
    assert 'sluicegate_experiment_left_out_total{experiment="short",reason="no_subject"} 1.0' in text
    assert "sluicegate_experiment_records_dropped_total 3.0" in text
    assert 'sluicegate_feedback_total{result="unknown"} 1.0' in text
    assert "ada" not in text
