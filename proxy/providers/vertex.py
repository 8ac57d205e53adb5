"""``kind: vertex``: Google Cloud's models, Google's own and Anthropic's, by a service account, a token or a key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import msgspec
from yarl import URL

from proxy.chat import Losses
from proxy.dialects.anthropic_messages.alien import without_aliens
from proxy.dialects.anthropic_messages.body import ON_VERTEX
from proxy.dialects.dialect import Aim
from proxy.dialects.gemini.body import COUNTS_PLAIN
from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.policy import Answer, Timeouts
from proxy.providers.account import Account, Call, all_keys, constant_headers
from proxy.providers.address import check_base_url
from proxy.providers.anthropic import quirks_of
from proxy.providers.capabilities import Known, ModelsConfig
from proxy.providers.claude_on_vertex import for_vertex
from proxy.providers.gemini import Doors, query_of, verb_of
from proxy.providers.google_token import Fetch, Tokens, UnusableCredentials, from_chain, from_key
from proxy.providers.provider import Provider, ProviderContext
from proxy.translation.attempt import Turn
from proxy.units import Secret
from proxy.upstream import Upstream

_MULTI = ("us", "eu")
_PLACE = re.compile(r"[a-z][a-z0-9-]{0,62}")
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z0-9][a-z0-9-]{0,62}")
_CLAUDE = "claude"


class Access(msgspec.Struct, frozen=True):
    """How an account proves itself: by tokens that are renewed, or by what the file gives: keys or one token."""

    tokens: Tokens | None
    keys: list[str]
    by_token: bool


class _Models(Account):
    """The models of one publisher."""

    __slots__ = ("_access", "_doors", "_root", "_tokens")

    signs: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        base: URL,
        root: str,
        access: Access,
        constant: list[Header],
        context: ProviderContext,
        *,
        max_connections: int,
        speaks: tuple[str, ...],
    ) -> None:
        self._access = access
        self._tokens = access.tokens
        super().__init__(
            name, access.keys, constant, context, str(base), max_connections=max_connections, speaks=speaks
        )
        self._root = root
        self._doors = Doors()

    @classmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> None:
        """Never by itself: ``Vertex`` makes it."""
        raise NotImplementedError

    def credential(self, key: str) -> Header:
        """A token of the file, or a key."""
        if self._access.by_token:
            return b"authorization", b"Bearer " + key.encode("latin-1")
        return b"x-goog-api-key", key.encode("latin-1")

    async def sign(self, call: Call, headers: list[Header]) -> None:
        """With the current token."""
        if self._tokens is not None:
            headers += await self._tokens.headers()

    def describe(self) -> str:
        """The beginning of every address."""
        return self._root

    def _without_secrets(self, x: Exchange, body: bytes) -> bytes:
        body = super()._without_secrets(x, body)
        for secret in self._tokens.secrets if self._tokens is not None else ():
            body = body.replace(secret.removeprefix(b"Bearer "), b"***")
        return body


class _Gemini(_Models):
    """Google's own, and tuned ones by ``projects/…/endpoints/…``."""

    def aim(self, model: str) -> Aim:
        """By the model's name."""
        return Aim(model=model, capabilities=self.known.of(model), quirks=frozenset({COUNTS_PLAIN}))

    def door(self, x: Exchange, turn: Turn, model: str) -> URL:
        """Below the project."""
        if model.startswith("endpoints/"):
            place = f"{self._root}/endpoints/{quote(model.removeprefix('endpoints/'), safe='')}"
        else:
            place = f"{self._root}/publishers/google/models/{quote(model, safe='')}"
        return self._doors.of(f"{place}:{verb_of(turn)}", query_of(x, turn))


class _Claude(_Models):
    """Anthropic's."""

    def aim(self, model: str) -> Aim:
        """By the model's name."""
        quirks = quirks_of(model) | {ON_VERTEX}
        return Aim(model=model, capabilities=self.known.of(model), quirks=quirks)

    def native_body(self, x: Exchange, model: str | None, losses: Losses) -> bytes:
        """The caller's bytes, but that the version stands in them, and the model in the path."""
        body = without_aliens(super().native_body(x, model, losses), losses)
        return for_vertex(body, keeps_model=x.endpoint.operation == "count_tokens")

    def door(self, x: Exchange, turn: Turn, model: str) -> URL:
        """Below the project."""
        place = f"{self._root}/publishers/anthropic/models"
        if turn.counts:
            return self._doors.of(f"{place}/count-tokens:rawPredict", "")
        verb = "streamRawPredict" if turn.stream else "rawPredict"
        return self._doors.of(f"{place}/{quote(model, safe='')}:{verb}", "")

    def _headers(self, x: Exchange, forward: list[Header], index: int) -> list[Header]:
        """The version stands in the body."""
        return [header for header in super()._headers(x, forward, index) if header[0] != b"anthropic-version"]


