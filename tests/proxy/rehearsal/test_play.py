"""Cases are played by the real pipeline, on a clock of their own, from fresh state, and without any socket."""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path
from typing import Any

from proxy.rehearsal.play import explained
from tests.support.cases import got_of, suite_of
from tests.support.config import NOW

HASH = hashlib.sha256(b"sk-caller").hexdigest()
CONFIG = f"""
providers:
  openai: {{kind: openai, api_key: "${{env:OPENAI_API_KEY}}"}}
  claude: {{kind: anthropic, api_key: test}}
  sim: {{kind: simulated, first_token: 40s}}
tenants:
  acme: {{teams: {{search: {{keys: {{web: {{hash: "sha256:{HASH}", limits: [2/min]}}}}}}}}}}
routes:
  chat:
    models: [fast]
    target: {{fallback: [openai/gpt-4o-mini, claude/claude-haiku-4-5, sim/echo]}}
  kept:
    models: [kept]
    policies: [authenticate, quota]
    target:
      when:
        - {{if: "time < 06:00", target: sim/night}}
        - else: sim/day
"""
ENVIRONMENT = "environment: {OPENAI_API_KEY: sk-test}\n"
_opened: list[tuple[str, Any]] = []
_is_listening = False


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _is_listening and event.startswith("socket.") and event != "socket.__new__":
        _opened.append((event, arguments[1:]))


def test_no_socket_is_opened(tmp_path: Path) -> None:
    """Accounts of real providers answer as scripted; nobody is looked up, called, or listened to."""
    global _is_listening
    sys.addaudithook(_hear)  # for good: it hears nothing outside of this test
    cases = (
        ENVIRONMENT
        + """
cases:
  - {name: a, given: {request: {model: fast}}, expect: {status: 200}}
  - {name: b, given: {request: {model: fast, stream: true}, upstream: {openai: down}}, expect: {status: 200}}
"""
    )
    _is_listening = True
    try:
        first, second = got_of(tmp_path, CONFIG, cases)
    finally:
        _is_listening = False
    assert _opened == []
    assert (first.target, first.attempts) == ("openai/gpt-4o-mini", (("openai/gpt-4o-mini", "ok"),))
    assert second.attempts == (("openai/gpt-4o-mini", "unavailable"), ("claude/claude-haiku-4-5", "ok"))
    assert second.degraded == "unavailable"
    assert second.sent is not None
    assert b'"max_tokens"' in second.sent  # as Anthropic is asked


def test_a_key_is_known_by_its_name_and_refused_by_a_wrong_secret(tmp_path: Path) -> None:
    cases = (
        ENVIRONMENT
        + """
cases:
  - {name: named, given: {request: {model: kept}, key: acme/search/web}, expect: {status: 200}}
  - {name: shown, given: {request: {model: kept}, secret: sk-caller}, expect: {status: 200}}
  - {name: wrong, given: {request: {model: kept}, secret: sk-nobody}, expect: {status: 401}}
  - {name: none, given: {request: {model: kept}}, expect: {status: 401}}
"""
    )
    found = got_of(tmp_path, CONFIG, cases)
    assert [one.status for one in found] == [200, 200, 401, 401]
    assert (found[2].code, found[2].refused_by, found[2].route) == ("invalid_api_key", "authenticate", "kept")
    assert found[0].policies == ("authenticate", "quota")


def test_the_clock_is_that_of_the_case(tmp_path: Path) -> None:
    """Conditions, windows of limits and pauses go by it; nobody waits."""
    began = time.monotonic()
    cases = (
        ENVIRONMENT
        + """
cases:
  - {name: night, given: {request: {model: kept}, key: acme/search/web, at: 2026-01-01T05:59Z}, expect: {status: 200}}
  - {name: day, given: {request: {model: kept}, key: acme/search/web, at: 2026-01-01T06:00Z}, expect: {status: 200}}
  - name: third
    given:
      request: {model: kept}
      key: acme/search/web
      at: 2026-01-01T09:00:30Z
      before: [{times: 2, at: 2026-01-01T09:00Z}]
    expect: {status: 429}
  - name: later
    given:
      request: {model: kept}
      key: acme/search/web
      at: 2026-01-01T09:03Z
      before: [{times: 2, at: 2026-01-01T09:00Z}]
    expect: {status: 200}
"""
    )
    found = got_of(tmp_path, CONFIG, cases)
    assert [(one.status, one.target) for one in found] == [
        (200, "sim/night"),
        (200, "sim/day"),
        (200, "sim/day"),  # the two before took 40 seconds each
        (200, "sim/day"),
    ]
    assert time.monotonic() - began < 40


