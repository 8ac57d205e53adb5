"""Whether conditions can hold: against trying every request of a small world."""

from __future__ import annotations

from itertools import product

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from proxy.expression.logic import Atom, Every, Logic, Some, Span, Words, negate, possible

TRUTH = (True, False)
NUMBERS = tuple(at / 2 for at in range(9))  # every point and every gap between bounds of 0 to 3
TEXTS = ("a", "b", "other")

_atoms = st.one_of(
    st.builds(Atom, st.just("truth"), st.builds(Words, st.frozensets(st.sampled_from(TRUTH), min_size=1, max_size=1))),
    st.builds(Atom, st.just("text"), st.builds(Words, st.frozensets(st.sampled_from("ab"), min_size=1), st.booleans())),
    st.builds(lambda low, is_open: Atom("n", Span(low, open_low=is_open)), st.integers(0, 3), st.booleans()),
    st.builds(lambda high, is_open: Atom("n", Span(0, high, open_high=is_open)), st.integers(0, 3), st.booleans()),
    st.builds(lambda point: Atom("n", Span(point, point)), st.integers(0, 3)),
)
_conditions = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.builds(lambda items: Every(tuple(items)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda items: Some(tuple(items)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(negate, inner),
    ),
    max_leaves=8,
)


def _holds(logic: Logic, world: dict[str, object]) -> bool:
    if isinstance(logic, Every):
        return all(_holds(one, world) for one in logic.of)
    if isinstance(logic, Some):
        return any(_holds(one, world) for one in logic.of)
    value, found = world[logic.key], logic.set
    if isinstance(found, Words):
        return (value in found.of) != found.but
    assert isinstance(value, (int, float))
    above = value > found.low if found.open_low else value >= found.low
    return above and (value < found.high if found.open_high else value <= found.high)


@seed(11)
@settings(max_examples=400, deadline=None, database=None)
@given(st.lists(_conditions, min_size=1, max_size=3))
def test_possible_is_what_some_request_meets(conditions: list[Logic]) -> None:
    """Neither is a branch called unreachable that some request reaches, nor the other way round."""
    worlds = (dict(zip(("truth", "text", "n"), values, strict=True)) for values in product(TRUTH, TEXTS, NUMBERS))
    assert possible(conditions, {}) == any(all(_holds(one, world) for one in conditions) for world in worlds)


@seed(12)
@settings(max_examples=200, deadline=None, database=None)
@given(_conditions)
def test_a_negation_holds_just_when_the_condition_does_not(condition: Logic) -> None:
    """In every world."""
    for values in product(TRUTH, TEXTS, NUMBERS):
        world: dict[str, object] = dict(zip(("truth", "text", "n"), values, strict=True))
        assert _holds(condition, world) != _holds(negate(condition), world)


def test_what_a_text_can_be_is_known() -> None:
    """Neither of the only two is nothing."""
    neither = Atom("tier", Words(frozenset({"a", "b"}), but=True))
    assert possible([neither], {})
    assert not possible([neither], {"tier": frozenset({"a", "b"})})


def test_the_search_has_an_end() -> None:
    """What would take too long counts as possible."""
    hard: list[Logic] = [Some((Atom(f"a{at}", Span(0, 1)), Atom(f"b{at}", Span(0, 1)))) for at in range(40)]
    hard.append(
        Every((Atom("z", Span(0, 1)), Some((Atom("z", Span(2, 3)), Atom("z", Span(2, 4)), Atom("z", Span(5, 6))))))
    )
    assert possible(hard, {}) is True
