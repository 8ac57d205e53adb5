"""How large one request may be, and what it may ask of a model. What several may use together is the `quota`'s."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, Self

import msgspec

from policies.guardrails._patience import Patience, Times
from policies.guardrails._window import Window
from proxy.chat import Chat, Media, ToolResult
from proxy.exchange import Exchange, Reply
from proxy.policy import Answer, CompileContext, Config, Policy

LIMIT_EXCEEDED = "limit_exceeded"
TOO_LONG = "context_length_exceeded"
# Operations without a dialect whose input is text as well.
_TEXTS = frozenset({"embeddings", "text_completion"})


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of one parameter. ``default``: what is set where a request sets nothing; ``over``: what becomes of a value
    outside."""

    min: float | None = None
    max: float | None = None
    default: float | None = None
    over: Literal["clamp", "refuse"] = "clamp"


class Summarise(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``summarise``: the route whose target is asked for the summary."""

    summarise: str


class LimitsConfig(Config, frozen=True):
    """All tokens. ``context_window`` None with ``over_context``: as large as that of the route's largest model."""

    max_input_tokens: int | None = None
    max_messages: int | None = None
    max_tools: int | None = None
    max_images: int | None = None
    context_window: int | None = None
    over_context: Literal["refuse", "trim_oldest"] | Summarise | None = None
    max_tokens: Bounds | None = None
    temperature: Bounds | None = None
    top_p: Bounds | None = None
    n: Bounds | None = None
    timeouts: Times | None = None


_PARAMETERS = ("max_tokens", "temperature", "top_p", "n")


class Limits(Policy):
    """Parameters first, then numbers of things, then tokens: what is quick to see refuses first."""

    __slots__ = ("_bounds", "_context", "_counts", "_editor", "_input", "_patience", "_slot", "_window")

    Config = LimitsConfig

    def __init__(self, config: LimitsConfig, context: CompileContext) -> None:
        found = {name: getattr(config, name) for name in _PARAMETERS}
        self._bounds: dict[str, Bounds] = {name: bounds for name, bounds in found.items() if bounds is not None}
        self._counts = [
            (name, most, count)
            for name, most, count in (
                ("messages", config.max_messages, _messages),
                ("tools", config.max_tools, lambda chat: len(chat.tools)),
                ("images", config.max_images, _images),
            )
            if most is not None
        ]
        self._input = config.max_input_tokens
        over, window = config.over_context, config.context_window
        self._window: Window | None = None
        if over is not None or window is not None:
            summariser = None
            if isinstance(over, Summarise):
                summariser = context.detour(over.summarise, "over_context.summarise")
            self._window = Window(window, trims=over not in (None, "refuse"), summariser=summariser, context=context)
        self._patience = Patience(config.timeouts or Times())
        self._context = context
        self._editor = context.editor()
        self._slot = context.slot()

    @classmethod
    def compile(cls, config: LimitsConfig, context: CompileContext) -> Self:
        for name in _PARAMETERS:
            bounds: Bounds | None = getattr(config, name)
            if bounds is not None:
                _check(name, bounds, context)
        times = config.timeouts
        if times is not None and times.total is None is times.first_token:
            context.fail("give it a `total` or a `first_token`", "timeouts")
        elif times is not None and times.total is not None and (times.first_token or 0) > times.total:
            context.fail("`total` is over before that", "timeouts.first_token")
        if config == LimitsConfig():
            context.fail("this limits nothing; say what is limited, such as `max_tokens: {max: 1000}`")
        return cls(config, context)

    async def on_request(self, x: Exchange) -> Reply | None:
        if x.method == "WEBSOCKET":
            return None
        self._patience.bound(x)
        if x.endpoint.body != "json":
            return None
        refusal = self._set(x) if self._bounds else None
        if refusal is None and self._counts:
            chat = await self._editor.read(x)
            refusal = None if chat is None else self._count(x, chat)
        if refusal is None and (x.endpoint.dialect is not None or x.endpoint.operation in _TEXTS):
            refusal = await self._size(x)
        return refusal

    def _set(self, x: Exchange) -> Reply | None:
        """Bring parameters within their bounds; a refusal if one that is outside must not be changed."""
        outside: list[tuple[str, float]] = []
        told: list[str] = []
        changes = {
            name: partial(_within, name, bounds, outside.append, told.append) for name, bounds in self._bounds.items()
        }
        self._editor.adjust(x, changes)
        if outside:
            name, value = outside[0]
            return self._refuse(x, name, f"{name} is {value:g}, and must be {_words(self._bounds[name])} here.")
        if told:
            self._note(x, ", ".join(told))
            changed = [one.partition(" ")[0] for one in told if "→" in one]
            for name in dict.fromkeys(changed):
                self._tell(x, name, "clamped")
            x.state[self._slot] = tuple(dict.fromkeys(changed))
        return None

    def _count(self, x: Exchange, chat: Chat) -> Reply | None:
        for name, most, count in self._counts:
            if (found := count(chat)) > most:
                return self._refuse(x, name, f"The request has {found} {name}, and may have {most} here.")
        return None

    async def _size(self, x: Exchange) -> Reply | None:
        """Tokens: the context window first, as what is trimmed for it no longer counts."""
        if self._window is not None and x.endpoint.operation == "chat":
            over = await self._window.fit(x)
            if over is not None:
                return self._refuse(x, "context_window", over, TOO_LONG)
            if (done := self._window.done(x)) is not None:
                self._note(x, done.words)
                self._tell(x, "context_window", done.action)
                x.state[self._slot] = (*(x.state[self._slot] or ()), "messages")
        most = self._input
        if most is not None and self._context.bound(x)[0] > most:
            tokens = await self._context.count_input(x)
            if tokens > most:
                return self._refuse(
                    x, "max_input_tokens", f"prompt is too long: {tokens} tokens > {most} maximum", TOO_LONG
                )
        return None

    def on_response(self, x: Exchange, answer: Answer) -> None:
        changed: tuple[str, ...] | None = x.state[self._slot]
        if changed and answer.target:  # what the model was not told as the caller said it
            answer.dropped = (*changed, *(name for name in answer.dropped if name not in changed))
        if answer.code is not None:
            self._end(x, answer.code)

    def on_close(self, x: Exchange) -> None:
        if "ended: " not in x.notes.get("limits", ""):
            self._end(x, None)

    def _end(self, x: Exchange, code: str | None) -> None:
        if ended := self._patience.ended(x, code):
            self._note(x, f"ended: {ended}")
            self._tell(x, "timeouts", "ended")

    def _refuse(self, x: Exchange, name: str, message: str, code: str = LIMIT_EXCEEDED) -> Reply:
        self._tell(x, name, "refused")
        self._note(x, f"refused: {name}")
        # Clients know the words of a provider's own refusal, and shorten what they ask: no path stands before them.
        param = None if code == TOO_LONG else "messages" if name == "images" else name
        return x.refuse(400, code, message, param=param)

    def _tell(self, x: Exchange, name: str, action: str) -> None:
        self._context.tell("limits.applied", route=x.route, limit=name, action=action)

    def _note(self, x: Exchange, words: str) -> None:
        known = x.notes.get("limits")
        x.notes["limits"] = words if known is None else f"{known}, {words}"

    def explain(self, x: Exchange) -> str:
        return x.notes.get("limits", "within its limits")


def _within(
    name: str,
    bounds: Bounds,
    outside: Callable[[tuple[str, float]], None],
    told: Callable[[str], None],
    value: float | None,
) -> float | None:
    """What to set instead of ``value``; None: it may stay."""
    if value is None:
        # A bound that is escaped by saying nothing would be none: there is no end to an answer without a maximum.
        default = bounds.max if name == "max_tokens" and bounds.default is None else bounds.default
        if default is not None:
            told(f"{name} {default:g} as default")
        return default
    low = value if bounds.min is None else max(value, bounds.min)
    kept = low if bounds.max is None else min(low, bounds.max)
    if kept == value:
        return None
    if bounds.over == "refuse":
        outside((name, value))
        return None
    told(f"{name} {value:g} → {kept:g}")
    return kept


def _words(bounds: Bounds) -> str:
    least = [] if bounds.min is None else [f"at least {bounds.min:g}"]
    most = [] if bounds.max is None else [f"at most {bounds.max:g}"]
    return " and ".join(least + most)


def _check(name: str, bounds: Bounds, context: CompileContext) -> None:
    given = [value for value in (bounds.min, bounds.default, bounds.max) if value is not None]
    if not given:
        context.fail("give it a `min`, a `max` or a `default`", name)
    elif given != sorted(given):
        context.fail("`min`, `default` and `max` must follow each other, the smallest first", name)
    if name in ("max_tokens", "n") and any(not float(value).is_integer() for value in given):
        context.fail("only whole numbers make sense here", name)


def _messages(chat: Chat) -> int:
    """Those of the conversation; the system prompt is none."""
    return sum(message.role not in ("system", "developer") for message in chat.messages)


def _images(chat: Chat) -> int:
    """Also those that are results of tools."""
    parts = [part for message in chat.messages for part in message.parts]
    inner = [one for part in parts if isinstance(part, ToolResult) for one in part.parts]
    return sum(isinstance(part, Media) and part.kind == "image" for part in (*parts, *inner))
