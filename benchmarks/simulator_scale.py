"""``make bench-simulator``: does the simulator carry a large fleet, many clusters and many watchers?"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from omni_gateway.omni import OmniClient, OmniConfig

OMNI = ".omni.sidero.dev"
LABEL = "omni.sidero.dev/"
MACHINES, STATUSES, PATCHES = (name + OMNI for name in ("Machines", "MachineStatuses", "ConfigPatches"))
CLUSTERS, CLUSTER_STATUSES = (name + OMNI for name in ("Clusters", "ClusterStatuses"))
VERSIONS = {"kubernetes_version": "1.35.6", "talos_version": "1.13.7"}
RUNNING = 3
LARGEST_MESSAGE = 256 * 1024 * 1024
MARK = "marked"
PATIENCE_SECONDS = 900.0


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, and the most that it may be (None: for information)."""

    name: str
    value: float
    unit: str
    most: float | None = None

    def __str__(self) -> str:
        limit = "" if self.most is None else f"(at most {self.most:g})  {'ok' if self.value <= self.most else 'MISSED'}"
        return f"{self.name:<58}{self.value:>9.2f} {self.unit:<3} {limit}"


@dataclass(frozen=True)
class Running:
    """A simulator of this run's own."""

    process: subprocess.Popen[bytes]
    config: OmniConfig
    seconds_to_ready: float
    admin_address: str

    def memory(self, field: str) -> float:
        """Return a figure of the process in MB: ``VmRSS`` is now, ``VmHWM`` the most there ever was."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{field}:")[1].split()[0]) * 1024 / 1e6


def main() -> int:
    """Print the table; the exit code tells whether every limit was kept."""
    parser = argparse.ArgumentParser(prog="make bench-simulator")
    parser.add_argument("--fleet", type=int, default=10_000)
    parser.add_argument("--clusters", type=int, default=500)
    parser.add_argument("--watchers", type=int, default=100)
    parser.add_argument("--speed", type=float, default=60.0)
    options = parser.parse_args()
    rows: list[Row] = []
    with simulator(options.fleet, options.speed) as running, OmniClient(running.config) as omni:
        for row in _measure(running, omni, options):
            print(row, flush=True)
            rows.append(row)
    return int(any(row.most is not None and row.value > row.most for row in rows))


@contextmanager
def simulator(fleet: int, speed: float, *, faults: bool = False) -> Iterator[Running]:
    """Run one with its state on disk; with ``faults`` it takes these at ``admin_address`` (else that is empty)."""
    with TemporaryDirectory() as name:
        state = Path(name)
        command = [sys.executable, "-m", "omni_gateway.simulator", "--listen", "127.0.0.1:0", "--log-level", "warning"]
        command += ["--fleet", str(fleet), "--speed", str(speed), "--db", str(state / "db")]
        command += ["--key-file", str(state / "key"), "--ready-file", str(state / "ready")]
        command += ["--admin-listen", "127.0.0.1:0"] if faults else []
        start = time.monotonic()
        process = subprocess.Popen(command)
        try:
            while not (state / "ready").exists():
                if process.poll() is not None:
                    raise RuntimeError(f"the simulator ended with {process.returncode}")
                time.sleep(0.01)
            took = time.monotonic() - start
            address, *admin = (state / "ready").read_text().split()
            key = (state / "key").read_text().strip()
            config = OmniConfig(f"http://{address}", key, max_message_bytes=LARGEST_MESSAGE)
            yield Running(process, config, took, "".join(admin))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _measure(running: Running, omni: OmniClient, options: argparse.Namespace) -> Iterator[Row]:
    yield Row(f"start with {options.fleet} machines", running.seconds_to_ready, "s", 15)
    for type_ in (MACHINES, STATUSES):
        for which in ("first", "second"):
            took, count = _list(omni, type_)
            assert count == options.fleet, (type_, count)
            yield Row(f"{which} List of {count} {type_.removesuffix(OMNI)}", took, "s", 1)
    yield Row("memory after that", running.memory("VmRSS"), "MB", 600)
    names = [f"scale-{number:03d}" for number in range(options.clusters)]
    start = time.monotonic()
    make_clusters(omni, names)
    yield Row(f"{len(names)} clusters asked for", time.monotonic() - start, "s")
    wait_ready(omni, len(names))
    yield Row(f"{len(names)} clusters of 1 to 3 machines running and ready", time.monotonic() - start, "s")
    yield Row("memory with them", running.memory("VmRSS"), "MB", 600)
    yield from _watch(omni, names, options.watchers)
    took, count = _list(omni, STATUSES)
    yield Row(f"List of {count} MachineStatuses with all that", took, "s", 1)
    wait_ready(omni, len(names))
    yield Row("memory at its most", running.memory("VmHWM"), "MB", 600)


def _list(omni: OmniClient, type_: str) -> tuple[float, int]:
    start = time.monotonic()
    count = omni.resources.list(type_).total
    return time.monotonic() - start, count


def make_clusters(omni: OmniClient, names: Sequence[str]) -> None:
    free = iter(omni.resources.list(STATUSES, selectors=[LABEL + "available"]).items)
    for number, name in enumerate(names):
        mine = {LABEL + "cluster": name}
        omni.resources.create(CLUSTERS, name, VERSIONS)
        sets = {"control-planes": 1, "workers": number % 3}
        for set_, size in sets.items():
            role = {LABEL + "role-" + ("worker" if set_ == "workers" else "controlplane"): ""}
            omni.resources.create("MachineSets" + OMNI, f"{name}-{set_}", {}, labels=mine | role)
            for _ in range(size):
                labels = mine | role | {LABEL + "machine-set": f"{name}-{set_}"}
                omni.resources.create("MachineSetNodes" + OMNI, next(free)["metadata"]["id"], {}, labels=labels)


def wait_ready(omni: OmniClient, wanted: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        specs = [item["spec"] for item in omni.resources.list(CLUSTER_STATUSES).items]
        ready = sum(bool(spec.get("ready") and spec.get("phase") == RUNNING) for spec in specs)
        if ready == wanted:
            return
        time.sleep(0.5)
    raise RuntimeError(f"only {ready} of {wanted} clusters are ready after {PATIENCE_SECONDS:g} s")


def _watch(omni: OmniClient, names: Sequence[str], watchers: int) -> Iterator[Row]:
    """Let many watch the clusters while each cluster is labelled; every watcher has to see each change."""
    seen: list[set[str]] = [set() for _ in range(watchers)]
    present = threading.Barrier(watchers + 1)

    def follow(mine: set[str]) -> None:
        with omni.resources.watch(CLUSTERS) as watch:
            for event in watch:
                if event.kind == "bootstrapped":
                    present.wait(60)
                elif (
                    event.kind == "updated" and event.resource and MARK in event.resource["metadata"].get("labels", {})
                ):
                    mine.add(event.resource["metadata"]["id"])
                    if len(mine) == len(names):
                        return

    threads = [threading.Thread(target=follow, args=(mine,), daemon=True) for mine in seen]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    present.wait(60)
    yield Row(f"{watchers} watches of {len(names)} clusters opened", time.monotonic() - start, "s")
    start = time.monotonic()
    for name in names:
        _mark(omni, name)
    for thread in threads:
        thread.join(120)
    missed = sum(len(names) - len(mine) for mine in seen)
    yield Row(f"{watchers} watches told of {len(names)} changes", time.monotonic() - start, "s")
    yield Row("changes that a watch missed", missed, "", 0)


def _mark(omni: OmniClient, name: str) -> None:
    read = omni.resources.get(CLUSTERS, name)
    read["metadata"].setdefault("labels", {})[MARK] = ""
    omni.resources.update(read, version=None)


if __name__ == "__main__":
    sys.exit(main())
