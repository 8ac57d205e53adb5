"""What is told of kept answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import Counter

Child = Callable[..., Any]
_REASONS = frozenset({"version", "truncated", "checksum", "content", "model"})


class CacheCounts:
    """Requests, money and answers, by route."""

    def __init__(self, known: dict[str, Any], child: Child) -> None:
        self._child = child
        self._requests = Counter(
            "sluicegate_cache_requests",
            "Requests of routes with `cache`: hit, stale, shared (with an equal one in flight), miss, or bypass.",
            ["route", "result"],
            **known,
        )
        self._semantic = Counter(
            "sluicegate_cache_semantic_requests",
            "Requests of routes with `cache_semantic`: semantic (served), shadow (would have been), miss, or bypass.",
            ["route", "result"],
            **known,
        )
        self._judged = Counter(
            "sluicegate_cache_semantic_judged",
            "Answers of which it became known whether they were right to give again, by shadow mode or feedback.",
            ["route", "source", "verdict"],
            **known,
        )
        self._kept = Counter(
            "sluicegate_cache_answers", "Answers that could be kept: stored or refused.", ["route", "result"], **known
        )
        self._saved = Counter(
            "sluicegate_cache_saved_usd", "What hits would have cost, by what the first one did.", ["route"], **known
        )
        self._damaged = Counter(
            "sluicegate_cache_damaged",
            "Entries and vectors that were not used, as they were not whole.",
            ["reason"],
            **known,
        )
        self._failed = Counter(
            "sluicegate_cache_store_failures", "Look-ups and answers for which the store could not be used.", **known
        )

    def told(self, event: str, fields: dict[str, Any]) -> None:
        """A report of a cache."""
        if event == "cache.request":
            self._child(self._requests, fields["route"], fields["result"]).inc()
            if fields["saved"]:
                self._child(self._saved, fields["route"]).inc(fields["saved"] / 1e9)
        elif event == "cache_semantic.request":
            self._child(self._semantic, fields["route"], fields["result"]).inc()
            if fields["saved"]:
                self._child(self._saved, fields["route"]).inc(fields["saved"] / 1e9)
        elif event == "cache_semantic.sample":
            if fields["is_right"] is not None:
                verdict = "right" if fields["is_right"] else "wrong"
                self._child(self._judged, fields["route"], fields["source"], verdict).inc()
        elif event == "cache.saved":
            self._child(self._saved, fields["route"]).inc(fields["saved"] / 1e9)
        elif event == "cache.kept":
            self._child(self._kept, fields["route"], fields["result"]).inc()
        elif event == "cache.damaged":
            reason = fields["reason"]
            self._child(self._damaged, reason if reason in _REASONS else "content").inc()
        else:
            self._failed.inc()
