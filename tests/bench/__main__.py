"""``make bench``: this gateway against the bare relay and whoever else is installed, in one run."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from tests.bench.candidates import __doc__ as about_peers
from tests.bench.measure import FULL, QUICK, Cell, Plan, measure
from tests.bench.process import LOAD_CORE, pinned
from tests.bench.profile import profile
from tests.bench.report import machine, page, rows
from tests.bench.routing import routing
from tests.bench.translate import section, translate

HERE = Path(__file__).parent


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        epilog=about_peers,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="under a minute, less exact, nothing kept")
    parser.add_argument("--rounds", type=int, help="more rounds, steadier medians")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="relay, sluicegate, LiteLLM, Portkey"
    )
    parser.add_argument("--json", action="store_true", help="print data instead of the page")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where report.md and report.json go (default: here)")
    parser.add_argument(
        "--profile", nargs="?", const="1k", choices=["1k", "100k", "stream", "paced"], help="run under py-spy"
    )
    parser.add_argument("--connections", type=int, default=32, help="with --profile (default: %(default)s)")
    return parser.parse_args()


def main() -> int:
    """Measure, print, keep. Exit code 1 if any answer was wrong."""
    args = _arguments()
    if not Path("/proc/self/schedstat").exists():
        print("the bench reads /proc and so needs Linux", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch, pinned(LOAD_CORE):
        if args.profile:
            size = 100_000 if args.profile == "100k" else 1_000
            keep = (args.out or Path(tempfile.gettempdir())) / "sluicegate-profile.txt"
            print(profile(Cell(f"bench-{args.profile}", size, args.connections), 8, Path(scratch), keep))
            print(f"\nraw stacks: {keep}")
            return 0
        return _bench(args, Path(scratch))


def _bench(args: argparse.Namespace, scratch: Path) -> int:
    plan: Plan = QUICK if args.quick else FULL
    if args.rounds:
        plan = plan._replace(rounds=args.rounds)
    started = time.perf_counter()

    def progress(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    found = measure(plan, set(args.only), scratch, progress)
    translation = None if args.only else translate(plan, scratch, progress)
    routed = [] if args.only or args.quick else routing(progress)[0]
    took = time.perf_counter() - started
    table = rows(found)
    data = msgspec.json.format(
        msgspec.json.encode(
            {
                "machine": machine(),
                "plan": plan._asdict(),
                "rows": table,
                "starts": found.starts,
                "translation": None if translation is None else translation._asdict(),
            }
        )
    )
    text = page(found, plan, took) + ("\n".join(["", *section(translation)]) if translation else "")
    text += "\n".join(["", *routed])
    print(data.decode() if args.json else text)
    keep = args.out or (None if args.quick or args.only else HERE)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / "report.md").write_text(text)
        (keep / "report.json").write_bytes(data + b"\n")
    wrong = sum(sum(row.errors.values()) for row in table if row.candidate in ("direct", "relay", "sluicegate"))
    wrong += sum(sum(row.errors.values()) for row in (translation.added if translation else ()))
    if wrong:
        print(f"{wrong} wrong answers", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
