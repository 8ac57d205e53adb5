"""What accounts at AWS have in common: where credentials come from, and who shares them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials  # type: ignore[import-untyped]

from proxy.errors import BadCredential, BadRequest
from proxy.policy import Answer
from proxy.providers.aws import domain_of, is_event_stream, segment
from tests.support.aws import check_signature
from tests.support.upstream import FakeUpstream

Make = Callable[..., Any]
CHAT: dict[str, Any] = {"model": "amazon.nova-lite-v1:0", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment in which only the given folder can hold credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


async def test_credentials_of_the_environment_sign(
    alone: Path, monkeypatch: pytest.MonkeyPatch, account: Make, upstream: FakeUpstream, ask: Make
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "env-secret")
    await ask(account("bedrock", region="us-east-1", base_url=upstream.origin), CHAT)
    own = Credentials("AKENV", "env-secret")
    check_signature(upstream.origin, upstream.journal().requests()[-1], own, "bedrock", "us-east-1")


async def test_a_changed_file_is_read_after_a_refusal(
    alone: Path, account: Make, upstream: FakeUpstream, ask: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next request but one at the latest is signed with what stands there now."""
    shared = alone / "credentials"
    shared.write_text("[work]\naws_access_key_id = AKOLD\naws_secret_access_key = s\n")
    refusing = upstream.scripted(fails="bad_credential").removesuffix("/v1")
    refused = account("bedrock", region="us-east-1", base_url=refusing, profile="work")
    with pytest.raises(BadCredential):
        await ask(refused, CHAT)
    shared.write_text("[work]\naws_access_key_id = AKNEW\naws_secret_access_key = s\n")
    monkeypatch.setattr("proxy.providers.aws_credentials.PAUSE", 0.0)
    with pytest.raises(BadCredential):
        await ask(refused, CHAT)
    provider = account("bedrock", region="us-east-1", base_url=upstream.origin, profile="work")
    await ask(provider, CHAT)
    sent = upstream.journal().requests()[-1]
    check_signature(upstream.origin, sent, Credentials("AKNEW", "s"), "bedrock", "us-east-1")


async def test_without_any_credentials_the_failure_is_the_gateways(
    alone: Path, account: Make, upstream: FakeUpstream, ask: Make
) -> None:
    provider = account("bedrock", region="us-east-1", base_url=upstream.origin)
    with pytest.raises(BadCredential) as caught:
        await ask(provider, CHAT)
    assert caught.value.http_status == 502
    assert isinstance(caught.value.__cause__, LookupError)


def test_the_same_place_is_looked_up_once_for_all_accounts(account: Make, context: Any) -> None:
    """Also after a reload; another profile is another place."""
    for region in ("us-east-1", "us-east-1", "eu-west-1"):
        account("bedrock", region=region)
        account("sagemaker", region=region)
    account("bedrock", region="us-east-1", profile="p")
    assert len([key for key in context.objects if key.startswith("aws credentials")]) == 2


@pytest.mark.parametrize("kind", ["bedrock", "sagemaker"])
def test_a_missing_extra_is_said_with_the_way_to_get_it(
    kind: str, account: Make, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is needed, and only there."""
    monkeypatch.setitem(sys.modules, "botocore", None)
    assert account(kind, region="us-east-1") is None
    assert account(kind, region="us-east-1", profile="p") is None
    static = {"access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
    assert account(kind, **static, role_arn="arn:aws:iam::123456789012:role/r") is None
    assert len(context.problems) == 3
    assert all("pip install 'sluicegate[aws]'" in message for _, message in context.problems)
    assert account(kind, **static) is not None
    assert len(context.problems) == 3


def test_secrets_of_the_file_do_not_stand_in_names_of_shared_things(account: Make, context: Any) -> None:
    arn = "arn:aws:iam::123456789012:role/r"
    account("bedrock", region="us-east-1", access_key_id="AK1", secret_access_key="very-secret", role_arn=arn)
    assert not [key for key in context.objects if "very-secret" in key or "AK1" in key]


def test_an_event_stream_is_known_by_its_type() -> None:
    assert is_event_stream(Answer(200, [(b"content-type", b"application/vnd.amazon.eventstream; x=y")]))
    assert not is_event_stream(Answer(200, [(b"content-type", b"application/json")]))


@pytest.mark.parametrize("kind", ["bedrock", "sagemaker"])
@pytest.mark.parametrize("model", ["..", ".", "..."])
async def test_a_name_that_leads_elsewhere_is_no_model(
    kind: str, model: str, account: Make, upstream: FakeUpstream, ask: Make
) -> None:
    provider = account(kind, region="us-east-1", base_url=upstream.origin, access_key_id="a", secret_access_key="b")
    with pytest.raises(BadRequest):
        await ask(provider, CHAT, model=model)
    assert segment("a/../b:c") == "a%2F..%2Fb%3Ac"


def test_china_has_a_domain_of_its_own() -> None:
    assert [domain_of("us-gov-west-1"), domain_of("cn-north-1")] == ["amazonaws.com", "amazonaws.com.cn"]