class Vertex(Provider):
    """A project of Google Cloud. Models whose names begin with ``claude`` are Anthropic's, all others Google's."""

    __slots__ = ("_claude", "_gemini")

    class Config(ModelsConfig, frozen=True, kw_only=True):
        """As in ``schemas/providers/vertex.json``."""

        kind: Literal["vertex"] = "vertex"
        project: str | None = None
        location: str = "global"
        credentials: Secret | None = None
        access_token: Secret | None = None
        api_key: Secret | None = None
        api_keys: list[Secret] = []
        base_url: str | None = None
        api_version: str | None = None
        headers: dict[str, Secret] = {}
        max_connections: int = 1024
        optional: bool = False

    @classmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> Vertex | None:
        """Check place and address, find out how to prove who we are."""
        found = _access(name, config, context)
        constant = constant_headers({header: value.reveal() for header, value in config.headers.items()}, context)
        if not _PLACE.fullmatch(config.location):
            context.fail(f"{config.location!r} is not a location; `global`, or one like us-central1", "location")
            return None
        base = check_base_url(config.base_url or host_of(config.location), context.fail)
        if found is None or base is None:
            return None
        access, project = found
        if project is None:
            if not access.keys or access.by_token:
                context.fail("a project is needed; write `project`, such as my-project-123", "project")
                return None
            place = ""  # express mode: the key tells the project
        elif _PROJECT.fullmatch(project):
            place = f"/projects/{project}/locations/{config.location}"
        else:
            context.fail(f"{project!r} is not the id of a project, such as my-project-123", "project")
            return None
        return cls(name, base, place, access, constant, config, context)

    def __init__(
        self,
        name: str,
        base: URL,
        place: str,
        access: Access,
        constant: list[Header],
        config: Config,
        context: ProviderContext,
    ) -> None:
        def account(kind: Callable[..., _Models], version: str, dialect: str) -> _Models:
            root = f"{base}/{config.api_version or version}{place}"
            most = config.max_connections
            return kind(name, base, root, access, constant, context, max_connections=most, speaks=(dialect,))

        self._gemini = account(_Gemini, "v1beta1", "gemini")
        self._claude = account(_Claude, "v1", "anthropic_messages")
        super().__init__(name, ("gemini",))
        self.known = Known("vertex", config.models)

    @property
    def known(self) -> Known:
        """The capabilities of both publishers' models."""
        return self._gemini.known

    @known.setter
    def known(self, known: Known) -> None:
        self._gemini.known = self._claude.known = known

    def of(self, model: str) -> Account:
        """The account that serves a model."""
        return self._claude if model.startswith(_CLAUDE) else self._gemini

    def aim(self, model: str) -> Aim:
        """By the model's publisher."""
        return self.of(model).aim(model)

    async def send(self, x: Exchange, model: str | None, timeouts: Timeouts) -> Answer:
        """By the model's publisher."""
        return await self.of(model or x.model).send(x, model, timeouts)

    def preview(self, x: Exchange, model: str | None) -> tuple[bytes, tuple[str, ...]]:
        """The body that would be sent now."""
        return self.of(model or x.model).preview(x, model)

    def describe(self) -> str:
        """The beginning of every address."""
        return self._gemini.describe()

    async def probe(self, through: Upstream, path: str, within: float) -> int:
        """The status of a GET below the project."""
        return await self._gemini.probe(through, path, within)


def host_of(location: str) -> str:
    """Where Google Cloud serves a location."""
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in _MULTI:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def _access(name: str, config: Any, context: ProviderContext) -> tuple[Access, str | None] | None:
    """How to prove who we are, and the project. None after telling what is wrong."""
    keys = all_keys(config.api_key, config.api_keys, context)
    project: str | None = config.project
    given = [config.credentials is not None, config.access_token is not None, bool(config.api_key or config.api_keys)]
    if sum(given) > 1:
        context.fail("one of `credentials`, `access_token` and `api_key` is enough; leave the others out")
        return None
    if config.access_token is not None:
        return Access(None, all_keys(config.access_token, [], context), by_token=True), project
    if given[2]:
        return Access(None, keys, by_token=False), project
    identity = "default"
    try:
        fetch: Fetch
        if config.credentials is None:
            fetch = from_chain()
        else:
            text = config.credentials.reveal()
            identity = hashlib.sha256(text.encode()).hexdigest()
            fetch, own = from_key(text)
            project = project or own
    except UnusableCredentials as error:
        context.fail(str(error), "credentials" if config.credentials is not None else "")
        return None
    return Access(context.shared(f"tokens {identity}", lambda: Tokens(fetch)), [], by_token=False), project
