"""What a guard says it has decided: the gravest, never what it has found, and a failure is never a pass."""

from __future__ import annotations

from proxy.guarding.verdict import MAX_PLACES, Verdict


def test_the_gravest_counts_and_all_is_told() -> None:
    verdict = Verdict("input")
    assert str(verdict) == "input clean in 0.00 ms"
    for entity, action in (("a", "warn"), ("b", "redact"), ("b", "redact"), ("a", "shadow")):
        verdict.note(entity, action, "messages[0].content")  # type: ignore[arg-type]
    verdict.nanoseconds = 1_500_000
    assert verdict.outcome == "redacted"
    assert str(verdict).startswith("input redacted (warn a at messages[0].content; redact b ×2 at ")
    assert str(verdict).endswith("in 1.50 ms")
    assert verdict.fired == {("warn", "a"): 1, ("redact", "b"): 2, ("shadow", "a"): 1}


def test_a_failure_stays_a_failure() -> None:
    verdict = Verdict("output")
    verdict.fail("failed: ValueError", closed=False)
    verdict.note("a", "block", "choice 0 text")
    assert verdict.outcome == "failed_open"
    verdict.fail("again", closed=True)
    assert (verdict.outcome, verdict.failure) == ("failed_closed", "failed: ValueError")


def test_places_are_bounded() -> None:
    verdict = Verdict("input")
    for at in range(100):
        verdict.note("a", "warn", f"messages[{at}]")
    assert str(verdict).count(" at ") == MAX_PLACES + 1
    assert verdict.fired == {("warn", "a"): 100}
