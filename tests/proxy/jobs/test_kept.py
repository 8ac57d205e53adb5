"""What is kept of a request: the headers of a list, and no credential whatever the file says."""

from __future__ import annotations

import pytest

from proxy.jobs.kept import CREDENTIALS, digest_of, keep, names_kept
from proxy.jobs.record import Request
from tests.support.compiled import Canned, make_exchange, make_rule, make_runtime


def test_headers_that_are_kept() -> None:
    """Those that reach providers, tags, and what the file names."""
    names = names_kept(make_runtime(make_rule(Canned())), ("X-Team", "Authorization"))
    headers = [
        (b"content-type", b"application/json"),
        (b"authorization", b"Bearer secret"),
        (b"x-team", b"search"),
        (b"x-sluicegate-tags", b"user=ada"),
        (b"x-other", b"?"),
        (b"cookie", b"c"),
    ]
    x = make_exchange("/v1/messages", query=b"a=b", headers=headers)
    x.body = b"{}"
    assert keep(x, names) == Request("POST", "/v1/messages", b"a=b", [headers[0], headers[2], headers[3]], b"{}")
    assert not names & CREDENTIALS


@pytest.mark.parametrize(
    "other",
    [
        Request("POST", "/b", b"q", [], b"body"),
        Request("POST", "/a", b"qb", [], b"ody"),
        Request("POST", "/a", b"q", [], b"Body"),
        Request("POST", "/aq", b"", [], b"body"),
    ],
)
def test_two_requests_have_two_digests(other: Request) -> None:
    """Wherever they differ, and however their parts meet."""
    assert digest_of(other) != digest_of(Request("POST", "/a", b"q", [], b"body"))


def test_headers_make_no_other_request() -> None:
    """The same may come again with another trace."""
    one, two = (Request("POST", "/a", b"", [(b"traceparent", trace)], b"") for trace in (b"1", b"2"))
    assert digest_of(one) == digest_of(two)
