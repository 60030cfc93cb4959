"""Load on a served URL by ``wrk`` (a C program: on two cores a load generator in Python would measure itself)."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.processes import Target

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
_TICKS = os.sysconf("SC_CLK_TCK")
PAGES_SCRIPT = Path(__file__).with_name("speed_pages.lua")


@dataclass(frozen=True)
class Load:
    """What a load came to: requests in a second, seconds at two percentiles, CPU seconds of 1,000 requests."""

    rps: float
    p50: float
    p99: float
    cpu: float | None = None


class NotServedError(RuntimeError):
    """A server does not serve what was asked for, or not well; the text says what it answered."""


def need_wrk() -> None:
    """End the run where there is no ``wrk``."""
    if shutil.which("wrk") is None:
        sys.exit("This takes the load generator wrk: install the package of that name (Debian: apt-get install wrk).")


def load(
    target: Target,
    path: str,
    connections: int,
    seconds: int,
    headers: Mapping[str, str] | None = None,
    pages: int = 1,
) -> Load:
    """Ask for a path over so many kept connections, ``pages`` of it in turn; NotServedError for no 2xx or 3xx."""
    command = ["wrk", "--latency", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "30s"]
    for name, value in (_headers(target) | dict(headers or {})).items():
        command += ["-H", f"{name}: {value}"]
    turns = ["-s", str(PAGES_SCRIPT), "--", str(pages)] if pages > 1 else []
    url = f"http://{target.host}:{target.port}{path}"
    command += [*turns[:2], url, *turns[2:]]
    pids, before = workers(target), cpu_seconds(target)
    said = subprocess.run(command, capture_output=True, check=True)
    text = said.stdout.decode()
    if wrong := re.findall(r"Non-2xx.*|Socket errors.*", text):
        raise NotServedError(f"under load: {', '.join(wrong)}")
    count = int(_found(r"(\d+) requests in", text))
    cpu = (cpu_seconds(target) - before) * 1000 / count if pids and count else None
    return Load(float(_found(r"Requests/sec:\s*([\d.]+)", text)), _latency("50", text), _latency("99", text), cpu)


def middle(loads: list[Load]) -> Load:
    """Return the medians of several runs of one load."""
    cpu = [one.cpu for one in loads if one.cpu is not None]
    return Load(
        median(one.rps for one in loads),
        median(one.p50 for one in loads),
        median(one.p99 for one in loads),
        median(cpu) if cpu else None,
    )


def answer(
    target: Target, path: str, headers: Mapping[str, str] | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    """Ask once, over a connection of its own (so any worker may answer); NotServedError for anything but a 200."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=60)
    try:
        connection.request("GET", path, headers=_headers(target) | dict(headers or {}))
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise NotServedError(f"{response.status} {response.reason}")
    return response, body


def workers(target: Target) -> list[int]:
    """Return the gateway's worker processes; none where it is not ours to look at."""
    if target.pid is None:
        return []
    return [int(pid) for pid in Path(f"/proc/{target.pid}/task/{target.pid}/children").read_text().split()]


def cpu_seconds(target: Target) -> float:
    """Return the CPU time of all workers, of user and system."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in workers(target)]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / _TICKS


def resident_megabytes(target: Target) -> list[float]:
    """Return the resident memory of each worker, in MB."""
    page = os.sysconf("SC_PAGE_SIZE") / 1e6
    return [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page for pid in workers(target)]


def _headers(target: Target) -> dict[str, str]:
    return {"Authorization": f"Bearer {target.token}"} if target.token else {}


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"wrk said {text!r}")
    return found[1]


def _latency(percentile: str, text: str) -> float:
    value, unit = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s|m)\b", text).groups()  # type: ignore[union-attr]
    return float(value) * _UNITS[unit]
