"""What replicas cost Omni: the watches that each worker of each replica holds, counted at the simulator.

A worker's watches are opened here by bare streams, for their cost to Omni is the same and many fit into one process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.simulator_scale import Running, simulator
from benchmarks.speed_changes import label_machine
from omni_gateway.omni import OmniClient, OmniConfig, rpcs, types
from omni_gateway.stubs import resources_pb2 as pb

FLEET = 2_000
CHANGES = 400
#: Types that a worker watches whose callers read machines and clusters in all their forms.
WATCHED = (
    types.MACHINES,
    types.MACHINE_STATUSES,
    types.MACHINE_SET_NODES,
    types.EXTENSIONS_CONFIGURATIONS,
    types.LINKS,
    types.CLUSTERS,
    types.CLUSTER_STATUSES,
    types.MACHINE_SETS,
    types.CLUSTER_MACHINES,
    types.CONFIG_PATCHES,
)
_TICKS = os.sysconf("SC_CLK_TCK")
_METADATA = (("runtime", "Omni"),)


@dataclass
class Counted:
    """Messages and bytes (before compression) that streams have received."""

    bootstrapped: int = 0
    messages: int = 0
    bytes: int = 0


def replicas(counts: Sequence[int]) -> None:
    """Print for each number of workers what opening their watches costs, and what each change costs then."""
    text = f"{len(WATCHED)} watches by each worker, {FLEET:,} machines; then {CHANGES} changes of machines' labels"
    print(f"\n{text}")
    head = f"{'workers':>8}{'watches':>9}{'start MB':>10}{'start CPU s':>13}{'messages/change':>17}{'KB/change':>11}"
    print(f"{head}{'CPU ms/change':>15}{'ms/s idle':>11}{'MB':>7}")
    for count in counts:
        with simulator(FLEET, 60) as running, OmniClient(running.config) as omni:
            ids = [item["metadata"]["id"] for item in omni.resources.list(types.MACHINE_LABELS).items]
            before = _cpu(running)
            with _watching(running, count) as process:
                opened = _ask(process)
                start_cpu = _cpu(running) - before
                idle_from, idle_cpu = time.monotonic(), _cpu(running)
                time.sleep(5)
                idle = (_cpu(running) - idle_cpu) / (time.monotonic() - idle_from)
                at_rest = _cpu(running)
                for number in range(CHANGES):
                    label_machine(omni, ids[number % len(ids)], str(number))
                changed = _ask(process)
                took = _cpu(running) - at_rest
            messages, size = changed.messages - opened.messages, changed.bytes - opened.bytes
            text = f"{count:>8}{count * len(WATCHED):>9}{opened.bytes / 1e6:>10.1f}{start_cpu:>13.2f}"
            text += f"{messages / CHANGES:>17.1f}{size / CHANGES / 1e3:>11.1f}{took / CHANGES * 1e3:>15.2f}"
            print(f"{text}{idle * 1e3:>11.1f}{running.memory('VmRSS'):>7.0f}", flush=True)


def _cpu(running: Running) -> float:
    fields = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def _watching(running: Running, count: int) -> Iterator[subprocess.Popen[str]]:
    config = running.config
    environ = os.environ | {"OMNI_ENDPOINT": config.endpoint, "OMNI_SERVICE_ACCOUNT_KEY": config.service_account_key}
    command = [sys.executable, "-m", "benchmarks.scale_replicas", str(count)]
    process = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _ask(process: subprocess.Popen[str]) -> Counted:
    """Return what the streams have received, once nothing has come for a second."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return Counted(*map(int, process.stdout.readline().split()))


def main(count: int) -> None:
    """Open the watches of so many workers, each over a connection of its own; answer each line by what has come."""
    lock, counted = threading.Lock(), Counted()
    clients = [OmniClient(OmniConfig.from_environ()) for _ in range(count)]

    def follow(client: OmniClient, type: str) -> None:
        def expand(message: pb.WatchResponse) -> tuple[tuple[int, int], ...]:
            return ((message.ByteSize(), message.event.event_type),)

        request = pb.WatchRequest(namespace="default", type=type)
        for size, kind in client.resources._calls.stream(rpcs.WATCH, lambda: request, expand, metadata=_METADATA):
            with lock:
                counted.messages += 1
                counted.bytes += size
                counted.bootstrapped += kind == pb.BOOTSTRAPPED

    for client in clients:
        for type in WATCHED:
            threading.Thread(target=follow, args=(client, type), daemon=True).start()
    for _ in sys.stdin:
        last = -1
        while counted.bootstrapped < count * len(WATCHED) or counted.messages != last:
            last = counted.messages
            time.sleep(1.0)
        print(counted.bootstrapped, counted.messages, counted.bytes, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
