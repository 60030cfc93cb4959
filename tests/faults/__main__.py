"""Run the matrix, write it to ``docs/faults.md``; exit status 1 when something was as it must not be."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.faults.injections import injections
from tests.faults.matrix import ATTEMPTS, Row, run
from tests.faults.table import folded, table
from tests.faults.world import running_world

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def summary(row: Row) -> str:
    """Return a row on one line."""
    cells = [f"{kind} {', '.join(cell.said)} {cell.slowest:.1f} s" for kind, cell in row.cells.items()]
    return "; ".join([*cells, f"livez {row.livez * 1000:.0f} ms"])


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("--only", default="", help="components, or component/fault; no page is written then")
    parser.add_argument(
        "--attempts", type=int, default=ATTEMPTS, help="for a row that only the machine was too slow for"
    )
    options = parser.parse_args()
    only = options.only.lower().replace(",", " ").split()
    rows: list[Row] = []
    with running_world() as world:
        if not world.can_be_full:
            print("SQLite/full is left out: that takes a file system of its own, and root to mount it", flush=True)
        for injection in injections(world):
            name = f"{injection.component}/{injection.fault}"
            if only and not {name.lower(), injection.component.lower()} & set(only):
                continue
            for row in run(world, injection, options.attempts):
                rows.append(row)
                print(f"{name}{' (back)' if row.fault == 'back' else ''}: {summary(row)}", flush=True)
                for wrong in row.wrong:
                    print(f"  WRONG: {wrong}", flush=True)
    if not only:
        PAGE.write_text(table(folded(rows)), encoding="utf-8")
        print(f"written: {PAGE}")
    wrong = sum(len(row.wrong) for row in rows)
    print(f"{len(rows)} rows, {wrong} things wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
