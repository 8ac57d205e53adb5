"""Signatures of AWS, judged by botocore's own signer on seeded requests."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import botocore.auth  # type: ignore[import-untyped]
import pytest
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.credentials import Credentials as TheirCredentials  # type: ignore[import-untyped]
from yarl import URL

from proxy.errors import Header
from proxy.providers.sigv4 import Credentials, Signer

MODELS = [
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
    "amazon.nova-lite-v1:0",
    "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/my-endpoint",
    "ünïcode model~_.-",
]


def _their_headers(
    monkeypatch: pytest.MonkeyPatch, service: str, region: str, moment: datetime, request: Any, own: Credentials
) -> dict[str, str]:
    """What botocore adds to the same request at the same moment."""
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: moment.replace(tzinfo=None))
    botocore.auth.SigV4Auth(TheirCredentials(*own), service, region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def _random_request(chance: random.Random) -> tuple[str, str, list[Header], bytes]:
    model = quote(chance.choice(MODELS), safe="-._~")
    tail = chance.choice(["converse", "converse-stream", "count-tokens", ""])
    host = chance.choice(["bedrock-runtime.us-east-1.amazonaws.com", "localhost:8080", "h:443"])
    query = chance.choice(["", "", "?b=2&a=1&a=0", "?x=%2F%20y&empty="])
    headers: list[Header] = [(b"content-type", b"application/json")]
    if chance.random() < 0.5:
        headers.append((b"x-amzn-sagemaker-inference-component", b"  part   of \t it "))
    if chance.random() < 0.5:
        headers.append((b"user-agent", b"sluicegate"))
    body = chance.randbytes(chance.choice([0, 1, 300]))
    return chance.choice(["POST", "GET"]), f"https://{host}/model/{model}/{tail}{query}", headers, body


@pytest.mark.parametrize("seed", range(200))
def test_signatures_are_those_of_botocore(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    method, address, headers, body = _random_request(chance)
    own = Credentials("AKIDEXAMPLE", f"secret/{seed}+", f"to{seed}ken==" if chance.random() < 0.5 else None)
    service, region = chance.choice(["bedrock", "sagemaker"]), chance.choice(["us-east-1", "eu-central-1"])
    moment = datetime(2026, 2, 3, 23, 59, chance.randrange(60), tzinfo=UTC)
    url = URL(address, encoded=True)
    added = Signer(service, region).sign(method, url, headers, body, own, now=moment.timestamp())
    request = AWSRequest(method=method, url=address, data=body)
    for name, value in headers:
        request.headers.add_header(name.decode(), value.decode())
    theirs = _their_headers(monkeypatch, service, region, moment, request, own)
    for name, value in added:
        assert theirs[name.decode()] == value.decode(), (name, seed)
    assert len(added) == (3 if own.token else 2)


def test_a_key_serves_for_its_day_and_its_secret() -> None:
    """One signer, several days and secrets: as if each had its own."""
    url = URL("https://h/model/m/converse", encoded=True)
    shared = Signer("bedrock", "us-east-1")
    for day in (1, 1, 2, 1, 30):
        for number in range(20):
            own = Credentials("AK", f"s{number}")
            now = float(day * 86400 + 5)
            fresh = Signer("bedrock", "us-east-1").sign("POST", url, [], b"", own, now=now)
            assert shared.sign("POST", url, [], b"", own, now=now) == fresh


def test_credentials_do_not_show_themselves() -> None:
    shown = repr(Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "token"))
    assert "wJalr" not in shown
    assert "token" not in shown
