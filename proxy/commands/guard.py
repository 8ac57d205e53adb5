"""``sluicegate guard eval``: how well the guards of a route tell labelled texts apart, and what that costs."""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from proxy.chat import Choice as Said
from proxy.chat import Completion, Text
from proxy.choosing.capability import Reach
from proxy.choosing.health import Health
from proxy.commands import DONE, FAILED, WRONG, Commands
from proxy.dialects.paths import EXACT
from proxy.exchange import Exchange, Meter
from proxy.ledger.shown import Style, count, share, style_for, table, text
from proxy.pipeline import Pipeline
from proxy.policy import Answer, Choice, Target
from proxy.runtime import Runtime
from proxy.translation.answers import reply_of

_PATH = "/v1/chat/completions"
_LONGEST = 4 << 20  # bytes of a line
_LABELS = ("attack", "benign", "supported", "unsupported")
_SHOWN = 60  # groups of a table
HELP = """Each line of the data set is one JSON object: `text` (or `texts`: messages one after the other), and either
`label` (`attack` or `benign`) or `entities` (what is in it, maybe nothing). `carrier: tool` makes it the result of a
tool. Or `answer`, what a model says to it, `context`: passages it was given (texts, or `{"id": …, "text": …}`), and
`label`: `supported` or `unsupported`, for guards of answers such as `grounding`. Other members, such as `family`, are
for --by. The guards judge it as they would a request and its answer; nothing is sent, and nobody else is asked.

example:
  sluicegate guard eval --config gateway.yaml --route chat --by family,evasion attacks.jsonl"""


class GuardEdge(msgspec.Struct, frozen=True):
    """What the command is told of the world. ``compile`` gives the file, or None and tells what is wrong with it."""

    compile: Callable[[Path], Runtime | None]
    environ: Mapping[str, str]


class Passage(msgspec.Struct):
    """What a model was given."""

    text: str
    id: str | int = ""

    def __str__(self) -> str:
        return f'<document id="{self.id}">{self.text}</document>'


class Labelled(msgspec.Struct):
    """One line of a data set, as far as it is known; ``fields`` are all of its members."""

    text: str = ""
    texts: list[str] = []
    label: str = ""
    entities: list[str] | None = None
    carrier: str = ""
    answer: str = ""
    context: list[str | Passage] = []
    fields: dict[str, Any] = {}

    @property
    def is_bad(self) -> bool:
        """Whether something should be found."""
        return self.label in ("attack", "unsupported") if self.entities is None else bool(self.entities)

    def body(self) -> bytes:
        """A request that says it."""
        parts = self.texts or [self.text]
        messages: list[dict[str, Any]] = [{"role": "user", "content": part} for part in parts]
        if self.carrier == "tool":
            call = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
            messages = [{"role": "user", "content": "Read it."}, {"role": "assistant", "tool_calls": [call]}]
            messages += [{"role": "tool", "tool_call_id": "call_1", "content": part} for part in parts]
        if self.context:
            given = "\n".join(str(Passage(one) if isinstance(one, str) else one) for one in self.context)
            messages.insert(0, {"role": "system", "content": given})
        return msgspec.json.encode({"model": "m", "messages": messages})


class WrongData(Exception):
    """A data set cannot be used; the message says where and why."""


class Tally(msgspec.Struct):
    """Texts of one kind: how many should have been found, how many were, and how many were without reason."""

    bad: int = 0
    caught: int = 0
    good: int = 0
    false: int = 0

    def add(self, is_bad: bool, is_found: bool) -> None:
        """One more text."""
        if is_bad:
            self.bad, self.caught = self.bad + 1, self.caught + is_found
        else:
            self.good, self.false = self.good + 1, self.false + is_found

    @property
    def recall(self) -> float | None:
        """None if nothing was there to be found."""
        return self.caught / self.bad if self.bad else None

    @property
    def precision(self) -> float | None:
        """None if nothing was found."""
        return self.caught / (self.caught + self.false) if self.caught + self.false else None

    @property
    def false_positives(self) -> float | None:
        """Of what is harmless; None if nothing is."""
        return self.false / self.good if self.good else None

    def as_data(self) -> dict[str, Any]:
        """For --json."""
        rates = {"recall": self.recall, "precision": self.precision, "false_positives": self.false_positives}
        return msgspec.structs.asdict(self) | rates


