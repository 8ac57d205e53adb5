"""An account at AWS: its region, its credentials, and the signature of every request."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from yarl import URL

from proxy.errors import BadCredential, BadRequest, Header
from proxy.exchange import Exchange
from proxy.policy import Answer, Timeouts
from proxy.providers.account import Account, Call, all_keys, constant_headers
from proxy.providers.address import check_base_url
from proxy.providers.aws_credentials import NEEDS_EXTRA, Fixed, Origin, Renewed, Source, has_extra, load
from proxy.providers.capabilities import ModelsConfig
from proxy.providers.provider import ProviderContext
from proxy.providers.sigv4 import Credentials, Signer
from proxy.units import Secret

EVENT_STREAM = b"application/vnd.amazon.eventstream"
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}")
_CHINA = "cn-"


class AWSConfig(ModelsConfig, frozen=True, kw_only=True):
    """What the file says of any account at AWS."""

    region: str
    base_url: str | None = None
    access_key_id: Secret | None = None
    secret_access_key: Secret | None = None
    session_token: Secret | None = None
    profile: str | None = None
    role_arn: str | None = None
    external_id: Secret | None = None
    headers: dict[str, Secret] = {}
    max_connections: int = 1024
    optional: bool = False


class Access(msgspec.Struct, frozen=True):
    """How an account proves itself: by signatures with what ``source`` gives, or by keys."""

    source: Source | None
    keys: list[str]


class AWSAccount(Account):
    """An account whose requests are signed, unless it has keys that are bearer tokens."""

    __slots__ = ("_base", "_signer", "_source")

    signs: ClassVar[bool] = True
    service: ClassVar[str]  # its name in signatures

    def __init__(
        self,
        name: str,
        base: URL,
        access: Access,
        constant: list[Header],
        config: AWSConfig,
        context: ProviderContext,
        *,
        speaks: tuple[str, ...],
    ) -> None:
        super().__init__(
            name,
            access.keys,
            constant,
            context,
            str(base),
            max_connections=config.max_connections,
            speaks=speaks,
        )
        self._base = str(base)
        self._source = access.source
        self._signer = Signer(self.service, config.region)
        for secret in (config.secret_access_key, config.session_token):
            if secret is not None and secret.reveal():
                self._secrets.append(secret.reveal().encode())

    def credential(self, key: str) -> Header:
        """A bearer token."""
        return b"authorization", b"Bearer " + key.encode("latin-1")

    async def sign(self, call: Call, headers: list[Header]) -> None:
        """With the credentials of now."""
        if self._source is not None:
            credentials = await self._source.current()
            headers += self._signer.sign(call.method, call.url, headers, call.body, credentials)

    async def _dispatch(self, x: Exchange, call: Call, model: str, timeouts: Timeouts) -> Answer:
        """An event stream flows, however fast it has come."""
        try:
            answer = await super()._dispatch(x, call, model, timeouts)
        except BadCredential:
            if self._source is not None:
                self._source.doubt()
            raise
        if answer.body is not None and is_event_stream(answer):
            answer.chunks, answer.body = _at_once(answer.body), None
        return answer

    def describe(self) -> str:
        """The base URL."""
        return self._base


def is_event_stream(answer: Answer) -> bool:
    """Whether a body is framed as AWS does it."""
    return any(name == b"content-type" and value.lower().startswith(EVENT_STREAM) for name, value in answer.headers)


def segment(model: str) -> str:
    """A model's name as one segment of a path.

    Raises:
        BadRequest: another server would take it for a way to another path.
    """
    if not model.strip("."):
        raise BadRequest(f"There is no model {model!r}.", code="invalid_model", param="model")
    return quote(model, safe="")


async def _at_once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def domain_of(region: str) -> str:
    """Where the services of a region stand."""
    return "amazonaws.com.cn" if region.startswith(_CHINA) else "amazonaws.com"


def check_base(config: AWSConfig, host: str, context: ProviderContext) -> URL | None:
    """The address below which the service stands: the region's own at ``host``, unless the file says another."""
    if not _REGION.fullmatch(config.region):
        context.fail(f"{config.region!r} is not a region; write it like us-east-1", "region")
        return None
    return check_base_url(config.base_url or f"https://{host}.{domain_of(config.region)}", context.fail)


def check_headers(config: AWSConfig, context: ProviderContext) -> list[Header]:
    """Headers of the file."""
    return constant_headers({name: value.reveal() for name, value in config.headers.items()}, context)


def check_access(config: Any, context: ProviderContext, *, api_keys: bool = False) -> Access | None:
    """How to prove who we are; None after telling what is wrong. ``api_keys``: the service takes bearer tokens."""
    keys = all_keys(config.api_key, config.api_keys, context) if api_keys else []
    static = _static(config, context)
    if keys:
        if static is not None or config.profile is not None or config.role_arn is not None:
            context.fail("an API key beside other credentials; use one of them", "api_key")
            return None
        return Access(None, keys)
    if static is not None and config.profile is not None:
        context.fail("`profile` beside `access_key_id`; use one of them", "profile")
        return None
    if config.external_id is not None and config.role_arn is None:
        context.fail("`external_id` belongs to `role_arn`, which is missing", "external_id")
    origin = Origin(
        static=static,
        profile=config.profile,
        role_arn=config.role_arn,
        external_id=config.external_id.reveal() if config.external_id is not None else None,
        region=config.region,
    )
    if static is not None and not origin.needs_extra:
        return Access(Fixed(static), [])
    if not has_extra():
        context.fail(NEEDS_EXTRA)
        return None
    # The same credentials for all accounts that are found in the same place, and over reloads.
    place = hashlib.sha256(repr(tuple(static or ()) + _place(origin)).encode()).hexdigest()
    return Access(context.shared(f"aws credentials {place}", lambda: Renewed(lambda: load(origin))), [])


def _place(origin: Origin) -> tuple[str | None, ...]:
    return origin.profile, origin.role_arn, origin.external_id, origin.region if origin.role_arn else None


def _static(config: AWSConfig, context: ProviderContext) -> Credentials | None:
    """Credentials that stand in the file; None if there are none, or after telling what is wrong with them."""
    given = [
        None if secret is None else secret.reveal().strip()
        for secret in (config.access_key_id, config.secret_access_key, config.session_token)
    ]
    access_key, secret_key, token = given
    if access_key and secret_key:
        if all(not one or (one.isascii() and one.isprintable()) for one in given):
            return Credentials(access_key, secret_key, token or None)
        context.fail("credentials with characters that no header can carry", "access_key_id")
    elif access_key or secret_key or token:
        missing = "secret_access_key" if access_key else "access_key_id"
        context.fail(f"`access_key_id` and `secret_access_key` belong together; `{missing}` is missing", missing)
    return None
