"""What ``make bench`` measures besides: a type that has just changed, the join, writes of many, a long log, a start."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmarks import applying, bulk, long_log, reading
from benchmarks.processes import Target, gateway
from benchmarks.speed_load import NotServedError, resident_megabytes
from omni_gateway.omni import OmniClient, OmniConfig


def others(target: Target | None, omni: OmniConfig, runs: int) -> Iterator[str]:
    """Measure a gateway that runs already (Omni holds no objects of the benchmark then), or one of its own."""
    if target is not None:
        yield from _rows(target, runs)
        return
    with gateway(omni) as own:
        idle = max(resident_megabytes(own))
        yield from _rows(own, runs)
        yield _row("Start to ready", f"{own.seconds_to_ready or 0:.1f} s", "at most 3")
        yield _row("Idle worker", f"{idle:.0f} MB", "at most 110")
    grown, rate = long_log.growth(omni.service_account_key)
    text = f"{long_log.MEGABYTES} MB of audit log, {rate:.0f} MB/s"
    yield _row(text, f"{grown:.1f} MB more", "at most 5")


def _rows(target: Target, runs: int) -> Iterator[str]:
    with OmniClient(target.omni) as omni:
        rows: Sequence[tuple[str, str, Callable[[], str]]] = (
            (
                "1,000 of a type that has just changed: to List",
                "",
                lambda: f"{reading.first_list(target, omni, runs):.2f}",
            ),
            ("1,000 machines: to two Lists", "at most 1.3", lambda: f"{reading.join_ratio(target, omni, runs):.2f}"),
            (f"apply of {applying.DOCUMENTS}: to bare calls", "at least 0.6", lambda: _applied(target, omni, runs)),
            (
                f"PATCH of {bulk.OBJECTS} by one request",
                "at most 2 s",
                lambda: f"{bulk.patch_seconds(target, omni, runs):.2f} s",
            ),
            (
                f"DELETE of {bulk.OBJECTS} by one request",
                "at most 2 s",
                lambda: f"{bulk.delete_seconds(target, omni, runs):.2f} s",
            ),
        )
        for name, bound, measure in rows:
            try:
                yield _row(name, measure(), bound)
            except NotServedError as refused:
                yield _row(name, f"not served: {refused}")


def _applied(target: Target, omni: OmniClient, runs: int) -> str:
    rate, ratio = applying.apply_ratio(target, omni, runs)
    return f"{ratio:.2f} ({rate:.0f}/s)"


def _row(what: str, value: str, bound: str = "") -> str:
    return f"{what:<50}{value:>14}   {f'({bound})' if bound else ''}".rstrip()
