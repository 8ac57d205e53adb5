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

import numpy as np

from proxy.guarding import weights
from proxy.guarding.leaning import windows
from proxy.guarding.normalise import views
from tests.support.injections.evasions import sections
from tests.support.injections.sets import attacks, benign, fresh

SEED = 20261121
EACH = {"attack": 14, "benign": 40}  # sentences from a frame
UNI = 10.0
MIXED = 600
LEAST = 0.1  # a weight that is written down
RAISED = 0.5  # to the weight of everything, so that the threshold of all guards, 0.75, is the point to work at
HEAD = '''"""The weights of ``proxy.guarding.leaning``, fitted by ``python -m tests.support.injections.lessons``; not to be edited.

Log-odds of an attack: ``shed`` that the concept is there, ``norms+shed`` that both are in a sentence, ``shed>norms`` that
the second comes soon behind the first, ``^shed`` that a sentence begins with it, ``1`` for every text.
"""

from __future__ import annotations
'''
_CHOICE = re.compile(r"\{(_\w+|[^{}]*\|[^{}]*)\}")


def spoken(frame: str, lists: dict[str, list[str]], random: Random) -> str:
    """A sentence from a frame, its choices made from the inside to the outside."""
    while (found := _CHOICE.search(frame)) is not None:
        inner = found[1]
        word = random.choice(lists[inner] if inner in lists else inner.split("|"))
        frame = frame[: found.start()] + word + frame[found.end() :]
    return frame


def lessons(seed: int = SEED) -> list[tuple[str, bool, float]]:
    """Texts, whether they are attacks, and how much each counts."""
    found = sections("lessons.txt")
    lists = {name: lines for name, lines in found.items() if name.startswith("_")}
    told = []
    for family, frames in found.items():
        kind = "benign" if family == "benign" else "attack"
        for number, frame in enumerate(frames if family not in lists else ()):
            random = Random(f"{seed}/{family}/{number}")
            told += [(spoken(frame, lists, random), kind == "attack", 1.0) for _ in range(EACH[kind])]
    for row in (*attacks(), *benign()):
        plain = row["label"] == "benign" or row["evasion"] in ("plain", "document", "quoted", "json", "role")
        if row["half"] == "tune" and plain and "text" in row:
            told.append((row["text"], row["label"] == "attack", 1.0))
    more = sections("more.txt")
    told += [(text, kind == "attack", 3.0) for kind in ("attack", "benign") for text in more[kind]]
    told += [(row["text"], row["label"] == "attack", 6.0) for row in fresh("a")]
    harmless = [text for text, attack, _ in told if not attack]
    random = Random(f"{seed}/prose")
    for _ in range(MIXED):
        told.append((" ".join(random.choices(harmless, k=random.randrange(3, 9))), False, 1.0))
    told += [(text, False, 1.0) for text in prose()]
    return told


def prose() -> list[str]:
    """What nobody would call an attack, and much of it: the documentation of Python's own library."""
    return [_docstrings(path) for path in sorted(Path(sysconfig.get_path("stdlib")).glob("[a-z]*.py"))]


def _docstrings(path: Path) -> str:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = ast.walk(ast.parse(path.read_bytes()))
    return "\n".join(filter(None, (ast.get_docstring(node) for node in nodes if isinstance(node, kinds))))


def fitted(l2: float = 12.0, harmless: float = 2.0, rounds: int = 3, least: int = 4) -> dict[str, float]:
    """Weights by feature; ``1`` is what no feature adds. Of an attack only the window counts that leans most, as it
    does when a text is judged; which one that is, is found anew each round."""
    texts = [
        ([set(map("".join, there)) for there in windows(next(views(text)).text)[1]], attack, weight) for text, attack, weight in lessons()
    ]
    counted = Counter(name for seen, *_ in texts for there in seen for name in there)
    names = sorted(name for name, number in counted.items() if number >= least)
    found: dict[str, float] = {}
    for _ in range(rounds):
        rows = [
            (there, attack, weight * (1.0 if attack else harmless))
            for seen, attack, weight in texts
            for there in (seen if not attack else sorted(seen, key=lambda one: _sum(found, one) if found else len(one))[-1:])
        ]
        found = _fit(rows, names, l2)
    return found


def _sum(table: dict[str, float], there: set[str]) -> float:
    return sum(table.get(name, 0.0) for name in there)


def _fit(rows: list[tuple[set[str], bool, float]], names: list[str], l2: float) -> dict[str, float]:
    place = {name: at for at, name in enumerate(names)}
    indices = [np.array([place[name] for name in there if name in place], dtype=int) for there, *_ in rows]
    wanted = np.array([attack for _, attack, _ in rows], dtype=float)
    counts = np.array([weight for *_, weight in rows])
    ridge = np.array([l2 * (UNI if name.isalpha() else 1.0) for name in names])
    from scipy.optimize import minimize
    from scipy.sparse import csr_matrix
    starts = np.concatenate([[0], np.cumsum([len(one) for one in indices])])
    table = csr_matrix((np.ones(starts[-1]), np.concatenate(indices), starts), shape=(len(rows), len(names)))

    def loss(w):
        z = table @ w[1:] + w[0]
        value = (counts * (np.logaddexp(0, z) - wanted * z)).sum() + (ridge * w[1:] ** 2).sum() / 2
        error = counts * (1 / (1 + np.exp(-z)) - wanted)
        return value, np.concatenate([[error.sum()], table.T @ error + ridge * w[1:]])

    found = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return {"1": float(found[0])} | {name: float(found[1 + at]) for name, at in place.items()}


def written(table: dict[str, float]) -> str:
    """The module ``proxy.guarding.weights``: what is next to nothing is left out."""
    told = {name: round(weight, 2) for name, weight in table.items() if abs(weight) >= LEAST}
    told["1"] = round(table["1"] + RAISED, 2)
    lines = textwrap.fill(
        ", ".join(f"{name} {told[name]:g}" for name in sorted(told)),
        width=120, break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return f'{HEAD}\n_TABLE = """\n{lines}\n"""\nWEIGHTS = {{name: float(weight) for name, weight in map(str.split, _TABLE.split(","))}}\n'


if __name__ == "__main__":
    text = written(fitted())
    Path(weights.__file__).write_text(text, encoding="utf-8")
    print(f"{len(text)} bytes in {weights.__file__}")
