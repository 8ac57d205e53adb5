"""From a file to a generation: load, check, compile. ``serve``, ``check``, ``reload`` and ``explain`` all call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path as File
from typing import Any, TypeVar, cast

import msgspec

from proxy.caching.room import Room
from proxy.canaries.release import Plan, Release
from proxy.choosing.health import Health, Rules
from proxy.config.alerts import check_alerts
from proxy.config.capabilities import check_marks, check_overrides, leaves_of
from proxy.config.changes import changes
from proxy.config.check import check
from proxy.config.context import AccountContext, RouteContext, RouteState, steps
from proxy.config.document import Report
from proxy.config.fingerprint import shape_of
from proxy.config.flags import MARKS, marks_of
from proxy.config.gating import Gating, tags_of
from proxy.config.jobs import check_jobs
from proxy.config.limits import TenantRules
from proxy.config.lists import Entry, Lists
from proxy.config.load import Loaded, load
from proxy.config.model import (
    GatewayConfig,
    HealthConfig,
    LedgerConfig,
    OrganisationConfig,
    PolicyConfig,
    RetriesConfig,
    RouteConfig,
    RouteTimeoutsConfig,
    TiersConfig,
    TimeoutsConfig,
    convert,
)
from proxy.config.names import check_paths
from proxy.config.parts import conversations_of, operators_of, shared_counters_of, sharing_of
from proxy.config.problem import Path, Problem, arrange, listing, render_path
from proxy.config.shape import check_shape
from proxy.config.targets import walk
from proxy.config.tenants import Tenants
from proxy.dialects.paths import MATCHABLE, PATHS
from proxy.exchange import Identity
from proxy.experiments.plan import Enrolled
from proxy.flags.table import Table
from proxy.jobs.kept import CREDENTIALS
from proxy.jobs.signature import read_secret
from proxy.keys.identities import NAME as ISSUED
from proxy.keys.identities import Identities, Issued
from proxy.keys.key_sets import KeySet
from proxy.ledger import postgres
from proxy.ledger.charge import NAME as CHARGES
from proxy.ledger.charge import Charges
from proxy.ledger.prices import Prices
from proxy.limits.switch import NAME as LIMITS
from proxy.limits.switch import Switch
from proxy.pipeline import Pipeline
from proxy.policy import Policy, Target, Timeouts
from proxy.providers.capabilities import CheckConfig, Known, ModelsConfig, check_models, check_price, priced
from proxy.providers.provider import Provider
from proxy.reports import NAME as REPORTS
from proxy.reports import Reports
from proxy.router import Router, RouteRule
from proxy.runtime import Lease, Quotas, Runtime, Shared
from proxy.store.shared_health import NEEDS_EXTRA, has_extra
from proxy.targets.attempts import Attempts, Load, RetryRules
from proxy.targets.checks import Check, Watch
from proxy.targets.continued import Continued
from proxy.targets.leaf import Leaf

__all__ = ["Built", "Tables", "build", "changes"]

C = TypeVar("C")


class Tables(msgspec.Struct, frozen=True):
    """What can be compiled, by the name that the file uses. ``stand_in``: what is asked instead of an account."""

    policies: Mapping[str, type[Policy]]
    targets: Mapping[str, type[Target]]
    providers: Mapping[str, type[Provider]]
    stand_in: Callable[[Provider], Provider] | None = None


class Built(msgspec.Struct, frozen=True):
    """What became of a file. With problems there is no runtime, and no config either.

    ``files`` are all whose content decides about the outcome; ``digest`` names the content of the configuration files.
    """

    runtime: Runtime | None
    config: GatewayConfig | None
    problems: tuple[Problem, ...]
    notices: tuple[Problem, ...]
    files: tuple[File, ...]
    digest: str


def build(
    path: File,
    tables: Tables,
    *,
    environ: Mapping[str, str],
    shared: Shared,
    generation: int,
    now: Callable[[], float],
    listen: str | None = None,
) -> Built:
    """Load, check and compile the file at ``path``. What was leased from ``shared`` is given back if it has problems.

    ``listen`` is the address in use when it is not the file's own.
    """
    loaded = load(path, environ)
    if loaded.value is None or loaded.report is None:
        return Built(None, None, loaded.problems, (), loaded.files, loaded.digest)
    report = loaded.report
    check_shape(loaded.value, report)
    check(loaded.value, report, now=now(), listen=listen)
    check_jobs(loaded.value, report, read_secret, CREDENTIALS)
    check_alerts(loaded.value, report, read_secret)
    if loaded.value.get("store") is not None and not has_extra():
        report.problem(("store",), NEEDS_EXTRA, key=True)
    ledger = loaded.value.get("ledger")
    if isinstance(ledger, dict) and ledger.get("url") is not None and not postgres.has_extra():
        report.problem(("ledger", "url"), postgres.NEEDS_EXTRA, key=True)
    if isinstance(routes := loaded.value.get("routes"), dict):
        check_paths(routes, sorted(PATHS), list(MATCHABLE), report)
    lease = shared.lease()
    compiler = _Compiler(loaded, tables, lease, now)
    try:
        router = compiler.router()
        config = None if report.problems else compiler.config()
    except BaseException:
        lease.release()
        raise
    notices = arrange(report.notices)
    if report.problems or config is None:
        lease.release()
        return Built(None, None, report.problems, notices, loaded.files, loaded.digest)
    conversations = conversations_of(config.conversations, lease)
    operators = operators_of(config.admin, ejects=config.health.enabled)
    runtime = Runtime(generation, router, compiler.providers, loaded.digest, lease, conversations, operators)
    runtime.checks = compiler.checks()
    runtime.charges, runtime.counters = lease.get(CHARGES, Charges), lease.get(LIMITS, Switch)
    runtime.flags = compiler.flags
    runtime.quotas, runtime.tenants, runtime.identities = compiler.quotas, compiler.tenants, compiler.identities
    runtime.key_sets, runtime.canaries = tuple(compiler.key_sets), compiler.canaries
    runtime.shared_counters = shared_counters_of(config.store, lease)
    runtime.sharing, runtime.healths = sharing_of(config.store, lease), compiler.healths
    runtime.experiments, runtime.rooms = compiler.experiments, compiler.rooms
    return Built(runtime, config, (), notices, loaded.files, loaded.digest)


class _Compiler:
    """Compiles every sound part of one file, so that problems of all parts are found in one run."""

    def __init__(self, loaded: Loaded, tables: Tables, lease: Lease, now: Callable[[], float]) -> None:
        assert loaded.value is not None
        assert loaded.report is not None
        self._value = loaded.value
        self._report: Report = loaded.report
        self._pruned = loaded.pruned
        self._tables = tables
        self._lease = lease
        self._now = now
        self._settings: dict[Path, Any] = {}  # typed settings by where they stand
        self._lists = Lists(self._map("policies"), self._report)
        self._gating = Gating(lease, self._report)
        self._at_door: list[tuple[str, Any, Policy]] = []
        zone = self._value.get("time_zone", "UTC") if self._report.sound(("time_zone",)) else "UTC"
        self.quotas: dict[str, Quotas] = {}  # by route
        self.experiments: dict[str, Enrolled] = {}  # by name
        self.rooms: dict[str, Room] = {}  # by route
        self.key_sets: list[KeySet] = []  # of all issuers whose tokens pass
        self.canaries: dict[str, tuple[Release, Plan]] = {}  # by name
        self._limits = TenantRules(self._read("tiers", TiersConfig), zone)
        found = self._read_tenants()
        self.tenants = found.names
        issued, limits = lease.get(ISSUED, Issued), self._limits
        self.identities = Identities(found.keys, found.names, issued, limits.of_issued, limits.detours())
        self._timeouts = self._read("timeouts", TimeoutsConfig)
        self._rules = Rules(**msgspec.structs.asdict(self._read("health", HealthConfig)))
        self._retries = self._read("retries", RetriesConfig)
        self._ledger = self._read("ledger", LedgerConfig)
        self._timed = self._map("receipts").get("timings") is True
        self._charges: Charges = lease.get(CHARGES, Charges)
        self._trees: dict[str, Target | None] = dict.fromkeys(self._map("routes"))
        self._bare_models: set[str] = set()
        self._checked: dict[str, CheckConfig] = {}  # by account
        self.healths: dict[str, Health] = {}  # by leaf
        self.providers = self._compile_providers()

    @property
    def flags(self) -> Table:
        return self._gating.table

    def _map(self, key: str) -> dict[str, Any]:
        found = self._value.get(key)
        return found if isinstance(found, dict) else {}

    def _read(self, key: str, type_: type[C]) -> C:
        """A section of the file, or its defaults where it is broken."""
        found = self._convert(self._value.get(key, {}), type_, (key,)) if self._report.sound((key,)) else None
        return convert({}, type_) if found is None else found

    def _convert(self, value: Any, type_: type[C], path: Path) -> C | None:
        """``value`` as ``type_``; None after reporting what the schema has missed."""
        try:
            found = convert(value, type_)
        except msgspec.ValidationError as error:
            message, _, at = str(error).partition(" - at `$")
            self._report.problem(path + steps(value, at.rstrip("`")), message[:1].lower() + message[1:])
            return None
        self._settings[path] = found
        return found

    # Providers and keys

    def _compile_providers(self) -> dict[str, Provider]:
        found: dict[str, Provider] = {}
        for name, value in self._map("providers").items():
            path: Path = ("providers", name)
            if name in self._pruned:
                self._report.notice(path, f"left out, as it is optional: {self._pruned[name]}", key=True)
            elif self._report.sound(path):
                kind = self._tables.providers.get(value["kind"])
                if kind is None:
                    self._report_unbuilt(value["kind"], (*path, "kind"))
                    continue
                config = self._convert(value, kind.Config, path)
                context = AccountContext(self._report, path, value, self._lease)
                provider = None if config is None else kind.compile(name, config, context)
                if isinstance(config, ModelsConfig):
                    check_models(config.models, context.fail)
                    if config.check is not None:
                        self._checked[name] = config.check
                    if provider is not None:
                        kind_of_models = getattr(config, "preset", None) or value["kind"]
                        provider.known = Known(kind_of_models, config.models)
                        provider.prices = Prices(kind_of_models, priced(config.models), self._now)
                elif provider is not None and isinstance(models := getattr(config, "models", None), dict):
                    for glob, one in models.items():
                        check_price(one.price, f"models.{glob}.price", context.fail)
                    provider.prices = Prices(value["kind"], priced(models), self._now)
                if provider is not None:
                    stand_in = self._tables.stand_in
                    found[name] = provider if stand_in is None else stand_in(provider)
        return found

    def checks(self) -> tuple[Watch, ...]:
        """What is to be checked while this generation is the current one. Called when all routes are compiled."""
        reports = self._lease.get(REPORTS, Reports)
        found = []
        for name, settings in self._checked.items():
            account: Any = self.providers[name]  # of a kind that has `check`, so it has `probe`
            check = self._lease.get(f"check {name} {settings!r}", partial(Check, name, settings, reports))
            healths = tuple(health for leaf, health in self.healths.items() if leaf.startswith(f"{name}/"))
            found.append(Watch(check, account, healths))
        return tuple(found)

    def _read_tenants(self) -> Tenants:
        found = Tenants(self._limits, self._report)
        tenants = None
        if self._report.sound(("tenants",)):
            tenants = self._convert(self._map("tenants"), dict[str, OrganisationConfig], ("tenants",))
        if tenants is None:  # that there are no keys at all would be said for the wrong reason
            found.keys[b""] = Identity("", "", "")
        else:
            found.read(tenants)
        return found

    # Routes

    def router(self) -> Router:
        """Every route that can be compiled."""
        rules = []
        routes = self._map("routes")
        for name, value in routes.items():
            if isinstance(value, dict):
                rule = self._rule(name, value)
                if rule is not None:
                    rules.append(rule)
        check_overrides(self._map("providers"), routes, self._report)
        return Router(rules)

    def _rule(self, name: str, value: dict[str, Any]) -> RouteRule | None:
        path: Path = ("routes", name)
        entries = self._lists.expand(value.get("policies"), (*path, "policies"))
        state = RouteState(
            name,
            self._route_timeouts(value, path),
            self._lease,
            self.identities,
            tags_of(entries, self._report),
            self._now,
            self._trees,
            self._limits.zone,
            self._ledger.unknown_price,
            self.tenants,
            self.key_sets,
            self.canaries,
            [secret for provider in self.providers.values() for secret in provider.secrets()],
            self.experiments,
        )
        state.rooms = self.rooms
        state.entries, state.shape = entries, shape_of(value, entries, self._map("providers"))
        policies = [
            (entry.name, self._policy(entry, state, entries[:at]))
            for at, entry in enumerate(entries)
            if self._report.sound(entry.item)
        ]
        target = None
        if "target" in value and self._report.sound((*path, "target")):
            target = self._target(value["target"], (*path, "target"), state)
            if target is None and self._report.sound((*path, "target")):
                self._report_pruned(value["target"], (*path, "target"))
        leaves = leaves_of({name: value}, self._report).get(name, [])
        check_marks(entries, leaves, self._takes_marks, self._report)
        compiled = [(name, policy) for name, policy in policies if policy is not None]
        config = self._convert(value, RouteConfig, path) if self._report.sound(path) else None
        if target is None or config is None:
            return None
        self._trees[name] = target
        retries = msgspec.structs.asdict(config.retries or self._retries)
        rules = RetryRules(**retries | {"on": frozenset(retries["on"])})
        target = Attempts(target, rules, self._lease.get(f"load {name}", Load))
        if config.mid_stream == "continue":
            target = self._continued(target, name, path)
        timeouts, on_loss = state.timeouts, config.on_loss
        pipeline = Pipeline(
            name, compiled, target, slots=state.slots, timeouts=timeouts, on_loss=on_loss, timed=self._timed
        )
        match = config.match
        return RouteRule(
            name,
            config.models,
            _several(match.path),
            tuple((header.lower().encode(), _several(values)) for header, values in match.header.items()),
            tuple((tag, _several(values)) for tag, values in match.tag.items()),
            pipeline,
        )

    def _continued(self, target: Target, name: str, path: Path) -> Target:
        """A tree whose streams are gone on with, if there is anybody to do so."""
        if len(set(target.leaves())) < 2:
            why = "another target goes on with a stream that breaks off, and this route has only one"
            self._report.notice((*path, "mid_stream"), why, key=True)
        return Continued(target, name, self._lease.get(REPORTS, Reports))

    def _takes_marks(self, leaf: str) -> bool | None:
        """Whether a leaf's provider caches prompts by marks, if the file tells its model."""
        name, _, model = leaf.partition("/")
        provider = self.providers.get(name)
        if provider is None or model == "*":  # None: left out, or broken
            return None
        return provider.known.of(model).prompt_cache == "marks"

    def _route_timeouts(self, value: dict[str, Any], path: Path) -> Timeouts:
        own = RouteTimeoutsConfig()
        if "timeouts" in value and self._report.sound((*path, "timeouts")):
            own = self._convert(value["timeouts"], RouteTimeoutsConfig, (*path, "timeouts")) or own
        both = ((getattr(own, name), getattr(self._timeouts, name)) for name in Timeouts.__struct_fields__)
        return Timeouts(*(float(general if special is None else special) for special, general in both))

    def _policy(self, entry: Entry, state: RouteState, before: list[Entry]) -> Policy | None:
        kind = self._tables.policies.get(entry.name)
        if kind is None:
            self._report_unbuilt(entry.name, entry.path)
            return None
        settings = entry.settings or {}
        # One object for all routes, so that the router sees that they begin alike.
        for name, known, policy in self._at_door if kind.at_door else ():
            if name == entry.name and known == settings:
                return policy
        config = self._convert(settings, kind.Config, entry.path)
        if config is None:
            return None
        context = RouteContext(
            state, self._report, entry.path, settings, lambda value, path: self._target(value, path, state)
        )
        policy = kind.compile(config, context)
        if entry.name == "quota":
            self.quotas[state.name] = cast(Quotas, policy)
        if kind.at_door and self._report.sound(entry.path):
            self._at_door.append((entry.name, settings, policy))
        return self._gating.policy(policy, entry, before, context)

    @staticmethod
    def _no_target(value: Any, path: Path) -> Target | None:
        raise AssertionError(f"{render_path(path)}: what is switched holds its targets already")

    def _target(self, value: Any, path: Path, state: RouteState) -> Target | None:
        """A node or leaf; None if nothing is left of it."""
        if isinstance(value, str):
            return self._leaf(value, state)
        for marks in marks_of(value, path):
            inner = self._target({key: value[key] for key in value if key not in MARKS}, path, state)
            context = RouteContext(state, self._report, path, value, self._no_target)
            return None if inner is None else self._gating.target(inner, marks, context, state.entries)
        ((name, settings),) = value.items()
        if name == "model":
            return self._leaf(settings, state)
        at: Path = (*path, name)
        kind = self._tables.targets.get(name)
        if kind is None:
            self._report_unbuilt(name, at)
            return None
        short = getattr(kind, "shorthand", None) if isinstance(settings, list) else None
        config = self._convert(settings if short is None else {short: settings}, kind.Config, at)
        if config is None:
            return None

        def child(value: Any, path: Path) -> Target | None:
            return self._target(value, path, state)

        return kind.compile(config, RouteContext(state, self._report, at, settings, child, short))

    def _leaf(self, value: str, state: RouteState) -> Leaf | None:
        name, _, model = value.partition("/")
        provider = self.providers.get(name)
        if provider is None:  # pruned, or broken itself
            return None
        health = self.healths[value] = self._lease.get(f"health {value}", lambda: Health(value))
        rules = self._rules if provider.is_judged else msgspec.structs.replace(self._rules, enabled=False)
        return Leaf(value, provider, None if model == "*" else model, state.timeouts, health, rules, self._charges)

    def _report_unbuilt(self, name: str, path: Path) -> None:
        """The schema knows more than the tables: another version, or a table made for a test."""
        self._report.problem(path, f"`{name}` is not part of this build")

    def _report_pruned(self, target: Any, path: Path) -> None:
        """Nothing is left of a route's target: the reason is a provider that was left out, if none is broken."""
        leaves = [leaf for leaf, _ in walk(target, path, self._report) if isinstance(leaf, str)]
        missing = list(dict.fromkeys(leaf.partition("/")[0] for leaf in leaves))
        if not missing or not self._pruned.keys() >= set(missing):
            return
        reasons = listing([f"{name}: {self._pruned[name]}" for name in missing], "and")
        message = f"nothing is left of this target, as what it names was left out ({reasons}); add a fallback"
        self._report.problem(path, message)

    # The typed file

    def config(self) -> GatewayConfig:
        """The whole file as typed data; only for a file without problems."""
        value = {key: found for key, found in self._value.items() if key not in ("providers", "routes", "policies")}
        plain = convert({**value, "providers": {}, "routes": {}}, GatewayConfig)
        routes = {}
        for name in self._map("routes"):
            route = self._settings["routes", name]
            entries = self._typed(route.policies, ("routes", name, "policies"))
            routes[name] = msgspec.structs.replace(route, policies=entries)
        lists = {name: self._typed(entries, ("policies", name)) for name, entries in self._map("policies").items()}
        providers = {name: self._settings["providers", name] for name in self.providers}
        return msgspec.structs.replace(plain, providers=providers, routes=routes, policies=lists)

    def _typed(self, entries: Any, path: Path) -> tuple[PolicyConfig, ...]:
        found: list[PolicyConfig] = []
        for at, entry in enumerate(entries):
            where = (*path, at)
            name = entry if isinstance(entry, str) else next(key for key in entry if key not in MARKS)
            marks = {} if isinstance(entry, str) else {mark: entry[mark] for mark in MARKS if mark in entry}
            if name == "use":
                found.append(PolicyConfig(name=name, settings=entry["use"], **marks))
            else:
                kind = self._tables.policies[name]
                settings = {} if isinstance(entry, str) else entry[name]
                at_key = where if isinstance(entry, str) else (*where, name)
                typed = self._settings.get(at_key)
                typed = convert(settings, kind.Config) if typed is None else typed
                found.append(PolicyConfig(name=name, settings=typed, **marks))
        return tuple(found)


def _several(values: str | tuple[str, ...]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else values
