"""The whole file as typed, frozen data. Defaults equal those of the schema."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import msgspec

from proxy.limits.limit import LimitConfig
from proxy.units import Duration, Money, Percent, Secret, Size

C = TypeVar("C")
Limits = tuple[str | LimitConfig, ...]
Tier = Literal["free", "basic", "premium", "enterprise"]
_KIB, _MIB = 2**10, 2**20


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A map of the file with a closed set of keys."""


class ShutdownConfig(_Section, frozen=True):
    """What happens on SIGTERM."""

    delay: Duration = Duration(0)
    drain: Duration = Duration(30)


class ServerConfig(_Section, frozen=True):
    """Limits of the listening side."""

    max_body: Size = Size(10 * _MIB)
    max_headers: Size = Size(32 * _KIB)
    max_header_count: int = 100
    max_url: Size = Size(8 * _KIB)
    max_connections: int = 10_000
    max_websocket_message: Size = Size(_MIB)
    header_timeout: Duration = Duration(10)
    body_timeout: Duration = Duration(10)
    body_total_timeout: Duration = Duration(60)
    keep_alive: Duration = Duration(75)
    write_timeout: Duration = Duration(30)
    shutdown: ShutdownConfig = ShutdownConfig()


class TimeoutsConfig(_Section, frozen=True):
    """Times towards providers, for every route."""

    connect: Duration = Duration(5)
    first_token: Duration = Duration(60)
    gap: Duration = Duration(60)
    total: Duration = Duration(600)
    min_rate: float = 0.0
    attempt: Duration = Duration(0)


class RouteTimeoutsConfig(_Section, frozen=True):
    """Times of one route; None: as for every route."""

    connect: Duration | None = None
    first_token: Duration | None = None
    gap: Duration | None = None
    total: Duration | None = None
    min_rate: float | None = None
    attempt: Duration | None = None


class RetriesConfig(_Section, frozen=True):
    """Tries after the first, for every route that does not say otherwise."""

    max: int = 2
    base: Duration = Duration(0.25)
    max_delay: Duration = Duration(8)
    on: tuple[str, ...] = ("rate_limited", "overloaded", "unavailable", "bad_answer")
    budget: Percent = Percent(0.2)
    budget_min: int = 3


class HealthConfig(_Section, frozen=True):
    """When a target is left alone for a while."""

    enabled: bool = True
    failures: int = 5
    error_rate: Percent = Percent(0.5)
    min_requests: int = 20
    window: Duration = Duration(30)
    slow_after: Duration | None = None
    slow_rate: Percent = Percent(0.5)
    eject: Duration = Duration(30)
    max_eject: Duration = Duration(300)


class OverloadConfig(_Section, frozen=True):
    """When the gateway itself refuses requests, and who gets a share then."""

    enabled: bool = True
    max_in_flight: int = 5000
    max_lag: Duration = Duration(0.05)
    interval: Duration = Duration(0.1)
    max_memory: Size | None = None
    share_by: Literal["organisation", "team", "key"] = "organisation"
    weights: dict[Tier, int] = {}


class LogConfig(_Section, frozen=True):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class ConversationsConfig(_Section, frozen=True):
    """What is kept between requests."""

    lifetime: Duration = Duration(86_400)
    max_size: Size = Size(64 * _MIB)


class JobWebhooksConfig(_Section, frozen=True):
    """Where results of jobs may be sent."""

    allow: tuple[str, ...] = ()
    secret: Secret | None = None
    retry_after: Duration = Duration(5)


class JobsConfig(_Section, frozen=True):
    """What is answered later."""

    enabled: bool = True
    max_jobs: int = 100_000
    max_per_key: int = 1000
    max_size: Size = Size(1024 * _MIB)
    max_result: Size = Size(32 * _MIB)
    lifetime: Duration = Duration(86_400)
    max_in_flight: int = 64
    interrupted: Literal["rerun", "fail"] = "rerun"
    patience: Duration = Duration(3600)
    headers: tuple[str, ...] = ()
    webhooks: JobWebhooksConfig = JobWebhooksConfig()


class LedgerConfig(_Section, frozen=True):
    """The record of what requests cost."""

    enabled: bool = True
    url: Secret | None = None
    unknown_price: Literal["refuse", "zero"] | None = None
    retention: Duration | None = None
    max_backlog: int = 100_000


class ReceiptsConfig(_Section, frozen=True):
    """What is remembered of each request."""

    max: int = 1000
    max_size: Size = Size(16 * _MIB)
    keep: Duration | None = None
    max_kept: int = 100_000
    bodies: Literal["none", "redacted"] = "none"
    timings: bool = False


