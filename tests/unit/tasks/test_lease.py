"""A lease: one holder at a time, without clocks that agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from omni_gateway.store import Store
from omni_gateway.tasks.lease import TAKEN_OVER_AFTER_SECONDS, VALID_SECONDS, Lease


class Clock:
    """A clock of one machine."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lease(new_store: Store) -> Callable[[Clock], Lease]:
    """Makes the view that one process has of the same lease."""
    return lambda clock: Lease(new_store.leases, "task/racks/read", clock)


def test_of_two_processes_one_acquires_a_lease(lease: Callable[[Clock], Lease]) -> None:
    one, two = lease(Clock(0)), lease(Clock(0))
    assert (one.acquire(), two.acquire()) == (True, False)


def test_a_released_lease_is_free_at_once(lease: Callable[[Clock], Lease]) -> None:
    one, two = lease(Clock(0)), lease(Clock(0))
    assert one.acquire()
    one.release()
    assert two.acquire()


def test_a_lease_that_is_renewed_is_never_taken_over(lease: Callable[[Clock], Lease]) -> None:
    clock = Clock(5000)
    one, two = lease(Clock(0)), lease(clock)
    assert one.acquire()
    for _ in range(5):
        assert not two.acquire()
        clock.now += TAKEN_OVER_AFTER_SECONDS - 1
        assert one.renew()


def test_a_lease_of_a_lost_process_is_taken_over_and_not_renewed_after_that(lease: Callable[[Clock], Lease]) -> None:
    clock = Clock(5000)
    one, two, three = lease(Clock(0)), lease(clock), lease(clock)
    assert one.acquire()
    assert not two.acquire()
    assert not three.acquire()
    clock.now += TAKEN_OVER_AFTER_SECONDS
    assert (two.acquire(), three.acquire()) == (True, False)
    assert not one.renew()


def test_a_holder_gives_up_before_others_take_over_without_the_store(new_store: Store, tmp_path: Path) -> None:
    clock = Clock(0)
    lease = Lease(new_store.leases, "task/racks/read", clock)
    assert lease.acquire()
    new_store.close()
    (tmp_path / "store.sqlite").write_bytes(b"no database" * 1000)
    clock.now = VALID_SECONDS - 0.1
    assert lease.renew()
    clock.now = VALID_SECONDS
    assert not lease.renew()
    assert VALID_SECONDS < TAKEN_OVER_AFTER_SECONDS
