"""Events of an answer through filters: every text of every choice, and an end where one says so."""

from __future__ import annotations

from proxy.chat import (
    Begin,
    Citation,
    Cite,
    Close,
    Delta,
    End,
    Event,
    Finish,
    Foreign,
    Kind,
    Logprobs,
    Open,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.filter import Halt
from proxy.filters.filtering import Sieve


class Upper:
    """Says everything louder at the end of its block; stops at a word."""

    def __init__(self, word: str = "-", until_end: bool = False) -> None:
        self.held: dict[tuple[int, int], list[Delta]] = {}
        self.word = word
        self.until_end = until_end
        self.kinds: set[Kind] = set()

    def feed(self, delta: Delta) -> list[Delta | Halt]:
        """Loud at once, or held."""
        self.kinds.add(delta.kind)
        if self.word in delta.text:
            return [Delta(delta.choice, delta.kind, "~", delta.block), Halt("No."), delta]
        loud = Delta(delta.choice, delta.kind, delta.text.upper(), delta.block)
        if not self.until_end:
            return [loud]
        self.held.setdefault((delta.choice, delta.block), []).append(loud)
        return []

    async def close(self, choice: int, block: int) -> list[Delta | Halt]:
        """What was held."""
        return list(self.held.pop((choice, block), []))

    def unread(self, what: str) -> Halt | None:
        """Passes."""
        return None


def events() -> list[Event]:
    """Two choices with everything that carries text."""
    cited = Citation(text="quoted", url="http://a", title="title", value={"x": "quoted"}, origin="o")
    return [
        Begin(id="i", model="m"),
        Open(0, 0, Reasoning(text="th")),
        Delta(0, "reasoning", "ink", 0),
        Delta(0, "signature", "seal", 0),
        Close(0, 0),
        Open(0, 1, Text("te", citations=(cited,))),
        Open(1, 0, ToolCall(id="id", name="name", arguments='{"a"')),
        Delta(0, "text", "xt", 1),
        Cite(0, 1, cited),
        Logprobs(0, [{"token": "text"}]),
        Delta(1, "arguments", ':"b"}', 0),
        Close(0, 1),
        Close(1, 0),
        Open(1, 1, Refusal("no")),
        Close(1, 1),
        Open(1, 2, Foreign(origin="o", what="w", value={"deep": ["foreign"]})),
        Close(1, 2),
        Finish(choice=0),
        Finish(choice=1),
        Total(Usage()),
        End(),
    ]


async def test_every_text_is_seen_in_whatever_order_it_comes() -> None:
    for until_end in (False, True):
        first, second = Upper(until_end=until_end), Upper()
        sieve = Sieve(first)
        sieve.filters.append(second)
        out = [told for event in events() for told in await sieve.feed([event])]
        assert second.kinds >= {"text", "reasoning", "arguments", "refusal"}
        text = str(out)
        assert not any(word in text for word in ("quoted", "'title'", "http", "foreign", "'name'", "think"))
        assert "seal" in text
        assert "".join(one.text for one in out if isinstance(one, Delta) and one.kind == "arguments") == '{"A":"B"}'
        assert sieve.ended
        assert not any(isinstance(one, Logprobs) for one in out)
        closed = out.index(Close(0, 1))
        assert all(
            out.index(one) < closed for one in out if isinstance(one, Delta) and (one.choice, one.block) == (0, 1)
        )


async def test_a_halt_ends_every_choice_that_is_open() -> None:
    sieve = Sieve(Upper("xt"))
    sieve.filters.append(Upper())
    out = await sieve.feed(events())
    assert sieve.halted
    at = out.index(Delta(0, "text", "~", 1))
    assert out[at + 1 :] == [
        Close(0, 1),
        Close(1, 0),
        Open(0, 2, Refusal("")),
        Delta(0, "refusal", "No.", 2),
        Close(0, 2),
        Finish(choice=0, stop="content_filter"),
        Open(1, 1, Refusal("")),
        Delta(1, "refusal", "No.", 1),
        Close(1, 1),
        Finish(choice=1, stop="content_filter"),
        End(),
    ]
    assert await sieve.feed(events()) == []


async def test_probabilities_of_tokens_tell_nothing_that_was_changed() -> None:
    quiet = Upper()
    quiet.feed = lambda delta: [delta]  # type: ignore[method-assign]
    spelled = Logprobs(0, [{"token": "text"}])
    for filter_, left in ((quiet, [spelled]), (Upper(), [])):
        out = await Sieve(filter_).feed(events())
        assert [one for one in out if isinstance(one, Logprobs)] == left
    assert out.index(Finish(choice=0)) > 0
