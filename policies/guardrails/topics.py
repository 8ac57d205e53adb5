"""What may be spoken of, and what may not: topics by their words, by examples of them, and by a model's judgement."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from hashlib import sha256
from typing import Any, ClassVar, Literal

import msgspec

from policies.guardrails._helpers import Guard, GuardConfig
from policies.guardrails._stream import LONG
from policies.guardrails._topics import SMALL_TALK, SmallTalk, Turns, question, shortened, turns_of, understood
from proxy.exchange import Exchange, Reply
from proxy.guarding.action import Action
from proxy.guarding.carriers import Carrier
from proxy.guarding.scanner import Pattern, Patterns, Scanner, Several, problem
from proxy.guarding.verdict import Verdict
from proxy.guarding.vocabulary import Vocabulary
from proxy.kept import aside
from proxy.policy import CompileContext, Config, Target
from proxy.semantic.embedder import Embedder
from proxy.semantic.examples import Examples
from proxy.units import Duration

OFF_TOPIC = "off_topic"
_WHERE = "the last user turn"
_JUDGED_TOKENS = 32  # of a judge's answer


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One topic. ``about``: a sentence for a judge; ``patterns`` are RE2; ``examples`` are compared by vectors."""

    about: str = ""
    words: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


class TopicsConfig(Config, frozen=True, kw_only=True):
    """See ``schemas/policies/topics.json``."""

    define: dict[str, Topic]
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    follow_up: int = 0
    judge: str | None = None
    embedder: str | None = None
    model_dir: str | None = None
    likeness: float = 0.8
    timeout: Duration = Duration(2)
    on: Literal["input", "output", "both"] = "both"
    action: Literal["block", "redact", "warn", "shadow"] = "block"
    on_error: Literal["open", "closed"] = "closed"
    entities: dict[str, Literal["block", "redact", "warn", "shadow"]] = {}
    message: str = ""


class Topics(Guard):
    """Words of denied topics are looked for in every text; what a user has said last is then told its topic."""

    __slots__ = ("_about", "_allowed", "_context", "_denied", "_editor", "_examples", "_follow_up", "_judge",
                 "_patience", "_talk", "_words")  # fmt: skip

    name: ClassVar[str] = "topics"
    Config = TopicsConfig  # type: ignore[assignment]  # some options of other guards make no sense here

    def __init__(
        self,
        config: TopicsConfig,
        examples: Examples | None,
        judge: Callable[[], Target] | None,
        context: CompileContext,
    ) -> None:
        plain = GuardConfig(
            on=config.on,
            action=config.action,
            on_error=config.on_error,
            entities=dict(config.entities),
            message=config.message,
        )
        super().__init__(plain, _scanner(config.define, config.deny), context)
        self._allowed = frozenset(config.allow)
        self._denied = frozenset(config.deny)
        self._about = {name: topic.about for name, topic in config.define.items()}
        self._words = _scanner(config.define, config.allow)
        self._follow_up = config.follow_up
        self._talk = context.shared("small talk", SmallTalk)
        self._examples = examples
        self._judge = judge
        self._patience = float(config.timeout)
        self._context = context
        self._editor = context.editor()

    @classmethod
    def compile(cls, config: TopicsConfig, context: CompileContext) -> Topics:
        _check(config, context)
        texts = {name: topic.examples for name, topic in config.define.items() if topic.examples}
        examples = None
        if texts or config.embedder is not None or config.model_dir is not None:
            embedder = Embedder.compile(context, config.embedder, config.model_dir, float(config.timeout))
            if not texts:
                context.fail("no topic has `examples`, so no vectors are needed", _vectors_at(config))
            else:
                likeness = config.likeness
                mark = sha256(repr((embedder.name, likeness, texts)).encode()).hexdigest()
                examples = context.shared(f"topics {context.route} {mark}", lambda: Examples(texts, embedder, likeness))
        judge = None if config.judge is None else context.detour(config.judge, "judge")
        return cls(config, examples, judge, context)

    @classmethod
    def scanner(cls, config: Any, context: CompileContext) -> Scanner:
        """Of words that are denied."""
        return _scanner(config.define, config.deny)

    async def _inspect(self, x: Exchange, verdict: Verdict) -> Reply | None:
        reply = await super()._inspect(x, verdict)
        if reply is not None or not x.body or x.endpoint.body != "json":
            return reply
        if not (self._allowed or self._examples is not None or self._judge is not None):
            return None
        turns = await self._turns(x)
        topic = await self._told(x, turns)
        if topic is None:
            return self._failed(x, verdict, "nobody told the topic")
        if topic in self._allowed or topic == SMALL_TALK:
            return None
        if topic not in self._denied:
            if not self._allowed:
                return None
            topic = OFF_TOPIC
        return self._act(x, verdict, topic)

    def _act(self, x: Exchange, verdict: Verdict, topic: str) -> Reply | None:
        """A turn is of a topic that is denied, or of none that is allowed."""
        action: Action = self._actions.of(topic)
        if action == "redact":  # what is left of it would be nothing
            action = "block"
        verdict.note(topic, action, _WHERE)
        return x.refuse(400, "guardrail_blocked", self.message) if action == "block" else None

    async def _turns(self, x: Exchange) -> Turns:
        chat = await self._editor.read(x)
        if chat is not None:
            return turns_of(chat)
        _, told = x.carriers or (b"", [])
        said: Iterable[Carrier] = (one for one in told if one.place == "user" and not one.is_name)
        return Turns("\n".join(one.text for one in said))

    async def _told(self, x: Exchange, turns: Turns) -> str | None:
        """The topic of the last turn, "" for none that is known; None if that cannot be told."""
        if (known := await self._by_words(turns.last)) or self._talk.is_all(turns.last):
            return known or SMALL_TALK
        if not turns.last.strip():
            return ""
        if x.explained and (self._examples is not None or self._judge is not None):
            return SMALL_TALK  # nobody is asked
        if self._examples is not None and (nearest := await self._examples.nearest(x, shortened(turns.last))) != "":
            return nearest
        if self._judge is not None:
            asked = question(self._about, turns)
            said = await self._context.ask(self._judge(), x, asked, self._patience, _JUDGED_TOKENS)
            return understood(said, tuple(self._about))
        if self._follow_up and len(turns.last.split()) <= self._follow_up:
            for turn in turns.earlier:
                if known := await self._by_words(turn):
                    return known
        return ""

    async def _by_words(self, text: str) -> str:
        """An allowed topic of which words are there."""
        found = await aside(self._words.scan, text) if len(text) > LONG else self._words.scan(text)
        return found[0].entity if found else ""

    def heard(self, x: Exchange) -> Scanner | None:
        return super().heard(x) if self._scanner.entities else None

    def explain(self, x: Exchange) -> str:
        told = [super().explain(x)] if self._scanner.entities else []
        if self._allowed:
            told.append(f"the user may speak of {', '.join(sorted(self._allowed))}")
        if self._examples is not None:
            told.append("what words do not tell is compared with examples")
        if self._judge is not None:
            told.append(f"{', '.join(self._judge().leaves())} is asked about what is unclear")
        return "; ".join(told)


