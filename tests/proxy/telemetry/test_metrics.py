"""Metrics."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proxy.dialects.paths import EXACT
from proxy.exchange import Attempt
from proxy.stream import Outcome
from proxy.telemetry.metrics import Metrics
from tests.support.compiled import make_exchange


def _finish(metrics: Metrics, *, route: str = "chat", complete: bool = True) -> None:
    x = make_exchange()
    x.endpoint, x.route, x.overhead = EXACT["POST", "/v1/chat/completions"], route, 0.0002
    failed, good = Attempt("a/x"), Attempt("b/*")
    failed.outcome, failed.reason = "error", "overloaded"
    good.outcome, good.first_byte = "ok", 0.3
    x.attempts = [failed, good]
    outcome = Outcome(200, None)
    outcome.complete = complete
    metrics.started()
    metrics.finished(x, 200, outcome, 1.5)


def test_a_request_is_counted_once_in_each() -> None:
    """Requests, durations, overhead, attempts by meaning, first bytes of those that answered."""
    metrics = Metrics()
    _finish(metrics)
    _finish(metrics, complete=False)
    text = metrics.render().decode()
    for line in (
        'sluicegate_requests_total{operation="chat",outcome="complete",route="chat",status="200"} 1.0',
        'sluicegate_requests_total{operation="chat",outcome="cut",route="chat",status="200"} 1.0',
        'sluicegate_attempts_total{outcome="overloaded",target="a/x"} 2.0',
        'sluicegate_attempts_total{outcome="ok",target="b/*"} 2.0',
        'sluicegate_time_to_first_byte_seconds_count{target="b/*"} 2.0',
        'sluicegate_request_duration_seconds_sum{route="chat"} 3.0',
        'sluicegate_overhead_seconds_bucket{le="0.00025",route="chat"} 2.0',
        "sluicegate_requests_in_flight 0.0",
    ):
        assert line in text.splitlines()


def test_a_refusal_is_counted_by_policy_and_code() -> None:
    """Who said no, and why."""
    metrics = Metrics()
    x = make_exchange()
    x.notes["refused_by"] = "authenticate"
    metrics.started()
    metrics.finished(x, 401, Outcome(401, "invalid_api_key"), 0.1)
    line = 'sluicegate_policy_refusals_total{code="invalid_api_key",policy="authenticate",route=""} 1.0'
    assert line in metrics.render().decode().splitlines()


def test_targets_that_were_not_asked_are_counted() -> None:
    """By their state; what a request could not have there has one name, however it is told."""
    metrics = Metrics()
    x = make_exchange()
    x.route, x.degraded = "chat", "overloaded"
    x.skipped = [("a/x", "open"), ("b/y", "context of 10 tokens, the request has about 11"), ("b/y", "no tools")]
    x.skipped += [("c/z", "off: flag new"), ("c/z", "not in the rollout (10% by user)")]
    metrics.started()
    metrics.finished(x, 200, Outcome(200, None), 0.1)
    lines = metrics.render().decode().splitlines()
    assert 'sluicegate_target_skips_total{reason="open",target="a/x"} 1.0' in lines
    assert 'sluicegate_target_skips_total{reason="unable",target="b/y"} 2.0' in lines
    assert 'sluicegate_target_skips_total{reason="off",target="c/z"} 2.0' in lines
    assert 'sluicegate_degraded_answers_total{reason="overloaded",route="chat"} 1.0' in lines


def test_an_answer_with_losses_is_counted_by_route() -> None:
    """Not by what was lost: a caller could name anything."""
    metrics = Metrics()
    x = make_exchange()
    x.route, x.notes["dropped"] = "chat", "top_k, logit_bias"
    metrics.started()
    metrics.finished(x, 200, Outcome(200, None), 0.1)
    assert 'sluicegate_translation_losses_total{route="chat"} 1.0' in metrics.render().decode().splitlines()


def test_every_metric_says_what_it_is() -> None:
    """Help and type for each; names in one style."""
    text = Metrics().render().decode()
    names = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
    assert names == set(re.findall(r"^# HELP (\S+) \S", text, re.MULTILINE))
    assert all(name.startswith("sluicegate_") for name in names)


def test_workers_are_summed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the files that their processes leave in one directory."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert Metrics().render() == b""
