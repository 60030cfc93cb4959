"""The rows of ``make bench-speed``: what is asked, and the goal that issue 7 sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from benchmarks.processes import Target
from benchmarks.speed_bare import bare
from benchmarks.speed_load import Load, answer, load, middle

FRESH = {"Cache-Control": "no-cache"}
ONE = "/api/v1/configpatches/bench-0000"
LIST = "/api/v1/configpatches?page_size=1000"
LABEL = "bench-chosen"
CHOSEN = 50
HEAD = (
    f"{'':<44}{'rps':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU s/k':>9}{'bytes':>9}"
    f"{'bare':>9}{'ratio':>7}{'CPU':>6}{'in app':>9}{'ratio':>7}{'CPU':>6}  goal"
)


@dataclass(frozen=True)
class Warm:
    """A read from the cache beside constant views. ``tagged``: with the ETag of the answer, so that it is a 304."""

    name: str
    path: str
    connections: int = 8
    goal: str = ""
    tagged: bool = False


@dataclass(frozen=True)
class Cold:
    """A read that reaches Omni beside bare calls (see :mod:`benchmarks.speed_bare`)."""

    name: str
    path: str
    call: str
    connections: int
    goal: str = field(default="")


WARM = (
    Warm("GET of one", ONE, 1),
    Warm("GET of one", ONE, 8, "0.80; p99 10 ms"),
    Warm("GET of one", ONE, 64),
    Warm("GET of one machine", "/api/v1/machines/{machine}", 8),
    Warm("304 of one", ONE, 8, "0.90", tagged=True),
    Warm("304 of 1,000", LIST, 8, "0.90", tagged=True),
    Warm("list of 10", "/api/v1/configpatches?page_size=10"),
    Warm("list of 100", "/api/v1/configpatches?page_size=100"),
    Warm("list of 1,000 configpatches", LIST, 1),
    Warm("list of 1,000 configpatches", LIST, 8, "0.70"),
    Warm("list of 1,000 configpatches", LIST, 64),
    Warm("1,000 of 10,000 machines", "/api/v1/machines?page_size=1000", 8, "0.70"),
    Warm("1,000 of 10,000 statuses, generic form", "/api/v1/resources/machinestatuses?page_size=1000", 8, "0.70"),
    Warm("filter: 50 of 10,000 machines", f"/api/v1/machines?label_selector={LABEL}", 8, "0.60"),
    Warm("filter: 50 of 10,000 statuses", f"/api/v1/resources/machinestatuses?label_selector={LABEL}", 8, "0.60"),
    Warm("fields: 1,000", f"{LIST}&fields=labels,metadata.phase"),
    Warm("sort: 1,000 by time", f"{LIST}&sort=-created"),
    Warm("search: 10 of 1,000", "/api/v1/configpatches?search=bench-000"),
)
COLD = (
    Cold("cold GET of one", ONE, "get", 1, "adds 1.0 ms"),
    Cold("cold GET of one", ONE, "get", 8, "0.85"),
    Cold("cold list of 1,000", LIST, "list", 1, "1.3 times (0.77)"),
    Cold("cold list of 1,000, to parsed JSON", LIST, "list-parsed", 1),
    Cold("cold list of 1,000", LIST, "list", 8),
)


def warm(row: Warm, target: Target, constant: Target, seconds: float, rounds: int, machine: str) -> str:
    """Measure one row: the gateway and both constant views take turns."""
    path = row.path.format(machine=machine)
    response, body = answer(target, path)
    headers = {"If-None-Match": response.headers["ETag"]} if row.tagged else {}
    own, plain, inside = [], [], []
    for _ in range(rounds):
        own.append(load(target, path, row.connections, seconds, headers))
        plain.append(load(constant, f"/bare/{len(body)}", row.connections, seconds))
        inside.append(load(constant, f"/constant/{len(body)}", row.connections, seconds))
    text = _measured(f"{row.name}, {row.connections} conn.", middle(own), len(body))
    return text + "".join(_beside(own, other) for other in (plain, inside)) + f"  {row.goal}"


def cold(row: Cold, target: Target, seconds: float, rounds: int) -> str:
    """Measure one row: the gateway and the bare call take turns."""
    size = len(answer(target, row.path, FRESH)[1])
    own, calls = [], []
    for _ in range(rounds):
        own.append(load(target, row.path, row.connections, seconds, FRESH))
        calls.append(bare(target.omni, row.call, row.connections, seconds))
    added = median(mine.p50 - other.p50 for mine, other in zip(own, calls, strict=True)) * 1e3
    text = _measured(f"{row.name}, {row.connections} conn.", middle(own), size) + _beside(own, calls)
    return f"{text} adds {added:.2f} ms at the median  {row.goal}"


def _measured(name: str, one: Load, size: int) -> str:
    cpu = f"{one.cpu:>9.2f}" if one.cpu is not None else f"{'':>9}"
    return f"{name:<44}{one.rps:>8.0f}{one.p50 * 1e3:>9.2f}{one.p99 * 1e3:>9.2f}{cpu}{size:>9}"


def _beside(own: list[Load], other: list[Load]) -> str:
    """Return the other's requests a second, and ours by them; of CPU seconds, theirs by ours where both are known."""
    ratio = median(mine.rps / theirs.rps for mine, theirs in zip(own, other, strict=True))
    used, theirs = middle(own).cpu, middle(other).cpu
    cpu = f"{theirs / used:>6.2f}" if used and theirs else f"{'':>6}"
    return f"{middle(other).rps:>9.0f}{ratio:>7.2f}{cpu}"
