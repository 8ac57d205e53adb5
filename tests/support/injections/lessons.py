"""``python -m tests.support.injections.lessons``: fit the weights of ``proxy.guarding.weights`` anew, from a seed.

Learned from: sentences made of the frames in lessons.txt, the half of the generated sets that is for tuning, the single
sentences of more.txt, and the third ``a`` of the fresh sets. Logistic regression with weights drawn to nought
(L2), by full gradients: the same table on every machine but for rounding.
"""

from __future__ import annotations

import ast
import re
import sysconfig
import textwrap
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

from proxy.guarding import weights
from proxy.guarding.leaning import windows
from proxy.guarding.normalise import views
from tests.support.injections.evasions import sections
from tests.support.injections.sets import attacks, benign, fresh

SEED = 20261121
EACH = {"attack": 14, "benign": 40}  # sentences from a frame
MIXED = 600  # texts of several harmless sentences
PLAIN = ("plain", "document", "quoted", "json", "role")  # disguises that leave words as they are
RIDGE, ALONE = 12.0, 10.0  # how much weights are drawn to nought, and how much more those of a concept alone
HARMLESS = 2.0  # how much more a harmless window counts
LEAST_SEEN = 4  # windows in which a feature is, or it is not learned
LEAST = 0.1  # a weight that is written down
RAISED = 0.5  # to the weight of everything, so that the threshold of all guards, 0.75, is the point to work at
HEAD = '''"""The weights of ``proxy.guarding.leaning``, as ``python -m tests.support.injections.lessons`` fits them.

Log-odds of an attack: ``shed`` that the concept is there, ``norms+shed`` that both are in a sentence, ``shed>norms``
that the second comes soon behind the first, ``^shed`` that a sentence begins with it, ``1`` for every text.
"""

from __future__ import annotations

'''
TAIL = 'WEIGHTS = {name: float(weight) for name, weight in map(str.split, _TABLE.split(","))}'
_CHOICE = re.compile(r"\{(_\w+|[^{}]*\|[^{}]*)\}")
Windows = list[set[str]]


def spoken(frame: str, lists: dict[str, list[str]], random: Random) -> str:
    """A sentence from a frame, its choices made from the inside to the outside."""
    while (found := _CHOICE.search(frame)) is not None:
        inner = found[1]
        word = random.choice(lists[inner] if inner in lists else inner.split("|"))
        frame = frame[: found.start()] + word + frame[found.end() :]
    return frame


def lessons(seed: int = SEED) -> list[tuple[str, bool, float]]:
    """Texts, whether they are attacks, and how much each counts."""
    told = _from_frames(seed)
    for row in (*attacks(), *benign()):
        plain = row["label"] == "benign" or row["evasion"] in PLAIN
        if row["half"] == "tune" and plain and "text" in row:
            told.append((row["text"], row["label"] == "attack", 1.0))
    more = sections("more.txt")
    told += [(text, kind == "attack", 3.0) for kind in ("attack", "benign") for text in more[kind]]
    told += [(row["text"], row["label"] == "attack", 6.0) for row in fresh("a")]
    harmless = [text for text, attack, _ in told if not attack]
    random = Random(f"{seed}/prose")
    for _ in range(MIXED):
        told.append((" ".join(random.choices(harmless, k=random.randrange(3, 9))), False, 1.0))
    return told + [(text, False, 1.0) for text in prose()]


def _from_frames(seed: int) -> list[tuple[str, bool, float]]:
    found = sections("lessons.txt")
    lists = {name: lines for name, lines in found.items() if name.startswith("_")}
    told = []
    for family, frames in found.items():
        kind = "benign" if family == "benign" else "attack"
        for number, frame in enumerate(frames if family not in lists else ()):
            random = Random(f"{seed}/{family}/{number}")
            told += [(spoken(frame, lists, random), kind == "attack", 1.0) for _ in range(EACH[kind])]
    return told


def prose() -> list[str]:
    """What nobody would call an attack, and much of it: the documentation of Python's own library."""
    return [_docstrings(path) for path in sorted(Path(sysconfig.get_path("stdlib")).glob("[a-z]*.py"))]


def _docstrings(path: Path) -> str:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = ast.walk(ast.parse(path.read_bytes()))
    return "\n".join(filter(None, (ast.get_docstring(node) for node in nodes if isinstance(node, kinds))))


def fitted(rounds: int = 3) -> dict[str, float]:
    """Weights by feature; ``1`` is what no feature adds. Of an attack only the window counts that leans most, as it
    does when a text is judged; which one that is, is found anew each round."""
    texts = [(_named(text), attack, weight) for text, attack, weight in lessons()]
    counted = Counter(name for seen, *_ in texts for there in seen for name in there)
    names = sorted(name for name, number in counted.items() if number >= LEAST_SEEN)
    found: dict[str, float] = {}
    for _ in range(rounds):
        rows = []
        for seen, attack, weight in texts:
            told = _worst(seen, found) if attack else seen
            rows += [(there, attack, weight * (1.0 if attack else HARMLESS)) for there in told]
        found = _fit(rows, names)
    return found


def _named(text: str) -> Windows:
    return [set(map("".join, there)) for there in windows(next(views(text)).text)[1]]


def _worst(seen: Windows, table: dict[str, float]) -> Windows:
    """At first that with the most features."""
    return sorted(seen, key=lambda one: sum(table.get(name, 0.0) for name in one) if table else len(one))[-1:]


def _fit(rows: list[tuple[set[str], bool, float]], names: list[str]) -> dict[str, float]:
    place = {name: at for at, name in enumerate(names)}
    indices = [np.array(sorted(place[name] for name in there if name in place), dtype=int) for there, *_ in rows]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in indices])])
    table = csr_matrix((np.ones(starts[-1]), np.concatenate(indices), starts), shape=(len(rows), len(names)))
    wanted = np.array([attack for _, attack, _ in rows], dtype=float)
    counts = np.array([weight for *_, weight in rows])
    ridge = np.array([RIDGE * (ALONE if name.isalpha() else 1.0) for name in names])

    def loss(weights: Any) -> Any:
        odds = table @ weights[1:] + weights[0]
        error = counts * (1 / (1 + np.exp(-odds)) - wanted)
        value = (counts * (np.logaddexp(0, odds) - wanted * odds)).sum() + (ridge * weights[1:] ** 2).sum() / 2
        return value, np.concatenate([[error.sum()], table.T @ error + ridge * weights[1:]])

    found = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return {"1": float(found[0])} | {name: float(found[1 + at]) for name, at in place.items()}


def written(table: dict[str, float]) -> str:
    """The module ``proxy.guarding.weights``: what is next to nothing is left out."""
    told = {name: round(weight, 2) for name, weight in table.items() if abs(weight) >= LEAST}
    told["1"] = round(table["1"] + RAISED, 2)
    listed = ", ".join(f"{name} {told[name]:g}" for name in sorted(told))
    lines = textwrap.fill(listed, width=120, break_long_words=False, break_on_hyphens=False)
    return f'{HEAD}_TABLE = """\n{lines}\n"""\n{TAIL}\n'


if __name__ == "__main__":
    text = written(fitted())
    Path(weights.__file__).write_text(text, encoding="utf-8")
    print(f"{len(text)} bytes in {weights.__file__}")
