"""Callers in processes of their own: the bare gRPC calls in Python, and writes through a gateway.

As many processes as the gateway has workers. Reads of a gateway are asked for by ``wrk`` instead: a generator in Python
would measure itself. A write costs some calls to Omni, beside which it does not count.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from statistics import median, quantiles
from urllib.parse import urlsplit

import orjson

from benchmarks.processes import Target
from benchmarks.reading import FLEET
from benchmarks.speed_load import Load, NotServedError, cpu_seconds, workers
from omni_gateway.omni import ListResult, OmniClient, OmniConfig, types

PROCESSES = 2
PAGES = 10
#: Of the objects "bench-0000" to "bench-0999": those that writers write to, each caller to its own.
_OWN, _FIRST = 50, 100
_SPEC = {"data": "machine:\n  sysctls:\n    net.core.somaxconn: '4096'\n"}
_REFUSED = "refused: "
Call = Callable[[], object]


def bare(omni: OmniConfig, call: str, connections: int, seconds: int) -> Load:
    """Make bare calls from so many threads in all; CPU seconds are those of these processes."""
    return _callers(omni, call, connections, seconds, {})


def written(target: Target, call: str, connections: int, seconds: int) -> Load:
    """Write through a gateway over so many connections; CPU seconds are its workers'. NotServedError if it refuses."""
    environ = {"BENCH_URL": f"http://{target.host}:{target.port}", "BENCH_TOKEN": target.token}
    pids, before = workers(target), cpu_seconds(target)
    one = _callers(target.omni, call, connections, seconds, environ)
    cpu = (cpu_seconds(target) - before) * 1000 / (one.rps * seconds) if pids else None
    return Load(one.rps, one.p50, one.p99, cpu)


def _callers(omni: OmniConfig, call: str, connections: int, seconds: int, further: dict[str, str]) -> Load:
    """Run the processes, threads spread evenly over them (one thread: in one)."""
    processes = min(PROCESSES, connections)
    environ = os.environ | {"OMNI_ENDPOINT": omni.endpoint, "OMNI_SERVICE_ACCOUNT_KEY": omni.service_account_key}
    command = [sys.executable, "-m", "benchmarks.speed_bare", call, str(connections // processes), str(seconds)]
    running = [
        subprocess.Popen([*command, str(number)], env=environ | further, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for number in range(processes)
    ]
    for each in running:
        assert each.stdout is not None
        each.stdout.readline()  # all are connected before any begins
    taken, cpu, refused = list[float](), 0.0, ""
    for each in running:
        assert each.stdin is not None
        each.stdin.close()
    for each in running:
        assert each.stdout is not None
        said = each.stdout.read()
        each.wait()
        if said.startswith(_REFUSED.encode()) or not said:
            refused = said.decode().removeprefix(_REFUSED) or f"the calls ended with {each.returncode}"
            continue
        told = json.loads(said)
        taken += told["taken"]
        cpu += told["cpu"]
    if refused or len(taken) < 2:
        raise NotServedError(refused or "too slow to measure")
    return Load(len(taken) / seconds, median(taken), quantiles(taken, n=100)[-1], cpu * 1000 / len(taken))


def calls(omni: OmniClient) -> dict[str, Callable[[int], Call]]:
    """Return what can be called, by its name; a caller gives its number (0 and up) and gets a call of its own.

    ``-parsed`` parses each object's JSON, which a gateway cannot do without.
    """

    def listed() -> ListResult:
        return omni.resources.list(types.CONFIG_PATCHES, limit=FLEET, sort_by="id")

    pages = itertools.cycle(range(PAGES))

    def page() -> object:
        return omni.resources.list(types.MACHINE_STATUSES, limit=FLEET, offset=next(pages) * FLEET, sort_by="id")

    return {
        "get": lambda _: lambda: omni.resources.get_text(types.CONFIG_PATCHES, "bench-0000"),
        "get-parsed": lambda _: lambda: omni.resources.get(types.CONFIG_PATCHES, "bench-0000"),
        "list": lambda _: listed,
        "list-parsed": lambda _: lambda: listed().items,
        "pages": lambda _: page,
        "update": lambda number: _updating(omni, number),
        "create-remove": lambda number: _making(omni, number),
        "patch": _patching,
        "post-delete": _posting,
    }


def _ids(number: int) -> list[str]:
    first = _FIRST + number * _OWN % (FLEET - _FIRST)
    return [f"bench-{index:04d}" for index in range(first, first + _OWN)]


def _new(number: int, count: int) -> str:
    return f"bench-made-{os.getpid()}-{number}-{count}"


def _updating(omni: OmniClient, number: int) -> Call:
    ids, marks = itertools.cycle(_ids(number)), itertools.count()

    def update() -> None:
        metadata = {"namespace": "default", "type": types.CONFIG_PATCHES, "id": next(ids)}
        changed = metadata | {"annotations": {"bench-write": str(next(marks))}}
        omni.resources.update({"metadata": changed, "spec": _SPEC}, version=None)

    return update


def _making(omni: OmniClient, number: int) -> Call:
    counts = itertools.count()

    def make() -> None:
        id = _new(number, next(counts))
        omni.resources.create(types.CONFIG_PATCHES, id, _SPEC)
        omni.resources.remove(types.CONFIG_PATCHES, id)

    return make


def _sender() -> Callable[[str, str, object, tuple[int, ...]], None]:
    """Return what sends a request over a kept connection to the gateway that the environment names."""
    url = urlsplit(os.environ["BENCH_URL"])
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
    token = os.environ["BENCH_TOKEN"]
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def send(method: str, path: str, body: object, expected: tuple[int, ...]) -> None:
        connection.request(method, path, None if body is None else orjson.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status not in expected:
            raise NotServedError(f"{method}: {answer.status} {answer.reason}")

    return send


def _patching(number: int) -> Call:
    send, ids, marks = _sender(), itertools.cycle(_ids(number)), itertools.count()
    own = f"{os.getpid()}-"

    def patch() -> None:
        body = {"annotations": {"bench-write": own + str(next(marks))}}
        send("PATCH", f"/api/v1/configpatches/{next(ids)}", body, (200, 204))

    return patch


def _posting(number: int) -> Call:
    send, counts = _sender(), itertools.count()

    def post() -> None:
        id = _new(number, next(counts))
        send("POST", "/api/v1/configpatches", {"id": id} | _SPEC, (200, 201))
        send("DELETE", f"/api/v1/configpatches/{id}", None, (200, 202, 204))

    return post


def main(name: str, threads: int, seconds: int, process: int) -> None:
    """Call until the time is over; print the seconds of each call and the CPU time of all, or why it was refused."""
    taken: list[float] = []
    refused: list[NotServedError] = []
    with OmniClient(OmniConfig.from_environ()) as omni:
        make = calls(omni)[name]
        own = [make(process * threads + number) for number in range(threads)]
        try:
            for call in own:
                call()
        except NotServedError as error:
            refused.append(error)
        print("ready", flush=True)
        sys.stdin.read()
        used, end = _cpu(), time.perf_counter() + seconds

        def repeat(call: Call) -> None:
            try:
                while not refused and (start := time.perf_counter()) < end:
                    call()
                    taken.append(time.perf_counter() - start)
            except NotServedError as error:
                refused.append(error)

        callers = [threading.Thread(target=repeat, args=(call,)) for call in own]
        for each in callers:
            each.start()
        for each in callers:
            each.join()
        used = _cpu() - used
    print(f"{_REFUSED}{refused[0]}" if refused else json.dumps({"taken": taken, "cpu": used}))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