def test_limits_are_counted_from_nothing_in_every_case(tmp_path: Path) -> None:
    case = "given: {request: {model: kept}, key: acme/search/web, upstream: {sim: ok}, before: [{times: %d}]}"
    cases = (
        ENVIRONMENT
        + "cases:\n"
        + "".join(
            f"  - {{name: n{at}, {case % times}, expect: {{status: 200}}}}\n" for at, times in enumerate((1, 2, 1))
        )
    )
    found = got_of(tmp_path, CONFIG, cases)
    assert [one.status for one in found] == [200, 429, 200]
    assert (found[1].code, found[1].refused_by) == ("rate_limited", "quota")
    assert "2/min" in found[1].message
    assert dict(found[1].headers)["retry-after"] == "60"


def test_what_a_request_costs_by_the_usage_that_is_scripted(tmp_path: Path) -> None:
    """Streamed and whole, also after a failure; what was dropped is told."""
    cases = (
        ENVIRONMENT
        + """
cases:
  - name: whole
    given: {request: {model: fast}, upstream: {openai: {usage: {input: 1000, output: 200}}}}
    expect: {status: 200}
  - name: streamed
    given: {request: {model: fast, stream: true}, upstream: {openai: {usage: {input: 1000, output: 200}}}}
    expect: {status: 200}
  - name: translated
    given:
      request: {model: fast, body: {messages: [{role: user, content: Hi}], seed: 7}}
      upstream: {openai: {status: 503}, claude: {usage: {input: 1000, output: 200}}}
    expect: {status: 200}
"""
    )
    whole, streamed, translated = got_of(tmp_path, CONFIG, cases)
    assert whole.cost == streamed.cost == 270_000
    assert (translated.cost, translated.dropped) == (2_000_000, ("seed",))


def test_the_whole_request_is_the_case_s(tmp_path: Path) -> None:
    """Path, body, headers, tags; what cannot be routed is told."""
    cases = (
        ENVIRONMENT
        + """
cases:
  - name: anthropic
    given:
      request:
        path: /v1/messages
        model: fast
        body: {max_tokens: 5, messages: [{role: user, content: Hi}]}
        headers: {Anthropic-Version: 2023-06-01}
      upstream: {claude: {text: From Claude.}, openai: down}
    expect: {status: 200}
  - {name: unknown, given: {request: {model: nobody}}, expect: {status: 404}}
  - {name: unreadable, given: {request: {body: "{"}}, expect: {status: 400}}
  - {name: models, given: {request: {path: /v1/models, method: GET}}, expect: {status: 200}}
"""
    )
    anthropic, unknown, unreadable, models = got_of(tmp_path, CONFIG, cases)
    assert b'"type":"message"' in anthropic.answer
    assert b"From Claude." in anthropic.answer
    assert (unknown.route, unknown.code, unknown.status) == ("", "model_not_found", 404)
    assert (unreadable.status, unreadable.sent) == (400, None)
    assert b'"fast"' in models.answer


def test_a_case_is_explained_after_what_came_before(tmp_path: Path) -> None:
    cases = (
        ENVIRONMENT
        + """
cases:
  - name: a
    given: {request: {model: kept}, key: acme/search/web, at: 2026-01-01T05:00Z, before: [{times: 1}]}
    expect: {status: 200}
"""
    )
    suite, compile = suite_of(tmp_path, CONFIG, cases)
    found = explained(compile, suite.cases[0], NOW)
    assert found.target is not None
    assert [choice.target for choice in found.target.children if choice.chosen] == ["sim/night"]
    assert found.policies[0] == ("authenticate", "caller is acme/search/web")


def test_prices_are_those_of_the_day(tmp_path: Path) -> None:
    config = """
providers:
  sim: {kind: simulated, models: {"*": {price: [{input: $1, output: $1}, {from: 2026-06-01, input: $2, output: $2}]}}}
routes: {chat: {models: [fast], target: sim/echo}}
"""
    cases = "cases:\n" + "".join(
        f"  - {{name: {day}, given: {{request: {{model: fast}}, at: {day}T12:00Z, "
        "upstream: {sim: {usage: {input: 600, output: 400}}}}, expect: {status: 200}}\n"
        for day in ("2026-05-31", "2026-06-02")
    )
    assert [one.cost for one in got_of(tmp_path, config, cases)] == [1_000_000, 2_000_000]