class Found(msgspec.Struct):
    """What a run found: sums over all texts, by entity and by the fields that were asked for. ``cpu``: seconds."""

    all: Tally = msgspec.field(default_factory=Tally)
    entities: dict[str, Tally] = {}
    groups: dict[str, dict[str, Tally]] = {}
    fired: Counter[str] = msgspec.field(default_factory=Counter)
    failed: int = 0
    cpu: list[float] = []


class _Told(Meter):
    """What guards tell about one request."""

    __slots__ = ("entities", "failed")

    def __init__(self) -> None:
        self.entities: set[str] = set()
        self.failed = False

    def guarded(self, route: str, guard: str, direction: str, outcome: str) -> None:
        self.failed |= outcome.startswith("failed")

    def fired(self, route: str, guard: str, direction: str, entity: str, action: str, count: int) -> None:
        self.entities.add(entity)


class _Saying(Target):
    """Answers with one text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    async def send(self, x: Exchange) -> Answer:
        completion = Completion(id="", model="m", choices=[Said(parts=[Text(self._text)])])
        reply = reply_of(x, completion, stream=False)
        return Answer(200, [], body=b"" if reply is None else reply.body)

    def explain(self, x: Exchange) -> Choice:
        return Choice("eval", True, "a labelled answer")

    def leaves(self) -> tuple[str, ...]:
        return ("eval",)

    def healths(self) -> tuple[Health, ...]:
        return ()

    def reaches(self) -> frozenset[Reach]:
        return frozenset()


def add_guard(commands: Commands, config: ArgumentParser, output: ArgumentParser, edge: GuardEdge) -> None:
    """Add ``guard eval``. ``config`` and ``output`` are parents: --config and --json."""
    verbs = commands.add_parser("guard", help="measure guardrails").add_subparsers(metavar="VERB", required=True)
    command = verbs.add_parser(
        "eval",
        parents=[config, output],
        help="recall, precision and false positives over labelled texts",
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("dataset", type=Path, metavar="FILE", help="labelled texts, one JSON object a line")
    command.add_argument("--route", metavar="NAME", help="whose guards (default: the only route)")
    command.add_argument("--by", default="family", metavar="FIELD,…", help="group by members (default: %(default)s)")
    command.add_argument("--min-recall", type=float, metavar="SHARE", help="exit code 1 if it is less: 0.9")
    command.add_argument("--max-false-positives", type=float, metavar="SHARE", help="exit code 1 if it is more: 0.01")
    command.set_defaults(run=lambda args: _eval(args, edge))


def _eval(args: argparse.Namespace, edge: GuardEdge) -> int:
    runtime = edge.compile(args.config)
    if runtime is None:
        return WRONG
    try:
        pipeline = _pipeline(runtime, args.route)
        rows = list(read(args.dataset))
    except (WrongData, OSError) as error:
        print(error, file=sys.stderr)
        return WRONG
    fields = [field for field in args.by.split(",") if field]
    found = asyncio.run(evaluate(pipeline, rows, fields))
    if args.json:
        print(json.dumps(as_data(found), indent=2, ensure_ascii=False))
    else:
        print(as_text(pipeline, found, style_for(sys.stdout, edge.environ)))
    return DONE if _is_enough(found.all, args.min_recall, args.max_false_positives) else FAILED


def _is_enough(all: Tally, recall: float | None, false_positives: float | None) -> bool:
    misses = recall is not None and all.recall is not None and all.recall < recall
    disturbs = false_positives is not None and (all.false_positives or 0.0) > false_positives
    return not misses and not disturbs


def _pipeline(runtime: Runtime, name: str | None) -> Pipeline:
    """The route's, which has a guard."""
    routes = {entry.rule.name: entry.rule.pipeline for entry in runtime.router.entries}
    if name is None and len(routes) == 1:
        (name,) = routes
    if name is None or name not in routes:
        raise WrongData(f"say with --route which is meant; there are: {', '.join(routes)}")
    if not any(policy.is_guard for _, policy in routes[name].policies):
        raise WrongData(f"the route {name!r} has no guard")
    return routes[name]


