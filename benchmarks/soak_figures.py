"""What each worker takes at rest, and whether that stays so."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.processes import Target
from benchmarks.soak_connections import Connection, descriptors
from benchmarks.speed_load import resident_megabytes, workers

FLAT = 0.05
#: A run is long enough to judge its memory by; the first third of it is the warm-up.
MINUTES_TO_JUDGE = 10.0
#: A heartbeat, by which a stream that its reader left is noticed, and some.
STREAMS_SECONDS = 30.0
LOOKS, LOOK_SECONDS = 8, 0.25


@dataclass(frozen=True)
class Rest:
    """One rest: of each worker the resident memory (MB), threads and open files; open streams; differences found."""

    at: float
    megabytes: tuple[float, ...]
    threads: tuple[int, ...]
    files: tuple[int, ...]
    streams: int
    differences: int

    def __str__(self) -> str:
        of_each = "".join(
            f"{megabytes:>9.1f}{threads:>5}{files:>5}"
            for megabytes, threads, files in zip(self.megabytes, self.threads, self.files, strict=True)
        )
        return f"{self.at:>6.0f}{of_each}{self.streams:>9}{self.differences:>12}"


def head(count: int) -> str:
    """Return the line above the rests."""
    return f"{'s':>6}" + f"{'MB':>9}{'thr':>5}{'fd':>5}" * count + f"{'streams':>9}{'differences':>12}"


@dataclass(frozen=True)
class Verdict:
    """One thing that was asked, what was seen, and whether that is right; None: it was not to be told."""

    what: str
    seen: str
    ok: bool | None

    def __str__(self) -> str:
        word = {True: "ok", False: "FAILED", None: "not judged"}[self.ok]
        return f"{self.what:<58}{self.seen:>28}  {word}"


def open_streams(target: Target) -> int:
    """Return how many streams all workers say that they hold."""
    with Connection(target) as connection:
        text = connection.ask("GET", "/metrics").body.decode()
    found = re.search(r"^omni_gateway_open_streams ([\d.]+)$", text, re.MULTILINE)
    return int(float(found[1])) if found else 0


def streams_come_to(target: Target, wanted: Callable[[], int]) -> int:
    """Wait until there are as many streams as are open; return how many there are then, or when patience ends."""
    deadline = time.monotonic() + STREAMS_SECONDS
    while (now := open_streams(target)) != wanted() and time.monotonic() < deadline:
        time.sleep(0.25)
    return now


def look(target: Target, at: float, streams: int, differences: int) -> Rest:
    """Take the figures of a rest."""
    pids = workers(target)
    threads, files = (_least(pids, count) for count in (_threads, lambda pid: len(descriptors(pid))))
    return Rest(at, tuple(resident_megabytes(target)), threads, files, streams, differences)


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def _least(pids: list[int], count: Callable[[int], int]) -> tuple[int, ...]:
    """Return the least of several counts of each process: what has just been closed takes a moment to go."""
    counts = []
    for _ in range(LOOKS):
        counts.append([count(pid) for pid in pids])
        time.sleep(LOOK_SECONDS)
    return tuple(min(each) for each in zip(*counts, strict=True))


def verdicts(rests: Sequence[Rest], kept: int, minutes: float) -> list[Verdict]:
    """Judge the rests: ``kept`` streams were open at each of them."""
    third = max(1, len(rests) // 3)
    middle, last = rests[-2 * third : -third], rests[-third:]
    found = []
    for number in range(len(rests[0].megabytes)):
        before, after = (median(rest.megabytes[number] for rest in part) for part in (middle, last))
        change = after / before - 1
        flat = abs(change) <= FLAT if minutes >= MINUTES_TO_JUDGE else None
        found.append(Verdict(f"worker {number + 1}: memory of the last third to the second", f"{change:+.1%}", flat))
    for name in ("threads", "files"):
        # Of all workers together: a watch that is opened anew may come to another one.
        most, now = (max(sum(getattr(rest, name)) for rest in part) for part in (middle, last))
        seen, most_allowed = f"{most}, {now}", most * (1 + FLAT)
        found.append(Verdict(f"{name} of all workers, second and last third", seen, now <= most_allowed))
    counts = sorted({rest.streams for rest in rests})
    found.append(Verdict(f"streams at rest (open: {kept})", ", ".join(map(str, counts)), counts == [kept]))
    total = sum(rest.differences for rest in rests)
    found.append(Verdict("differences from Omni at rest", str(total), total == 0))
    return found
