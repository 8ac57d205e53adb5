"""The page: one file that needs nothing else."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from pathlib import Path

from msgspec.structs import replace

from proxy.experiments.page import page
from proxy.experiments.report import report
from tests.support.experiments import NOW, lived

_VOID = {"meta", "line", "circle", "path", "polygon"}


class _Balanced(HTMLParser):
    """Remembers what is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """One more."""
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """Closed at once."""

    def handle_endtag(self, tag: str) -> None:
        """It must be the last that was opened."""
        assert self.open.pop() == tag


def test_it_stands_alone(tmp_path: Path) -> None:
    """No script, nothing to load; the verdict and both plots are in it, in light and dark."""
    found = report([lived(tmp_path, 1200, lambda arm: 0.7 if arm == "concise" else 0.4)], "short", now=NOW)
    text = page(found)
    parser = _Balanced()
    parser.feed(text)
    assert not parser.open
    assert not re.search(r"<script|<link|<img|src=|href=|url\(|@import|http", text)
    assert escape(found.verdict[0]) in text
    assert text.count("<svg") == 2
    assert "prefers-color-scheme:dark" in text


def test_no_text_becomes_markup(tmp_path: Path) -> None:
    """Names are confined by the schema; a file could hold others."""
    found = report([lived(tmp_path, 300, lambda arm: 0.5)], "short", now=NOW)
    assert "<b>" not in page(replace(found, name="<b>", verdict=("<b>",), warnings=("<b>",)))
