"""After refused credentials an address has to wait; who was let in within the last hour has not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from limits import parse_many

from omni_gateway.auth import FailedLogins
from omni_gateway.auth import failed_logins as module

HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def pass_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass for the way in alone."""
    passed = [0.0]
    monotonic, now = time.monotonic, time.time
    monkeypatch.setattr(module.time, "monotonic", lambda: monotonic() + passed[0])
    monkeypatch.setattr(module.time, "time", lambda: now() + passed[0])

    def pass_by(seconds: float) -> None:
        passed[0] += seconds

    return pass_by


def logins(per_address: str = "2/hour", in_all: str = "100/hour") -> FailedLogins:
    return FailedLogins(parse_many(per_address), parse_many(in_all))


def waits(counted: FailedLogins, address: str = HERE, credential: str = "new") -> bool:
    return counted.seconds_to_wait(address, credential) > 0


def test_an_address_waits_from_its_last_allowed_failure_on_and_no_other_does() -> None:
    counted = logins()
    counted.failed(HERE, "guess")
    assert not waits(counted)
    counted.failed(HERE, "guess")
    assert waits(counted)
    assert not waits(counted, THERE)


def test_it_waits_until_its_window_ends() -> None:
    counted = logins("1/hour")
    counted.failed(HERE, "guess")
    assert 3590 < counted.seconds_to_wait(HERE, "new") <= 3600


def test_it_waits_for_a_second_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [time.time()]
    monkeypatch.setattr(module.time, "time", lambda: now[0])
    counted = logins("1/minute")
    counted.failed(HERE, "guess")
    now[0] += 59.9
    assert counted.seconds_to_wait(HERE, "new") == 1.0
    now[0] += 0.1
    assert counted.seconds_to_wait(HERE, "new") == 0.0


def test_of_several_limits_the_longest_counts() -> None:
    counted = logins("1/minute;2/hour")
    counted.failed(HERE, "guess")
    assert 0 < counted.seconds_to_wait(HERE, "new") <= 60
    counted.failed(HERE, "guess")
    assert counted.seconds_to_wait(HERE, "new") > 60


def test_failures_of_all_addresses_are_counted_together() -> None:
    counted = logins("100/hour", "2/hour")
    counted.failed(HERE, "guess")
    assert not waits(counted)
    counted.failed(THERE, "guess")
    assert waits(counted, "192.0.2.3")
    assert counted.seconds_to_wait("192.0.2.3", "new") > 3590


def test_without_limits_nobody_waits() -> None:
    counted = FailedLogins((), ())
    counted.failed(HERE, "guess")
    assert counted.seconds_to_wait(HERE, "guess") == 0.0


def test_a_credential_that_was_good_is_exempt_for_an_hour(pass_by: Callable[[float], None]) -> None:
    counted = logins("1/day")
    counted.succeeded("good")
    counted.failed(HERE, "guess")
    assert [waits(counted, credential=each) for each in ("good", "guess")] == [False, True]
    pass_by(3590)
    assert not waits(counted, credential="good")
    pass_by(20)
    assert waits(counted, credential="good")


def test_a_credential_that_is_refused_now_is_exempt_no_more() -> None:
    counted = logins("1/hour")
    counted.succeeded("good")
    counted.failed(HERE, "good")
    assert waits(counted, credential="good")


def test_any_text_may_be_a_credential() -> None:
    counted = logins("1/hour")
    counted.succeeded("\udcff\u20ac")
    counted.failed(HERE, "guess\udcff")
    assert [waits(counted, credential=each) for each in ("\udcff\u20ac", "\udcff")] == [False, True]


def test_no_credential_is_remembered_and_another_process_remembers_it_otherwise() -> None:
    first, second = logins(), logins()
    digests = [counted._digest("secret") for counted in (first, second)]
    assert first._digest("secret") == digests[0] != digests[1]
    assert [len(digest) for digest in digests] == [16, 16]
