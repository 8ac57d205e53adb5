"""Masks: one for each text, none that somebody wrote, and not without end."""

from __future__ import annotations

import pytest

from policies.guardrails._masks import MAX_MASKS, Masks, MaskScanner


def test_a_text_has_one_mask() -> None:
    masks = Masks(["they wrote [EMAIL_2]"])
    assert [masks.mask("email", text) for text in "aba"] == ["[EMAIL_1]", "[EMAIL_3]", "[EMAIL_1]"]
    assert masks.mask("phone", "a") == "[PHONE_1]"
    assert masks.texts["[EMAIL_3]"] == "b"
    assert Masks([], "X7").mask("email", "a") == "[EMAIL_X7_1]"


def test_they_are_bounded() -> None:
    masks = Masks([])
    with pytest.raises(ValueError, match="masks"):
        for at in range(MAX_MASKS + 1):
            masks.mask("email", str(at))


def test_what_looks_like_one_is_found() -> None:
    scanner = MaskScanner()
    assert [span[:2] for span in scanner.scan("[EMAIL_1] [EMAIL] [x_1] [US_SSN_AB_12]")] == [(0, 9), (24, 38)]
    assert scanner.pending("see [EMA") == 4
    assert scanner.pending("see (a") == 6
