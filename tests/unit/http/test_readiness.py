"""Readiness: named checks in the background, and which of them take a replica out of service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from omni_gateway.http import readiness
from omni_gateway.http.readiness import CheckFailed, Readiness


class Dependency:
    """Something outside, which can be taken away."""

    def __init__(self) -> None:
        self.reason = ""

    def check(self) -> None:
        if self.reason:
            raise CheckFailed(self.reason)


def checked(dependency: Dependency, *required: str) -> Readiness:
    made = Readiness(required)
    made.add("store", dependency.check)
    return made


def test_a_replica_whose_check_never_passed_is_not_ready_and_says_why() -> None:
    away = Dependency()
    away.reason = "The database is away"
    report = checked(away).report()
    assert (report.ready, report.status, report.failed) == (False, "unavailable", ["store"])
    assert report.checks["store"]["reason"] == "The database is away"


@pytest.mark.parametrize(("required", "status"), [((), "degraded"), (("store",), "unavailable")])
def test_what_fails_later_takes_a_replica_out_of_service_only_where_it_is_required(
    required: tuple[str, ...], status: str
) -> None:
    dependency = Dependency()
    checks = checked(dependency, *required)
    assert checks.report().status == "ok"
    dependency.reason = "The database is away"
    report = checks.report()
    assert (report.status, report.ready, report.failed) == (status, not required, ["store"])


def test_a_check_that_hangs_delays_neither_a_report_nor_another_check(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    monkeypatch.setattr(readiness, "HUNG_SECONDS", 0.2)
    over = threading.Event()
    checks = Readiness()
    checks.add("hangs", lambda: over.wait(30) and None)
    checks.add("works", lambda: {"more": 1})
    checks.start()
    wait_until(lambda: checks.report().checks["works"]["status"] == "ok")
    wait_until(lambda: "has not ended" in checks.report().checks["hangs"]["reason"])
    began = time.monotonic()
    assert not checks.report().ready
    assert time.monotonic() - began < 10
    over.set()


def test_a_check_is_made_sooner_where_something_has_just_failed(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    monkeypatch.setattr(readiness, "INTERVAL_SECONDS", 3600)
    dependency = Dependency()
    checks = checked(dependency)
    checks.start()
    wait_until(lambda: checks.report().ready)
    dependency.reason = "The database is away"
    checks.check_soon("store")
    wait_until(lambda: checks.report().failed == ["store"])


def test_a_check_with_a_defect_fails_and_shows_nothing_of_it(caplog: pytest.LogCaptureFixture) -> None:
    def check() -> None:
        raise KeyError("secret")

    checks = Readiness()
    checks.add("broken", check)
    entry = checks.report().checks["broken"]
    assert (entry["status"], "secret" in entry["reason"]) == ("unavailable", False)


def test_a_failure_and_its_end_are_one_line_of_the_log_each(caplog: pytest.LogCaptureFixture) -> None:
    dependency = Dependency()
    checks = checked(dependency)
    for reason in ("", "Away", "Away", "", ""):
        dependency.reason = reason
        checks.report()
    assert [record.getMessage() for record in caplog.records] == [
        "readiness check 'store': Away",
        "readiness check 'store': passes again",
    ]


@pytest.mark.parametrize(("required", "ready"), [((), True), (("racks/inventory",), False)])
def test_a_check_that_is_not_of_the_start_makes_a_replica_unready_only_where_it_is_required(
    required: tuple[str, ...], ready: bool
) -> None:
    away = Dependency()
    away.reason = "The inventory is away"
    checks = Readiness(required)
    checks.add("racks/inventory", away.check, at_start=False)
    report = checks.report()
    assert (report.ready, report.failed) == (ready, ["racks/inventory"])


def test_a_check_may_have_a_bound_of_its_own(wait_until: Callable[..., Any]) -> None:
    over = threading.Event()
    checks = Readiness()
    checks.add("racks/inventory", lambda: over.wait(30) and None, seconds=0.05)
    checks.start()
    wait_until(lambda: "has not ended" in checks.report().checks["racks/inventory"]["reason"])
    over.set()


def test_a_defect_of_a_check_is_logged_with_what_it_is_of(caplog: pytest.LogCaptureFixture) -> None:
    def check() -> None:
        raise KeyError("secret")

    checks = Readiness()
    checks.add("racks/inventory", check, source="plugin 'racks' of acme 1.2")
    checks.report()
    assert "the readiness check 'racks/inventory' of plugin 'racks' of acme 1.2 failed" in caplog.text
