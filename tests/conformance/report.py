"""The table at the end of a run: cases, passed, failed, skipped, and each divergence as expected and got.

A plugin of pytest's: its figures travel with each test's report, so that they also arrive from parallel workers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.conformance.outcomes import Divergence

OMNI = pytest.StashKey[str]()
_WHERE = "tests/conformance/"
_OUTCOMES = ("passed", "failed", "error", "skipped")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write onto a case's report which Omni it met and what it found instead of what it expected."""
    report = yield
    if item.nodeid.startswith(_WHERE):
        if OMNI in item.config.stash:
            report.user_properties.append(("omni", item.config.stash[OMNI]))
        if call.excinfo is not None and isinstance(call.excinfo.value, Divergence):
            report.user_properties.append(("divergence", [call.excinfo.value.expected, call.excinfo.value.got]))
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table, if any case ran."""
    reports = {
        outcome: [report for report in terminalreporter.stats.get(outcome, ()) if _is_case(report)]
        for outcome in _OUTCOMES
    }
    if not any(reports.values()):
        return
    terminalreporter.section("conformance")
    for line in _lines(reports):
        terminalreporter.write_line(line)


def _is_case(report: Any) -> bool:
    return isinstance(report, pytest.TestReport) and report.nodeid.startswith(_WHERE)


def _lines(reports: dict[str, list[pytest.TestReport]]) -> Iterator[str]:
    omnis = sorted(
        {value for found in reports.values() for r in found for key, value in r.user_properties if key == "omni"}
    )
    yield f"against {', '.join(omnis) or 'an Omni that did not answer'}"
    yield ""
    yield f"{'area':<32}{'cases':>8}{'passed':>8}{'failed':>8}{'skipped':>9}"
    rows = _rows(reports)
    for name, row in sorted(rows.items()):
        yield f"{name:<32}{sum(row.values()):>8}{row['passed']:>8}{row['failed']:>8}{row['skipped']:>9}"
    total: Counter[str] = sum(rows.values(), Counter())
    yield f"{'all':<32}{total.total():>8}{total['passed']:>8}{total['failed']:>8}{total['skipped']:>9}"
    yield ""
    skipped = Counter(str(report.longrepr[2]) for report in reports["skipped"] if isinstance(report.longrepr, tuple))
    for reason, count in sorted(skipped.items()):
        yield f"skipped {count}: {reason.removeprefix('Skipped: ')}"
    broken = reports["failed"] + reports["error"]
    yield f"divergences: {len(broken)}"
    for report in broken:
        yield from _divergence(report)


def _rows(reports: dict[str, list[pytest.TestReport]]) -> dict[str, Counter[str]]:
    rows: dict[str, Counter[str]] = {}
    for outcome, found in reports.items():
        for report in found:
            area = report.nodeid.removeprefix(_WHERE).partition(".py")[0].removeprefix("test_").replace("_", " ")
            rows.setdefault(area, Counter())["failed" if outcome == "error" else outcome] += 1
    return rows


def _divergence(report: pytest.TestReport) -> Iterator[str]:
    told = dict(report.user_properties).get("divergence")
    lines = str(report.longrepr).strip().splitlines() or ["?"]
    expected, got = told if isinstance(told, list) else ("no error", lines[-1])
    yield f"  {report.nodeid.removeprefix(_WHERE)}"
    yield f"    expected: {expected}"
    yield f"    got:      {got}"
