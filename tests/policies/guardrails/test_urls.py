"""The policy `urls`: which hosts, in which disguise, whatever the cuts of a stream."""

from __future__ import annotations

from typing import Any

import pytest

from policies.guardrails.urls import Urls, UrlsConfig, host_of
from tests.support.guards import HALT, Guarded, cuts

STRICT: dict[str, Any] = {
    "allow_hosts": ("good.example", "*.good.example"),
    "deny_hosts": ("bad.good.example",),
    "image_hosts": ("cdn.example",),
    "action": "redact",
}


def _urls(**settings: Any) -> Guarded:
    made = Guarded(Urls, UrlsConfig(**settings))
    assert not made.problems
    return made


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Good.Example/x?y", "good.example"),
        ("https://good.example.:8443/", "good.example"),
        ("https://good.example@evil.example/", "evil.example"),
        ("https://good.example\\@evil.example/", "good.example"),
        ("https:\\\\evil.example/", "evil.example"),
        ("https:////evil.example/", "evil.example"),
        ("//evil.example/x", "evil.example"),
        ("www.evil.example/x", "www.evil.example"),
        ("https://ｅｖｉｌ．example/", "evil.example"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://evil%2eexample/", "?"),
        ("https:///", "?"),
        ("/images/x.png", None),
        ("data:image/png;base64,AAAA", None),
        ("x.png", None),
    ],
)
def test_the_host_to_which_a_browser_goes(address: str, host: str | None) -> None:
    assert host_of(address) == host


TEXTS = [
    (
        "See https://good.example/a and https://a.good.example.",
        "See https://good.example/a and https://a.good.example.",
    ),
    ("See https://evil.example/a?b=c now", "See [LINK] now"),
    ("See https://bad.good.example/ now", "See [LINK] now"),
    ("[a](https://evil.example/x) b", "[a]([LINK]) b"),
    ("[a](//evil.example/x) b", "[a]([LINK]) b"),
    ("![a](https://evil.example/?q=secret) b", "![a]([IMAGE]) b"),
    ("![a](https://good.example/x.png) b", "![a]([IMAGE]) b"),
    ("![a](https://cdn.example/x.png) b", "![a](https://cdn.example/x.png) b"),
    ("![a long story of it](https://cdn.example/x.png)", "![a long story of it](https://cdn.example/x.png)"),
    ("![a](//evil.example/?q=secret) b", "![a]([IMAGE]) b"),
    ("![a](/local.png) b", "![a](/local.png) b"),
    ("![a][1]\n\n[1]: https://evil.example/?q\nb", "![a][1]\n\n[1]: [IMAGE]\nb"),
    ('<img alt="a" src="https://evil.example/?q">', '<img alt="a" src="[IMAGE]">'),
    ("<img src=//evil.example/?q>", "<img src=[IMAGE]>"),
    ("<p style='background: url(https://evil.example/?q)'>", "<p style='background: url([IMAGE])'>"),
    ("No address here: 1//2, a:b, http is a word.", "No address here: 1//2, a:b, http is a word."),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
async def test_what_leads_elsewhere_is_redacted(text: str, expected: str) -> None:
    guarded = _urls(**STRICT)
    assert await guarded.answer([text]) == expected


@pytest.mark.parametrize(("text", "expected"), TEXTS[1:12])
async def test_however_a_stream_is_cut(text: str, expected: str) -> None:
    guarded = _urls(**STRICT)
    assert {await guarded.answer(pieces) for pieces in cuts(text)} == {expected}


async def test_blocked_and_only_told() -> None:
    text = "![a](https://evil.example/?q) b"
    assert await _urls(image_hosts=()).answer([text]) == f"![a]({HALT}"
    assert await _urls(image_hosts=(), entities={"image": "warn"}).answer([text]) == text


async def test_a_request_is_looked_at_where_that_is_wanted() -> None:
    _, reply = await _urls(deny_hosts=("evil.example",)).ask("See https://evil.example/")
    assert reply is None
    _, reply = await _urls(deny_hosts=("evil.example",), on="both").ask("See https://evil.example/")
    assert reply is not None
    assert reply.code == "guardrail_blocked"


@pytest.mark.parametrize(
    ("settings", "at"),
    [
        ({}, ""),
        ({"allow_hosts": ("a.example", "https://b.example")}, "allow_hosts[1]"),
        ({"image_hosts": ("a b",)}, "image_hosts[0]"),
    ],
)
def test_what_makes_no_sense(settings: Any, at: str) -> None:
    assert [place for place, _ in Guarded(Urls, UrlsConfig(**settings)).problems] == [at]