def read(path: Path) -> Iterator[Labelled]:
    """The lines of a data set.

    Raises:
        WrongData: a line is none.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(iter(lambda: lines.readline(_LONGEST), b""), 1):
            if not line.strip():
                continue
            try:
                fields = msgspec.json.decode(line, type=dict[str, Any])
                row = msgspec.convert(fields | {"fields": fields}, Labelled)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise WrongData(f"{path}:{number}: no labelled text: {error}") from None
            if not (row.text or row.texts or row.answer) or (row.entities is None and row.label not in _LABELS):
                raise WrongData(f"{path}:{number}: it needs `text`, and `label: attack` or `benign`, or `entities`")
            yield row


async def evaluate(pipeline: Pipeline, rows: Sequence[Labelled], fields: Sequence[str]) -> Found:
    """Every text through the guards of a route."""
    found = Found(groups={field: {} for field in fields})
    for row in rows:
        began = time.process_time()
        told = await _judge(pipeline, row)
        found.cpu.append(time.process_time() - began)
        caught = bool(told.entities)
        found.all.add(row.is_bad, caught)
        found.failed += told.failed
        found.fired.update(told.entities)
        for field in fields:
            if field in row.fields:
                found.groups[field].setdefault(str(row.fields[field]), Tally()).add(row.is_bad, caught)
        for entity in (set(row.entities) | told.entities) if row.entities is not None else ():
            found.entities.setdefault(entity, Tally()).add(entity in (row.entities or ()), entity in told.entities)
    return found


async def _judge(pipeline: Pipeline, row: Labelled) -> _Told:
    told = _Told()
    for _, policy in pipeline.policies:
        if not policy.is_guard:
            continue
        x = Exchange("req_eval", "POST", _PATH, b"", [], time.monotonic(), pipeline.slots)
        x.endpoint, x.body, x.model, x.route = EXACT["POST", _PATH], row.body(), "m", pipeline.route
        x.explained, x.meter = True, told
        reply = policy.on_request(x)
        if inspect.isawaitable(reply):
            reply = await reply
        if reply is None and row.answer:
            target: Target = _Saying(row.answer)
            for put_around in x.around:
                target = put_around(target)
            await target.send(x)
        policy.on_close(x)
    return told


def as_data(found: Found) -> dict[str, Any]:
    """For --json; milliseconds."""
    return {
        "texts": len(found.cpu),
        "failed": found.failed,
        **found.all.as_data(),
        "fired": dict(found.fired.most_common()),
        "by": {field: {name: one.as_data() for name, one in group.items()} for field, group in found.groups.items()},
        "entities": {name: one.as_data() for name, one in sorted(found.entities.items())},
        "cpu_ms": {name: round(1000 * at, 3) for name, at in _latency(found.cpu).items()},
    }


def _latency(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds) or [0.0]
    last = len(ordered) - 1
    return {name: ordered[round(last * part)] for name, part in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))}


def as_text(pipeline: Pipeline, found: Found, style: Style) -> str:
    """For people."""
    guards = ", ".join(name for name, policy in pipeline.policies if policy.is_guard)
    all = found.all
    lines = [
        style.bold(f"{guards} on route {pipeline.route}: {count(len(found.cpu))} texts"),
        f"recall {share(all.caught, all.bad)} ({count(all.caught)} of {count(all.bad)}), "
        f"false positives {share(all.false, all.good)} ({count(all.false)} of {count(all.good)}), "
        f"precision {share(all.caught, all.caught + all.false)}",
    ]
    if found.failed:
        lines.append(style.red(f"{count(found.failed)} could not be judged"))
    for field, group in {**found.groups, "entity": found.entities}.items():
        if group:
            rows = [_row(name, one) for name, one in sorted(group.items())[:_SHOWN]]
            lines += ["", table([field, "found", "of", "recall", "false", "of", "rate"], rows, left=1, style=style)]
    shown = ", ".join(f"{name} {1000 * at:.2f} ms" for name, at in _latency(found.cpu).items())
    return "\n".join([*lines, "", style.dim(f"CPU time a text: {shown}")])


def _row(name: str, one: Tally) -> list[str]:
    bad = [count(one.caught), count(one.bad), share(one.caught, one.bad)] if one.bad else ["", "", ""]
    good = [count(one.false), count(one.good), share(one.false, one.good)] if one.good else ["", "", ""]
    return [text(name), *bad, *good]
