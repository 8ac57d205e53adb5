"""The ledger against what a provider says."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.ledger.export import Selection, open_source
from proxy.ledger.reconcile import BadInvoice, Booked, Cell, Invoice, booked, compare, read_invoice
from proxy.ledger.row import Row
from proxy.ledger.sqlite import SqliteSink
from proxy.ledger.usage import DAY

_ALL = frozenset({"model", "input", "cached", "output", "cost", "requests"})
_OPENAI = """\
start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,model,input_tokens,output_tokens,\
input_cached_tokens
1793491200,1793577600,2026-11-01T00:00:00+00:00,2026-11-02T00:00:00+00:00,proj_1,3,gpt-5,1000,50,200
1793577600,1793664000,2026-11-02T00:00:00+00:00,2026-11-03T00:00:00+00:00,proj_1,1,gpt-5,10,5,0
1793491200,1793577600,2026-11-01T00:00:00+00:00,2026-11-02T00:00:00+00:00,proj_2,1,gpt-5,1,1,1
"""
_ANTHROPIC = """\
usage_date_utc,model_version,api_key,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,\
usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count
2026-11-01,claude-sonnet-5,web,100,20,3,1000,7,0
"""


def _invoice(*cells: Cell, columns: frozenset[str] = _ALL) -> Invoice:
    return Invoice({(cell.day, cell.model): cell for cell in cells}, columns)


def _compared(here: Booked, there: Cell, columns: frozenset[str] = _ALL) -> dict[str, list[str]]:
    found = compare({(here.day, here.model): here}, _invoice(there, columns=columns))
    return {one.what: one.causes for one in found}


def test_the_usage_export_of_openai() -> None:
    """Its input tokens hold the cached ones; lines of a cell are summed."""
    found = read_invoice(_OPENAI.splitlines(keepends=True))
    assert found.cells == {
        ("2026-11-01", "gpt-5"): Cell("2026-11-01", "gpt-5", 1001, 201, 51, 0, 4),
        ("2026-11-02", "gpt-5"): Cell("2026-11-02", "gpt-5", 10, 0, 5, 0, 1),
    }
    assert found.columns == {"day", "model", "requests", "input", "output", "cached"}
    assert found.days == ("2026-11-01", "2026-11-02")


def test_the_usage_export_of_anthropic() -> None:
    """Its classes are disjoint."""
    found = read_invoice(_ANTHROPIC.splitlines(keepends=True))
    assert list(found.cells.values()) == [Cell("2026-11-01", "claude-sonnet-5", 1123, 1000, 7)]


@pytest.mark.parametrize(
    "head", ["Model,Amount (USD)", "model_name,cost", "\ufeffMODEL,Cost ($),cost_usd", "model,Total Cost"]
)
def test_names_of_columns_are_matched_leniently(head: str) -> None:
    """Of two costs, the first counts."""
    line = 'gpt-5,"$1,234.50"' + (",7" if head.count(",") == 2 else "")
    found = read_invoice([head, "", line])
    assert list(found.cells.values()) == [Cell("", "gpt-5", cost=1_234_500_000_000)]
    assert found.days is None


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "line 1: no column is a model"),
        (["day,cost"], "line 1: no column is a model"),
        (["model,colour", "a,red"], "line 1: no column is input, output, cost or requests"),
        (["model,cost"], "nothing below the head"),
        (["model,cost", "a,1", "b,many"], "line 3: 'cost' is no number: 'many'"),
        (["model,cost", "a,nan"], "line 2: 'cost' is no number"),
        (["model,cost", "a,1e99"], "line 2: 'cost' is no number"),
        (["model,cost", "a,1,2"], "line 2: 3 columns, but the head has 2"),
        (["model,cost", ",1"], "line 2: no model"),
        (["model,date,cost", "a,yesterday,1"], "line 2: 'yesterday' is no day"),
        (["model,cost", 'a,"1'], "line 2: unexpected end"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(lines: list[str], told: str) -> None:
    with pytest.raises(BadInvoice, match=told):
        read_invoice(lines)


def test_cells_of_the_ledger(tmp_path: Path) -> None:
    """By model, and by day where the file tells days."""
    rows = [
        Row("1", "r1", 1, DAY, 1, "ok", model="m", provider="p", input=5, cached_read=3, cost=10, source="reported"),
        Row("2", "r2", 1, DAY, 1, "unknown", model="m", provider="p", output=2, reasoning=1, cost=7, source="bound"),
        Row("3", "r3", 1, 2 * DAY, 1, "cancelled", model="m", provider="p", output=4, source="counted", price="x"),
        Row("4", "r4", 1, 2 * DAY, 1, "error", model="m", provider="p", source="none"),
        Row("5", "r5", 1, 2 * DAY, 1, "ok", model="m", provider="other", source="reported"),
    ]
    sink = SqliteSink(tmp_path / "ledger.sqlite")
    sink.write(rows, [])
    sink.close()
    source = open_source(tmp_path / "ledger.sqlite")
    chosen = Selection(where={"provider": ("p",)})
    whole = Booked("", "m", 8, 3, 7, 17, 3, bound=1, bound_cost=7, aborted=1, unpriced=2)
    assert booked(source, chosen, by_day=False) == {("", "m"): whole}
    days = booked(source, chosen, by_day=True)
    assert {key: cell.requests for key, cell in days.items()} == {("1970-01-02", "m"): 2, ("1970-01-03", "m"): 1}
    source.close()


def test_one_percent_is_no_difference() -> None:
    there = Cell("", "m", 1000, 100, 1000, 10**12, 100)
    assert not _compared(Booked("", "m", 1010, 99, 990, 10**12, 100), there)
    found = compare({("", "m"): Booked("", "m", 1011, 100, 1000, 10**12, 100)}, _invoice(there))
    assert [(one.what, one.here, one.there, one.part) for one in found] == [("input", 1011, 1000, 0.011)]


def test_only_what_the_file_tells_is_compared() -> None:
    found = _compared(Booked("", "m", input=5, cost=10**9), Cell("", "m", cost=10**9), frozenset({"model", "cost"}))
    assert not found


@pytest.mark.parametrize(
    ("here", "there", "what", "cause"),
    [
        (
            Booked("", "m", cost=3 * 10**9, bound=2, bound_cost=10**9),
            Cell("", "m", cost=2 * 10**9),
            "cost",
            "bound (\\$1.00)",
        ),
        (Booked("", "m", output=50, aborted=3), Cell("", "m", output=90), "output", "3 answers broke off"),
        (Booked("", "m", input=9, unpriced=4), Cell("", "m", input=9, cost=10**9), "cost", "4 rows have no price"),
        (
            Booked("", "m", 100, 0, 9, cost=2 * 10**9),
            Cell("", "m", 100, 80, 9, 10**9),
            "cost",
            "cached tokens were priced as input",
        ),
        (Booked("", "m", 50, requests=5), Cell("", "m", 100, requests=9), "input", "4 requests did not pass"),
        (Booked("", "m", cost=1_000_000), Cell("", "m", cost=9_000_000), "cost", "rounding"),
        (Booked("", "m", 9, 0, 9, 2 * 10**9), Cell("", "m", 9, 0, 9, 10**9), "cost", "another price"),
        (Booked("", "m", requests=9), Cell("", "m", requests=7), "requests", "did not bill"),
    ],
)
def test_the_likely_cause(here: Booked, there: Cell, what: str, cause: str) -> None:
    assert cause.replace("\\", "") in " ".join(_compared(here, there)[what])


def test_what_only_one_side_has() -> None:
    found = compare({("", "a"): Booked("", "a", 5)}, _invoice(Cell("", "b", 7)))
    assert [(one.model, one.here, one.there, one.part, one.causes[0].split(" ")[0]) for one in found] == [
        ("b", 0, 7, -1.0, "no"),
        ("a", 5, 0, None, "not"),
    ]


def test_versions_of_a_model_are_one_where_the_names_differ() -> None:
    """Not where both sides know both names."""
    dated = Cell("", "gpt-5-2026-08-07", 100)
    assert not compare({("", "gpt-5"): Booked("", "gpt-5", 100)}, _invoice(dated))
    (found,) = compare({("", "gpt-5"): Booked("", "gpt-5", 90)}, _invoice(dated))
    assert (found.model, found.causes[-1].split(":")[0]) == (
        "gpt-5",
        "the file names the model with a date, or without",
    )
    both = {("", name): Booked("", name, size) for name, size in (("gpt-5", 10), (dated.model, 90))}
    assert not compare(both, _invoice(Cell("", "gpt-5", 10), Cell("", dated.model, 90)))
    assert len(compare(both, _invoice(Cell("", "gpt-5", 90), Cell("", dated.model, 10)))) == 2
    assert not compare(both, _invoice(Cell("", "gpt-5", 100)))
    assert both["", "gpt-5"].input == 10  # what is compared is left as it was


def test_the_largest_cost_comes_first() -> None:
    here = {("", name): Booked("", name, 99, cost=cost) for name, cost in (("a", 10**9), ("b", 5 * 10**9))}
    found = compare(here, _invoice(Cell("", "a"), Cell("", "b")))
    assert [(one.model, one.what) for one in found] == [("b", "cost"), ("a", "cost"), ("a", "input"), ("b", "input")]
