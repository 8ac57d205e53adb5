"""BAD-08: no text makes a guard slow, and of none is it left open what became of it."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest

from policies.guardrails.injection import Injection, InjectionConfig
from policies.guardrails.keywords import Keywords, KeywordsConfig
from policies.guardrails.pii import Pii, PiiConfig
from policies.guardrails.secrets import Secrets, SecretsConfig
from policies.guardrails.urls import Urls, UrlsConfig
from proxy.guarding.scanner import TooMany
from tests.support.guards import Guarded
from tests.support.hostile import HOSTILE
from tests.support.scale import often

GUARDS = {
    "pii": Guarded(Pii, PiiConfig(action="redact", names=("Ada Lovelace",))),
    "secrets": Guarded(Secrets, SecretsConfig(action="redact")),
    "keywords": Guarded(
        Keywords, KeywordsConfig(deny={"a": ("confidential", "Umbrella Corp")}, patterns={"nested": "(a+)+$"})
    ),
    "urls": Guarded(Urls, UrlsConfig(on="both", action="redact", allow_hosts=("*.example.com",))),
    "injection": Guarded(Injection, InjectionConfig()),
}
SMALL = often(16_000, 64_000)  # bytes


@pytest.mark.soak
@pytest.mark.parametrize("name", [name for name in GUARDS if name != "injection"])
@pytest.mark.parametrize("first", ["", "ü"], ids=["ASCII", "others"])
def test_time_grows_with_the_text_and_no_faster(name: str, first: str) -> None:
    """Four times the text takes four times as long; what is quadratic takes sixteen times."""
    for family, make in HOSTILE.items():
        short, long = (min(_cpu(name, first + make(size)) for _ in range(2)) for size in (SMALL, 4 * SMALL))
        if long > 8 * short + 0.02:  # once more: others may have used this processor
            short, long = (min(_cpu(name, first + make(size)) for _ in range(5)) for size in (SMALL, 4 * SMALL))
        assert long <= 8 * short + 0.02, family


def _cpu(name: str, text: str) -> float:
    guard = GUARDS[name].guard
    before = time.thread_time()
    with suppress(TooMany):
        guard.spans(text, guard.scan(text))
    return time.thread_time() - before


@pytest.mark.soak
@pytest.mark.parametrize("name", GUARDS)
async def test_of_every_text_there_is_a_verdict(name: str) -> None:
    """In a request and in an answer; what was too much is told as a failure, and refused."""
    guard = GUARDS[name]
    for family, make in HOSTILE.items():
        text = make(often(3_000, 1_000_000) if name == "injection" else often(40_000, 1_000_000))
        x, reply = await guard.ask(text.encode("utf-8", "replace").decode())
        guard.guard.on_close(x)
        told = x.notes[name]
        assert told.startswith("input ")
        assert (reply is not None) is any(word in told for word in ("input failed closed", "input blocked")), family
        if name != "injection":
            await guard.answer([text[: len(text) // 2], text[len(text) // 2 :]])


BROKEN: dict[str, bytes] = {
    "no UTF-8": b'{"messages":[{"role":"user","content":"\xff\xfe"}]}',
    "half of a pair": b'{"messages":[{"role":"user","content":"\\ud83d"}]}',
    "the other half": b'{"messages":[{"role":"user","content":"\\ude00 a"}]}',
    "half a character": b'{"messages":[{"role":"user","content":"\xe6\x97"}]}',
    "overlong": b'{"messages":[{"role":"user","content":"\xc0\xaf"}]}',
}


@pytest.mark.parametrize("name", GUARDS)
async def test_what_is_no_text_is_a_failure(name: str) -> None:
    guard = GUARDS[name]
    for what, body in BROKEN.items():
        x, reply = await guard.ask(body)
        assert reply is not None, what
        assert x.notes[name].startswith("input failed closed ("), what


@pytest.mark.parametrize("name", [name for name in GUARDS if name != "injection"])
@pytest.mark.parametrize("kind", ["text", "arguments"])
async def test_half_a_pair_in_an_answer_changes_nothing(name: str, kind: Any) -> None:
    """Arguments of tools may hold it, as an escape; it goes on as it came."""
    text = json.dumps({"a": "\ud83d then \ude00 \ud83d\ude00"})
    assert await GUARDS[name].answer([text[:9], text[9:12], text[12:]], kind) == text
