"""One row of the ledger: one attempt, which is one request to one provider; or an answer that needed none."""

from __future__ import annotations

from typing import Literal

import msgspec

Status = Literal["open", "ok", "error", "cancelled", "unknown"]
# Where the tokens come from: told by the provider; counted here; the bound that was reserved; or nothing was used.
Source = Literal["", "reported", "counted", "bound", "none"]
# Who answered instead of a provider: an equal request's kept answer, one that is too old, one to a question that means
# the same, or a request in flight.
Cache = Literal["", "exact", "stale", "semantic", "shared"]


class Row(msgspec.Struct, array_like=True):
    """Opened before the request is sent, settled before the last byte of its answer is handed over. Where there is
    a ``cache``, it is written once.

    Times in microseconds since the epoch (UTC), money in nano-dollars. Tokens are those of ``proxy.chat.Usage``:
    disjoint classes. Texts are "" where there is nothing to say.
    """

    id: str  # "att_" + 12 hex digits of milliseconds + 12 at random: sorts by time
    request: str  # request id
    number: int  # of the attempt within its request, from 1
    opened: int
    settled: int = 0
    status: Status = "open"
    reason: str = ""  # meaning of the failure
    organisation: str = ""
    team: str = ""
    key: str = ""
    user: str = ""
    session: str = ""
    project: str = ""
    feature: str = ""
    route: str = ""
    asked: str = ""  # the model as the caller named it
    model: str = ""  # the model that the provider was asked for
    provider: str = ""
    variant: str = ""
    stream: bool = False
    input: int = 0
    cached_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    input_audio: int = 0
    output: int = 0
    reasoning: int = 0
    output_audio: int = 0
    cost: int = 0
    bound_input: int = 0  # the most it was expected to use, and to cost
    bound_output: int = 0
    bound_cost: int = 0
    price: str = ""  # version of the price that was used; "" if it is not known
    source: Source = ""
    flags: str = ""  # words between blanks: clamped, unpriced, partial, mirror …
    cache: Cache = ""  # then nobody was asked, and nothing was used: ``provider`` and ``model`` answered before
    saved: int = 0  # nano-dollars and tokens of that first answer
    saved_input: int = 0
    saved_output: int = 0


class PriceTerms(msgspec.Struct, frozen=True):
    """A price as it is kept beside the rows that used it, so that a bill can be computed again."""

    version: str
    terms: bytes  # JSON
