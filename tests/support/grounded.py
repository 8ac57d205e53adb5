"""Answers to requests that give facts: right ones in many words, and wrong ones of every family, from a seed.

The facts of ``KNOWN`` were looked at while the check was written, of those of ``UNSEEN`` the first failures alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

SUPPORTED = ("copy", "paraphrase", "free", "merged", "abstains", "cited")
UNSUPPORTED = (
    "number",
    "unit",
    "swapped_name",
    "new_name",
    "invented",
    "extended",
    "negated",
    "unknown_citation",
    "wrong_citation",
    "wrong_quote",
)
FAMILIES = SUPPORTED + UNSUPPORTED


class Case(NamedTuple):
    """``passages`` by their ids; ``supported``: what should be found."""

    family: str
    passages: dict[str, str]
    answer: str
    supported: bool

    def row(self) -> dict[str, Any]:
        """For `sluicegate guard eval`."""
        label = "supported" if self.supported else "unsupported"
        context = [{"id": name, "text": text} for name, text in self.passages.items()]
        return {"context": context, "answer": self.answer, "label": label, "family": self.family}


class Fact(NamedTuple):
    """``told`` in a passage; ``said`` in other words by an answer, ``free`` in quite other ones; ``denied``: the
    opposite. "" where that is hard to say. Names in braces are filled in by ``_Values``."""

    told: str
    said: Sequence[str]
    denied: str = ""
    free: str = ""


KNOWN = (
    Fact(
        "{firm} was founded in {year} in {city} by {person}.",
        (
            "{person} founded {firm} in {city} in {year}.",
            "{firm} was established by {person} in {year}, in {city}.",
            "In {year}, {person} founded {firm} in {city}.",
        ),
        "{firm} was not founded in {city}.",
        free="{firm} goes back to {year}, when {person} set it up in {city}.",
    ),
    Fact(
        "{firm} employs {many} people.",
        ("{many} people work for {firm}.", "{firm} has {many} employees.", "The staff of {firm} counts {many} people."),
        free="{many} people earn their living at {firm}.",
    ),
    Fact(
        "In {year}, {firm} reported a revenue of ${small} million.",
        (
            "The revenue of {firm} was ${small},000,000 in {year}.",
            "{firm} had revenue of {small} million dollars in {year}.",
        ),
    ),
    Fact(
        "The {thing} costs ${price}.",
        ("The price of the {thing} is ${price}.", "You pay {price} dollars for the {thing}.", "{thing}: ${price}."),
        free="For ${price} the {thing} is yours.",
    ),
    Fact(
        "The {thing} weighs {small} kg.",
        ("The weight of the {thing} is {small} kilograms.", "With {small} kg, the {thing} weighs little."),
        free="The {thing} brings {small} kg to the scales.",
    ),
    Fact(
        "The {thing} comes with a warranty of {few} years.",
        ("The {thing} has a {few}-year warranty.", "The warranty of the {thing} runs for {few_word} years."),
        "The {thing} comes without a warranty.",
        free="If your {thing} breaks within {few} years, it is repaired free of charge.",
    ),
    Fact(
        "The battery of the {thing} lasts {small} hours.",
        ("The {thing} has a battery that lasts for {small} hours.", "Its battery lasts {small} hours."),
        free="One charge keeps the {thing} going for {small} hours.",
    ),
    Fact(
        "Customers of {firm} can return items within {days} days of purchase.",
        (
            "You can return purchases to {firm} for {days} days.",
            "Returns to {firm} are possible within {days} days after you buy.",
            "{firm} lets customers send items back within {days} days.",
        ),
        "Customers of {firm} cannot return items within {days} days of purchase.",
        free="Whoever changes their mind may bring things back to {firm} for {days} days.",
    ),
    Fact(
        "The {city} office of {firm} is led by {person}.",
        (
            "{person} leads the office of {firm} in {city}.",
            "{firm}'s office in {city} is managed by {person}.",
            "The head of the {city} office of {firm} is {person}.",
        ),
        free="{person} is in charge of {firm} in {city}.",
    ),
    Fact(
        "The warranty of the {thing} does not cover water damage.",
        (
            "Water damage is not covered by the warranty of the {thing}.",
            "The {thing}'s warranty doesn't cover damage by water.",
        ),
        "The warranty of the {thing} covers water damage.",
        free="Nobody pays for the repair of a {thing} that was not kept dry.",
    ),
    Fact(
        "Employees of {firm} must lock their screens when they leave their desks.",
        ("At {firm}, employees have to lock the screen when leaving their desk.",),
        "Employees of {firm} need not lock their screens when they leave their desks.",
        free="Nobody at {firm} may walk away from an unlocked computer.",
    ),
    Fact(
        "{city} has {many} inhabitants.",
        ("The number of inhabitants of {city} is {many}.",),
        free="{many} people live in {city}.",
    ),
)
UNSEEN = (
    Fact(
        "Visitors of the {city} museum are welcome from {hour}:00 to 18:30.",
        (
            "The museum in {city} welcomes visitors between {hour}:00 and 18:30.",
            "The {city} museum is open to visitors from {hour}:00 until 18:30.",
        ),
        "Visitors of the {city} museum are not welcome from {hour}:00 to 18:30.",
        free="The doors of the {city} museum open at {hour}:00 and close at 18:30.",
    ),
    Fact(
        "{person} won the {prize} in {year}.",
        ("In {year}, the {prize} was won by {person}.", "{person} is the winner of the {prize} of {year}."),
        "{person} never won the {prize}.",
        free="The {prize} went to {person} in {year}.",
    ),
    Fact(
        "The express train to {city} leaves from platform {few} and takes {days} minutes.",
        (
            "Platform {few_word} is where the express train to {city} leaves; the trip takes {days} minutes.",
            "It takes {days} minutes by the express train from platform {few} to {city}.",
        ),
        free="For {city} board the fast train on platform {few} and arrive {days} minutes later.",
    ),
    Fact(
        "{person} is responsible for data protection at {firm} and can be reached by email.",
        (
            "Responsible for data protection at {firm} is {person}, who can be reached by email.",
            "At {firm}, data protection is the responsibility of {person}.",
        ),
        free="Write to {person} about privacy at {firm}.",
    ),
    Fact(
        "Members of the {firm} gym may bring a guest {few} times a month.",
        (
            "A guest may be brought to the {firm} gym by members {few_word} times per month.",
            "As a member of the {firm} gym you may bring guests {few} times a month.",
        ),
        "Members of the {firm} gym may not bring a guest.",
        free="A friend can work out with you at {firm} {few} times a month.",
    ),
    Fact(
        "The {thing} must be stored below {days} degrees and kept away from direct sunlight.",
        (
            "Store the {thing} below {days} degrees, away from direct sunlight.",
            "Keep the {thing} out of direct sunlight and below {days} degrees.",
        ),
        free="A cool, shady place under {days} degrees is right for the {thing}.",
    ),
    Fact(
        "The bridge over the river in {city} was opened in {year} and is {many} metres long.",
        (
            "{city}'s bridge over the river is {many} meters long and was opened in {year}.",
            "Opened in {year}, the river bridge in {city} has a length of {many} metres.",
        ),
        free="Since {year} one can cross the river in {city} on a bridge of {many} metres.",
    ),
    Fact(
        "Invoices of {firm} are sent by email on the first day of each month.",
        ("{firm} sends its invoices by email on the first day of every month.",),
        "Invoices of {firm} are never sent by email.",
        free="Expect a bill of {firm} in your inbox when a month begins.",
    ),
)
_INVENTED = (
    "It has also received several awards for its elegant design.",
    "The {thing} is waterproof and floats on the surface of a lake.",
    "{firm} donates a large part of its profit to animal shelters.",
    "Most experts consider this the best choice in its category.",
    "A completely new version will be presented next spring.",
    "The founders had met at a music festival years earlier.",
    "Gift wrapping is offered in many bright colours.",
    "You can pick it up at any petrol station nearby.",
)
_EXTRAS = (
    ", which the neighbours found rather strange",
    " because a competitor had gone bankrupt shortly before",
    ", mostly to please its oldest shareholders",
    " thanks to a generous grant of the ministry of culture",
)
_ABSTAINS = (
    "I could not find anything about opening hours in the documents.",
    "The documents do not say who the supplier is.",
    "Unfortunately, I don't know more about that.",
    "There is no information about the delivery date.",
)
_FIRMS = ("Acme", "Globex", "Initech", "Umbra Labs", "Hooli", "Vandelay", "Wonka Foods", "Stark Steel", "Tyrell")
_CITIES = ("Paris", "Berlin", "Lisbon", "Oslo", "Porto", "Vienna", "Turin", "Ghent", "Malmö", "Cork")
_FIRST, _LAST = (
    ("Jane", "John", "Maria", "Omar", "Lena", "Ravi", "Sofia"),
    ("Doe", "Roe", "Okafor", "Lind", "Keller", "Moreau"),
)
_THINGS = ("Atlas X2", "Nimbus 5", "Orion Pro", "Vega Mini", "Zephyr", "Falcon 300")
_PRIZES = ("Aurora Prize", "Silver Compass", "Golden Reed", "Meridian Medal")
_PEOPLE = tuple(f"{first} {last}" for first in _FIRST for last in _LAST)
_NAMES = (*_FIRMS, *_CITIES, *_FIRST, *_THINGS, *_PRIZES)
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_UNITS = {
    " years": " months",
    " days": " weeks",
    " kg": " g",
    " hours": " minutes",
    " minutes": " hours",
    "kilograms": "grams",
    "-year": "-month",
    "metres": "kilometres",
    "meters": "kilometers",
}


class _Values:
    """What stands in the braces of one fact."""

    def __init__(self, random: Random, taken: set[str]) -> None:
        few = _new(random, 2, 9, taken)
        self.all = {
            "firm": _other(random, _FIRMS, taken),
            "city": _other(random, _CITIES, taken),
            "person": _other(random, _PEOPLE, taken),
            "thing": _other(random, _THINGS, taken),
            "prize": _other(random, _PRIZES, taken),
            "year": _new(random, 1950, 2023, taken),
            "many": f"{int(_new(random, 1100, 99000, taken)):,}",
            "price": _new(random, 101, 990, taken),
            "small": _new(random, 12, 48, taken),
            "days": _new(random, 49, 99, taken),
            "hour": _new(random, 3, 11, taken),
            "few": few,
            "few_word": _WORDS[int(few)],
        }
        taken.update(self.all.values())

    def of(self, template: str, **changes: str) -> str:
        """The sentence."""
        return template.format(**(self.all | changes))


def _new(random: Random, least: int, most: int, taken: set[str]) -> str:
    """A number that stands nowhere yet, as long as there is one."""
    return _other(random, [str(random.randint(least, most)) for _ in range(20)], taken)


def _other(random: Random, known: Sequence[str], taken: set[str]) -> str:
    return random.choice([one for one in known if one not in taken] or known)


def cases(seed: int, count: int, facts: Sequence[Fact] = KNOWN) -> list[Case]:
    """So many, by turns of all families."""
    random = Random(seed)
    found: list[Case] = []
    while len(found) < count:
        made = _case(random, FAMILIES[len(found) % len(FAMILIES)], facts)
        if made is not None:
            found.append(made)
    return found


def _case(random: Random, family: str, facts: Sequence[Fact]) -> Case | None:
    """One; None where these facts cannot be told so."""
    taken: set[str] = set()
    chosen = [(fact, _Values(random, taken)) for fact in random.sample(facts, min(5, len(facts)))]
    twin = chosen[0][0], _Values(random, taken)  # the same about somebody else
    told = [values.of(fact.told) for fact, values in (*chosen, twin)]
    texts = [" ".join(told[:2]), told[2], " ".join(told[3:5]), told[5]]
    passages = {str(number): text for number, text in enumerate(texts, 1)}
    (fact, values), (second, more) = chosen[0], chosen[1]
    right = [values.of(random.choice(fact.said)), chosen[2][1].of(random.choice(chosen[2][0].said))]
    last = _last(random, family, (fact, values), (second, more), twin[1], told)
    if last is None:
        return None
    if family in ("copy", "paraphrase", "free", "merged"):
        right = [right[1]] if random.random() < 0.5 else []
    elif random.random() < 0.5:
        right = right[1:]
    if family in ("cited", "wrong_citation", "unknown_citation"):
        right = []
    answer = " ".join([*right, last] if random.random() < 0.7 else [last, *right])
    return Case(family, passages, answer, family in SUPPORTED)


def _last(
    random: Random,
    family: str,
    first: tuple[Fact, _Values],
    second: tuple[Fact, _Values],
    twin: _Values,
    told: list[str],
) -> str | None:
    """The sentence by which the family differs from others."""
    fact, values = first
    said = values.of(random.choice(fact.said))
    match family:
        case "copy":
            return told[0]
        case "paraphrase":
            return said
        case "free":
            return values.of(fact.free) if fact.free else None
        case "extended":
            return f"{said.rstrip('.')}{random.choice(_EXTRAS)}."
        case "merged":
            return f"{said.rstrip('.')}, and {_lower(second[1].of(second[0].said[0]))}"
        case "abstains":
            return random.choice(_ABSTAINS)
        case "cited":
            return f"{said} [1]"
        case "number":
            return _with_other_number(random, said, " ".join(told))
        case "unit":
            return next((said.replace(old, new, 1) for old, new in _UNITS.items() if old in said), None)
        case "swapped_name":
            return _swapped(random, fact, values, twin)
        case "new_name":
            return _swapped(random, fact, values, _Values(random, {*values.all.values(), *" ".join(told).split()}))
        case "invented":
            return values.of(random.choice(_INVENTED))
        case "negated":
            return values.of(fact.denied) if fact.denied else None
        case "unknown_citation":
            return f"{said} [{random.randint(5, 99)}]"
        case "wrong_citation":
            return f"{said} [2]"
        case _:
            words = told[1].rstrip(".").split()
            words[random.randrange(len(words))] = "hardly"
            return f'The text says "{" ".join(words)}".'


def _lower(sentence: str) -> str:
    """As it stands within another one."""
    return sentence if sentence.startswith(_NAMES) else sentence[0].lower() + sentence[1:]


def _with_other_number(random: Random, said: str, told: str) -> str | None:
    """With a number that nobody has told."""
    for _ in range(50):
        digits = [at for at, char in enumerate(said) if char.isdigit()]
        if not digits:
            return None
        at = random.choice(digits)
        changed = f"{said[:at]}{random.choice('123456789')}{said[at + 1 :]}"
        number = changed[at:].split(maxsplit=1)[0]
        whole = changed[: at + 1].rsplit(maxsplit=1)[-1] + changed[at + 1 :].split(" ", maxsplit=1)[0]
        if changed != said and number and whole.strip(".,;:$") not in told:
            return changed
    return None


def _swapped(random: Random, fact: Fact, values: _Values, other: _Values) -> str | None:
    """With one name of somebody else, where something else is told of the same thing: else it would be that one's."""
    template = random.choice(fact.said)
    names = [name for name in ("firm", "city", "person", "thing", "prize") if f"{{{name}}}" in template]
    others = [name for name in values.all if f"{{{name}}}" in template and name not in names[:1]]
    if not names or not others or values.all["few"] == other.all["few"]:
        return None
    name = random.choice(names)
    changed = values.of(template, **{name: other.all[name]})
    return changed if changed != values.of(template) else None
