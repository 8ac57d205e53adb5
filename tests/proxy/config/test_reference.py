"""References to the environment and to files."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config.reference import Resolver, Unresolved

_ENVIRONMENT = {"NAME": "ada", "EMPTY": "", "TRICK": "${env:NAME}"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain $5 {x}", "plain $5 {x}"),
        ("${env:NAME}", "ada"),
        ("a-${env:NAME}-${env:NAME}", "a-ada-ada"),
        ("${env:NOPE:-other}", "other"),
        ("${env:EMPTY:-other}", "other"),
        ("${env:NOPE:-}", ""),
        ("${env:NAME:-other}", "ada"),
        ("$${env:NAME}", "${env:NAME}"),
        ("${env:TRICK}", "${env:NAME}"),
    ],
)
def test_references_are_replaced_once(text: str, value: str) -> None:
    assert Resolver(_ENVIRONMENT).resolve(text, Path()) == value


@pytest.mark.parametrize(
    ("text", "reason", "suggestion", "absent"),
    [
        ("${env:UNKNOWN}", "the environment variable UNKNOWN is not set", None, True),
        ("${env:EMPTY}", "the environment variable EMPTY is empty", None, True),
        ("${env:NMAE}", "the environment variable NMAE is not set", "NAME", True),
        ("${NAME}", '"${NAME}" is not a reference', "${env:NAME}", False),
        ("${enb:NAME}", '"${enb:NAME}" is not a reference', "${env:NAME}", False),
        ("${vault:NAME}", '"${vault:NAME}" is not a reference; write', None, False),
        ("${env:}", '"" is not the name', None, False),
        ("${env:A B}", '"A B" is not the name', None, False),
        ("${ 5", "`${` is not closed", None, False),
        ("${file:}", "names no file", None, False),
        ("${file:missing}", 'the file "missing" does not exist', None, True),
    ],
)
def test_a_reference_without_value_says_why(text: str, reason: str, suggestion: str | None, absent: bool) -> None:
    with pytest.raises(Unresolved) as caught:
        Resolver(_ENVIRONMENT).resolve(text, Path("/nowhere"))
    assert reason in str(caught.value)
    assert caught.value.suggestion == suggestion
    assert caught.value.absent is absent


def test_a_file_is_read_without_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"secret \r\n")
    resolver = Resolver({})
    assert resolver.resolve("${file:key}", tmp_path) == "secret "
    assert resolver.resolve(f"${{file:{tmp_path}/key}}", Path("/elsewhere")) == "secret "


def test_files_are_remembered_whether_or_not_they_could_be_read(tmp_path: Path) -> None:
    """A key that is mounted later makes the file valid, so it must be watched."""
    resolver = Resolver({})
    with pytest.raises(Unresolved):
        resolver.resolve("${file:later}", tmp_path)
    assert list(resolver.files) == [tmp_path / "later"]


@pytest.mark.parametrize(("data", "reason"), [(b"", "is empty"), (b"\n", "is empty"), (b"\xff", "is not UTF-8 text")])
def test_a_file_without_text_has_no_value(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "key").write_bytes(data)
    with pytest.raises(Unresolved, match=reason):
        Resolver({}).resolve("${file:key}", tmp_path)


def test_a_file_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("one")
    resolver = Resolver({})
    assert resolver.resolve("${file:key}", tmp_path) == "one"
    path.write_text("two")
    assert resolver.resolve("${file:key}", tmp_path) == "one"
