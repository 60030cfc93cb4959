"""The rows of ``make bench``: what is asked, and the goal that issue 7 sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.processes import Target
from benchmarks.speed_bare import PAGES, bare, written
from benchmarks.speed_load import Load, NotServedError, answer, load, middle, resident_megabytes

FRESH = {"Cache-Control": "no-cache"}
ONE = "/api/v1/configpatches/bench-0000"
LIST = "/api/v1/configpatches?page_size=1000"
_STATUSES = "/api/v1/resources/machinestatuses?page_size=1000"
LABEL = "bench-chosen"
CHOSEN = 50
_WIDTH = 44
HEAD = (
    f"{'':<{_WIDTH}}{'rps':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU s/k':>9}{'MB':>5}{'bytes':>9}"
    f"{'bare':>9}{'ratio':>7}{'CPU':>6}{'in app':>9}{'ratio':>7}{'CPU':>6}  goal"
)


@dataclass(frozen=True)
class Warm:
    """A read from the cache beside constant views. ``tagged``: with the ETag of the answer, so that it is a 304.

    ``pages``: so many pages of the list in turn.
    """

    name: str
    path: str
    connections: int = 8
    goal: str = ""
    tagged: bool = False
    pages: int = 1


@dataclass(frozen=True)
class Cold:
    """A read that reaches Omni beside bare calls (see :mod:`benchmarks.speed_bare`)."""

    name: str
    path: str
    call: str
    connections: int
    goal: str = ""
    pages: int = 1


@dataclass(frozen=True)
class Write:
    """A write beside bare calls; both names are of :mod:`benchmarks.speed_bare`."""

    name: str
    call: str
    bare: str
    connections: int


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
    Warm("1,000 of 10,000 statuses, generic form", _STATUSES, 8, "0.70"),
    Warm("list of 10,000 statuses: a page of 10", _STATUSES, 1, pages=PAGES),
    Warm("list of 10,000 statuses: a page of 10", _STATUSES, 8, pages=PAGES),
    Warm("filter: 50 of 10,000 machines", f"/api/v1/machines?label_selector={LABEL}", 8, "0.60"),
    Warm("filter: 50 of 10,000 statuses", f"/api/v1/resources/machinestatuses?label_selector={LABEL}", 8, "0.60"),
    Warm("fields: 1,000", f"{LIST}&fields=labels,metadata.phase"),
    Warm("sort: 1,000 by time", f"{LIST}&sort=-created"),
    Warm("search: 10 of 1,000", "/api/v1/configpatches?search=bench-000"),
)
COLD = (
    Cold("cold GET of one", ONE, "get", 1, "adds 1.0 ms"),
    Cold("cold GET of one", ONE, "get", 8, "0.85"),
    Cold("cold GET of one", ONE, "get", 64),
    Cold("cold list of 1,000", LIST, "list", 1, "1.3 times (0.77)"),
    Cold("cold list of 1,000, to parsed JSON", LIST, "list-parsed", 1),
    Cold("cold list of 1,000", LIST, "list", 8),
    Cold("cold list of 1,000", LIST, "list", 64),
    Cold("cold list of 10,000: a page of 10", _STATUSES, "pages", 1, pages=PAGES),
)
WRITES = (
    Write("PATCH, to Update", "patch", "update", 1),
    Write("PATCH, to Update", "patch", "update", 8),
    Write("POST + DELETE, to Create + removal", "post-delete", "create-remove", 1),
    Write("POST + DELETE, to Create + removal", "post-delete", "create-remove", 8),
)


def row(name: str, connections: int, measure: Callable[[str], str]) -> str:
    """Return a row; of what the server does not serve, that."""
    title = f"{name}, {connections} conn."
    try:
        return measure(title)
    except NotServedError as refused:
        return f"{title:<{_WIDTH}} not served: {refused}"


def warm(one: Warm, target: Target, constant: Target, seconds: int, rounds: int, machine: str, *, inside: bool) -> str:
    """Measure one row: the gateway and the constant views (without ``inside``: the bare one) take turns."""
    views = ("bare", "constant") if inside else ("bare",)

    def measure(title: str) -> str:
        path = one.path.format(machine=machine)
        response, body = answer(target, path)
        if one.tagged and "ETag" not in response.headers:
            raise NotServedError("no ETag")
        headers = {"If-None-Match": response.headers["ETag"]} if one.tagged else {}
        own = list[Load]()
        constants: list[list[Load]] = [[] for _ in views]
        for _ in range(rounds):
            own.append(load(target, path, one.connections, seconds, headers, one.pages))
            for view, loads in zip(views, constants, strict=True):
                loads.append(load(constant, f"/{view}/{len(body)}", one.connections, seconds))
        text = _measured(title, target, own, len(body)) + "".join(_beside(own, loads) for loads in constants)
        return f"{text}  {one.goal}{_whole(own, one.pages) if one.connections == 1 else ''}"

    return row(one.name, one.connections, measure)


def cold(one: Cold, target: Target, seconds: int, rounds: int) -> str:
    """Measure one row: the gateway and the bare call take turns."""

    def measure(title: str) -> str:
        size = len(answer(target, one.path, FRESH)[1])
        own, calls = [], []
        for _ in range(rounds):
            own.append(load(target, one.path, one.connections, seconds, FRESH, one.pages))
            calls.append(bare(target.omni, one.call, one.connections, seconds))
        return f"{_measured(title, target, own, size)}{_by_bare(own, calls)}  {one.goal}{_whole(own, one.pages)}"

    return row(one.name, one.connections, measure)


def write(one: Write, target: Target, seconds: int, rounds: int) -> str:
    """Measure one row: writes through the gateway and bare ones take turns."""

    def measure(title: str) -> str:
        own, calls = [], []
        for _ in range(rounds):
            own.append(written(target, one.call, one.connections, seconds))
            calls.append(bare(target.omni, one.bare, one.connections, seconds))
        return _measured(title, target, own, 0) + _by_bare(own, calls)

    return row(one.name, one.connections, measure)


def _measured(title: str, target: Target, own: list[Load], size: int) -> str:
    one = middle(own)
    cpu = f"{one.cpu:>9.2f}" if one.cpu is not None else f"{'':>9}"
    megabytes = f"{max(resident_megabytes(target), default=0):>5.0f}" if target.pid else f"{'':>5}"
    return f"{title:<{_WIDTH}}{one.rps:>8.0f}{one.p50 * 1e3:>9.2f}{one.p99 * 1e3:>9.2f}{cpu}{megabytes}{size:>9}"


def _beside(own: list[Load], other: list[Load]) -> str:
    """Return the other's requests a second, and ours by them; of CPU seconds, theirs by ours where both are known."""
    ratio = median(mine.rps / theirs.rps for mine, theirs in zip(own, other, strict=True))
    used, theirs = middle(own).cpu, middle(other).cpu
    cpu = f"{theirs / used:>6.2f}" if used and theirs else f"{'':>6}"
    return f"{middle(other).rps:>9.0f}{ratio:>7.2f}{cpu}"


def _by_bare(own: list[Load], calls: list[Load]) -> str:
    """Return the comparison with bare calls, and these calls' own figures."""
    added = median(mine.p50 - other.p50 for mine, other in zip(own, calls, strict=True)) * 1e3
    one = middle(calls)
    figures = f"p50 {one.p50 * 1e3:.2f}, p99 {one.p99 * 1e3:.2f} ms, CPU s/k {one.cpu or 0:.2f}"
    return f"{_beside(own, calls)}  bare: {figures}; adds {added:.2f} ms"


def _whole(own: list[Load], pages: int) -> str:
    """Return what all pages of a list take, one after the other."""
    return f"all {pages} pages: {pages / middle(own).rps * 1e3:.0f} ms" if pages > 1 else ""