def _scanner(define: Mapping[str, Topic], names: Collection[str]) -> Scanner:
    """Of the words and patterns of these topics; what is wrong has been told by ``_check``."""
    topics = [(name, define[name]) for name in names if name in define]
    patterns = [Pattern(name, regex) for name, topic in topics for regex in topic.patterns if problem(regex) is None]
    scanners: list[Scanner] = [Vocabulary({name: topic.words for name, topic in topics if topic.words})]
    if patterns:
        scanners.append(Patterns(patterns))
    return Several(scanners)


def _vectors_at(config: TopicsConfig) -> str:
    return "embedder" if config.embedder is not None else "model_dir"


def _check(config: TopicsConfig, context: CompileContext) -> None:
    """Tell what makes no sense."""
    if not (config.allow or config.deny):
        context.fail("this lets everything pass; say which topics are allowed or denied")
        return
    if config.allow and config.on == "output":
        context.fail("what is allowed is decided by what a user says: `on` must be `input` or `both`", "allow")
    if config.follow_up and config.judge is not None:
        context.fail("a judge is told what was said before, and decides about follow-ups too", "follow_up")
    if config.follow_up and not config.allow:
        context.fail("this matters only with `allow`", "follow_up")
    for key, names in (("allow", config.allow), ("deny", config.deny)):
        for at, name in enumerate(names):
            if name not in config.define:
                _missing(f"there is no topic {name!r}", name, config.define, f"{key}[{at}]", context)
            elif key == "deny" and name in config.allow:
                context.fail(f"{name!r} is allowed as well", f"deny[{at}]")
    known = (*config.deny, *([OFF_TOPIC] if config.allow else []))
    for name in config.entities:
        if name not in known:
            _missing(f"no topic {name!r} is denied", name, known, f"entities.{name}", context)
    for name, topic in config.define.items():
        _check_topic(config, name, topic, context)


def _check_topic(config: TopicsConfig, name: str, topic: Topic, context: CompileContext) -> None:
    at = f"define.{name}"
    if name == OFF_TOPIC:
        context.fail(f"{OFF_TOPIC!r} is what receipts call that of which no topic is allowed", at)
    if name not in config.allow and name not in config.deny and config.judge is None and not topic.examples:
        context.fail("this topic is neither allowed nor denied", at)
    if not (topic.words or topic.patterns or topic.examples) and config.judge is None:
        context.fail("without `words`, `patterns`, `examples` or a `judge` nothing is ever of this topic", at)
    for number, word in enumerate(topic.words):
        if not word.strip():
            context.fail("an empty word is everywhere", f"{at}.words[{number}]")
    for number, regex in enumerate(topic.patterns):
        if (wrong := problem(regex)) is not None:
            context.fail(wrong, f"{at}.patterns[{number}]")


def _missing(what: str, name: str, known: Collection[str], at: str, context: CompileContext) -> None:
    near = get_close_matches(name, known, 1)
    context.fail(f'{what}; did you mean "{near[0]}"?' if near else f"{what}; there are {', '.join(known)}", at)
