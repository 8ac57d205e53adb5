"""The configuration of a text, for tests: what it means, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from policies.table import POLICIES, TARGETS
from proxy.config.compile import Built, Tables, build
from proxy.config.document import Report
from proxy.config.load import load
from proxy.providers.table import PROVIDERS
from proxy.runtime import Shared

TABLES = Tables(POLICIES, TARGETS, PROVIDERS)
NOW = 1780315200.0  # 2026-06-01 12:00 UTC


def written(folder: Path, text: str, name: str = "gateway.yaml") -> Path:
    """A file with this text, its common indentation removed."""
    path = folder / name
    path.write_text(dedent(text))
    return path


def built(path: Path, shared: Shared | None = None, listen: str | None = None, **environ: str) -> Built:
    """The build of a file with exactly these environment variables."""
    shared = Shared() if shared is None else shared
    return build(path, TABLES, environ=environ, shared=shared, generation=1, now=lambda: NOW, listen=listen)


def with_section(folder: Path, section: str, value: str) -> Built:
    """The build of a small file in which this section has this value."""
    text = f"providers: {{sim: {{kind: simulated}}}}\n{section}: {value}\nroutes: {{chat: {{target: sim/echo}}}}\n"
    return built(written(folder, text))


def report_of(path: Path, **environ: str) -> tuple[dict[str, object], Report]:
    """Value and report of a file that can be read."""
    loaded = load(path, environ)
    assert loaded.value is not None
    assert loaded.report is not None
    return loaded.value, loaded.report


def lines(problems: object) -> list[str]:
    """Problems as their reader sees them, without the folder of the file."""
    assert isinstance(problems, (tuple, list))
    return [str(problem).split("/gateway.yaml:", 1)[-1] for problem in problems]