class AlertsConfig(_Section, frozen=True):
    """Where operators are told."""

    url: str | None = None
    secret: Secret | None = None
    anomaly: float = 5.0


class FeedbackConfig(_Section, frozen=True):
    """What applications say of answers, and what is recorded for experiments."""

    of: Literal["experiments", "all"] = "experiments"
    retention: Duration = Duration(90 * 86_400)


class KeyConfig(_Section, frozen=True):
    """One API key, known by its hash."""

    hash: Secret
    models: tuple[str, ...] | None = None
    expires: str | None = None
    tier: Tier | None = None
    budget: str | None = None
    limits: Limits = ()


class TiersConfig(_Section, frozen=True):
    """Limits by tier."""

    free: Limits = ("10/min", "100/h")
    basic: Limits = ("100/min", "1000/h")
    premium: Limits = ("1000/min", "10000/h")
    enterprise: Limits = ("10000/min", "50000/h")


class AdminKeyConfig(_Section, frozen=True):
    """One operator's key, known by its hash, and what it is for."""

    hash: Secret
    role: Literal["owner", "admin", "team_lead", "auditor", "viewer"] = "owner"
    organisation: str = ""
    team: str = ""


class AdminConfig(_Section, frozen=True):
    """Who may use ``/admin``."""

    keys: dict[str, AdminKeyConfig] = {}


class TeamConfig(_Section, frozen=True):
    """One team of an organisation."""

    models: tuple[str, ...] | None = None
    tier: Tier | None = None
    budget: str | None = None
    limits: Limits = ()
    keys: dict[str, KeyConfig] = {}


class OrganisationConfig(_Section, frozen=True):
    """One customer, company or department."""

    models: tuple[str, ...] | None = None
    tier: Tier | None = None
    budget: str | None = None
    limits: Limits = ()
    teams: dict[str, TeamConfig] = {}


class MatchConfig(_Section, frozen=True):
    """Conditions of a route besides the model."""

    path: str | tuple[str, ...] = ()
    header: dict[str, str | tuple[str, ...]] = {}
    tag: dict[str, str | tuple[str, ...]] = {}


class PolicyConfig(_Section, frozen=True):
    """One entry of a list of policies; ``settings`` is of the policy's own type, or the list's name for ``use``. The
    others as they stand in the file."""

    name: str
    settings: Any
    enabled: bool | str = True
    rollout: str | None = None
    flag: str | None = None


class RouteConfig(_Section, frozen=True):
    """One route. ``policies`` holds ``PolicyConfig``, ``target`` the tree as it stands in the file."""

    target: Any
    models: tuple[str, ...] | None = None
    match: MatchConfig = MatchConfig()
    open: bool = False
    timeouts: RouteTimeoutsConfig = RouteTimeoutsConfig()
    retries: RetriesConfig | None = None
    on_loss: Literal["report", "refuse"] = "report"
    mid_stream: Literal["error", "continue"] = "error"
    policies: tuple[Any, ...] = ()


class GatewayConfig(_Section, frozen=True):
    """The whole file. ``providers`` holds what each kind calls its ``Config``, ``policies`` their lists."""

    providers: dict[str, Any]
    routes: dict[str, RouteConfig]
    listen: str = "127.0.0.1:8080"
    include: tuple[str, ...] = ()
    server: ServerConfig = ServerConfig()
    timeouts: TimeoutsConfig = TimeoutsConfig()
    retries: RetriesConfig = RetriesConfig()
    health: HealthConfig = HealthConfig()
    overload: OverloadConfig = OverloadConfig()
    log: LogConfig = LogConfig()
    conversations: ConversationsConfig = ConversationsConfig()
    jobs: JobsConfig = JobsConfig()
    store: Secret | None = None
    ledger: LedgerConfig = LedgerConfig()
    receipts: ReceiptsConfig = ReceiptsConfig()
    alerts: AlertsConfig = AlertsConfig()
    feedback: FeedbackConfig = FeedbackConfig()
    tiers: TiersConfig = TiersConfig()
    time_zone: str = "UTC"
    admin: AdminConfig = AdminConfig()
    tenants: dict[str, OrganisationConfig] = {}
    policies: dict[str, tuple[Any, ...]] = {}


def convert(value: Any, type_: type[C]) -> C:
    """Plain values as ``type_``.

    Raises:
        msgspec.ValidationError: they do not fit, which the schema should have found.
    """
    return msgspec.convert(value, type_, dec_hook=_read_unit)


def _read_unit(type_: type, value: Any) -> Any:
    if issubclass(type_, (Duration, Money, Percent, Size)) and isinstance(value, str):
        return type_.parse(value)
    if issubclass(type_, Secret) and isinstance(value, str):
        return type_(value)
    raise ValueError(f"cannot be read as {type_.__name__}")
