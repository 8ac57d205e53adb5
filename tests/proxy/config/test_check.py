"""Whether a file fits together; the words are in ``tests/golden/config``, here is what must not be said."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config.check import is_loopback
from tests.support.config import built, lines, written

_KEY = '"sha256:1cf3045ff88ae76bd739c8f589c8bf9300128c1f11e31efa7a538b4f60ae005b"'
_TENANTS = f"tenants: {{acme: {{teams: {{search: {{keys: {{web: {{hash: {_KEY}}}}}}}}}}}}}"


def _problems(folder: Path, text: str, listen: str | None = None) -> list[str]:
    return lines(built(written(folder, text), listen=listen).problems)


@pytest.mark.parametrize("listen", ["127.0.0.1:80", "127.9.9.9:1", "[::1]:80", "localhost:80"])
def test_loopback(listen: str) -> None:
    assert is_loopback(listen)


@pytest.mark.parametrize("listen", ["0.0.0.0:80", "[::]:80", "192.168.0.1:80", "gateway:80", "example.com:80", ":80"])
def test_beyond_loopback(listen: str) -> None:
    assert not is_loopback(listen)


def test_the_address_in_use_decides_and_not_the_one_in_the_file(tmp_path: Path) -> None:
    text = "providers: {sim: {kind: simulated}}\nroutes: {a: {target: sim/x}}\n"
    assert _problems(tmp_path, text) == []
    (line,) = _problems(tmp_path, text, listen="0.0.0.0:80")
    assert "anybody who reaches 0.0.0.0:80" in line
    assert _problems(tmp_path, "listen: 0.0.0.0:80\n" + text, listen="127.0.0.1:80") == []


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        ("[{use: standrad}]", "there is no list"),
        ("[autenticate]", "unknown policy"),
        ("[{use: standard}, {tags: {accpet: [user]}}]", "unknown key"),
    ],
)
def test_one_typing_error_is_one_problem(tmp_path: Path, policies: str, said: str) -> None:
    """What it hides is not called unused, open or missing."""
    text = f"""
        providers: {{sim: {{kind: simulated}}, openai: {{kind: openai}}}}
        {_TENANTS}
        policies: {{standard: [authenticate]}}
        routes:
          a: {{models: [a], policies: [{{use: standard}}], target: openai/x}}
          b: {{models: [b], policies: {policies}, target: sim/x}}
    """
    (line,) = _problems(tmp_path, text)
    assert said in line


def test_a_misspelled_provider_is_not_unused_as_well(tmp_path: Path) -> None:
    text = "providers: {openai: {kind: openai}}\nroutes: {a: {target: opneai/x}}\n"
    (line,) = _problems(tmp_path, text)
    assert 'did you mean "openai/x"' in line


def test_a_broken_provider_is_not_missing_as_well(tmp_path: Path) -> None:
    text = "providers: {sim: {kind: simulatd}}\nroutes: {a: {target: sim/x}}\n"
    (line,) = _problems(tmp_path, text)
    assert 'did you mean "simulated"' in line


def test_broken_keys_are_not_missing_as_well(tmp_path: Path) -> None:
    text = f"""
        providers: {{sim: {{kind: simulated}}}}
        {_TENANTS.replace("sha256:", "sha255:")}
        routes: {{a: {{policies: [authenticate], target: sim/x}}}}
    """
    (line,) = _problems(tmp_path, text)
    assert "64 hexadecimal digits" in line


def test_a_key_works_to_the_end_of_its_last_day(tmp_path: Path) -> None:
    """The clock of these tests stands at noon on 1 June 2026, UTC."""
    for day, notices in (("2026-05-31", 1), ("2026-06-01", 0)):
        text = f"""
            providers: {{sim: {{kind: simulated}}}}
            {_TENANTS.replace(_KEY, f"{_KEY}, expires: {day}")}
            routes: {{a: {{policies: [authenticate], target: sim/x}}}}
        """
        assert len(built(written(tmp_path, text)).notices) == notices
