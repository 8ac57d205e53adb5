"""Settings without effect are noticed, and nothing else is; the words are in ``tests/golden/config``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.config import built, lines, written

_FILE = """
providers:
  a: {{kind: openai, api_key: sk-x, models: {{{models}}}}}
  b: {{kind: anthropic, api_key: sk-x}}
  sim: {{kind: simulated}}
routes:
  r: {{policies: [{policies}], target: {target}}}
"""


def _notices(folder: Path, models: str = "", policies: str = "", target: str = "a/gpt-4o") -> list[str]:
    text = _FILE.format(models=models, policies=policies, target=f"{{fallback: [{target}, b/claude-x, sim/echo]}}")
    found = built(written(folder, text))
    assert found.problems == ()
    return lines(found.notices)


@pytest.mark.parametrize(("glob", "count"), [("gpt-4o", 0), ("GPT-*", 0), ("gpt-5*", 1), ("claude-x", 1)])
def test_a_pattern_that_no_target_fits_is_noticed(tmp_path: Path, glob: str, count: int) -> None:
    assert len(_notices(tmp_path, models=f'"{glob}": {{vision: false}}')) == count


def test_a_target_for_any_model_fits_every_pattern(tmp_path: Path) -> None:
    assert _notices(tmp_path, models='"gpt-9": {vision: false}', target='"a/*"') == []


def test_marks_for_one_target_of_many_are_no_matter(tmp_path: Path) -> None:
    assert _notices(tmp_path, policies="prompt_cache") == []
