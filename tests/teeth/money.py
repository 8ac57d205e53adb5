"""The guarantees of the ledger and of limits that are taken away; the columns are those of a ``Cut``."""

from __future__ import annotations

_CONSERVATION = "tests/faults/test_conservation.py"
_CRASH = "tests/faults/test_ledger_crash.py"
_FAULTS = "tests/faults/test_ledger_faults.py"

MONEY: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "MON-01",
        "between the look at a counter and the reservation another request runs",
        "proxy/limits/memory.py",
        "        slots = [one.add(",
        "        await __import__('asyncio').sleep(0)\n        slots = [one.add(",
        "tests/e2e/test_quota.py",
    ),
    (
        "MON-02",
        "what fails costs what it might have cost",
        "proxy/ledger/charge.py",
        "        if not has_text:",
        "        if not has_text and status != 'error':",
        _CONSERVATION,
    ),
    (
        "MON-03",
        "what was reserved is not given back",
        "policies/limits/quota.py",
        "                self._counters.settle(reservation.held, _used(charges, reservation))\n",
        "",
        "tests/e2e/test_quota.py",
    ),
    (
        "MON-04",
        "an attempt that failed is not numbered",
        "proxy/ledger/charge.py",
        "now, number = time.time_ns(), next(x.numbers)",
        "now, number = time.time_ns(), 1",
        _CONSERVATION,
    ),
    (
        "MON-06",
        "what was admitted stops to count before its window is over",
        "proxy/limits/windows.py",
        "        self.seconds = seconds\n        self._grain",
        "        self.seconds = seconds * 0.8\n        self._grain",
        _CONSERVATION,
    ),
    (
        "MON-07",
        "what was used before a restart is forgotten",
        "proxy/ledger/accounting.py",
        "            runtime.counters.memory.replay(gauges, past.amounts, past.at)\n",
        "            runtime.counters.memory.replay((), past.amounts, past.at)\n",
        f"{_CONSERVATION} {_CRASH}",
    ),
    (
        "CRS-01",
        "a stream is settled after its end has been handed on",
        "proxy/ledger/charge.py",
        "        if self._flow is not None and self._flow.ended:\n            await self._charge.finish()\n",
        "",
        _CRASH,
    ),
    (
        "CRS-01",
        "a row that is settled is not in the journal",
        "proxy/ledger/writer.py",
        "        self._rows[id] = payload\n        try:\n            self._append(payload)\n",
        "        self._rows[id] = payload\n        try:\n            pass\n",
        _CRASH,
    ),
    (
        "CRS-01",
        "a row that is opened is not in the journal",
        "proxy/ledger/writer.py",
        "        with self._lock:\n            self._append(payload)\n            self._open[row.id]",
        "        with self._lock:\n            self._open[row.id]",
        _CRASH,
    ),
    (
        "CRS-01",
        "what nobody saw the end of costs nothing",
        "proxy/ledger/writer.py",
        "cost=row.bound_cost",
        "cost=0",
        _CRASH,
    ),
    (
        "CRS-02",
        "what dead processes left behind is not brought in",
        "proxy/ledger/writer.py",
        "    for orphan in orphans(directory):",
        "    for orphan in ():",
        _CRASH,
    ),
    (
        "CRS-04",
        "a request is sent though it cannot be recorded",
        "proxy/ledger/writer.py",
        '            self.journal_problem = f"the journal cannot be written: {error.strerror}"\n            raise\n',
        '            self.journal_problem = f"the journal cannot be written: {error.strerror}"\n            return\n',
        _FAULTS,
    ),
    (
        "CRS-04",
        "rows that the database did not take are gone",
        "proxy/ledger/writer.py",
        "            sink.write([unpacked(payload) for payload in rows.values()], prices)\n"
        "            self._backlog.done(rows, prices)\n",
        "            self._backlog.done(rows, prices)\n"
        "            sink.write([unpacked(payload) for payload in rows.values()], prices)\n",
        _FAULTS,
    ),
)
