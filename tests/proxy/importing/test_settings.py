"""What is said for all models."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.config.syntax import parse
from proxy.importing.settings import say_settings
from proxy.importing.source import Source


def _said(text: str) -> tuple[dict[str, Any], dict[str, str]]:
    root, problems = parse(text.encode(), "config.yaml")
    assert root is not None, problems
    source = Source(root)
    found = say_settings(source)
    return found, {one.path: one.outcome for one in source.findings()}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("router_settings: {timeout: 30}", {"timeouts": {"attempt": "30s"}}),
        ("router_settings: {timeout: 1200}", {"timeouts": {"attempt": "1200s", "total": "1200s"}}),
        ("router_settings: {stream_timeout: 0.5}", {"timeouts": {"first_token": "500ms"}}),
        ("router_settings: {num_retries: 99}", {"retries": {"max": 10}}),
        ("router_settings: {allowed_fails: 0, cooldown_time: 60}", {"health": {"failures": 1, "eject": "60s"}}),
        ("router_settings: {cooldown_time: 600}", {"health": {"max_eject": "600s", "eject": "600s"}}),
        ("router_settings: {disable_cooldowns: true}", {"health": {"enabled": False}}),
        ("litellm_settings: {json_logs: 'yes', set_verbose: false}", {"log": {"format": "json"}}),
        ("general_settings: {max_request_size_mb: 20}", {"server": {"max_body": "20MiB"}}),
        ("general_settings: {global_max_parallel_requests: 50}", {"overload": {"max_in_flight": 50}}),
        ("router_settings: {redis_host: h}", {"store": "redis://h:6379/0"}),
        ("router_settings: {redis_host: h, redis_password: os.environ/P}", {"store": "redis://:${env:P}@h:6379/0"}),
        ("router_settings: {redis_url: redis://h:1}", {"store": "redis://h:1/0"}),
    ],
)  # fmt: skip
def test_what_is_carried(text: str, written: dict[str, Any]) -> None:
    found, outcomes = _said(text)
    assert found == written
    assert "not carried" not in outcomes.values()


def test_the_routers_word_counts_more() -> None:
    found, _ = _said(
        "litellm_settings: {num_retries: 1, request_timeout: 5}\nrouter_settings: {num_retries: 4, timeout: 9}"
    )
    assert found == {"retries": {"max": 4}, "timeouts": {"attempt": "9s"}}


@pytest.mark.parametrize("value", ["soon", "[1]", "-1", "true", "1e99"])
def test_a_value_that_means_nothing_is_not_carried(value: str) -> None:
    found, outcomes = _said(f"router_settings: {{timeout: {value}}}")
    assert found == {}
    assert set(outcomes.values()) == {"not carried"}


def test_callbacks_are_told_one_by_one() -> None:
    _, outcomes = _said("litellm_settings: {callbacks: [prometheus, otel], success_callback: langfuse}")
    assert outcomes == {
        "litellm_settings.callbacks[0]": "needless",
        "litellm_settings.callbacks[1]": "not carried",
        "litellm_settings.success_callback": "not carried",
    }


def test_a_password_is_not_copied() -> None:
    found, outcomes = _said("router_settings: {redis_url: 'redis://:hunter2@h:1'}")
    assert found == {}
    assert outcomes == {"router_settings.redis_url": "not carried"}
