"""What conditions look at."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from proxy.choosing.capability import AUDIO, FILES, JSON_OBJECT, JSON_SCHEMA, TOOLS, VIDEO, VISION, Needs
from proxy.dialects.paths import _GEMINI, EXACT, PREFIXES
from proxy.exchange import Exchange, Identity
from proxy.expression.values import (
    ENDPOINTS,
    GROUPS,
    OF_TIME,
    OPERATIONS,
    ROWS,
    Sources,
    member_value,
    plain_value,
    time_value,
)
from tests.support.environment import ROOT

NEEDS = Needs(TOOLS | VISION, 120, 40)
SOURCES = Sources(lambda x: x.needs or NEEDS, time.time, (Identity("acme", "search", "web", tier="premium"),), None)


def _request() -> Exchange:
    x = Exchange("req_test", "POST", "/v1/chat/completions", b"", [(b"x-team", "blå".encode())], 0.0, 0)
    x.endpoint = EXACT["POST", "/v1/chat/completions"]
    x.model, x.stream, x.tags, x.budget_left = "gpt-4o", True, {"project": "search"}, 12.5
    x.identity = Identity("acme", "search", "web", tier="premium")
    return x


def test_every_value_of_a_request() -> None:
    """As the request has it."""
    found = {name: plain_value(name, SOURCES).read(_request()) for name in ROWS}
    assert found == {
        "model": "gpt-4o", "stream": True, "endpoint": "chat.completions", "operation": "chat",
        "organisation": "acme", "tenant": "acme", "team": "search", "key": "web", "tier": "premium",
        "input_tokens": 120, "max_tokens": 40, "output_tokens": 40, "budget_left": 12.5,
        "has_tools": True, "has_images": True,
        "has_files": False, "has_audio": False, "has_video": False, "json_mode": False, "json_schema": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "bit"),
    [("has_tools", TOOLS), ("has_images", VISION), ("has_files", FILES), ("has_audio", AUDIO), ("has_video", VIDEO),
     ("json_mode", JSON_OBJECT), ("json_schema", JSON_SCHEMA)],
)  # fmt: skip
def test_what_a_request_needs(name: str, bit: int) -> None:
    """Each is one bit, and no other."""
    x = _request()
    for needed in (TOOLS, VISION, FILES, AUDIO, VIDEO, JSON_OBJECT, JSON_SCHEMA):
        x.needs = Needs(needed)
        assert plain_value(name, SOURCES).read(x) is (needed == bit)


def test_nobody_and_nothing_are_empty() -> None:
    """Texts are empty and numbers 0 where the request has none."""
    x = _request()
    x.identity, x.needs = None, Needs()
    assert [plain_value(name, SOURCES).read(x) for name in ("organisation", "team", "key", "tier", "max_tokens")] == [
        "", "", "", "", 0,
    ]  # fmt: skip
    assert member_value("tags", "other", SOURCES).read(x) == ""
    assert member_value("header", "x-other", SOURCES).read(x) == ""


def test_tags_and_headers() -> None:
    """Names of headers have no case."""
    assert member_value("tags", "project", SOURCES).read(_request()) == "search"
    assert member_value("headers", "X-Team", SOURCES).read(_request()) == "blå"


@pytest.mark.parametrize(
    "name",
    ["authorization", "Proxy-Authorization", "Cookie", "set-cookie", "x-api-key", "api-key", "x-goog-api-key",
     "X-Amz-Security-Token", "x-auth-token", "x-client-secret", "x-hub-signature-256"],
)  # fmt: skip
def test_headers_with_secrets_are_not_looked_at(name: str) -> None:
    """What a condition looks at is shown to people."""
    with pytest.raises(ValueError, match="holds a secret"):
        member_value("header", name, SOURCES)


def test_only_tags_that_the_route_sets() -> None:
    """With the list of those."""
    with pytest.raises(ValueError, match="sets the tag 'projekt'; it sets: project"):
        member_value("tags", "projekt", SOURCES._replace(tags=frozenset({"project"})))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"])
def test_the_time_of_day_follows_the_zone_through_the_year(zone: str) -> None:
    """Every seven hours of a year, over both changes of the clock."""
    for hours in range(0, 365 * 24, 7):
        moment = datetime(2027, 1, 1, tzinfo=UTC).timestamp() + hours * 3600 + 61
        sources = SOURCES._replace(now=partial(float, moment))
        local = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(zone))
        assert time_value("time", ZoneInfo(zone), sources).read(_request()) == local.hour * 3600 + local.minute * 60 + 1
        assert time_value("weekday", ZoneInfo(zone), sources).read(_request()) == local.strftime("%a").lower()


def test_endpoints_and_operations_are_those_that_are_served() -> None:
    """What is compared with another is a mistake in the file."""
    served = [*EXACT.values(), *(endpoint for *_, endpoint in PREFIXES), *_GEMINI.values()]
    assert {endpoint.name for endpoint in served} == ENDPOINTS
    assert {endpoint.operation for endpoint in served} == OPERATIONS


def test_every_value_stands_in_the_reference() -> None:
    """The page of the node names them all."""
    text = json.loads((ROOT / "schemas/policies/when.json").read_text())["description"]
    assert [name for name in (*ROWS, *OF_TIME, *GROUPS[:2]) if f"`{name}" not in text] == []
