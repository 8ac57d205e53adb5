"""Pairs of questions of which it is known whether they have one answer: a table of intents, and a seeded draw.

An intent has phrasings that ask for the same, and slots whose values decide the answer. Its answer is a function of
the intent and the values alone, so the label of a pair is exact: no model and no person judges it. A pair that must
hit differs in its phrasing; one that must miss differs in one value (or two values have changed places), mostly in the
same phrasing, as that is where vectors lie closest.

``calibration`` intents may be looked at while the guard and the thresholds are made; ``held_out`` ones are other
sentences about other things, which are reported. No word of a table comes from them; two faults of the guard that they
showed are mended (names like ``userId``, and capitals behind a greeting), so a third set would be stricter still.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Literal, NamedTuple

Half = Literal["calibration", "held_out"]
Polite = tuple[tuple[str, ...], tuple[str, ...]]  # what may be said before and after a question
MISSES_PER_HIT = 9  # real traffic is mostly other questions


class Intent(NamedTuple):
    """``slots``: name → kind of what it decides, and its values. ``swaps``: two slots whose order matters."""

    half: Half
    phrasings: tuple[str, ...]
    slots: dict[str, tuple[str, tuple[str, ...]]]
    swaps: tuple[str, str] | None = None


class Pair(NamedTuple):
    """``family``: what differs; ``same``: whether the answers are equal."""

    family: str
    stored: str
    asked: str
    same: bool


def slot(kind: str, *values: str) -> tuple[str, tuple[str, ...]]:
    return kind, values


_CITIES = slot("entity", "Paris", "London", "Madrid", "Vienna", "Lisbon", "Prague")
_STATES = slot("entity", "Nebraska", "Ohio", "Utah", "Maine", "Texas", "Oregon")
_TEAMS = slot("entity", "Arsenal", "Juventus", "Benfica", "Ajax", "Celtic")
_AMOUNTS = slot("number", "5", "50", "15", "120", "1,500", "7.5")
_COUNTS = slot("number", "3", "4", "12", "30", "45", "300")

INTENTS: dict[str, Intent] = {
    "capital": Intent(
        "calibration",
        ("What is the capital of {country}?", "What's the capital of {country}?", "Which city is {country}'s capital?"),
        {"country": slot("entity", "France", "Germany", "Australia", "Austria", "Niger", "Nigeria")},
    ),
    "flight": Intent(
        "calibration",
        (
            "How long is a flight from {origin} to {goal}?",
            "How long is a flight to {goal} from {origin}?",
            "What is the duration of a flight from {origin} to {goal}?",
        ),
        {"origin": _CITIES, "goal": _CITIES},
        ("origin", "goal"),
    ),
    "convert": Intent(
        "calibration",
        ("Convert {amount} {unit} to {other}.", "How much is {amount} {unit} in {other}?"),
        {
            "amount": _AMOUNTS,
            "unit": slot("currency", "USD", "EUR", "GBP", "CHF"),
            "other": slot("currency", "JPY", "SEK", "INR"),
        },
    ),
    "password": Intent(
        "calibration",
        (
            "How do I {verb} {whose} password?",
            "How can I {verb} {whose} password?",
            "What is the way to {verb} {whose} password?",
            "How can {whose} password be {verb}?",
        ),
        {"verb": slot("antonym", "reset", "set"), "whose": slot("person", "my", "his", "their")},
    ),
    "allowed": Intent(
        "calibration",
        ("Is smoking {may} on the {place}?", "On the {place}, is smoking {may}?"),
        {
            "may": slot("negation", "allowed", "not allowed"),
            "place": slot("entity", "terrace", "balcony", "platform", "roof"),
        },
    ),
    "extreme": Intent(
        "calibration",
        ("What is the {end} temperature in {place}?", "In {place}, what is the {end} temperature?"),
        {"end": slot("antonym", "maximum", "minimum", "average"), "place": _CITIES},
    ),
    "poem": Intent(
        "calibration",
        ("Write a {form} about {topic} in {language}.", "Please write a {form} in {language} about {topic}."),
        {
            "form": slot("format", "haiku", "sonnet", "limerick"),
            "topic": slot("entity", "rain", "bread", "trains"),
            "language": slot("language", "French", "German", "English"),
        },
    ),
    "rename": Intent(
        "calibration",
        ("Rename the variable {old} to {new}.", "I want to rename the variable {old} to {new}."),
        {
            "old": slot("variable", "user_id", "userId", "item", "items", "`x`", "`X`"),
            "new": slot("variable", "account_id", "row", "cell"),
        },
    ),
    "holiday": Intent(
        "calibration",
        ("Is the office open on {date}?", "On {date}, is the office open?"),
        {"date": slot("date", "March 3", "March 4", "May 3", "3 June", "December 24", "2024-12-24", "2025-12-24")},
    ),
    "speed": Intent(
        "calibration",
        ("How long does a car take for {amount} {unit}?", "How long does an automobile take for {amount} {unit}?"),
        {"amount": _AMOUNTS, "unit": slot("unit", "km", "miles", "meters", "feet")},
    ),
    "copies": Intent(
        "calibration",
        ("Can I delete {which} backups of the server?", "Am I able to erase {which} backups of the server?"),
        {"which": slot("quantifier", "all", "some", "any", "none of the", "most")},
    ),
    "population": Intent(
        "calibration",
        (
            "What is the population of {state}?",
            "How many people live in {state}?",
            "Can you tell me the population of {state}?",
            "I'd like to know what the population of {state} is.",
            "population of {state}",
        ),
        {"state": _STATES},
    ),
    "winner": Intent(
        "calibration",
        (
            "Did {first} beat {second} in the final?",
            "Do you know if {first} beat {second} in the final?",
            "In the final, did {first} beat {second}?",
            "Was {second} beaten by {first} in the final?",
        ),
        {"first": _TEAMS, "second": _TEAMS},
        ("first", "second"),
    ),
    "timezones": Intent(
        "calibration",
        (
            "If it is {hour} in {here}, what time is it in {there}?",
            "What time is it in {there} if it is {hour} in {here}?",
            "What time is it in {there} when it's {hour} in {here}?",
        ),
        {"hour": slot("date", "9 am", "9 pm", "10 am", "noon"), "here": _STATES, "there": _STATES},
        ("here", "there"),
    ),
    "dose": Intent(
        "calibration",
        (
            "Is it safe to take {amount} {unit} of ibuprofen {when} a meal?",
            "Is taking {amount} {unit} of ibuprofen {when} a meal safe?",
            "Please tell me, is it safe to take {amount} {unit} of ibuprofen {when} a meal?",
            "Is it safe to take {amount} {unit} ibuprofen {when} eating?",
        ),
        {
            "amount": slot("number", "200", "400", "800", "20"),
            "unit": slot("unit", "mg", "g", "ml"),
            "when": slot("antonym", "before", "after", "without"),
        },
    ),
    "invoice": Intent(
        "calibration",
        (
            "How do I {verb} an invoice for {price}?",
            "How can I {verb} an invoice for {price}?",
            "Could you explain how I {verb} an invoice for {price}?",
            "What are the steps to {verb} an invoice for {price}?",
            "Hello! How do I {verb} an invoice for {price}? Thanks!",
        ),
        {
            "verb": slot("antonym", "approve", "reject"),
            "price": slot("currency", "$500", "€500", "£500"),
        },
    ),
    "visa": Intent(
        "calibration",
        (
            "{whether} {who} need a visa for {country}?",
            "Hi, {whether} {who} need a visa for {country}?",
            "{whether} {who} require a visa for {country}?",
            "{whether} {who} need a visa to enter {country}?",
        ),
        {
            "whether": slot("negation", "Do", "Don't"),
            "who": slot("person", "I", "they", "we"),
            "country": slot("entity", "Brazil", "Bolivia", "Japan", "Jordan"),
        },
    ),
    "regex": Intent(
        "calibration",
        (
            "How do I match {count} digits at the {end} of {name} in {tool}?",
            "In {tool}, how do I match {count} digits at the {end} of {name}?",
            "How would one match {count} digits at the {end} of {name} in {tool}?",
            "I'm trying to match {count} digits at the {end} of {name} in {tool}. How?",
        ),
        {
            "count": _COUNTS,
            "end": slot("antonym", "start", "end"),
            "name": slot("variable", "line", "lines", "row_id", "rowId", "`s`"),
            "tool": slot("language", "Python", "Ruby", "Perl"),
        },
    ),
    "summary": Intent(
        "calibration",
        (
            "Summarize the plot of {book} in {count} sentences as {form}.",
            "Please summarize the plot of {book} in {count} sentences as {form}.",
            "Could you summarize the plot of {book} as {form} in {count} sentences?",
            "Give me a summary of the plot of {book} in {count} sentences as {form}.",
        ),
        {
            "book": slot("entity", "Hamlet", "Macbeth", "Othello", "Emma"),
            "count": _COUNTS,
            "form": slot("format", "JSON", "a table", "bullet points"),
        },
    ),
    "translate": Intent(
        "calibration",
        (
            'Translate "{text}" into {language}.',
            'Please translate "{text}" into {language}.',
            'How do you say "{text}" in {language}?',
            'Can you translate "{text}" into {language}, please?',
        ),
        {
            "text": slot("quoted", "good morning", "good evening", "Good Morning Vietnam"),
            "language": slot("language", "Italian", "Dutch", "Polish"),
        },
    ),
    "quorum": Intent(
        "calibration",
        (
            "Must {which} members sign the form?",
            "Do {which} members have to sign the form?",
            "Do {which} members need to sign the form?",
            "Does the form have to be signed by {which} members?",
        ),
        {"which": slot("quantifier", "all", "some", "at least two", "at most two", "any")},
    ),
    "president": Intent(
        "calibration",
        (
            "Who {tense} the president of {country} in {year}?",
            "In {year}, who {tense} the president of {country}?",
            "Any idea who {tense} the president of {country} in {year}?",
        ),
        {
            "tense": slot("tense", "was", "will be"),
            "country": slot("entity", "Chile", "Peru", "Kenya", "Ghana"),
            "year": slot("date", "1999", "2001", "2025", "2031"),
        },
    ),
    "sum": Intent(
        "calibration",
        ("What is {a} {op} {b}?", "What's {a} {op} {b}?", "Compute {a} {op} {b}.", "Tell me what {a} {op} {b} is."),
        {"a": _COUNTS, "op": slot("antonym", "plus", "minus", "times"), "b": _AMOUNTS},
    ),
    "export": Intent(
        "calibration",
        (
            "Where can I {verb} the {period} report?",
            "Where do I {verb} the {period} report?",
            "Please let me know where I can {verb} the {period} report.",
            "Where can the {period} report be {verb}ed?",
        ),
        {
            "verb": slot("antonym", "upload", "download"),
            "period": slot("date", "Monday", "Friday", "March", "May"),
        },
    ),
    # Held out.
    "refund": Intent(
        "held_out",
        (
            "How long does a refund to {card} take?",
            "How many days does a refund to {card} take?",
            "Can you tell me how long a refund to {card} takes?",
            "How long does it take to get a refund to {card}?",
            "Hey! How long does a refund to {card} take? Many thanks",
        ),
        {"card": slot("entity", "Visa", "PayPal", "Mastercard", "Klarna")},
    ),
    "boil": Intent(
        "held_out",
        (
            "How many minutes do I boil {count} eggs at {height} {unit}?",
            "How many minutes should I boil {count} eggs at {height} {unit}?",
            "At {height} {unit}, how many minutes do I boil {count} eggs?",
            "I'd like to know how many minutes to boil {count} eggs at {height} {unit}.",
        ),
        {
            "count": _COUNTS,
            "height": slot("number", "800", "1800", "2,800"),
            "unit": slot("unit", "meters", "feet", "miles"),
        },
    ),
    "owner": Intent(
        "held_out",
        (
            "Did {first} acquire {second}?",
            "Hello, did {first} acquire {second}?",
            "Was {second} acquired by {first}?",
            "Has {first} acquired {second}?",
        ),
        {"first": slot("entity", "Oracle", "Cisco", "Adobe"), "second": slot("entity", "Oracle", "Cisco", "Adobe")},
        ("first", "second"),
    ),
    "route": Intent(
        "held_out",
        (
            "What is the cheapest train from {here} to {there} on {day}?",
            "On {day}, what is the cheapest train from {here} to {there}?",
            "What's the cheapest train to {there} from {here} on {day}?",
            "Could you tell me what the cheapest train from {here} to {there} on {day} is?",
        ),
        {"here": _CITIES, "there": _CITIES, "day": slot("date", "Sunday", "May 2", "May 12", "2 May")},
        ("here", "there"),
    ),
    "permission": Intent(
        "held_out",
        (
            "{can} {who} bring a dog into the {room}?",
            "Please, {can} {who} bring a dog into the {room}?",
            "{can} {who} take a dog into the {room}?",
            "Hi. {can} {who} bring a dog into the {room}? Thank you!",
        ),
        {
            "can": slot("negation", "Can", "Can't", "Must", "Mustn't"),
            "who": slot("person", "I", "she", "you"),
            "room": slot("entity", "library", "kitchen", "gym"),
        },
    ),
    "firewall": Intent(
        "held_out",
        (
            "How do I {verb} {direction} traffic on port {port} with {tool}?",
            "With {tool}, how do I {verb} {direction} traffic on port {port}?",
            "How can I {verb} {direction} traffic on port {port} using {tool}?",
            "What's the way to {verb} {direction} traffic on port {port} with {tool}?",
            "How is {direction} traffic on port {port} {verb}ed with {tool}?",
        ),
        {
            "verb": slot("antonym", "block", "unblock", "allow"),
            "direction": slot("antonym", "inbound", "outbound"),
            "port": slot("number", "22", "443", "8443"),
            "tool": slot("entity", "iptables", "nftables", "ufw"),
        },
    ),
    "sort": Intent(
        "held_out",
        (
            "Sort the list {name} in {order} order in {language}.",
            "Please sort the list {name} in {order} order in {language}.",
            "Could you sort the list {name} in {order} order in {language}?",
            "In {language}, sort the list {name} in {order} order.",
        ),
        {
            "name": slot("variable", "prices", "price", "`rows`", "`row`", "myList", "mylist"),
            "order": slot("antonym", "ascending", "descending", "random"),
            "language": slot("language", "Rust", "Go", "Swift"),
        },
    ),
    "code": Intent(
        "held_out",
        (
            "What does {line} return?",
            "What does {line} return",
            "Hi, what does {line} return?",
            "Please tell me what {line} returns.",
        ),
        {"line": slot("code", "f(x, y)", "f(y, x)", "f(x) + y", "f(x) - y", "not f(x)", "f(x)[0]", "f(x)[1]", "x > y")},
    ),
    "letter": Intent(
        "held_out",
        (
            "Write {form} to {whose} landlord about {topic} in {language}.",
            "Please write {form} to {whose} landlord about {topic} in {language}.",
            "Could you write {form} to {whose} landlord in {language} about {topic}?",
            "I need {form} to {whose} landlord about {topic} in {language}.",
        ),
        {
            "form": slot("format", "an email", "a letter", "a text message"),
            "whose": slot("person", "my", "her", "our"),
            "topic": slot("entity", "mould", "noise", "heating"),
            "language": slot("language", "Danish", "Korean", "Arabic"),
        },
    ),
    "quota": Intent(
        "held_out",
        (
            "Are {which} users limited to {amount} {unit} per {period}?",
            "Hello! Are {which} users limited to {amount} {unit} per {period}?",
            "Do you know whether {which} users are limited to {amount} {unit} per {period}?",
            "Tell me if {which} users are limited to {amount} {unit} per {period}.",
        ),
        {
            "which": slot("quantifier", "all", "no", "most", "only new"),
            "amount": slot("number", "10", "100", "1,000"),
            "unit": slot("unit", "MB", "GB", "requests"),
            "period": slot("date", "day", "week", "month"),
        },
    ),
    "price": Intent(
        "held_out",
        (
            "What will {item} cost in {currency} after {year}?",
            "After {year}, what will {item} cost in {currency}?",
            "How much will {item} cost in {currency} after {year}?",
            "Any idea what {item} will cost in {currency} after {year}?",
        ),
        {
            "item": slot("entity", "gold", "copper", "wheat"),
            "currency": slot("currency", "dollars", "euros", "pounds"),
            "year": slot("date", "2027", "2030", "2035"),
        },
    ),
    "history": Intent(
        "held_out",
        (
            "Who {tense} the mayor of {city}?",
            "Hi, who {tense} the mayor of {city}?",
            "Do you know who {tense} the mayor of {city}?",
            "I was wondering who {tense} the mayor of {city}",
        ),
        {"tense": slot("tense", "is", "was", "will be"), "city": _CITIES},
    ),
}
_BEFORE = ("", "", "", "Please: ", "Hi! ", "Hello, ", "Quick question: ", "Hey there, ", "Thanks in advance! ")
_AFTER = ("", "", "", " Thanks!", " Please.", " Thank you.")


def draw(half: Half, seed: int, hits: int, misses_per_hit: int = MISSES_PER_HIT) -> Iterator[Pair]:
    """``hits`` pairs that must hit, and so many times as many that must miss, evenly over intents."""
    intents = {name: intent for name, intent in INTENTS.items() if intent.half == half}
    return draw_from(intents, seed, hits, misses_per_hit)


def draw_from(
    table: dict[str, Intent], seed: int, hits: int, misses_per_hit: int, polite: Polite = (_BEFORE, _AFTER)
) -> Iterator[Pair]:
    """The same of any table."""
    random_, intents = random.Random(seed), list(table.items())
    for number in range(hits):
        yield _hit(*intents[number % len(intents)], random_, polite)
        for more in range(misses_per_hit):
            yield _miss(*intents[(number + more) % len(intents)], random_)


def answer(name: str, values: dict[str, str]) -> str:
    """The oracle: what is asked for, and of what."""
    return f"{name}: " + ", ".join(f"{slot}={value.replace(',', '')}" for slot, value in sorted(values.items()))


def values_of(intent: Intent, random_: random.Random) -> dict[str, str]:
    values = {slot: random_.choice(choices) for slot, (_, choices) in intent.slots.items()}
    if intent.swaps is not None:
        values |= zip(intent.swaps, random_.sample(intent.slots[intent.swaps[0]][1], 2), strict=True)
    return values


def _hit(name: str, intent: Intent, random_: random.Random, polite: Polite) -> Pair:
    values = values_of(intent, random_)
    one, other = [each.format(**values) for each in random_.sample(intent.phrasings, 2)]
    return Pair("paraphrase", one, random_.choice(polite[0]) + other + random_.choice(polite[1]), same=True)


def _miss(name: str, intent: Intent, random_: random.Random) -> Pair:
    values = values_of(intent, random_)
    changed = dict(values)
    kinds = sorted(intent.slots)
    slot = random_.choice([*kinds, "swap"] if intent.swaps is not None else kinds)
    if slot == "swap" and intent.swaps is not None:
        one, other = intent.swaps
        changed[one], changed[other], family = values[other], values[one], "direction"
    else:
        family, choices = intent.slots[slot]
        taken = {values[one] for one in intent.swaps} if intent.swaps is not None and slot in intent.swaps else set()
        changed[slot] = random_.choice([value for value in choices if value != values[slot] and value not in taken])
    phrasing = random_.randrange(len(intent.phrasings))
    again = phrasing if random_.random() < 0.7 else random_.randrange(len(intent.phrasings))
    stored, asked = intent.phrasings[phrasing].format(**values), intent.phrasings[again].format(**changed)
    return Pair(family, stored, asked, same=answer(name, values) == answer(name, changed))
