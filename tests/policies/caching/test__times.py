"""For how long an answer is kept, by what is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policies.caching._times import TtlRule, mixed
from tests.support.caching import House, answered, asked, said
from tests.support.config import built, written

NEWS = r'{match: "\\b(today|now)\\b", ttl: 0s}'
FAQ = "{if: \"tags.feature == 'faq'\", ttl: 24h}"
BOTH = "{if: \"tags.feature == 'news'\", match: weather, ttl: 5s}"


def house(folder: Path, *rules: str) -> House:
    """A route with these rules, and ten minutes else."""
    return House(folder, f"{{temperature: any, ttl_rules: [{', '.join(rules)}]}}", before="tags: {accept: [feature]}, ")


@pytest.mark.parametrize(
    ("text", "tags", "expected"),
    [
        ("Hello", {}, 600),
        ("What is new TODAY?", {}, 0),
        ("Do you know it?", {}, 600),
        ("What is new today?", {"feature": "faq"}, 0),
        ("Hello", {"feature": "faq"}, 86400),
        ("The weather", {"feature": "news"}, 5),
        ("The weather", {}, 600),
        ("Hello", {"feature": "news"}, 600),
    ],
)
def test_the_first_rule_that_holds(text: str, tags: dict[str, str], expected: float, tmp_path: Path) -> None:
    """A rule with a condition and words needs both."""
    x = asked(text)
    x.tags = tags
    body = {"messages": [{"role": "system", "content": "It is now."}, {"role": "user", "content": text}]}
    assert house(tmp_path, NEWS, FAQ, BOTH).policy._times.of(x, body).ttl == expected


async def test_what_has_no_time_is_neither_kept_nor_looked_for(tmp_path: Path) -> None:
    """By nobody: the semantic cache hears of it, too."""
    here = house(tmp_path, NEWS)
    assert await here.asks(asked("What is new today?"), asked("What is new today?")) == ["bypass", "bypass"]
    x = asked("What is new today?")
    await here.ask(x)
    assert x.unkept == r"not for a moment, says the rule `\b(today|now)\b`"
    assert len(here.room.memory) == 0
    assert await here.asks(asked("What is new?"), asked("What is new?")) == ["miss", "hit"]


async def test_a_shorter_time_by_the_request_is_kept(tmp_path: Path) -> None:
    """What was kept for longer is too old for whom the rule is."""
    here = house(tmp_path, "{if: \"model == 'm' and endpoint == 'chat.completions'\", ttl: 5s}")
    first, second = asked("Hi"), asked("Hi")
    assert (await here.ask(first))[0] == "miss"
    here.clock.at += 4
    assert (await here.ask(second))[0] == "hit"
    here.clock.at += 2
    assert (await here.ask(asked("Hi")))[0] == "miss"


async def test_a_rule_that_looks_at_the_moment_holds_for_what_is_kept(tmp_path: Path) -> None:
    """A kept answer is given as long as whoever asks now would have it kept."""
    here = house(tmp_path, "{if: \"header['x-fresh'] == 'yes'\", ttl: 5s}")
    assert (await here.ask(asked("Hi")))[0] == "miss"
    here.clock.at += 60
    hurried = asked("Hi")
    hurried.headers.append((b"x-fresh", b"yes"))
    assert (await here.ask(asked("Hi")))[0] == "hit"
    assert (await here.ask(hurried))[0] == "miss"


def test_rules_and_template_are_part_of_the_key() -> None:
    """What others have kept is not found."""
    rules: list[list[Any]] = [[], [TtlRule(ttl=5.0, match="a")], [TtlRule(ttl=6.0, match="a")]]  # type: ignore[arg-type]
    keys = {mixed(bytes(32), rule, template) for rule in rules for template in (None, "support@3", "support@4")}
    assert len(keys) == 9
    assert mixed(bytes(32), (), None) == bytes(32)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{ttl: 5s}", "`if` or `match` says which answers"),
        ('{match: "a(b", ttl: 5s}', "missing )"),
        ('{match: "a*", ttl: 5s}', "matches the empty text"),
        ('{if: "tags.feature = 1", ttl: 5s}', "write `==`"),
        ('{if: "stream or not stream", ttl: 5s}', "`ttl` of the policy is for"),
    ],
)
def test_what_is_no_rule(rule: str, expected: str, tmp_path: Path) -> None:
    """It is told where it stands."""
    text = (
        "providers: {sim: {kind: simulated}}\n"
        f"routes: {{chat: {{models: [m], open: true, policies: [cache: {{ttl_rules: [{rule}]}}], target: sim/a}}}}\n"
    )
    problems = [str(problem) for problem in built(written(tmp_path, text)).problems]
    assert len(problems) == 1
    assert "cache.ttl_rules[0]" in problems[0]
    assert expected in problems[0]


async def test_an_answer_is_found_by_its_template_and_its_model(tmp_path: Path) -> None:
    """Forgotten by either: all versions of a template together, or one."""
    here = House(tmp_path, "{temperature: any, template: support@3}")
    for tag in ("template:support@3", "template:support", "version:m-2026-01-01"):
        x = asked("Hi")
        dated = said().replace(b'"model":"m"', b'"model":"m-2026-01-01"')
        assert (await here.ask(x, answered(x, dated)))[0] == "miss"
        assert await here.room.invalidate(tag) == 1, tag
    assert (await here.ask(asked("Hi")))[0] == "miss"
    assert await here.room.invalidate("template:support@2") == 0
    assert await here.room.invalidate("version:m-2") == 0
    assert (await here.ask(asked("Hi")))[0] == "hit"
