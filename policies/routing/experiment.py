"""Compare variants on the requests of subjects that each keep theirs, and record what becomes of every request."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from policies.routing._plan import ExperimentConfig, plan_of
from proxy.choosing.sticky import salt, steady, unit
from proxy.exchange import Exchange
from proxy.experiments.plan import Allocation, Enrolled, Plan
from proxy.expression.parse import Condition, parse
from proxy.expression.tokens import ExpressionError
from proxy.expression.values import Sources
from proxy.policy import Answer, Choice, CompileContext, Node, Target

OF_KEY = "key"  # the subject that is no tag
_SHADOW = "mirror"  # copies of requests answer nobody, so they are in no experiment


class Experiment(Node):
    """One variant per subject; if it fails no other is tried, so that what is compared is what subjects have met.

    Two hashes of the subject decide. One says whether it takes part: subjects of a ``group`` are laid out on a line,
    of which each experiment has a piece, so none is in two of them, and a growing share only adds subjects. The other,
    weighted rendezvous hashing over the names of the variants, says which one it gets.
    """

    __slots__ = ("_allocation", "_context", "_line", "_offset", "_plan", "_rest", "_salts", "_test", "_who")

    Config = ExperimentConfig

    def __init__(
        self,
        children: tuple[Target, ...],
        rest: int,
        plan: Plan,
        context: CompileContext,
        *,
        offset: float = 0.0,
        condition: Condition | None = None,
        allocation: Allocation | None = None,
    ) -> None:
        """``children``: one for each arm, and perhaps one more; ``rest``: the index of the one that takes requests that
        are not in the experiment."""
        super().__init__(children, context.needs)
        self._plan = plan
        self._rest = rest
        self._context = context
        self._offset = offset
        self._allocation = allocation or Allocation()
        self._salts = tuple(salt(f"{plan.name}/{arm}") for arm in plan.arms)
        self._line = salt(f"group {plan.group}" if plan.group else f"experiment {plan.name}")
        self._test = None if condition is None else condition.test
        self._who: Callable[[Exchange], str | None] = _key if plan.subject == OF_KEY else self._tag

    @classmethod
    def compile(cls, config: ExperimentConfig, context: CompileContext) -> Target | None:
        plan = plan_of(config, context)
        condition = _condition(config.when, context)
        provided = context.provided_tags()
        if plan.subject != OF_KEY and provided is not None and plan.subject not in provided:
            context.fail(f"no `tags` policy of this route sets the tag {plan.subject!r}", "subject")
        allocation = None
        if plan.bandit is not None:
            name = f"experiment {plan.name} {' '.join(plan.arms)} {plan.bandit.outcome}"
            allocation = context.shared(name, Allocation)
        offset = context.enroll(Enrolled(plan, allocation))
        arms = [context.target(one.target, f"variants.{name}.target") for name, one in config.variants.items()]
        rest = None if config.otherwise is None else context.target(config.otherwise, "otherwise")
        control = plan.arms.index(plan.control)
        children = [arm for arm in arms if arm is not None]
        if len(children) < len(arms):  # a provider was left out: nothing can be compared, and nobody is refused
            return rest or arms[control] or next(iter(children), None)
        if rest is not None:
            children.append(rest)
        at = control if rest is None else len(arms)
        return cls(tuple(children), at, plan, context, offset=offset, condition=condition, allocation=allocation)

    def assign(self, subject: bytes) -> int:
        """The arm of a subject that takes part."""
        weights = self._allocation.weights or self._plan.weights
        return steady(subject, self._salts, weights, range(len(weights)))

    def takes_part(self, subject: bytes, now: float) -> bool:
        """Whether the subject is among those of now."""
        share = self._plan.share_at(now)
        if share >= 1.0:
            return True
        return self._offset <= unit(subject, self._line) < self._offset + share

    def _tag(self, x: Exchange) -> str | None:
        return x.tags.get(self._plan.subject)

    def _place(self, x: Exchange) -> tuple[int, str, str]:
        """Index of the child, why the request is not in the experiment ("" if it is), and the subject."""
        out = self._rest
        now = self._context.now()
        state = self._plan.state(now)
        if state != "running":
            return out, state, ""
        if self._test is not None and not self._test(x):
            return out, "not_eligible", ""
        subject = self._who(x)
        if subject is None:
            return out, "no_subject", ""
        raw = subject.encode()
        if not self.takes_part(raw, now):
            return out, "not_in_share", ""
        # If one variant cannot do it, none gets the request: else each would be judged by requests of another kind.
        if self._differ and any(at < len(self._salts) for at in self.lacking(x)):
            return out, "unable", ""
        return self.assign(raw), "", subject

    async def send(self, x: Exchange) -> Answer:
        at, out, subject = self._place(x)
        plan = self._plan
        if out:
            x.notes["experiment"] = f"not in {plan.name}: {out}"
            if x.variant != _SHADOW:
                self._context.tell("experiment.left", experiment=plan.name, reason=out)
            child = self.children[at]
            able = self.able(x) if out == "unable" else self.children
            return await (child if child in able else able[0]).send(x)
        name = plan.arms[at]
        label = f"{plan.name}/{name}"
        x.notes["experiment"] = label
        if x.variant != _SHADOW and plan.name not in x.exposures:
            x.exposures[plan.name] = (name, subject)
            x.variant = f"{x.variant},{label}" if x.variant else label
        return await self.children[at].send(x)

    def explain(self, x: Exchange) -> Choice:
        plan = self._plan
        at, out, subject = self._place(x)
        weights = self._allocation.weights or plan.weights
        choices = []
        for number, (name, weight) in enumerate(zip(plan.arms, weights, strict=True)):
            choice = self.children[number].explain(x)
            why = f"{name}, {weight:.6g} of subjects; {plan.subject} {subject!r} falls "
            why = f"{name}, {weight:.1%} of subjects" if out else f"{why}{'here' if number == at else 'elsewhere'}"
            choices.append(replace(choice, chosen=choice.chosen and number == at, why=f"{why}; {choice.why}"))
        if not out:
            return Choice(f"experiment {plan.name}", choices[at].chosen, f"by {plan.subject}", tuple(choices))
        rest = self.children[at].explain(x)
        rest = replace(rest, why=f"takes what is not in the experiment; {rest.why}")
        choices[at : at + 1] = [rest]
        return Choice(f"experiment {plan.name}", rest.chosen, f"not in it: {_REASONS[out]}", tuple(choices))


_REASONS = {
    "planned": "it has not started",
    "ended": "it has ended",
    "not_eligible": "its `when` does not hold",
    "no_subject": "the request has no subject",
    "not_in_share": "the subject is not among those who take part",
    "unable": "a variant cannot do what the request needs",
}


def _key(x: Exchange) -> str | None:
    who = x.identity
    return None if who is None else f"{who.organisation}/{who.team}/{who.key}"


def _condition(text: str | None, context: CompileContext) -> Condition | None:
    if text is None:
        return None
    sources = Sources(context.needs, context.now, tuple(context.identities().values()), context.provided_tags())
    try:
        return parse(text, sources)
    except ExpressionError as error:
        context.fail(str(error), "when")
        return None
