"""Prometheus metrics. Labels come from the configuration only, so their number is bounded by the file."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import prometheus_client
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from proxy.exchange import Attempt, Exchange, Meter
from proxy.flags.switch import OFF, OUTSIDE
from proxy.stream import Outcome
from proxy.telemetry.caching import CacheCounts
from proxy.telemetry.canaries import Canaries
from proxy.telemetry.copies import Copies
from proxy.telemetry.experiments import ExperimentCounts
from proxy.telemetry.guards import Guards

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_OVERHEAD = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1)

_LAG = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)
# Reports that operators must hear of.
ALERTS = frozenset(
    {
        "limit.alert",
        "spending.anomaly",
        "ledger.unpriced",
        "ledger.problem",
        "canary.rolled_back",
        "canary.held",
    }
)
_STATES = frozenset({"open", "limited", "drained"})  # why a target is not asked, where the request is not the reason


class Metrics(Meter):
    """All metrics of one process. ``render`` gives the sum over all workers when there are several."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a time series beside each counter
        self._registry = CollectorRegistry()
        known: dict[str, Any] = {"registry": self._registry}
        self._requests = Counter(
            "sluicegate_requests",
            "Requests answered, by how they ended.",
            ["route", "operation", "status", "outcome"],
            **known,
        )
        self._duration = Histogram(
            "sluicegate_request_duration_seconds",
            "From request line to last byte.",
            ["route"],
            buckets=_SECONDS,
            **known,
        )
        self._first = Histogram(
            "sluicegate_time_to_first_byte_seconds",
            "From attempt to first content of the answer.",
            ["target"],
            buckets=_SECONDS,
            **known,
        )
        self._overhead = Histogram(
            "sluicegate_overhead_seconds",
            "The gateway's own share, until headers leave.",
            ["route"],
            buckets=_OVERHEAD,
            **known,
        )
        self._refusals = Counter(
            "sluicegate_policy_refusals", "Requests refused by a policy.", ["route", "policy", "code"], **known
        )
        self._add_targets(known)
        self._add_process(known)
        self._add_jobs(known)
        self._add_queue(known)
        self._add_overload(known)
        self._add_money(known)
        self._copies = Copies(known, self._child)
        self._canaries = Canaries(known, self._child)
        self._guards = Guards(known, self._child)
        self._cassettes = Counter(
            "sluicegate_cassette_requests",
            "Requests of routes with `record`: recorded, replayed, missed (refused), or dropped for want of room.",
            ["route", "result"],
            **known,
        )
        self.experiments = ExperimentCounts(known, self._child)
        self._children: dict[tuple[str, ...], Any] = {}
        self._answered: dict[tuple[str, str, int, str], tuple[Counter, Histogram, Histogram]] = {}
        self._charged_to: dict[tuple[str, str], tuple[Counter, ...]] = {}  # these two: what nearly all requests count

    def _add_targets(self, known: dict[str, Any]) -> None:
        """What is told of those who were asked, and of those who were not."""
        self._attempts = Counter(
            "sluicegate_attempts", "Upstream requests, by target and outcome.", ["target", "outcome"], **known
        )
        self._skips = Counter(
            "sluicegate_target_skips",
            "Targets that were not asked: ejected (open), limited, drained, off, or unable to do what was asked.",
            ["target", "reason"],
            **known,
        )
        self._flags = Counter(
            "sluicegate_flag_decisions",
            "Requests that came by a policy or target that can be off, by its flag (or what it is) and whether it was.",
            ["flag", "state"],
            **known,
        )
        self._affinity = Counter(
            "sluicegate_affinity_requests",
            "Requests of pools with `affinity` that are long enough: returned to a warm account, new (there is none), "
            "or sent elsewhere as it is busy or out (ejected, limited, drained).",
            ["route", "result"],
            **known,
        )
        self._losses = Counter(
            "sluicegate_translation_losses",
            "Answers to requests of which the target could not be told everything.",
            ["route"],
            **known,
        )
        self._degraded = Counter(
            "sluicegate_degraded_answers",
            "Requests that another than the first choice answered, by the first choice's failure.",
            ["route", "reason"],
            **known,
        )

    def _add_process(self, known: dict[str, Any]) -> None:
        """What is told of the process and its file, not of requests."""
        self._refused = Counter(
            "sluicegate_connections_refused",
            "Refused before a request was read: framing, sizes, deadlines.",
            ["code"],
            **known,
        )
        self._in_flight = Gauge(
            "sluicegate_requests_in_flight", "Requests being answered.", multiprocess_mode="livesum", **known
        )
        self.generation = Gauge(
            "sluicegate_config_generation",
            "Generation that answers new requests.",
            multiprocess_mode="livemin",
            **known,
        )
        self.reload_ok = Gauge(
            "sluicegate_config_last_reload_successful",
            "1 if the file on disk is the one in use.",
            multiprocess_mode="livemin",
            **known,
        )
        self.store_up = Gauge(
            "sluicegate_store_up",
            "0 while the store that replicas share cannot be reached.",
            multiprocess_mode="livemin",
            **known,
        )
        self.store_up.set(1)
        self.lost_lines = Counter("sluicegate_log_lines_lost", "Log lines that could not be written.", **known)
        self.lost_receipts = Counter("sluicegate_receipts_lost", "Receipts that did not get to the disk.", **known)
        self.reloads = Counter("sluicegate_config_reloads", "Reloads, by result.", ["result"], **known)
        self._add_checks(known)

    def _add_checks(self, known: dict[str, Any]) -> None:
        """What is told of checks of accounts."""
        self._checks = Counter(
            "sluicegate_health_checks", "Rounds of accounts' checks, by result.", ["provider", "result"], **known
        )

    def _add_jobs(self, known: dict[str, Any]) -> None:
        """What is told of asynchronous jobs."""
        self._jobs = Gauge(
            "sluicegate_jobs",
            "Jobs that are kept, by kind and status.",
            ["kind", "status"],
            multiprocess_mode="livemax",  # each worker sees all of them
            **known,
        )
        self._jobs_finished = Counter(
            "sluicegate_jobs_finished", "Jobs that ended, by how.", ["kind", "status"], **known
        )
        self._chaos = Counter("sluicegate_chaos_faults", "Faults on purpose.", ["route", "fault"], **known)
        self._webhooks = Counter(
            "sluicegate_job_webhooks", "Tries to deliver a webhook, by result.", ["result"], **known
        )

    def told(self, event: str, fields: dict[str, Any]) -> None:
        """A report of a node, or of a check."""
        if event == "check.round":
            self._child(self._checks, fields["provider"], fields["result"]).inc()
        elif event == "chaos.fault":
            self._child(self._chaos, fields["route"], fields["fault"]).inc()
        elif event == "limits.applied":
            self._child(self._limits, fields["route"], fields["limit"], fields["action"]).inc()
        elif event == "limit.over":
            self._child(self._over_limit, fields["level"], fields["action"]).inc()
        elif event == "flag.decided":
            self._child(self._flags, fields["flag"], "on" if fields["on"] else "off").inc()
        elif event.startswith(("cache.", "cache_semantic.")):
            self._caching.told(event, fields)
        elif event == "affinity.chosen":
            self._child(self._affinity, fields["route"], fields["result"]).inc()
        elif event == "cassette.request":
            self._child(self._cassettes, fields["route"], fields["result"]).inc()
        elif event == "experiment.left":
            self.experiments.left(fields["experiment"], fields["reason"])
        elif event in ALERTS:
            self._child(self._alerts, event.partition(".")[2]).inc()
        elif event.startswith("canary."):
            self._canaries.told(event, fields)
        else:
            self._copies.told(event, fields)

    def _add_money(self, known: dict[str, Any]) -> None:
        """What is told of limits, tokens and costs, and of what was saved."""
        self._caching = CacheCounts(known, self._child)
        self._over_limit = Counter(
            "sluicegate_over_limit",
            "Requests over a limit, by the level that it belongs to and what was done.",
            ["level", "action"],
            **known,
        )
        self._limits = Counter(
            "sluicegate_limits_applied",
            "Requests that were larger than `limits` allows, by the limit and what was done.",
            ["route", "limit", "action"],
            **known,
        )
        self._alerts = Counter("sluicegate_alerts", "Alerts to operators, by kind.", ["kind"], **known)
        self.alerts_undelivered = Gauge(
            "sluicegate_alerts_undelivered",
            "Alerts that wait to be taken by the receiver.",
            multiprocess_mode="livemax",  # one worker sends
            **known,
        )
        self._cost = Counter("sluicegate_cost_usd", "What upstream requests cost.", ["route", "target"], **known)
        self._tokens = Counter(
            "sluicegate_tokens", "Tokens used, by target and direction.", ["route", "target", "type"], **known
        )
        self._prompt_cache = Counter(
            "sluicegate_prompt_cache_tokens",
            "Tokens of the input that providers have read from their caches of prompts, or written to them.",
            ["route", "target", "type"],
            **known,
        )

    def _charged(self, route: str, attempt: Attempt) -> None:
        """What one attempt has used, as far as that is known when its request ends."""
        charge = attempt.charge
        if charge is None or not charge.is_settled:
            return
        key = route, attempt.target
        charged = self._charged_to.get(key)
        if charged is None:
            tokens = (self._tokens.labels(*key, kind) for kind in ("input", "output"))
            charged = self._charged_to[key] = (self._cost.labels(*key), *tokens)
        cost, read, told = charged
        cost.inc(charge.cost / 1e9)
        read.inc(charge.input_tokens)
        told.inc(charge.output_tokens)
        row = charge.row
        if row.cached_read:
            self._child(self._prompt_cache, *key, "read").inc(row.cached_read)
        if written := row.cache_write_5m + row.cache_write_1h:
            self._child(self._prompt_cache, *key, "written").inc(written)

    def _add_queue(self, known: dict[str, Any]) -> None:
        """What is told of requests that wait in line."""
        self._waiting = Gauge(
            "sluicegate_queue_waiting",
            "Requests that wait in line, by route.",
            ["route"],
            multiprocess_mode="livesum",
            **known,
        )
        self._waited = Histogram(
            "sluicegate_queue_wait_seconds",
            "How long requests waited in line, by what became of them.",
            ["route", "outcome"],
            buckets=_SECONDS,
            **known,
        )

    def _add_overload(self, known: dict[str, Any]) -> None:
        """What is told of the gateway's own load."""
        self._shed = Counter(
            "sluicegate_overload_shed", "Requests refused by overload, by its sign.", ["reason"], **known
        )
        self._lag = Histogram(
            "sluicegate_event_loop_lag_seconds", "How late the event loop was.", buckets=_LAG, **known
        )
        self._limit = Gauge(
            "sluicegate_overload_limit",
            "Requests a second that are begun while overloaded; +Inf otherwise.",
            multiprocess_mode="livesum",
            **known,
        )
        self._limit.set(math.inf)

    def overload(self, shed: Mapping[str, int], lag: float, limit: float) -> None:
        """One look at the load: what was refused since the last one."""
        self._lag.observe(lag)
        self._limit.set(limit)
        for reason, count in shed.items():
            self._child(self._shed, reason).inc(count)

    def waiting(self, route: str, change: int) -> None:
        self._child(self._waiting, route).inc(change)

    def guarded(self, route: str, guard: str, direction: str, outcome: str) -> None:
        self._guards.guarded(route, guard, direction, outcome)

    def fired(self, route: str, guard: str, direction: str, entity: str, action: str, count: int) -> None:
        self._guards.fired(route, guard, direction, entity, action, count)

    def scored(self, route: str, guard: str, score: float) -> None:
        self._guards.scored(route, guard, score)

    def waited(self, route: str, outcome: str, seconds: float) -> None:
        self._child(self._waited, route, outcome).observe(seconds)

    def jobs_kept(self, counts: dict[tuple[str, str], int]) -> None:
        """How many jobs there are, by kind and status."""
        for kind in ("job", "queue"):
            for status in ("queued", "running", "succeeded", "failed", "cancelled"):
                self._child(self._jobs, kind, status).set(counts.get((kind, status), 0))

    def job_finished(self, kind: str, status: str) -> None:
        """A job is over."""
        self._child(self._jobs_finished, kind, status).inc()

    def webhook_sent(self, result: str) -> None:
        """A try at a webhook: delivered, retried (later) or failed (for good)."""
        self._child(self._webhooks, result).inc()

    def refused(self, status: int, code: str) -> None:
        """The server has refused something before the application saw it."""
        self._child(self._refused, code).inc()

    def started(self) -> None:
        """A request has come in."""
        self._in_flight.inc()

    def finished(self, x: Exchange, status: int, outcome: Outcome | None, seconds: float) -> None:
        """A request has ended, however it did."""
        self._in_flight.dec()
        route = x.route
        operation = x.endpoint.operation if x.endpoint is not None else ""
        how = "complete" if outcome is not None and outcome.complete else "cut"
        key = route, operation, status, how
        answered = self._answered.get(key)
        if answered is None:
            answered = self._answered[key] = (
                self._requests.labels(route, operation, str(status), how),
                self._duration.labels(route),
                self._overhead.labels(route),
            )
        requests, duration, overhead = answered
        requests.inc()
        duration.observe(seconds)
        overhead.observe(x.overhead)
        if (policy := x.notes.get("refused_by")) is not None:
            self._child(self._refusals, route, policy, (outcome.code if outcome is not None else None) or "").inc()
        if "dropped" in x.notes:
            self._child(self._losses, route).inc()
        for target, reason in x.skipped:
            self._child(self._skips, target, _state_of(reason)).inc()
        if x.exposures:
            self.experiments.finished(x.exposures)
        if x.degraded:
            self._child(self._degraded, route, x.degraded).inc()
        for attempt in x.attempts:
            self._child(self._attempts, attempt.target, attempt.reason or attempt.outcome).inc()
            self._charged(route, attempt)
            if attempt.first_byte is not None:
                self._child(self._first, attempt.target).observe(attempt.first_byte)

    def _child(self, metric: Any, *labels: str) -> Any:
        """The labelled child, looked up in one dictionary: `labels()` costs as much as the increment itself."""
        key = (metric._name, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return child

    def render(self) -> bytes:
        """The exposition text. Takes milliseconds: call it in a thread."""
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            return generate_latest(registry)
        return generate_latest(self._registry)


def _state_of(reason: str) -> str:
    """Why a target was not asked, in one of few words."""
    if reason in _STATES:
        return reason
    return "off" if reason.startswith((OFF, OUTSIDE)) else "unable"


CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST.encode()
