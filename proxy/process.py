"""One serving process: build the first generation, listen, watch the file, end well."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client.multiprocess import mark_process_dead

from proxy.addresses import banner, is_address, split_address
from proxy.admin.asked import Desk
from proxy.admin.roles import Ceiling
from proxy.admission.control import Admission
from proxy.admission.control import Rules as OverloadRules
from proxy.admission.telling import Shedding
from proxy.alerting.alerts import Alerts
from proxy.alerting.alerts import Settings as AlertSettings
from proxy.app import App, Current
from proxy.canaries.keeper import Keeper, judged_apart
from proxy.config.check import is_loopback
from proxy.config.compile import Built, Tables, build
from proxy.config.model import GatewayConfig, JobsConfig, LogConfig, OverloadConfig
from proxy.config.secrets import secrets_of
from proxy.experiments.endpoint import FeedbackDesk
from proxy.experiments.service import Experiments
from proxy.flags.flag import NAME as FLAGS
from proxy.flags.flag import Flags
from proxy.flags.store import KeptFlags
from proxy.garbage import look_seldom
from proxy.idempotency import NAME as IDEMPOTENCY
from proxy.idempotency import Idempotency
from proxy.jobs.record import Settings, Webhooks
from proxy.jobs.service import Jobs
from proxy.jobs.signature import read_secret
from proxy.keys.identities import NAME as ISSUED
from proxy.keys.identities import Issued
from proxy.keys.service import KeyService
from proxy.ledger.accounting import Accounting
from proxy.ledger.accounting import Settings as AccountSettings
from proxy.ledger.export import NoLedger
from proxy.ledger.prices import preload
from proxy.ledger.writer import SinkFailed
from proxy.reload import POLL_S, Reloader, Settled, is_news, look, settle
from proxy.reports import NAME as REPORTS
from proxy.reports import Reports
from proxy.runtime import Runtime, Shared
from proxy.semantic.feedback import Judged
from proxy.server.limits import ServerLimits
from proxy.server.serve import Server
from proxy.server.workers import Workers
from proxy.store.idempotency import RedisStore, SqliteStore
from proxy.store.shared_cache import share_answers
from proxy.store.shared_health import SharedHealth
from proxy.targets.checks import take_over
from proxy.telemetry.kept_receipts import KeptReceipts
from proxy.telemetry.lines import report
from proxy.telemetry.log import Logger, adopt_library_logs, make_logger
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.receipts import Receipts
from proxy.tokens.encodings import is_loading

DONE, FAILED, WRONG = 0, 1, 2
DEFAULT_STATE = ".sluicegate"
# Seconds that a worker may take to end beyond its drain, before its supervisor kills it.
_PATIENCE = 5.0


class Options(msgspec.Struct, frozen=True):
    """What the command line says beside the file."""

    workers: int = 1
    listen: str | None = None
    log_level: str | None = None


def serve(path: Path, tables: Tables, options: Options) -> int:
    """Serve until told to stop; returns the exit code. A file with problems is reported and nothing is started."""
    # Until somebody listens to it, a SIGHUP says nothing that the first look at the file does not find.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    options = msgspec.structs.replace(options, listen=options.listen or None)
    if options.listen is not None and not is_address(options.listen):
        print(f"--listen {options.listen}: write it as host:port, for example 127.0.0.1:8080", file=sys.stderr)
        return WRONG
    if options.workers == 1:
        return _work(path, tables, options)
    built = build(path, tables, environ=os.environ, shared=Shared(), generation=0, now=time.time, listen=options.listen)
    if built.config is None:
        return _report(built)
    canaries = built.runtime.canaries if built.runtime else ()
    for notice in (counted_apart(built, options.workers), judged_apart(canaries, options.workers)):
        if notice:
            print(f"notice: {path}: {notice}", file=sys.stderr, flush=True)
    listen = options.listen or built.config.listen
    host, port = split_address(listen)
    limits = server_limits(built.config)
    workers = Workers(
        partial(_work_beside_others, path, tables, options, listen),
        host=host,
        port=port,
        count=options.workers,
        patience=limits.shutdown_delay + limits.drain + _PATIENCE,
        on_started=lambda port: print(banner(host, port, path), file=sys.stderr, flush=True),
        on_death=mark_process_dead,
    )
    return workers.run()


def _work_beside_others(
    path: Path, tables: Tables, options: Options, listen: str, sockets: list[socket.socket]
) -> None:
    sys.exit(_work(path, tables, options, listen, sockets))


def _work(
    path: Path,
    tables: Tables,
    options: Options,
    listen: str | None = None,
    sockets: list[socket.socket] | None = None,
) -> int:
    """One process's whole life. With ``sockets``, they are bound to ``listen``."""
    look_seldom()
    shared = Shared()

    def build_generation(generation: int) -> Built:
        # While the process can be reached from outside, no file may leave a route open, whatever `listen` it names.
        judged = options.listen if listen is None or is_loopback(listen) else listen
        built = build(
            path, tables, environ=os.environ, shared=shared, generation=generation, now=time.time, listen=judged
        )
        if generation > 1 and built.runtime is not None and _needs_prices(built.runtime):
            preload()  # in the thread of the reload; at the start requests wait for it, and the listener does not
        return built

    first = settle(lambda: build_generation(1), look([path]))
    while first.built.config is None:
        _report(first.built)
        if sockets is None:
            return WRONG
        # This worker takes the place of a dead one while somebody edits the file. The others serve on, so it waits.
        first = _mended(lambda: build_generation(1), first)
    listen = listen or options.listen or first.built.config.listen
    try:
        process = _Process(path, build_generation, first, listen, shared, options, sockets)
    except OSError as error:
        print(f"the state directory cannot be written, and no request goes unrecorded: {error}", file=sys.stderr)
        return FAILED
    return process.run()


