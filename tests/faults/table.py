"""The matrix as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.matrix import LIMIT, Row
from tests.faults.probes import KINDS, Cell
from tests.faults.world import OMNI_SECONDS, STORE_SECONDS

_HEAD = f"""\
# Faults

What callers see while something outside is at fault, as `make faults` has measured it: one worker, side by side a
hundred requests a second, in a fault's first moment and again once `/readyz` has named it. (Fifty in one instant keep
a worker's interpreter busy for a third of a second, with no fault at all; `/livez` then takes up to a fifth of a
second.) Here a call to Omni may take
{OMNI_SECONDS:.0f} s and one to the store {STORE_SECONDS:.0f} s; the defaults are 20 s and 5 s.
[outages.md](outages.md) says why it is so.

Each cell: the statuses and codes that were answered, and the longest time that an answer took. `make faults` fails
when an answer takes longer than {LIMIT:.0f} s, is 500 or `internal`, or does not come; when `/livez` takes longer than
100 ms; when the log has a traceback; when `/readyz` does not name what is away; and when not all is well again
afterwards. It takes a machine that has nothing else to do.

- *read*: machines (cached, and with `Cache-Control: no-cache`), tokens, and machines with an unknown token (401)
- *write*: a config patch (Omni), a token (the store), a join token under an `Idempotency-Key` (both)
- *stream*: a new watch of machines and one of OIDC providers; then, a watch of machines that was open before
- *health*: `/livez`, `/readyz` and `/health`; then the longest time of `/livez`, polled 20 times a second meanwhile
- *back*: the same when the fault is over; first, how long that took
"""


def table(rows: Sequence[Row]) -> str:
    """Return the page."""
    lines = [_HEAD, f"| component | fault | {' | '.join(KINDS)} |", f"|{'---|' * (2 + len(KINDS))}"]
    lines += [_line(row) for row in rows]
    return "\n".join([*lines, ""])


def _line(row: Row) -> str:
    cells = {kind: _cell(cell) for kind, cell in row.cells.items()}
    if row.open_stream:
        cells["stream"] += f"; open one: {row.open_stream}"
    cells["health"] += f"; `/livez` {row.livez * 1000:.0f} ms"
    fault = f"{row.fault}, {row.back:.1f} s" if row.back else row.fault
    return f"| {row.component} | {fault} | {' | '.join(cells[kind] for kind in KINDS)} |"


def _cell(cell: Cell) -> str:
    return f"{', '.join(cell.said)}; {cell.slowest:.1f} s"


def folded(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with one "back" for each component: the worst of what was seen after its faults."""
    found: list[Row] = []
    for component in dict.fromkeys(row.component for row in rows):
        own = [row for row in rows if row.component == component]
        found += [row for row in own if row.fault != "back"]
        after = [row for row in own if row.fault == "back"]
        back = Row(component, "back", livez=max(row.livez for row in after), back=max(row.back for row in after))
        for kind in KINDS:
            back.cells[kind].answers = [answer for row in after for answer in row.cells[kind].answers]
        found.append(back)
    return found
