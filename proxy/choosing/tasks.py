"""What kind of task a conversation is, told by rules: named signals with weights, no model asked.

Cheap on purpose: it looks at the first and last characters of the last user message and at the beginning of the
instructions, at words and a few phrases, in English and German. What it says is a guess for routing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from proxy.chat import Chat, Text, ToolResult

LABELS = (
    "code",
    "reasoning",
    "extraction",
    "classification",
    "summary",
    "translation",
    "tools",
    "long_context",
    "chat",
)
_EDGE = 400  # characters looked at, at either end of a message
_OPENING = 90  # characters at either end that count twice: there people say what they want
_ENOUGH = 1.0  # a task with less than this is talk


class Excerpt(NamedTuple):
    """What is looked at: instructions, the beginning and the end of what the user said last, and its length."""

    system: str
    head: str
    tail: str
    length: int
    after_tool: bool  # the last message brings the results of tools

    @property
    def text(self) -> str:
        """Beginning and end as one."""
        return f"{self.head}\n…\n{self.tail}" if self.tail else self.head


class Verdict(NamedTuple):
    """The task, and the signals that told."""

    label: str
    signals: tuple[str, ...]


# Words of a task, by weight. A word may speak for several.
_WORDS: dict[str, dict[float, str]] = {
    "code": {
        1.0: "python javascript typescript golang rust kotlin sql bash regex html css dockerfile kubernetes unittest "
        "pytest refactor debug compile compiler stacktrace traceback segfault nullpointerexception typeerror "
        "quellcode programmiere refaktoriere unittests codebase pandas numpy react django postgres git",
        0.6: "function funktion code script skript class klasse method methode api bug query endpoint algorithm "
        "algorithmus implement implementiere variable array loop schleife exception programm",
    },
    "reasoning": {
        1.2: "prove proof beweise beweis derive integral theorem riddle puzzle rätsel probability wahrscheinlichkeit "
        "equation gleichung solve löse calculate berechne deduce paradox strategy strategie",
        0.6: "why warum analyze analyse analysiere compare vergleiche evaluate bewerte consequences folgen "
        "optimal trade-offs tradeoffs argue reason logically logisch hypothesis hypothese decide minimum maximum",
    },
    "extraction": {
        1.2: "extract extrahiere extrahieren parse entities entitäten fields felder",
        0.6: "list json csv table tabelle names namen dates find finde auflisten invoice rechnung amounts beträge",
    },
    "classification": {
        1.2: "classify klassifiziere klassifizieren categorize kategorisiere sentiment stimmung spam label category "
        "kategorie positive negative positiv negativ toxic",
        0.6: "detect erkenne intent absicht neutral urgent dringend ordne tag urgency",
    },
    "summary": {
        1.4: "summarize summarise summary tldr zusammenfassung zusammenfassen fasse shorten condense kürze recap "
        "stichpunkte zusammen abstract",
        0.5: "brief short kurz bullet key points main kernaussagen sentences sätzen",
    },
    "translation": {
        1.6: "translate translation translated übersetze übersetzen übersetzung übersetz",
        0.5: "english german french spanish italian chinese japanese englische englisch deutsch deutsche französisch "
        "französische spanisch spanische italienische chinesisch",
    },
}
# Phrases, looked for as they stand in the lower-case text.
_PHRASES: tuple[tuple[str, str, float], ...] = (
    ("```", "code", 1.2),
    ("def ", "code", 1.0),
    ("import ", "code", 0.5),
    ("();", "code", 0.8),
    ("() {", "code", 1.0),
    ("select * ", "code", 1.0),
    ("public static", "code", 1.0),
    ("error:", "code", 0.5),
    ("=> {", "code", 0.8),
    ("#include", "code", 1.2),
    ("step by step", "reasoning", 1.2),
    ("schritt für schritt", "reasoning", 1.2),
    ("how many", "reasoning", 1.0),
    ("wie viele", "reasoning", 1.0),
    ("how long", "reasoning", 0.7),
    ("wie lange", "reasoning", 0.7),
    ("what is the best way to", "reasoning", 0.5),
    ("pros and cons", "reasoning", 1.1),
    ("vor- und nachteile", "reasoning", 1.1),
    ("root cause", "reasoning", 1.0),
    ("if and only if", "reasoning", 1.2),
    ("pull out", "extraction", 1.2),
    ("all the ", "extraction", 0.4),
    ("list all", "extraction", 1.0),
    ("liste alle", "extraction", 1.2),
    ("as json", "extraction", 0.9),
    ("als json", "extraction", 0.9),
    ("which category", "classification", 1.2),
    ("welche kategorie", "classification", 1.2),
    ("one of the following", "classification", 0.8),
    ("eine der folgenden", "classification", 0.8),
    ("is this ", "classification", 0.7),
    ("yes or no", "classification", 0.8),
    ("ja oder nein", "classification", 0.8),
    ("positive or negative", "classification", 1.0),
    ("tl;dr", "summary", 1.6),
    ("main points", "summary", 1.2),
    ("key takeaways", "summary", 1.4),
    ("in one sentence", "summary", 0.8),
    ("in einem satz", "summary", 0.8),
    ("das wichtigste", "summary", 1.0),
    ("ins englische", "translation", 1.4),
    ("ins deutsche", "translation", 1.4),
    ("auf englisch", "translation", 1.2),
    ("auf deutsch", "translation", 0.8),
    ("into english", "translation", 1.0),
    ("into german", "translation", 1.0),
    ("into french", "translation", 1.0),
    ("into spanish", "translation", 1.0),
    ("in german?", "translation", 1.0),
    ("how do you say", "translation", 1.4),
    ("was heißt", "translation", 1.0),
)


def _index(words: Mapping[str, Mapping[float, str]]) -> dict[str, tuple[tuple[str, float], ...]]:
    found: dict[str, tuple[tuple[str, float], ...]] = {}
    for label, weights in words.items():
        for weight, listed in weights.items():
            for word in listed.split():
                found[word] = (*found.get(word, ()), (label, weight))
    return found


_PLAIN = str.maketrans(dict.fromkeys(".,;:!?()[]{}<>\"'`*#=/\\|„“”‚‘’", " "))


def _anchors() -> dict[str, tuple[tuple[str, str, float], ...]]:
    """Phrases by their longest word: only where that word stands the phrase is looked for."""
    found: dict[str, tuple[tuple[str, str, float], ...]] = {}
    for row in _PHRASES:
        word = max(row[0].translate(_PLAIN).split(), key=len, default="")
        found[word] = (*found.get(word, ()), row)
    return found


_INDEX = _index(_WORDS)
_ANCHORS = _anchors()
_WORDLESS = _ANCHORS.get("", ())
_KNOWN = frozenset(_INDEX) | frozenset(_ANCHORS)


def excerpt(chat: Chat) -> Excerpt:
    """What of a conversation is looked at."""
    system, said, after_tool = "", "", False
    for message in chat.messages[:4]:
        if message.role in ("system", "developer"):
            system = _text(message.parts, _EDGE)
            break
    for message in reversed(chat.messages[-20:]):
        if message.role == "user":
            after_tool = after_tool or any(isinstance(part, ToolResult) for part in message.parts)
            said = "\n".join(part.text for part in message.parts if isinstance(part, Text))
            if said:
                break
    tail = said[_EDGE:][-_EDGE:]
    return Excerpt(system, said[:_EDGE], tail, len(said), after_tool)


def task_of(chat: Chat, seen: Excerpt | None = None) -> Verdict:
    """The task that most signals speak for; ``chat`` where too little does."""
    seen = seen or excerpt(chat)
    scores = dict.fromkeys(LABELS, 0.0)
    signals: list[str] = []
    text = f"{seen.head}\n{seen.tail}".lower()
    words = _split(text)
    _words(words, 1.0, scores, signals)
    _words(_split(f"{text[:_OPENING]} {text[-_OPENING:]}"), 1.0, scores, [])
    if seen.system:
        _words(_split(seen.system.lower()), 0.7, scores, signals)
    _phrases(text, words, scores, signals)
    _shape(chat, seen, scores, signals)
    best = max(LABELS, key=lambda label: scores[label])
    return Verdict(best if scores[best] >= _ENOUGH else "chat", tuple(signals[:12]))


def _split(text: str) -> frozenset[str]:
    return _KNOWN.intersection(text.translate(_PLAIN).split())


def _phrases(text: str, words: Iterable[str], scores: dict[str, float], signals: list[str]) -> None:
    for rows in (_WORDLESS, *(_ANCHORS[word] for word in words if word in _ANCHORS)):
        for phrase, label, weight in rows:
            if phrase in text:
                scores[label] += weight
                signals.append(phrase)


def _words(words: Iterable[str], factor: float, scores: dict[str, float], signals: list[str]) -> None:
    for word in words:
        found = _INDEX.get(word)
        if found is None:
            continue
        signals.append(word)
        for label, weight in found:
            scores[label] += factor * weight


def _shape(chat: Chat, seen: Excerpt, scores: dict[str, float], signals: list[str]) -> None:
    """What the request's form says."""
    if chat.tools:
        scores["tools"] += 3.5 if seen.after_tool else 1.3
        signals.append("results of tools" if seen.after_tool else "tools")
    if chat.format is not None:
        scores["classification" if _has_choice(chat.format.schema) else "extraction"] += 1.0
        signals.append("JSON")
    if chat.thinking is not None and chat.thinking.effort in ("high", "xhigh", "max"):
        scores["reasoning"] += 1.5
        signals.append("high effort")


def _has_choice(schema: Any) -> bool:
    """Whether a JSON Schema asks for one of several words."""
    members = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(members, dict) or len(members) > 3:
        return False
    return any(isinstance(member, dict) and "enum" in member for member in members.values())


def _text(parts: Iterable[Any], most: int) -> str:
    return "\n".join(part.text[:most] for part in parts if isinstance(part, Text))[:most]
