"""What can be set for a name, and who hears of it."""

from __future__ import annotations

import pytest

from proxy.flags.flag import Flags, Setting, is_flag_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", Setting("on", True)),
        ("off", Setting("off", False)),
        ("25%", Setting("25%", True, 0.25)),
        ("0%", Setting("0%", True, 0.0)),
        ("default", None),
    ],
)
def test_what_can_be_set(text: str, expected: Setting | None) -> None:
    assert Setting.parse(text) == expected


@pytest.mark.parametrize(("text", "words"), [("101%", "more than 100%"), ("On", "none of"), ("", "none of")])
def test_what_cannot(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Setting.parse(text)


def test_a_setting_counts_for_all_who_have_asked_and_for_all_who_ask_later() -> None:
    """Also for a name that no file has yet; who listens hears of what has changed, and of nothing else."""
    flags, heard = Flags(), list[tuple[str, str]]()
    flags.on_change = lambda name, value: heard.append((name, value))
    early = flags.of("a")
    on, quarter = Setting("on", True), Setting("25%", True, 0.25)
    flags.take({"a": on, "b": quarter})
    assert (early.setting, flags.of("b").setting) == (on, quarter)
    assert flags.of("a") is early
    flags.take({"b": quarter})
    assert early.setting is None
    assert heard == [("a", "on"), ("b", "25%"), ("a", "default")]


def test_names() -> None:
    assert is_flag_name("new-model_2.x")
    assert not any(map(is_flag_name, ("", "-a", "a b", "ä", "x" * 65, "a\n")))
