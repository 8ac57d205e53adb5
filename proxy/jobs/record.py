"""What is known of one job, and what the file says about all of them."""

from __future__ import annotations

from typing import Literal

import msgspec

from proxy.errors import Header

Kind = Literal["job", "queue"]  # asked for at /v1/jobs, or put off by the policy `queue`
Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Delivery = Literal["waiting", "pending", "delivered", "failed"]
_KIB, _MIB, _GIB = 2**10, 2**20, 2**30


class Webhooks(msgspec.Struct, frozen=True, kw_only=True):
    """Where results may be sent, and with what they are signed. ``retry_after``: seconds before the second try."""

    allow: tuple[str, ...] = ()
    secret: bytes = b""
    retry_after: float = 5.0

    def __repr__(self) -> str:
        return f"Webhooks({self.allow})"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds. ``patience``: how long a job is put off while every target is limited."""

    enabled: bool = True
    max_jobs: int = 100_000
    max_per_key: int = 1000
    max_size: int = _GIB
    max_result: int = 32 * _MIB
    lifetime: float = 86_400.0
    max_in_flight: int = 64
    interrupted: Literal["rerun", "fail"] = "rerun"
    patience: float = 3600.0
    headers: tuple[str, ...] = ()
    webhooks: Webhooks = Webhooks()


class Request(msgspec.Struct, frozen=True, array_like=True):
    """What has to be kept of a request to answer it later. No credential is in it."""

    method: str
    path: str
    query: bytes
    headers: list[Header]
    body: bytes


class Response(msgspec.Struct, frozen=True, array_like=True):
    """The answer, as the caller would have had it."""

    status: int
    headers: list[Header]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The first value of that name."""
        return next((value for key, value in self.headers if key == name), None)


class Job(msgspec.Struct, kw_only=True):
    """One job as it stands in the store, without the bytes of its request and its answer.

    Times are seconds since the epoch. ``proof``: the digest of the caller's key, by which it is looked up when the job
    runs. ``starts``: how often it was begun; ``interruptions``: how often its process ended meanwhile. ``answer_at``:
    when its answer was expected at the time of its acceptance. ``code``: why it has failed.
    """

    id: str
    kind: Kind = "job"
    scope: str = ""
    proof: bytes | None = None
    status: Status = "queued"
    path: str = ""
    model: str = ""
    idempotency: str | None = None
    digest: bytes = b""
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    expires: float | None = None
    not_before: float = 0.0
    answer_at: float | None = None
    starts: int = 0
    interruptions: int = 0
    code: str | None = None
    webhook: str | None = None
    webhook_state: Delivery = "waiting"
    webhook_tries: int = 0
    webhook_at: float | None = None
    webhook_status: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it, but for its webhook."""
        return self.status not in ("queued", "running")
