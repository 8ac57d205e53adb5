"""What LiteLLM's file says for all models: times, retries, health, counters, the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from proxy.config.problem import Path
from proxy.importing.source import Source, flag, number, seconds

Into = dict[str, Any]
Say = Callable[[Source, Path, Any, Into], bool]
_LONGEST = 86_400  # seconds
_MOST_RETRIES = 10


def _inside(into: Into, section: str, key: str, value: Any) -> bool:
    into.setdefault(section, {})[key] = value
    return True


def _times(name: str) -> Say:
    def say(source: Source, path: Path, value: Any, into: Into) -> bool:
        found = number(value)
        if not found:
            return False
        found = min(found, _LONGEST)
        times = into.setdefault("timeouts", {})
        times.setdefault(name, seconds(found))
        if found > 600:  # the usual bound of the whole request
            times["total"] = seconds(found)
        source.carried(path, f"`timeouts: {{{name}: {seconds(found)}}}`")
        return True

    return say


def _retries(source: Source, path: Path, value: Any, into: Into) -> bool:
    found = number(value)
    if found is None:
        return False
    into.setdefault("retries", {}).setdefault("max", min(_MOST_RETRIES, int(found)))
    source.carried(path, f"`retries: {{max: {into['retries']['max']}}}`")
    return True


def _allowed_fails(source: Source, path: Path, value: Any, into: Into) -> bool:
    found = number(value)
    if found is None or found > 999:
        return False
    source.carried(path, "`health: {failures: …}`: one more than are allowed, in a row")
    return _inside(into, "health", "failures", int(found) + 1)


def _cooldown(source: Source, path: Path, value: Any, into: Into) -> bool:
    found = number(value)
    if not found or not 0.1 <= found <= 3600:
        return False
    source.carried(path, f"`health: {{eject: {seconds(found)}}}`; longer each time")
    if found > 300:
        _inside(into, "health", "max_eject", seconds(found))
    return _inside(into, "health", "eject", seconds(found))


def _switch(section: str, key: str, written: Any, otherwise: str) -> Say:
    """A switch: what is written if it is on, and why nothing is if it is off."""

    def say(source: Source, path: Path, value: Any, into: Into) -> bool:
        found = flag(value)
        if found is None:
            return False
        if found:
            source.carried(path, f"`{section}: {{{key}: {str(written).lower()}}}`")
            return _inside(into, section, key, written)
        source.needless(path, otherwise)
        return True

    return say


def _in_flight(source: Source, path: Path, value: Any, into: Into) -> bool:
    found = number(value)
    if not found or not 1 <= found <= _LONGEST * 10:
        return False
    source.carried(path, "`overload: {max_in_flight: …}`")
    return _inside(into, "overload", "max_in_flight", int(found))


def _max_body(source: Source, path: Path, value: Any, into: Into) -> bool:
    found = number(value)
    if not found or not 1 <= found <= 4096:
        return False
    source.carried(path, "`server: {max_body: …}`")
    return _inside(into, "server", "max_body", f"{int(found)}MiB")


def _needless(text: str) -> Say:
    def say(source: Source, path: Path, value: Any, into: Into) -> bool:
        source.needless(path, text)
        return True

    return say


def _lost(text: str) -> Say:
    def say(source: Source, path: Path, value: Any, into: Into) -> bool:
        source.lost(path, text)
        return True

    return say


_NO_CACHE = "answers are not kept here"
_NO_CALLBACK = "there is no such receiver here; the log has a line for each request, `/metrics` the counters"
_OFF = "off is the usual"
LITELLM: dict[str, Say] = {
    "num_retries": _retries,
    "request_timeout": _times("attempt"),
    "set_verbose": _switch("log", "level", "debug", _OFF),
    "json_logs": _switch("log", "format", "json", "`log: {format: auto}` writes JSON where no terminal is"),
    "drop_params": _needless("`on_loss: report` is the usual: what a target cannot be told is named in a header"),
    "telemetry": _needless("nothing is sent to anybody"),
    "turn_off_message_logging": _needless("what is said is never logged"),
    "redact_user_api_key_info": _needless("keys are known by hash and name"),
    "redact_messages_in_exceptions": _needless("what is said is never logged"),
    "disable_hf_tokenizer_download": _needless("nothing is downloaded"),
    "cache": _lost(_NO_CACHE),
    "cache_params": _lost(_NO_CACHE),
    "max_budget": _lost("a budget belongs to an organisation, team or key: `tenants: {…: {budget: $…/month}}`"),
    "budget_duration": _lost("a budget belongs to an organisation, team or key: `tenants: {…: {budget: $…/month}}`"),
    "default_team_settings": _lost("settings of teams stand in `tenants`"),
    "guardrails": _lost("there are no guardrails here"),
    "ssl_verify": _lost("certificates are always verified"),
    "force_ipv4": _lost("the system's resolver decides"),
}
ROUTER: dict[str, Say] = {
    "num_retries": _retries,
    "timeout": _times("attempt"),
    "stream_timeout": _times("first_token"),
    "allowed_fails": _allowed_fails,
    "cooldown_time": _cooldown,
    "disable_cooldowns": _switch("health", "enabled", False, "`health` is enabled"),
    "enable_pre_call_checks": _needless("targets that are too small for a request are always left out"),
    "client_ttl": _needless("connections are kept while they are used"),
    "set_verbose": _switch("log", "level", "debug", _OFF),
    "retry_after": _lost("waits grow from `retries: {base: …}`, with jitter, or are what a provider asks for"),
    "retry_policy": _lost("`retries: {on: […]}` chooses kinds of failure, with one number for all"),
    "model_group_retry_policy": _lost("a route may have `retries`, with one number for all kinds of failure"),
    "allowed_fails_policy": _lost("`health` counts failures of all kinds together"),
    "enable_tag_filtering": _lost("`when: [{if: \"tags.NAME == '…'\", target: …}]` chooses by tag"),
    "tag_filtering_match_any": _lost("`when` chooses by tag"),
    "optional_pre_call_checks": _lost("see `balance`, and `split: {sticky: …}`"),
    "default_litellm_params": _lost("parameters of requests are their callers' to set"),
    "routing_strategy_args": _lost("`balance` measures by itself"),
    "max_fallbacks": _lost("all targets of a `fallback` are tried, within the time of the request"),
}
GENERAL: dict[str, Say] = {
    "global_max_parallel_requests": _in_flight,
    "max_request_size_mb": _max_body,
    "disable_spend_logs": _switch("ledger", "enabled", False, "the ledger is kept"),
    "database_url": _lost("the ledger is a SQLite file; `ledger: {url: …}` takes a PostgreSQL database of its own"),
    "database_connection_pool_limit": _needless("the ledger has one connection"),
    "database_connection_timeout": _needless("the ledger has one connection"),
    "proxy_batch_write_at": _needless("the ledger is written at once"),
    "proxy_batch_polling_interval": _needless("nothing is polled"),
    "proxy_budget_rescheduler_min_time": _needless("budgets begin anew by the calendar"),
    "proxy_budget_rescheduler_max_time": _needless("budgets begin anew by the calendar"),
    "background_health_checks": _lost("`check: {}` of an account asks it something cheap from time to time"),
    "health_check_interval": _lost("`check: {interval: …}` of an account"),
    "alerting": _lost("`alerts: {url: …}` is a signed webhook"),
    "alerting_threshold": _lost("`alerts` tells of limits, of spending and of prices"),
    "alert_types": _lost("`alerts` tells of limits, of spending and of prices"),
    "alert_to_webhook_url": _lost("`alerts: {url: …}` is a signed webhook"),
    "store_model_in_db": _lost("the file is the only place for models; it is read again when it changes"),
    "maximum_spend_logs_retention_period": _lost("`ledger: {retention: …}`, at least 32 days"),
    "enable_jwt_auth": _lost("`authenticate: {jwt: …}` takes tokens of an issuer"),
    "litellm_jwtauth": _lost("`authenticate: {jwt: …}` takes tokens of an issuer"),
    "allowed_ips": _lost("keys that are issued while it runs may be bound to addresses"),
    "custom_auth": _lost("there is no code in the file"),
    "pass_through_endpoints": _lost("paths of OpenAI, Anthropic and Google are known; others are not passed on"),
    "completion_model": _lost("a request names its model; a route without `models` takes any"),
    "max_parallel_requests": _lost("`quota: {limits: [5 concurrent]}` of a route, or `limits` of a key"),
}
_CALLBACKS = ("callbacks", "success_callback", "failure_callback", "service_callbacks")
_REDIS = frozenset({"redis_url", "redis_host", "redis_port", "redis_password", "redis_db"})
# Read elsewhere: by the groups, or for the routes.
ELSEWHERE = frozenset(
    {"routing_strategy", "model_group_alias", "fallbacks", "default_fallbacks", "context_window_fallbacks"}
    | {"content_policy_fallbacks", "master_key"}
)


def say_settings(source: Source) -> Into:
    """Top-level settings of the new file."""
    into: Into = {}
    for section, known in (("router_settings", ROUTER), ("litellm_settings", LITELLM), ("general_settings", GENERAL)):
        for key, value in source.section(section).items():
            path = (section, key)
            if key in _CALLBACKS and section == "litellm_settings":
                _callbacks(source, path, value)
            elif key in known:
                if not known[key](source, path, value, into):
                    source.lost(path, "its value is not one that can be carried")
            elif key not in ELSEWHERE and not (section == "router_settings" and key in _REDIS):
                source.unknown(path, [*known, *ELSEWHERE, *_CALLBACKS, *_REDIS])
    _store(source, into)
    for name in source.section("environment_variables"):
        source.lost(("environment_variables", name), "the file sets no variables: put it into the environment")
    return into


def _callbacks(source: Source, path: Path, value: Any) -> None:
    """One by one."""
    for at, name in enumerate(value if isinstance(value, list) else [value]):
        here = (*path, at) if isinstance(value, list) else path
        if name == "prometheus":
            source.needless(here, "`/metrics` is always there")
        else:
            source.lost(here, _NO_CALLBACK)


def _store(source: Source, into: Into) -> None:
    """Redis, where replicas count together."""
    found = source.section("router_settings")
    at = {key: ("router_settings", key) for key in _REDIS if key in found}
    if "redis_url" in found:
        url = str(found["redis_url"])
        if source.reference(url) is None and (
            urlsplit(url).password or urlsplit(url).scheme not in ("redis", "rediss")
        ):
            source.lost(at["redis_url"], "an address with a password in plain text is not copied: `store: redis://…`")
        else:
            plain = source.text(url)
            has_base = plain.startswith("$") or urlsplit(plain).path.strip("/")
            into["store"] = plain if has_base else f"{plain.rstrip('/')}/0"
            source.carried(at["redis_url"], "`store`")
        return
    if "redis_host" not in found:
        return
    password = ""
    if found.get("redis_password") is not None:
        reference = source.secret(at["redis_password"], found["redis_password"], "REDIS_PASSWORD")
        password = f":{reference}@" if reference else ""
    host, port = source.text(found["redis_host"]), source.text(found.get("redis_port", 6379))
    into["store"] = f"redis://{password}{host}:{port}/{source.text(found.get('redis_db', 0))}"
    for path in at.values():
        source.carried(path, "`store`")
