"""Print the table: what the gateway adds to the bare calls; ``benchmarks/README.md`` says how to read it."""

from __future__ import annotations

import argparse
import os
from urllib.parse import urlsplit

from benchmarks import applying, long_log, reading
from benchmarks.measure import Timing
from benchmarks.processes import Target, gateway, omni_under_test, worker_megabytes
from omni_gateway.omni import OmniClient, OmniConfig


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
    with omni_under_test(reading.FLEET) as omni:
        with gateway(omni) as running:
            report(running)
        grown, rate = long_log.growth(omni.service_account_key)
    text = f"{long_log.MEGABYTES} MB of audit log, {rate:.0f} MB/s"
    print(_row(text, f"{grown:.1f} MB more", "at most 5"))


def report(target: Target) -> None:
    """Measure a gateway and print."""
    megabytes = worker_megabytes(target.pid) if target.pid else None
    with OmniClient(target.omni) as omni:
        first = reading.first_list(target, omni)
        made = reading.make_objects(omni)
        try:
            timings = reading.one_object(target, omni) | reading.lists(target, omni)
        finally:
            reading.remove_objects(omni, made)
        rate, ratio = applying.apply_ratio(target, omni)
    _print_timings(timings)
    p50 = {name: timing.p50 for name, timing in timings.items()}
    added = (p50["gateway GET"] - p50["bare Get"]) * 1e3
    print(_row("GET: added to the bare call", f"{added:.2f} ms", "at most 1.5"))
    print(_row("GET: ratio to a constant view", f"{p50['gateway GET'] / p50['constant view']:.2f}"))
    for name in reading.THROUGH:
        print(_row(f"1,000 {name}: ratio to List", f"{p50[name] / p50[f'{name}, bare']:.2f}", "at most 1.5"))
    print(_row("1,000 of a type that has just changed: to List", f"{first:.2f}"))
    print(_row("1,000 machines: to two Lists", f"{p50['machines'] / p50['machines, bare']:.2f}", "at most 1.3"))
    text = f"apply of {applying.DOCUMENTS} ({rate:.0f}/s): to bare calls"
    print(_row(text, f"{ratio:.2f}", "at least 0.6"))
    if target.seconds_to_ready is not None:
        print(_row("Start to ready", f"{target.seconds_to_ready:.1f} s", "at most 3"))
    if megabytes is not None:
        print(_row("Idle worker", f"{megabytes:.0f} MB", "at most 110"))


def _print_timings(timings: dict[str, Timing]) -> None:
    print(f"{'':<36}{'p50 ms':>10}{'p95 ms':>10}")
    for name, timing in timings.items():
        print(f"{name:<36}{timing.p50 * 1e3:>10.2f}{timing.p95 * 1e3:>10.2f}")
    print()


def _row(what: str, value: str, bound: str = "") -> str:
    return f"{what:<50}{value:>12}   {f'({bound})' if bound else ''}".rstrip()


if __name__ == "__main__":
    main()
