"""``python -m tests.bench.semantic MODEL_DIR``: how often the semantic cache is wrong, and what it costs.

Pairs of the generator (``tests/support/questions.py``), each once, nine that must miss for one that must hit, of
both halves. A false hit is a pair that must miss and is served. Bounds are one-sided, at 95%
(Clopper and Pearson): 0 of 20 shows nothing. The aims: at the default threshold at most 1% of hits are wrong, for
entities, numbers and negation at most 0.3%, at least 30% of paraphrases are found, and a look-up among 10,000 questions
takes at most 5 ms of CPU. Other languages than English have a table of their own (``tests/support/tongues.py``).
Without a directory the guard alone is measured, as if all vectors were equal. Last, what a search through all vectors
would cost, plainly and by one bit for each number first, beside the handful that are compared in fact.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from array import array
from collections import Counter
from collections.abc import Callable
from operator import mul
from pathlib import Path
from typing import Any

from policies.caching.cache_semantic import LEVELS
from proxy.semantic.bound import upper_bound
from proxy.semantic.guard import Question, read
from proxy.semantic.local import LocalModel
from proxy.semantic.memory import MOST_ALIKE, Kept, Memory, Vector, unit
from tests.support.questions import Half, Pair, draw
from tests.support.tongues import TONGUES, draw_in

FOREIGN_HITS = 1000  # of each language, as drawn
SIZES, DIMENSIONS, SHORTLIST = (20_000, 50_000, 100_000), 384, 64
HITS = 4000  # pairs that must hit, as drawn: some come twice, and count once
ENTRIES, ROUNDS = 10_000, 200
SEEDS = range(3)
QUESTION = "Hi, could you please tell me how I can send back a parcel from Norway to Spain?"  # 18 tokens and more
AIMED = frozenset({"entity", "number", "negation"})


class Judge:
    """How near two questions are; each text is embedded once."""

    def __init__(self, model: LocalModel | None) -> None:
        self._model = model
        self._known: dict[str, Vector | None] = {}

    def similarity(self, one: str, other: str) -> float:
        """From -1 to 1."""
        if self._model is None:
            return 1.0
        for text in (one, other):
            if text not in self._known:
                self._known[text] = self._model.embed(text)
        first, second = self._known[one], self._known[other]
        return 0.0 if first is None or second is None else sum(a * b for a, b in zip(first, second, strict=True))


def _question(text: str) -> Question:
    found = read(text)
    assert found is not None
    return found


def _measure(half: Half, judge: Judge) -> dict[Pair, tuple[bool, float]]:
    """Of each pair: whether the guard agrees, and how near it is by vectors."""
    return _judged({pair for seed in SEEDS for pair in draw(half, seed, HITS // len(SEEDS))}, judge)


def _judged(pairs: set[Pair], judge: Judge) -> dict[Pair, tuple[bool, float]]:
    found = {}
    for pair in sorted(pairs):
        one, other = _question(pair.stored), _question(pair.asked)
        agree = one.form == other.form
        found[pair] = agree, judge.similarity(one.text, other.text) if agree else 0.0
    return found


def _report(half: Half, found: dict[Pair, tuple[bool, float]]) -> None:
    asked = Counter(pair.family for pair in found)
    paraphrases = asked["paraphrase"]
    for level, threshold in LEVELS.items():
        served = [pair for pair, (agree, similarity) in found.items() if agree and similarity >= threshold]
        wrong = Counter(pair.family for pair in served if not pair.same)
        right, total = sum(pair.same for pair in served), len(served)
        bound = upper_bound(sum(wrong.values()), total)
        recall = right / paraphrases
        counted = f"{total} hits, {sum(wrong.values())} wrong (at most {bound:.2%})"
        print(f"\n{half}, {level} ({threshold:g}): {counted}, {recall:.1%} of {paraphrases} paraphrases found")
        for family in sorted(asked.keys() - {"paraphrase"}):
            most = upper_bound(wrong[family], total)
            of_pairs = upper_bound(wrong[family], asked[family])
            aim = "  aim 0.3%" if family in AIMED else ""
            tested = f"{wrong[family]:3} of {asked[family]:6} pairs (≤ {of_pairs:.2%})"
            print(f"  {family:12} {tested}, ≤ {most:.2%} of hits{aim}")


def _report_tongues(judge: Judge) -> None:
    """Each language at the default threshold, and all together by family."""
    threshold, asked, wrong, hits = LEVELS["general"], Counter[str](), Counter[str](), 0
    print(f"\nOther languages, general ({threshold:g})")
    for language in TONGUES:
        found = _judged(set(draw_in(language, 1, FOREIGN_HITS)), judge)
        served = [pair for pair, (agree, similarity) in found.items() if agree and similarity >= threshold]
        bad, same = sum(not pair.same for pair in served), sum(pair.same for pair in found)
        bound, recall = upper_bound(bad, len(served)), (len(served) - bad) / same
        counted = f"{len(served):4} hits, {bad} wrong (at most {bound:.2%})"
        print(f"  {language:12} {counted}, {recall:.1%} of {same} that must hit, {len(found) - same} that must miss")
        asked.update(pair.family for pair in found)
        wrong.update(pair.family for pair in served if not pair.same)
        hits += len(served)
    for family in sorted(asked.keys() - {"paraphrase"}):
        most, of_pairs = upper_bound(wrong[family], hits), upper_bound(wrong[family], asked[family])
        print(f"  {family:12} {wrong[family]:3} of {asked[family]:6} pairs (≤ {of_pairs:.2%}), ≤ {most:.2%} of hits")


def _search() -> None:
    """CPU of finding the nearest among many, in one thread only with OPENBLAS_NUM_THREADS=1."""
    import numpy

    random_ = numpy.random.default_rng(1)
    for size in SIZES:
        many = random_.standard_normal((size, DIMENSIONS), dtype=numpy.float32)
        asked, signs = many[0], numpy.packbits(many > 0, axis=1).view(numpy.uint64)
        sign = signs[0]

        def plain(many: Any = many, asked: Any = asked) -> None:
            (many @ asked).argmax()

        def first(many: Any = many, asked: Any = asked, signs: Any = signs, sign: Any = sign) -> None:
            apart = numpy.bitwise_count(signs ^ sign).sum(axis=1, dtype=numpy.uint16)
            (many[numpy.argpartition(apart, SHORTLIST)[:SHORTLIST]] @ asked).argmax()

        print(f"Of {size}: all {_median(plain):.2f} ms, by one bit first {_median(first):.2f} ms")
    few = [array("f", row) for row in random_.standard_normal((MOST_ALIKE, DIMENSIONS)).tolist()]
    compared = _median(lambda: [sum(map(mul, row, few[0])) for row in few])
    print(f"Of the {MOST_ALIKE} that may say the same: {compared:.2f} ms")


def _median(work: Callable[[], object]) -> float:
    """Milliseconds."""
    taken = []
    for _ in range(21):
        began = time.thread_time()
        work()
        taken.append(time.thread_time() - began)
    return statistics.median(taken) * 1e3


def _cost(model: LocalModel) -> None:
    """CPU of one look-up among many questions that say the same as others."""
    random_, memory = random.Random(1), Memory(ENTRIES, 1 << 30, time.time)
    question = _question(QUESTION)
    for number in range(ENTRIES):
        vector = unit([random_.gauss(0, 1) for _ in range(384)])
        assert vector is not None
        text = question.text if number % 1000 == 0 else f"How do I send back parcel {number}?"
        memory.add(Kept(b"%d" % number, b"p", _question(text + " " * (number % 7)), vector, time.time() + 3600))
    parts: dict[str, list[float]] = {"guard": [], "vector": [], "look-up": []}
    for _ in range(ROUNDS):
        began = time.thread_time()
        asked = _question(QUESTION)
        read_at = time.thread_time()
        vector = model.embed(asked.text)
        assert vector is not None
        embedded = time.thread_time()
        memory.find(b"p", asked, vector)
        ended = time.thread_time()
        for name, seconds in zip(parts, (read_at - began, embedded - read_at, ended - embedded), strict=True):
            parts[name].append(seconds)
    medians = {name: statistics.median(seconds) * 1e3 for name, seconds in parts.items()}
    told = ", ".join(f"{name} {value:.3f}" for name, value in medians.items())
    print(f"\nCPU of a look-up among {len(memory)}: {sum(medians.values()):.2f} ms ({told}); aim 5 ms")


def main() -> None:
    """Print the tables."""
    model = LocalModel(Path(sys.argv[1])) if len(sys.argv) > 1 else None
    judge = Judge(model)
    halves: tuple[Half, ...] = ("calibration", "held_out")
    for half in halves:
        _report(half, _measure(half, judge))
    _report_tongues(judge)
    if model is not None:
        _cost(model)
        _search()


if __name__ == "__main__":
    main()
