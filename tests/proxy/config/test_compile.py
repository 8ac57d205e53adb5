"""From a file to a generation, with everything given back when there is none."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from proxy.config.compile import build
from proxy.exchange import Exchange
from proxy.pipeline import Pipeline
from proxy.price import FREE, Price
from proxy.runtime import Runtime, Shared
from tests.support.config import NOW, TABLES, built, lines, written

_KEY = '"sha256:1cf3045ff88ae76bd739c8f589c8bf9300128c1f11e31efa7a538b4f60ae005b"'
_TEXT = f"""
    timeouts: {{gap: 20s}}
    providers:
      pool: {{kind: openai, api_keys: [a, b], base_url: "http://127.0.0.1:9/v1"}}
      sim: {{kind: simulated}}
    tenants:
      acme:
        models: ["*"]
        teams: {{search: {{keys: {{web: {{hash: {_KEY}, models: [fast], expires: 2026-06-01}}}}}}}}
    policies: {{standard: [authenticate, allow_models]}}
    routes:
      chat:
        models: [fast]
        timeouts: {{total: 5m}}
        policies: [{{use: standard}}]
        target: {{fallback: [pool/a, sim/b]}}
      team:
        models: [fast]
        match: {{header: {{X-Team: "a*"}}, path: /v1/*, tag: {{env: [dev]}}}}
        policies: [authenticate, allow_models]
        target: sim/*
    """


def _runtime(folder: Path, text: str = _TEXT, **environ: str) -> Runtime:
    found = built(written(folder, text), None, None, **environ)
    assert found.runtime is not None, found.problems
    return found.runtime


def _match(runtime: Runtime, model: str, *headers: tuple[bytes, bytes], tags: dict[str, str] | None = None) -> Pipeline:
    x = Exchange("r", "POST", "/v1/chat/completions", b"", list(headers), time.monotonic(), 0)
    x.model = model
    found = runtime.router.match(x, tags or {})
    assert found is not None
    return found


def test_a_route_is_what_the_file_says(tmp_path: Path) -> None:
    runtime = _runtime(tmp_path)
    chat = _match(runtime, "fast")
    assert chat.route == "chat"
    assert [name for name, _ in chat.policies] == ["authenticate", "allow_models"]
    assert chat.target.leaves() == ("pool/a", "sim/b")
    assert (chat.timeouts.total, chat.timeouts.gap, chat.timeouts.connect) == (300, 20, 5)
    assert _match(runtime, "fast", (b"x-team", b"abc"), tags={"env": "dev"}).route == "team"


def test_an_equal_policy_before_the_door_is_one_object(tmp_path: Path) -> None:
    """So that the router sees that all routes begin alike, and asks for the key before it reads a body."""
    runtime = _runtime(tmp_path)
    assert len(runtime.router.door("/v1/chat/completions")) == 1


def test_keys_carry_their_limits_and_their_end(tmp_path: Path) -> None:
    (_, authenticate), *_ = _match(_runtime(tmp_path), "fast").policies
    (identity,) = {found for found in authenticate._identities.values() if found.key}  # type: ignore[attr-defined]
    assert (identity.organisation, identity.team, identity.key) == ("acme", "search", "web")
    assert identity.models == (("*",), ("fast",))
    assert identity.expires == pytest.approx(NOW + 12 * 3600)


def test_what_failed_has_given_everything_back(tmp_path: Path) -> None:
    """A reload that is refused must leave no pool behind, however often it is tried."""
    shared = Shared()
    found = built(written(tmp_path, _TEXT.replace("sim/b", "smi/b")), shared)
    assert found.runtime is None
    asyncio.run(shared.sweep())
    assert len(shared) == 0


async def test_what_failed_takes_nothing_from_the_generation_that_serves(tmp_path: Path) -> None:
    shared = Shared()
    kept = built(written(tmp_path, _TEXT), shared).runtime
    assert kept is not None
    before = len(shared)
    assert before > 0
    assert built(written(tmp_path, _TEXT.replace("sim/b", "smi/b")), shared).runtime is None
    await shared.sweep()
    assert len(shared) == before
    kept.release()
    await shared.sweep()
    assert len(shared) == 0


async def test_state_is_kept_by_name_over_generations(tmp_path: Path) -> None:
    shared = Shared()
    first = built(written(tmp_path, _TEXT), shared).runtime
    count = len(shared)
    second = built(written(tmp_path, _TEXT.replace("total: 5m", "total: 6m")), shared).runtime
    assert first is not None
    assert second is not None
    assert len(shared) == count
    first.release()
    await shared.sweep()
    assert len(shared) == count
    second.release()
    await shared.sweep()
    assert len(shared) == 0


def test_a_provider_that_was_left_out_leaves_its_fallback(tmp_path: Path) -> None:
    text = """
        providers:
          pool: {kind: openai, api_key: "${env:KEY}", optional: true}
          sim: {kind: simulated}
        routes: {a: {target: {fallback: [pool/a, {split: [{weight: 1, target: pool/b}]}, sim/b]}}}
    """
    found = built(written(tmp_path, text))
    assert found.runtime is not None
    assert _match(found.runtime, "x").target.leaves() == ("sim/b",)
    assert lines(found.notices) == [
        "3:3 providers.pool: left out, as it is optional: the environment variable KEY is not set"
    ]
    assert found.config is not None
    assert list(found.config.providers) == ["sim"]
    runtime = _runtime(tmp_path, text, KEY="x")
    assert _match(runtime, "x").target.leaves() == ("pool/a", "pool/b", "sim/b")


def test_problems_of_the_compiled_parts_have_positions(tmp_path: Path) -> None:
    text = """\
        providers:
          sim: {kind: simulated}
          pool: {kind: openai, base_url: "https://user:pass@host/v1"}
        routes:
          a:
            policies: [{headers: {request: {pass: [x-ok, cookie]}}}]
            target: {split: {sticky: user, of: [{weight: 1, target: {fallback: [sim/a, pool/b]}}]}}
    """
    assert [line.partition(": ")[0] for line in lines(built(written(tmp_path, text)).problems)] == [
        "3:34 providers.pool.base_url",
        "6:50 routes.a.policies[0].headers.request.pass[1]",
        "7:30 routes.a.target.split.sticky",
    ]


def test_every_watched_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-x\n")
    text = """
        include: [more.yaml]
        providers:
          pool: {kind: openai, api_key: "${file:key}"}
          x: {kind: openai, api_key: "${file:later}", optional: true}
        routes: {a: {target: pool/a}}
    """
    written(tmp_path, "log: {level: debug}", "more.yaml")
    found = built(written(tmp_path, text))
    assert found.problems == ()
    assert {path.name for path in found.files} == {"gateway.yaml", "more.yaml", "key", "later"}
    assert found.config is not None
    assert found.config.log.level == "debug"


def test_a_table_that_lacks_what_the_schema_knows_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    path = written(tmp_path, "providers: {sim: {kind: simulated}}\nroutes: {a: {target: sim/a}}\n")
    empty = type(TABLES)({}, {}, {})
    found = build(path, empty, environ={}, shared=Shared(), generation=1, now=lambda: NOW)
    assert lines(found.problems) == ["1:25 providers.sim.kind: `simulated` is not part of this build"]


def test_the_digest_is_that_of_the_runtime(tmp_path: Path) -> None:
    found = built(written(tmp_path, _TEXT))
    assert found.runtime is not None
    assert found.runtime.digest == found.digest
    assert found.runtime.generation == 1


def test_prices_of_the_file_reach_its_targets(tmp_path: Path) -> None:
    """Of a simulated model and of one that the built-in list knows otherwise; what is simulated costs nothing else."""
    price = 'price: {input: $1.50, output: "$2"}'
    text = f"""
        providers:
          sim: {{kind: simulated, models: {{dear: {{{price}}}}}}}
          up: {{kind: openai, api_key: k, models: {{"gpt-4o*": {{{price}}}}}}}
        routes:
          r: {{open: true, target: {{balance: {{by: cost, of: [sim/dear, sim/free, up/gpt-4o-mini]}}}}}}
        """
    providers = _runtime(tmp_path, text).providers
    expected = Price(1_500_000_000, 2_000_000_000, source="file")
    found = [providers["sim"].prices.of("dear"), providers["up"].prices.of("gpt-4o-mini")]
    assert found == [expected, expected]
    assert providers["sim"].prices.of("free") == FREE
