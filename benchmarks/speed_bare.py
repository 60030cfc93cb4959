"""The bare gRPC calls in Python, in processes of their own: as many as the gateway has workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from statistics import median, quantiles

from benchmarks.reading import FLEET
from benchmarks.speed_load import Load
from omni_gateway.omni import OmniClient, OmniConfig, types

PROCESSES = 2


def bare(omni: OmniConfig, call: str, connections: int, seconds: float) -> Load:
    """Make calls from so many threads in all, evenly in :data:`PROCESSES` processes (one thread: in one)."""
    processes = min(PROCESSES, connections)
    environ = os.environ | {"OMNI_ENDPOINT": omni.endpoint, "OMNI_SERVICE_ACCOUNT_KEY": omni.service_account_key}
    command = [sys.executable, "-m", "benchmarks.speed_bare", call, str(connections // processes), str(seconds)]
    running = [
        subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(processes)
    ]
    for each in running:
        assert each.stdout is not None
        each.stdout.readline()  # all are connected before any begins
    taken: list[float] = []
    for each in running:
        assert each.stdin is not None
        each.stdin.close()
    for each in running:
        assert each.stdout is not None
        taken += json.loads(each.stdout.read())
        if each.wait():
            raise RuntimeError(f"the bare calls ended with {each.returncode}")
    return Load(len(taken) / seconds, median(taken), quantiles(taken, n=100)[-1])


def calls(omni: OmniClient) -> dict[str, Callable[[], object]]:
    """Return what can be called; ``-parsed`` parses each object's JSON, which a gateway cannot do without."""

    def patches() -> object:
        return omni.resources.list(types.CONFIG_PATCHES, limit=FLEET, sort_by="id")

    return {
        "get": lambda: omni.resources.get_text(types.CONFIG_PATCHES, "bench-0000"),
        "get-parsed": lambda: omni.resources.get(types.CONFIG_PATCHES, "bench-0000"),
        "list": patches,
        "list-parsed": lambda: omni.resources.list(types.CONFIG_PATCHES, limit=FLEET, sort_by="id").items,
    }


def main(name: str, threads: int, seconds: float) -> None:
    """Call until the time is over; print the seconds of each call."""
    taken: list[float] = []
    with OmniClient(OmniConfig.from_environ()) as omni:
        call = calls(omni)[name]
        call()
        print("ready", flush=True)
        sys.stdin.read()
        end = time.perf_counter() + seconds

        def repeat() -> None:
            while (start := time.perf_counter()) < end:
                call()
                taken.append(time.perf_counter() - start)

        callers = [threading.Thread(target=repeat) for _ in range(threads)]
        for each in callers:
            each.start()
        for each in callers:
            each.join()
    print(json.dumps(taken))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
