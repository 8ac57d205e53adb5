"""A request in place of another one, with other parameters or another system prompt, and what it may cost then."""

from __future__ import annotations

from proxy.chat import Adjustment
from proxy.dialects.adjust import adjusted as edited
from proxy.dialects.splice import read_envelope
from proxy.errors import BadRequest
from proxy.exchange import Exchange
from proxy.tokens.request import maximum


def adjusted(x: Exchange, adjustment: Adjustment) -> tuple[Exchange, tuple[str, ...]]:
    """``x`` to be sent in its place with ``adjustment`` made, and the names of what its dialect has no word for.

    What is no conversation stays as it is; so does an answer that is gone on with: that has begun as it was asked for.

    Raises:
        BadRequest: what is to be adjusted cannot be found without doubt.
    """
    twin = x.instead()
    dialect = None if x.endpoint is None else x.endpoint.dialect
    if dialect is None or x.begun is not None:
        return twin, ()
    try:
        twin.body, lost = edited(x.body, dialect, adjustment, counts=x.endpoint.operation == "count_tokens")
    except (ValueError, RecursionError) as error:
        what = f"The request cannot be adjusted, as this route does: {error}."
        raise BadRequest(what, code="invalid_request") from None
    twin.chat = twin.read = twin.needs = None
    twin.maxima = read_envelope(twin.body).maxima
    if x.bound is not None:
        output = maximum(twin) if "max_tokens" in adjustment.parameters else x.bound[1]
        twin.bound = x.bound[0] + max(0, len(twin.body) - len(x.body)), output
    return twin, lost
