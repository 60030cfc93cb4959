"""Print the table: a bare gRPC call, a constant-bytes view, and the gateway's reads, side by side in one run."""

from __future__ import annotations

import argparse
import http.client
import os
from collections.abc import Callable
from urllib.parse import urlsplit

from benchmarks.measure import Timing, interleaved
from benchmarks.processes import Target, gateway, omni_under_test, worker_megabytes
from omni_gateway.omni import OmniClient, OmniConfig

FLEET = 1000
MACHINES = "Machines.omni.sidero.dev"
STATUSES = "MachineStatuses.omni.sidero.dev"
PATCHES = "ConfigPatches.omni.sidero.dev"
PREFIX = "bench-"


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--target", help="URL of a gateway that runs already (token: BENCH_TOKEN; Omni: OMNI_ENDPOINT)")
    target = parser.parse_args().target
    if target:
        parts = urlsplit(target)
        host, port = parts.hostname or "127.0.0.1", parts.port or 80
        report(Target(host, port, os.environ["BENCH_TOKEN"], OmniConfig.from_environ(), None, None))
        return
    with omni_under_test(FLEET) as omni, gateway(omni) as running:
        report(running)


def http_get(target: Target, path: str) -> Callable[[], object]:
    """Return a call of one path over one kept-alive connection; anything but a 200 ends the run."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=60)
    headers = {"Authorization": f"Bearer {target.token}"}

    def call() -> bytes:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
        return body

    return call


def report(target: Target) -> None:
    """Measure and print."""
    megabytes = worker_megabytes(target.pid) if target.pid else None
    with OmniClient(target.omni) as omni:
        made = _make_patches(omni)
        try:
            timings = _measure(target, omni)
        finally:
            for id in made:
                omni.resources.teardown(PATCHES, id)
    _print(timings, target, megabytes)


def _make_patches(omni: OmniClient) -> list[str]:
    """Make 1,000 small objects, so that a list of 1,000 can be asked of any Omni, with machines or without."""
    ids = [f"{PREFIX}{number:04d}" for number in range(FLEET)]
    for id in ids:
        omni.resources.create(PATCHES, id, {"data": "machine:\n  sysctls:\n    net.core.somaxconn: '4096'\n"})
    return ids


def _measure(target: Target, omni: OmniClient) -> dict[str, Timing]:
    one = f"{PREFIX}0000"
    small = interleaved(
        {
            "constant view": http_get(target, "/livez"),
            "bare Get": lambda: omni.resources.get(PATCHES, one),
            "gateway GET": http_get(target, f"/api/v1/configpatches/{one}"),
        },
        rounds=300,
        warmup=30,
    )
    large = interleaved(
        {
            "bare List, texts only": lambda: omni.resources.list(PATCHES, limit=FLEET, sort_by="id"),
            "bare List": lambda: omni.resources.list(PATCHES, limit=FLEET, sort_by="id").items,
            "gateway list": http_get(target, f"/api/v1/configpatches?page_size={FLEET}"),
            "bare List of machines": lambda: [
                omni.resources.list(type, limit=FLEET, sort_by="id").items for type in (MACHINES, STATUSES)
            ],
            "gateway list of machines": http_get(target, f"/api/v1/machines?page_size={FLEET}"),
        },
        rounds=20,
        warmup=3,
    )
    return small | large


def _print(timings: dict[str, Timing], target: Target, megabytes: float | None) -> None:
    lines = [f"{'':<26}{'p50 ms':>10}{'p95 ms':>10}"]
    lines += [f"{name:<26}{timing.p50 * 1e3:>10.2f}{timing.p95 * 1e3:>10.2f}" for name, timing in timings.items()]
    p50 = {name: timing.p50 for name, timing in timings.items()}
    added = (p50["gateway GET"] - p50["bare Get"]) * 1e3
    lines += [
        "",
        f"GET: gateway adds to the bare call   {added:6.2f} ms   (at most 1.5)",
        f"GET: ratio to a constant view        {p50['gateway GET'] / p50['constant view']:6.2f}",
        f"List of 1,000: ratio to bare List    {p50['gateway list'] / p50['bare List']:6.2f}      (at most 1.5)",
        f"  to the call without its parsing      {p50['gateway list'] / p50['bare List, texts only']:6.2f}",
        f"Machines: ratio to two bare Lists    {p50['gateway list of machines'] / p50['bare List of machines']:6.2f}",
    ]
    if target.seconds_to_ready is not None:
        lines.append(f"Start to ready                       {target.seconds_to_ready:6.2f} s    (at most 3)")
    if megabytes is not None:
        lines.append(f"Idle worker                          {megabytes:6.0f} MB   (at most 110)")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
