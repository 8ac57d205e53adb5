"""What was served, and is said to be wrong."""

from __future__ import annotations

from proxy.semantic.guard import read
from proxy.semantic.memory import Kept, Memory, unit
from proxy.semantic.served import MOST, Hit, Served


def _memory() -> Memory:
    memory = Memory(10, 1 << 20, lambda: 0.0)
    question, vector = read("Pay it"), unit([1.0])
    assert question is not None
    assert vector is not None
    memory.add(Kept(b"entry", b"p", question, vector, 1.0))
    return memory


def test_what_is_wrong_goes() -> None:
    """Said by the team that got it, once."""
    memory, served = _memory(), Served()
    served.add("req", Hit("chat", "acme/web", b"entry", 0.97, memory))
    assert served.judge("req", "other/team", is_wrong=True) is None
    assert served.judge("unknown", "acme/web", is_wrong=True) is None
    assert len(memory) == 1
    hit = served.judge("req", "acme/web", is_wrong=True)
    assert hit is not None
    assert (hit.route, hit.similarity) == ("chat", 0.97)
    assert len(memory) == 0
    assert served.judge("req", "acme/web", is_wrong=True) is None


def test_what_is_right_stays() -> None:
    """It counts all the same."""
    memory, served = _memory(), Served()
    served.add("req", Hit("chat", "", b"entry", 0.97, memory))
    assert served.judge("req", "", is_wrong=False) is not None
    assert len(memory) == 1


def test_it_is_bounded() -> None:
    """The oldest are forgotten."""
    memory, served = _memory(), Served()
    for number in range(MOST + 1):
        served.add(str(number), Hit("chat", "", b"entry", 1.0, memory))
    assert served.judge("0", "", is_wrong=False) is None
    assert served.judge("1", "", is_wrong=False) is not None
