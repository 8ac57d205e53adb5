"""Who may import whom. The layers and what stands in them are the tables below; everything else is derived."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from tests.layout.tree import ROOT, dotted, imports, modules, nodes, source_files, where

# The longest prefix wins. Everything of proxy that is not named is engine.
LAYERS = {
    "proxy": "engine",
    "proxy.errors": "leaf",
    "proxy.exchange": "leaf",
    "proxy.units": "leaf",
    "proxy.tags": "leaf",
    "proxy.chat": "leaf",
    "proxy.choosing.capability": "leaf",
    "proxy.rehearsal.cases": "leaf",
    "proxy.cassettes": "leaf",
    "proxy.filter": "leaf",
    "proxy.gather": "leaf",
    "proxy.guarding": "leaf",
    "proxy.choosing.health": "leaf",
    "proxy.choosing.headroom": "leaf",
    "proxy.price": "leaf",
    "proxy.background": "leaf",
    "proxy.caching": "leaf",
    "proxy.canaries": "leaf",
    "proxy.canaries.keeper": "engine",
    "proxy.choosing.comparing": "leaf",
    "proxy.editing": "leaf",
    "proxy.choosing.effects": "leaf",
    "proxy.choosing.heat": "leaf",
    "proxy.idempotency": "leaf",
    "proxy.importing.imported": "leaf",
    "proxy.kept": "leaf",
    "proxy.waiting.pending": "leaf",
    "proxy.prefixes": "leaf",
    "proxy.reports": "leaf",
    "proxy.waiting.room": "leaf",
    "proxy.targets.seam": "leaf",
    "proxy.experiments.statistics": "leaf",
    "proxy.expression": "leaf",
    "proxy.experiments.plan": "leaf",
    "proxy.choosing.sticky": "leaf",
    "proxy.semantic": "leaf",
    "proxy.semantic.embedder": "contract",
    "proxy.semantic.examples": "contract",
    "proxy.semantic.feedback": "engine",
    "proxy.semantic.log": "engine",
    "proxy.choosing.tasks": "leaf",
    "proxy.limits.limit": "leaf",
    "proxy.admin.roles": "leaf",
    "proxy.waiting.turns": "leaf",
    "proxy.limits.rule": "leaf",
    "proxy.flags.flag": "leaf",
    "proxy.flags.rollout": "leaf",
    "proxy.flags.switch": "leaf",
    "proxy.policy": "contract",
    "proxy.around": "contract",
    "proxy.config": "config",
    "proxy.importing": "config",
    "proxy.config.compile": "compile",
    "proxy.config.context": "compile",
    "proxy.config.gating": "compile",
    "proxy.config.tenants": "compile",
    "proxy.config.parts": "compile",
    "proxy.admin": "surface",
    "proxy.app": "surface",
    "proxy.rehearsal.backtest": "surface",
    "proxy.commands": "surface",
    "proxy.rehearsal.explain": "surface",
    "proxy.rehearsal.play": "surface",
    "proxy.rehearsal.verdict": "surface",
    "proxy.reload": "reload",
    "proxy.process": "process",
    "proxy.cli": "cli",
    "policies": "policies",
    "policies.table": "table",
}
_BELOW_CLI = {"leaf", "contract", "engine", "config", "compile", "surface", "reload", "process"}
MAY_IMPORT = {
    "leaf": {"leaf"},
    "contract": {"leaf", "contract"},
    "policies": {"leaf", "contract"},  # and helpers of their own group, `_name`
    "table": {"contract", "policies"},
    "engine": {"leaf", "contract", "engine"},
    "config": {"leaf", "config"},
    "compile": {"leaf", "contract", "engine", "config", "compile"},
    "surface": {"leaf", "contract", "engine", "surface"},
    "reload": {"leaf", "contract", "engine", "surface", "config", "compile"},
    "process": _BELOW_CLI,
    "cli": _BELOW_CLI | {"table"},
}
# Which module may know which distribution: a library can be changed where it is confined.
CONFINED = {
    "msgspec": ("proxy", "policies"),
    "aiohttp": ("proxy.upstream", "proxy.wire.flow", "proxy.wire.foreign", "proxy.wire.websocket", "proxy.providers"),
    "yarl": (
        "proxy.upstream",
        "proxy.wire.websocket",
        "proxy.providers",
        "proxy.jobs.hooks",
        "proxy.keys.key_sets",
        "proxy.alerting.alerts",
        "proxy.wire.service",
    ),
    "uvicorn": ("proxy.server",),
    "httptools": ("proxy.server",),
    "websockets": ("proxy.server",),
    "uvloop": ("proxy.server", "proxy.process"),
    "yaml": ("proxy.config",),
    "jsonschema": ("proxy.config", "proxy.guarding"),
    "referencing": ("proxy.config", "proxy.guarding"),
    "watchfiles": ("proxy.reload",),
    "structlog": ("proxy.telemetry",),
    "prometheus_client": ("proxy.telemetry", "proxy.process"),
    "re2": ("proxy.guarding",),
    "python_multipart": ("proxy.dialects",),
    "botocore": ("proxy.providers",),
    "google": ("proxy.providers",),
    "joserfc": ("policies.identity",),
    "genai_prices": ("proxy.ledger",),
    "redis": ("proxy.store",),
    "numpy": ("proxy.semantic",),
    "onnxruntime": ("proxy.semantic",),
    "tokenizers": ("proxy.semantic",),
    "psycopg": ("proxy.ledger",),
    "tiktoken": ("proxy.tokens",),
}
# Where the environment may be read; everybody else is handed what they need.
READ_ENVIRONMENT = {"proxy.cli", "proxy.process", "proxy.server.workers", "proxy.telemetry.metrics"}
# Imports inside a function: module, what it imports → why.
LATE_IMPORTS: dict[tuple[str, str], str] = {
    ("proxy.providers.aws_credentials", "botocore.session"): "the extra `aws`",
    ("proxy.providers.google_token", "google.auth"): "the extra `gcp`",
    ("proxy.providers.google_token", "google.auth.transport.requests"): "the extra `gcp`",
    ("proxy.providers.google_token", "google.oauth2.service_account"): "the extra `gcp`",
    ("proxy.store.shared_counters", "redis.asyncio"): "the extra `redis`",
    ("proxy.store.shared_counters", "redis.exceptions"): "the extra `redis`",
    ("policies.identity._jwt", "joserfc.jwk"): "the extra `jwt`",
    ("policies.identity._jwt", "joserfc.jws"): "the extra `jwt`",
    ("proxy.store.client", "redis.asyncio"): "the extra `redis`",
    ("proxy.store.client", "redis.asyncio.retry"): "the extra `redis`",
    ("proxy.store.client", "redis.backoff"): "the extra `redis`",
    ("proxy.store.idempotency", "redis.asyncio"): "the extra `redis`",
    ("proxy.store.shared_cache", "redis.asyncio"): "the extra `redis`",
    ("proxy.store.shared_questions", "redis"): "the extra `redis`",
    ("proxy.ledger.export", "psycopg"): "the extra `postgres`",
    ("proxy.ledger.postgres", "psycopg"): "the extra `postgres`",
    ("proxy.semantic.local", "numpy"): "the extra `semantic`",
    ("proxy.semantic.local", "onnxruntime"): "the extra `semantic`",
    ("proxy.semantic.local", "tokenizers"): "the extra `semantic`",
    ("proxy.tokens.encodings", "tiktoken"): "it takes a while, and few requests have to be counted",
    ("proxy.ledger.prices", "genai_prices.data_snapshot"): "a fifth of a second, and for few files",
    ("proxy.telemetry.log", "structlog"): "only a log on a terminal needs it",
}


def _within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def _layer(name: str) -> str:
    return LAYERS[max((prefix for prefix in LAYERS if _within(name, prefix)), key=len)]


def _ours(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in ("proxy", "policies")


def test_every_import_points_downwards() -> None:
    wrong = []
    for name, path in modules().items():
        for found in imports(path):
            if not _ours(found.name) or _layer(found.name) in MAY_IMPORT[_layer(name)]:
                continue
            group = name.rpartition(".")[0]
            if _layer(name) == "policies" and found.name.startswith(f"{group}._"):
                continue
            wrong.append(f"{where(path, found.line)} {_layer(name)} imports {found.name} ({_layer(found.name)})")
    assert not wrong, "\n".join(wrong)


def test_imports_make_no_circle() -> None:
    graph = {
        name: {found.name for found in imports(path) if found.name in modules() and not found.for_types_only}
        for name, path in modules().items()
    }
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " → ".join([*above[above.index(name) :], name])
        if name not in done:
            for below in sorted(graph[name]):
                visit(below, (*above, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_nobody_imports_the_command_line() -> None:
    guilty = [where(path, i.line) for name, path in modules().items() for i in imports(path) if i.name == "proxy.cli"]
    assert not guilty


def test_every_distribution_is_confined() -> None:
    wrong = []
    for name, path in modules().items():
        for found in imports(path):
            top = found.name.split(".")[0]
            if _ours(found.name) or top in sys.stdlib_module_names or top == "__future__":
                continue
            if not any(_within(name, prefix) for prefix in CONFINED.get(top, ())):
                wrong.append(f"{where(path, found.line)} imports {found.name}")
    assert not wrong, "\n".join(wrong)


def test_every_distribution_that_is_imported_is_declared() -> None:
    """One that merely comes along with another may stop doing so."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    declared = {re.split(r"[^a-z0-9-]", line.lower())[0] for line in lines}
    packages = packages_distributions()
    used = {found.name.split(".")[0] for path in source_files() for found in imports(path) if not _ours(found.name)}
    missing = {
        package: packages.get(package, [package])  # what is not installed is looked for by its own name
        for package in used - sys.stdlib_module_names - {"__future__"}
        if not declared & {name.lower().replace("_", "-") for name in packages.get(package, [package])}
    }
    assert not missing


def test_no_import_stands_in_a_function() -> None:
    late = {
        (name, found.name): where(path, found.line)
        for name, path in modules().items()
        for found in imports(path)
        if found.in_function
    }
    assert not {key: at for key, at in late.items() if key not in LATE_IMPORTS}
    assert not LATE_IMPORTS.keys() - late.keys(), "an exception that nobody uses any more"


def test_the_environment_is_read_at_the_edge_only() -> None:
    wrong = []
    for name, path in modules().items():
        for node in nodes(path):
            reads = dotted(node) in ("os.environ", "os.getenv", "os.environb")
            reads |= isinstance(node, ast.ImportFrom) and node.module == "os" and "environ" in ast.unparse(node)
            if reads and name not in READ_ENVIRONMENT:
                wrong.append(where(path, getattr(node, "lineno", 0)))
    assert not wrong, wrong


def test_policies_know_nothing_of_the_wire() -> None:
    banned = {"socket", "ssl", "http", "urllib", "asyncio", "subprocess", "os"}
    wrong = [
        f"{where(path, found.line)} imports {found.name}"
        for path in source_files("policies")
        for found in imports(path)
        if found.name.split(".")[0] in banned
    ]
    assert not wrong, "\n".join(wrong)
