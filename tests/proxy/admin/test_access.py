"""Who may operate: every way in that is not an operator's is refused, with a sentence that says what to do."""

from __future__ import annotations

import hashlib

import pytest

from proxy.admin.access import LOCAL, Refused, is_local_host, who
from proxy.admin.roles import Operator
from proxy.errors import Header

KEY = b"sk-operator"
KEYS = {hashlib.sha256(KEY).digest(): "on-call"}
HERE: list[Header] = [(b"host", b"127.0.0.1:8080")]
JSON: Header = (b"content-type", b"application/json")


def _refused(
    keys: dict[bytes, str], headers: list[Header], peer: str = "127.0.0.1", *, writes: bool = False
) -> Refused:
    with pytest.raises(Refused) as caught:
        who(keys, headers, peer, writes=writes)
    return caught.value


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_a_program_on_this_machine_needs_no_key(peer: str) -> None:
    """It reads, and writes JSON."""
    assert who({}, HERE, peer, writes=False) == Operator(LOCAL, "owner")
    assert who({}, [*HERE, (b"content-type", b"Application/JSON; charset=utf-8")], peer, writes=True) == Operator(
        LOCAL, "owner"
    )


@pytest.mark.parametrize("peer", ["10.0.0.1", "192.168.1.7", "2001:db8::1", "::ffff:10.0.0.1", "0.0.0.0", ""])
def test_from_elsewhere_a_key_is_needed(peer: str) -> None:
    """Also from an address that is not known."""
    error = _refused({}, HERE, peer)
    assert (error.http_status, error.error_code) == (403, "admin_not_allowed")
    assert "admin.keys" in error.message


@pytest.mark.parametrize(
    "header",
    [
        (b"origin", b"http://127.0.0.1:8080"),
        (b"origin", b"null"),
        (b"forwarded", b"for=127.0.0.1"),
        (b"x-forwarded-for", b"127.0.0.1"),
        (b"x-forwarded-host", b"localhost"),
        (b"x-real-ip", b"127.0.0.1"),
        (b"via", b"1.1 proxy"),
    ],
)
def test_a_page_and_a_proxy_are_refused(header: Header) -> None:
    """Whatever the header's value says."""
    error = _refused({}, [*HERE, header])
    assert error.error_code == "admin_not_allowed"
    assert header[0].decode() in error.message


@pytest.mark.parametrize(
    "hosts", [[], [b"evil.example"], [b"127.0.0.1", b"evil.example"], [b"localhost.evil.example"], [b"10.0.0.1:8080"]]
)
def test_a_name_that_was_made_to_point_here_is_refused(hosts: list[bytes]) -> None:
    """The peer is this machine, but the browser believes it speaks with somebody else."""
    assert _refused({}, [(b"host", host) for host in hosts]).error_code == "admin_not_allowed"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:8080", "[::1]", "[::1]:65535", "[::ffff:127.0.0.1]:1"]
)
def test_names_of_this_machine(host: str) -> None:
    """With any port."""
    assert is_local_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost.",
        "localhost:",
        "localhost:80:80",
        "127.0.0.1.evil.example",
        "127.evil.example",
        "[::2]",
        "::1",
        "a@localhost",
        "localhost/",
        "2130706433",
        "127.1",
        "0.0.0.0",
        "[127.0.0.1",
    ],
)
def test_names_of_others(host: str) -> None:
    """And what is no name."""
    assert not is_local_host(host)


@pytest.mark.parametrize("kind", [b"text/plain", b"application/x-www-form-urlencoded", b"application/jsonx", None])
def test_a_form_cannot_write(kind: bytes | None) -> None:
    """A page may send it to any address without being asked; JSON it may not."""
    error = _refused({}, [*HERE, *([] if kind is None else [(b"content-type", kind)])], writes=True)
    assert error.http_status == 403
    assert "application/json" in error.message


def test_a_key_is_good_from_anywhere() -> None:
    """It proves more than any address."""
    headers = [(b"host", b"gateway.example"), (b"authorization", b"bearer  " + KEY), (b"x-forwarded-for", b"1.2.3.4")]
    assert who(KEYS, headers, "10.0.0.1", writes=True) == Operator("on-call", "owner")


def test_a_key_has_a_role() -> None:
    """And what it is confined to."""
    lead = Operator("ada", "team_lead", "acme", "search")
    headers = [(b"authorization", b"Bearer " + KEY)]
    assert who({hashlib.sha256(KEY).digest(): lead}, headers, "10.0.0.1", writes=False) == lead


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [b"Bearer wrong"],
        [b"Bearer "],
        [KEY],
        [b"Basic " + KEY],
        [b"Bearer " + KEY, b"Bearer " + KEY],
        [b"Bearer " + KEY + b"x" * 600],
        [b"Bearer " + hashlib.sha256(KEY).hexdigest().encode()],
    ],
)
def test_where_there_are_keys_one_is_needed(sent: list[bytes]) -> None:
    """Also from this machine; and the answer shows nothing of what was sent."""
    error = _refused(KEYS, [*HERE, JSON, *((b"authorization", one) for one in sent)], writes=True)
    assert (error.http_status, error.error_code) == (401, "invalid_admin_key")
    assert (b"www-authenticate", b"Bearer") in error.headers
    assert KEY.decode() not in error.message


def test_a_key_where_there_are_none_is_wrong() -> None:
    """Its sender believes that the file has it."""
    assert _refused({}, [*HERE, (b"authorization", b"Bearer x")]).error_code == "invalid_admin_key"