def _report(built: Built) -> int:
    for problem in built.problems:
        print(problem, file=sys.stderr, flush=True)
    return WRONG


def _mended(build_first: Callable[[], Built], found: Settled) -> Settled:
    """What becomes of the file after its next change."""
    while not is_news(now := look(found.seen), found.seen):
        time.sleep(POLL_S)
    return settle(build_first, now)


class _Process:
    """Holds together what one process serves with."""

    def __init__(
        self,
        path: Path,
        build_generation: Callable[[int], Built],
        first: Settled,
        listen: str,
        shared: Shared,
        options: Options,
        sockets: Sequence[socket.socket] | None,
    ) -> None:
        built = first.built
        assert built.runtime is not None
        assert built.config is not None
        self._path = path
        self._options = options
        self._listen = listen
        self._shared = shared
        self._built = built
        self._metrics = Metrics()
        self._log: Logger = self._make_log(built.config.log)
        self._log_config = built.config.log
        self._reports = shared.take(REPORTS, Reports)
        self._reports.listener = self._told
        self._current = Current(built.runtime)
        host, port = split_address(listen)
        self._app = App(self._current, self._metrics, self._log)
        self._jobs = self._make_jobs(built.config)
        self._make_experiments()
        self._make_money(built.config)
        self._receipts = Receipts()
        self._kept_receipts = KeptReceipts(_state(), self._receipts, self._metrics.lost_receipts.inc)
        self._remember(built.config)
        self._server = Server(
            self._app,
            server_limits(built.config),
            host,
            port,
            sockets=sockets,
            on_started=self._started,
            on_stopped=self._stopped,
            on_refused=self._metrics.refused,
        )
        self._current.draining = self._receipts.draining = self._server.draining
        self._admission = self._app.admission = Admission(overload_rules(built.config.overload))
        self._watch_load(self._admission)
        self._reloader = Reloader(
            self._current,
            build_generation,
            first,
            shared=shared,
            metrics=self._metrics,
            log=self._log,
            applied=self._applied,
        )
        self._stop_watching = asyncio.Event()
        self._sharing: SharedHealth | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def _make_jobs(self, config: GatewayConfig) -> Jobs:
        """What is answered later."""
        made = self._app.jobs = Jobs(
            _state(),
            self._app.run_job,
            job_settings(config.jobs),
            runtime=lambda: self._current.runtime,
            log=self._log,
            metrics=self._metrics,
        )
        return made

    def _make_money(self, config: GatewayConfig) -> None:
        """Issued keys, the ledger, alerts, and what is answered once."""
        shared = self._shared
        self._keys = KeyService(_state(), beside=KeptFlags(self._make_flags()))
        self._keys.load()
        shared.take(ISSUED, Issued).service = self._keys
        self._accounting = self._app.accounting = Accounting(_state(), account_settings(config))
        self._alerts = self._make_alerts(config)
        store = config.store  # known to be usable; another one takes a restart
        self._canaries = self._app.canaries = Keeper(_state())
        self._canaries.load()
        self._canaries.follow(self._current.runtime.canaries)
        idempotency = shared.take(IDEMPOTENCY, Idempotency)  # closed with all that is shared
        idempotency.store = SqliteStore(_state()) if store is None else RedisStore(store.reveal())
        share_answers(shared.take, store)

    def _make_flags(self) -> Flags:
        """What operators have set, whoever did it and wherever."""
        flags: Flags = self._shared.take(FLAGS, Flags)
        flags.on_change = lambda name, value: self._log.info("flag.set", flag=name, value=value)
        return flags

    def _make_experiments(self) -> None:
        """What becomes of requests in experiments, and what applications say of answers."""
        self._experiments = Experiments(_state(), log=lambda: self._log, metrics=self._metrics)
        self._judged = Judged(_state(), self._shared.take, self._told)
        self._app.feedback = FeedbackDesk(self._experiments, self._metrics, self._judged.heard)

    def run(self) -> int:
        """Serve; the exit code."""
        try:
            self._accounting.start(self._current.runtime)
            self._server.run()
        except (NoLedger, SinkFailed) as error:
            print(f"the ledger cannot be read, so no limit could be kept: {error}", file=sys.stderr)
            return FAILED
        except OSError as error:
            print(error.strerror or error, file=sys.stderr)
            return FAILED
        return DONE

    def _make_log(self, config: LogConfig) -> Logger:
        log = make_logger(self._options.log_level or config.level, config.format, self._metrics.lost_lines.inc)
        adopt_library_logs(log)
        return log

    def _make_alerts(self, config: GatewayConfig) -> Alerts:
        self._current.runtime.charges.told = self._told  # shared by all generations
        return Alerts(
            _state(),
            alert_settings(config),
            report=self._told,
            undelivered=self._metrics.alerts_undelivered.set,
            log=lambda: self._log,
            source=self._accounting.open if self._accounting.books is not None else None,
            problem=lambda: self._accounting.problem,
        )

    def _told(self, event: str, fields: dict[str, Any]) -> None:
        """A node or policy reports something: all of it is counted, and some worth a line."""
        self._metrics.told(event, fields)
        self._judged.told(event, fields)
        if event == "mirror.compared":
            self._experiments.compared(fields)
        report(self._log, event, fields)
        self._alerts.told(event, fields)

    def _watch_load(self, admission: Admission) -> None:
        """Let it judge what comes in, and tell of what it refuses: one line a second at most."""
        state = self._server.state
        state.gate = admission.judge
        admission.served = lambda: state.total_requests
        admission.excused = lambda: self._app.is_preparing or is_loading()
        admission.told = Shedding(self._metrics, lambda: self._log)

    def _started(self, server: Server) -> None:
        """The listener is open: watch the file, and tell where to find us."""
        for notice in self._built.notices:
            self._log.warning("config.notice", notice=str(notice))
        take_over(self._current.runtime.checks)
        for keys in self._current.runtime.key_sets:
            keys.start()
        self._follow_tenants()
        self._keep(self._reloader.watch(self._stop_watching), "watch the file")
        self._jobs.start(server.draining, server.state.tasks)
        self._keep(self._keys.start(), "read the issued keys")
        if _needs_prices(self._current.runtime):
            self._app.hold(asyncio.to_thread(preload))
        self._keep(self._alerts.run(), "send alerts")
        self._keep(self._canaries.run(), "keep canaries")
        self._keep(self._kept_receipts.run(), "keep receipts")
        self._keep(self._experiments.run(), "record experiments")
        self._keep(self._judged.run(), "record what is known of hits")
        self._admission.start()
        self._share()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        host, _ = split_address(self._listen)
        self._log.info("serve.started", generation=1, listen=f"{host}:{server.port}", file=str(self._path))
        if self._options.workers == 1:
            print(banner(host, server.port, self._path), file=sys.stderr, flush=True)

    def _follow_tenants(self) -> None:
        """Tell the desk of ``/admin`` what each team may be given, and where the ledger is."""
        teams = {
            (organisation, team): Ceiling(identity.models, None, identity.tier)
            for (organisation, team, key), identity in self._current.runtime.tenants.items()
            if not key
        }
        ledger = self._accounting.open if self._accounting.books is not None else None
        self._app.desk = Desk(self._keys, teams, ledger, self._experiments.path, receipts=self._receipts)

    def _remember(self, config: GatewayConfig) -> None:
        runtime = self._current.runtime
        self._experiments.follow(runtime.experiments, config.feedback.of, config.feedback.retention, runtime.canaries)
        self._receipts.follow(msgspec.structs.asdict(config.receipts), secrets_of(config), self._kept_receipts)
        self._app.listeners = (self._experiments.ended, *((self._receipts.add,) if config.receipts.max else ()))
        self._app.copy = self._receipts.copy if self._receipts.settings.has_texts else None

    def _share(self) -> None:
        """Tell other replicas of the targets in use, by the store in use."""
        runtime = self._current.runtime
        counters = runtime.shared_counters if runtime.quotas else None
        runtime.counters.current = counters or runtime.counters.memory
        if counters is not None:
            counters.start()
        old, self._sharing = self._sharing, runtime.sharing
        self._metrics.store_up.set(runtime.sharing is None or not runtime.sharing.problem)
        if old is not None and old is not runtime.sharing:
            self._keep(old.aclose(), "leave the store")
        if runtime.sharing is not None:
            runtime.sharing.told = self._store_told
            runtime.sharing.start(runtime.healths)

    def _store_told(self, event: str, fields: dict[str, Any]) -> None:
        is_back = event == "store.back"
        self._metrics.store_up.set(is_back)
        (self._log.info if is_back else self._log.warning)(event, **fields)

    def _hang_up(self) -> None:
        self._keep(self._reloader.reload(forced=True), "reload at SIGHUP")

    def _keep(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("background.failed", task=task.get_name(), exc_info=error)

    def _applied(self, config: GatewayConfig) -> None:
        """A reload has been taken over: what belongs to the process follows it, as far as it can."""
        self._server.limits = server_limits(config)
        self._admission.replace(overload_rules(config.overload))
        self._jobs.settings = job_settings(config.jobs)
        self._alerts.follow(alert_settings(config))
        self._canaries.follow(self._current.runtime.canaries)
        self._remember(config)
        self._keep(self._follow(config), "follow the file with the ledger")
        self._share()
        self._follow_tenants()
        if config.log != self._log_config:
            self._log_config = config.log
            self._log = self._app.log = self._reloader.log = self._jobs.runner.log = self._make_log(config.log)
        if self._options.listen is None and config.listen != self._listen:
            notice = f"{self._path} listen: still on {self._listen}; restart to listen on {config.listen}"
            self._log.warning("config.notice", notice=notice)

    async def _follow(self, config: GatewayConfig) -> None:
        if not await self._accounting.follow(self._current.runtime, account_settings(config)):
            notice = f"{self._path} ledger: the database stays as it is until a restart"
            self._log.warning("config.notice", notice=notice)
        self._log.debug("ledger.followed", generation=self._current.runtime.generation)

    async def _stopped(self, server: Server) -> None:
        """The last request has ended."""
        self._stop_watching.set()
        self._admission.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._jobs.aclose()
        await self._current.runtime.charges.aclose()
        await self._accounting.aclose()
        await self._canaries.aclose()
        await self._alerts.aclose()
        await self._kept_receipts.aclose()
        await self._experiments.aclose()
        await self._judged.aclose()
        await self._keys.aclose()
        await self._reloader.aclose()
        await self._shared.aclose()
        self._log.info("serve.stopped")


def counted_apart(built: Built, workers: int) -> str:
    """What to know of limits that several workers count; empty if there is nothing."""
    runtime = built.runtime
    if workers == 1 or runtime is None or runtime.shared_counters is not None or not runtime.quotas:
        return ""
    more = f"{workers} let up to {workers} times as much pass"
    return f"each worker counts limits by itself, so {more}; with `store` there is one count"


def server_limits(config: GatewayConfig) -> ServerLimits:
    """The listening side's limits as the file has them."""
    values = {
        name: getattr(config.server, name) for name in ServerLimits.__struct_fields__ if hasattr(config.server, name)
    }
    return ServerLimits(**values, shutdown_delay=config.server.shutdown.delay, drain=config.server.shutdown.drain)


def job_settings(config: JobsConfig) -> Settings:
    """What the file says about jobs; its secret is known to be one."""
    hooks = config.webhooks
    secret = read_secret(hooks.secret.reveal()) if hooks.secret else b""
    webhooks = Webhooks(allow=hooks.allow, secret=secret, retry_after=hooks.retry_after)
    return Settings(**msgspec.structs.asdict(config) | {"webhooks": webhooks})


def _needs_prices(runtime: Runtime) -> bool:
    """Whether somebody may ask the built-in list, which takes a third of a second to read."""
    return any(provider.prices.is_listed for provider in runtime.providers.values())


def _state() -> Path:
    """Where everything lies that is to survive this process."""
    return Path(os.environ.get("SLUICEGATE_STATE_DIR") or DEFAULT_STATE)


def account_settings(config: GatewayConfig) -> AccountSettings:
    """What the file says about the ledger."""
    ledger = config.ledger
    return AccountSettings(
        enabled=ledger.enabled,
        url=ledger.url.reveal() if ledger.url else "",
        max_backlog=ledger.max_backlog,
        needs_price=ledger.unknown_price == "refuse",
        retention=None if ledger.retention is None else float(ledger.retention),
        zone=config.time_zone,
    )


def alert_settings(config: GatewayConfig) -> AlertSettings:
    """What the file says about alerts; its secret is known to be one."""
    alerts = config.alerts
    secret = read_secret(alerts.secret.reveal()) if alerts.secret else b""
    return AlertSettings(alerts.url or "", secret, alerts.anomaly, config.time_zone)


def overload_rules(config: OverloadConfig) -> OverloadRules:
    """What the file says about overload."""
    return OverloadRules(**msgspec.structs.asdict(config))
