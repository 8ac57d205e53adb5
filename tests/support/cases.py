"""Files of cases for tests: a configuration, its cases, and what becomes of them in this process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from proxy.config.cases import Names, read_cases
from proxy.config.compile import build
from proxy.rehearsal.cases import Suite
from proxy.rehearsal.play import Clock, Compile, Got, rehearse
from proxy.rehearsal.stand_in import Script
from proxy.runtime import Runtime, Shared
from tests.support.config import NOW, TABLES, built, lines, written


def compile_of(path: Path, environ: Mapping[str, str]) -> Compile:
    """Builds the file with scripted providers."""

    def run(shared: Shared, clock: Clock, script: Script) -> Runtime:
        tables = replace(TABLES, stand_in=script.stand_in)
        found = build(path, tables, environ=environ, shared=shared, generation=1, now=clock)
        assert found.runtime is not None, lines(found.problems)
        return found.runtime

    return run


def suite_of(folder: Path, config: str, cases: str) -> tuple[Suite, Compile]:
    """The cases of a text for the configuration of another."""
    path = written(folder, config)

    def look(environment: Mapping[str, str]) -> Names:
        found = built(path, None, None, **environment)
        assert found.runtime is not None, lines(found.problems)
        assert found.config is not None
        assert found.runtime.identities is not None
        return Names(found.runtime.identities.names(), found.config.routes, found.config.providers)

    suite, problems = read_cases(written(folder, cases, "gateway.test.yaml"), {}, look)
    assert suite is not None, lines(problems)
    return suite, compile_of(path, suite.environment)


def got_of(folder: Path, config: str, cases: str) -> list[Got]:
    """What becomes of the cases."""
    suite, compile = suite_of(folder, config, cases)
    return [rehearse(compile, case, NOW) for case in suite.cases]
