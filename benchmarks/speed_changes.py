"""How soon a write of another client is seen in a cached read, while others write too."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.processes import Target
from benchmarks.reading import FLEET
from benchmarks.speed_load import NotServedError, answer
from omni_gateway.omni import OmniClient, OmniConfig, types

PROBE = "bench-0000"
#: The objects that the other writers write to; the probe and its neighbours are left alone.
BUSY = [f"bench-{number:04d}" for number in range(FLEET // 2, FLEET)]
PATIENCE_SECONDS = 10.0
THREADS = 4
PATCHES, MACHINES = "patches", "machines"
#: A label of the benchmark's own on machines that change.
CHANGING = "bench-changing"


def visible(target: Target, omni: OmniClient, path: str, probes: int) -> tuple[list[float], int]:
    """Write ``probes`` times; return the seconds from each answer of Omni's to the first read that shows the write.

    Each read has a connection of its own, so either worker may answer. Also how many of these reads were hits.
    """
    seconds, hits = [], 0
    for number in range(probes):
        mark = f"probe{number}of{time.monotonic_ns()}"
        _write(omni, PROBE, mark)
        start = time.perf_counter()
        while True:
            asked = time.perf_counter()
            response, body = answer(target, path)
            if mark.encode() in body:
                break
            if asked - start > PATIENCE_SECONDS:
                raise NotServedError(f"{path} did not show a write after {PATIENCE_SECONDS:g} s")
        seconds.append(time.perf_counter() - start)
        hits += response.headers.get("Cache-Status", "").endswith("hit")
        time.sleep(0.01)
    return seconds, hits


@contextmanager
def writers(omni: OmniConfig, rate: float, *, of: str = PATCHES) -> Iterator[subprocess.Popen[bytes]]:
    """Let another client write so many times a second (0: as often as it can) until this is left.

    ``of``: what it writes to, configuration patches or labels of machines.
    """
    environ = os.environ | {"OMNI_ENDPOINT": omni.endpoint, "OMNI_SERVICE_ACCOUNT_KEY": omni.service_account_key}
    command = [sys.executable, "-m", "benchmarks.speed_changes", str(rate), of]
    process = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it writes
        yield process
    finally:
        process.terminate()
        process.wait()


def end_writing(process: subprocess.Popen[bytes]) -> float:
    """Stop the writers; return how many times a second they wrote."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    return float(process.stdout.readline())


def _write(omni: OmniClient, id: str, mark: str) -> None:
    metadata = {"namespace": "default", "type": types.CONFIG_PATCHES, "id": id, "annotations": {"bench-mark": mark}}
    spec = {"data": "machine:\n  sysctls:\n    net.core.somaxconn: '4096'\n"}
    omni.resources.update({"metadata": metadata, "spec": spec}, version=None)


def label_machine(omni: OmniClient, machine: str, value: str, *, label: str = CHANGING) -> None:
    """Give a machine a label of the user's."""
    read = omni.resources.get(types.MACHINE_LABELS, machine)
    read["metadata"].setdefault("labels", {})[label] = value
    omni.resources.update(read, version=None)


def main(rate: float, of: str) -> None:
    """Write until standard input ends, each thread at its share of the rate; print what the rate was."""
    ended = threading.Event()
    written = [0] * THREADS
    begun = time.monotonic()
    with OmniClient(OmniConfig.from_environ()) as omni:
        omni.ping()
        ids = BUSY
        if of == MACHINES:
            ids = [item["metadata"]["id"] for item in omni.resources.list(types.MACHINE_LABELS).items]
        put: Callable[[OmniClient, str, str], None] = label_machine if of == MACHINES else _write

        def write(number: int) -> None:
            due = time.monotonic()
            while not ended.is_set():
                put(omni, ids[(written[number] * THREADS + number) % len(ids)], str(written[number]))
                written[number] += 1
                due = due + THREADS / rate if rate else 0.0
                ended.wait(max(0.0, due - time.monotonic()))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        print("writing", flush=True)
        sys.stdin.read()
        ended.set()
        took = time.monotonic() - begun
        for thread in threads:
            thread.join()
    print(sum(written) / took, flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
