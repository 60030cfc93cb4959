"""Which types are followed, and for how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from omni_gateway.cache import informers
from omni_gateway.cache.informer import Informer
from omni_gateway.cache.informers import Informers
from omni_gateway.cache.pending_writes import AtLeast
from omni_gateway.cache.read_record import Dependency
from omni_gateway.omni import errors

from .test_cache_model import NAMESPACE, Omni
from .test_informer import SteppedClock

Wait = Callable[..., Any]


class Unwatchable:
    """A type that Omni lets nobody watch."""

    def __iter__(self) -> Iterator[Any]:
        raise errors.PermissionDenied(grpc.StatusCode.PERMISSION_DENIED, "not to you", "Watch")

    def cancel(self) -> None:
        pass


@pytest.fixture
def omnis() -> dict[str, Omni]:
    """An Omni for each type, so that each has objects and a watch of its own."""
    made = {"a": Omni(), "b": Omni(), "c": Omni()}
    for omni in made.values():
        for number in range(10):
            omni.create(f"x{number}")
    return made


@pytest.fixture
def cache(omnis: dict[str, Omni]) -> Iterator[Informers]:
    made = Informers(lambda type, _: omnis[type].stream() if type in omnis else Unwatchable(), lambda: None)
    yield made
    made.close()


def live(cache: Informers, type: str) -> bool:
    return cache.informer(type, NAMESPACE) is not None


def test_the_first_read_of_a_type_begins_its_feed(cache: Informers, wait_until: Wait) -> None:
    assert not live(cache, "a")
    wait_until(lambda: live(cache, "a"))
    assert cache.existing("b", NAMESPACE) is None


def test_a_type_that_nobody_asks_for_is_let_go(cache: Informers, wait_until: Wait) -> None:
    wait_until(lambda: live(cache, "a"))
    cache.idle_seconds = 0.0
    time.sleep(0.001)
    cache.evict()
    assert cache.existing("a", NAMESPACE) is None


def test_omni_is_probed_as_long_as_there_is_a_type_that_is_followed(
    omnis: dict[str, Omni], monkeypatch: pytest.MonkeyPatch, wait_until: Wait
) -> None:
    monkeypatch.setattr(informers, "PROBE_SECONDS", 0.01)
    probes: list[None] = []
    before = set(threading.enumerate())
    cache = Informers(lambda type, _: omnis[type].stream(), lambda: probes.append(None))
    wait_until(lambda: live(cache, "a") and probes, 60)
    cache.idle_seconds = 0.0
    wait_until(lambda: "informers" not in {thread.name for thread in {*threading.enumerate()} - before}, 60)
    assert cache.existing("a", NAMESPACE) is None

    cache.idle_seconds, probed = 600.0, len(probes)
    wait_until(lambda: live(cache, "a") and len(probes) > probed, 60)
    cache.close()


def test_a_type_that_somebody_watches_stays(cache: Informers, wait_until: Wait) -> None:
    informer = wait_until(lambda: cache.informer("a", NAMESPACE))
    leave = informer.follow(lambda told: None)
    cache.idle_seconds = 0.0
    cache.evict()
    assert cache.existing("a", NAMESPACE) is informer
    leave()
    cache.evict()
    assert cache.existing("a", NAMESPACE) is None


def test_a_type_that_takes_more_than_half_of_the_room_is_read_through(
    cache: Informers, wait_until: Wait, caplog: pytest.LogCaptureFixture
) -> None:
    informer = wait_until(lambda: cache.informer("a", NAMESPACE))
    cache.max_size = int(informer.size * 1.5)
    cache.evict()
    assert not live(cache, "a")
    assert cache.existing("a", NAMESPACE) is None
    (warning,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert "the cache does not hold a" in warning and "Raise OMNI_GATEWAY_CACHE_BYTES" in warning


def test_where_two_do_not_fit_the_one_that_was_asked_for_last_stays(
    cache: Informers, omnis: dict[str, Omni], wait_until: Wait
) -> None:
    first = wait_until(lambda: cache.informer("a", NAMESPACE))
    wait_until(lambda: live(cache, "b"))
    omnis["b"].create("more")
    omnis["b"].deliver(100)
    wait_until(lambda: live(cache, "a"))
    cache.max_size = first.size * 2
    wait_until(lambda: cache.existing("b", NAMESPACE).size > first.size)
    cache.informer("a", NAMESPACE)
    cache.evict()
    assert cache.existing("a", NAMESPACE) is first
    assert cache.existing("b", NAMESPACE) is None


def test_where_three_do_not_fit_the_one_that_was_asked_for_first_goes(
    cache: Informers, wait_until: Wait, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = [wait_until(lambda type=type: cache.informer(type, NAMESPACE)).size for type in "bca"]
    cache.max_size = sizes[0] + sizes[1]
    cache.evict()
    (warning,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert "the cache does not hold b" in warning
    assert [cache.existing(type, NAMESPACE) is not None for type in "bca"] == [False, True, True]
    assert not live(cache, "b") and cache.existing("b", NAMESPACE) is None


def test_without_room_nothing_is_followed(cache: Informers) -> None:
    cache.max_size = 0
    assert not live(cache, "a")
    assert cache.existing("a", NAMESPACE) is None


def test_a_type_that_cannot_be_followed_is_not_tried_again_and_again(cache: Informers, wait_until: Wait) -> None:
    live(cache, "forbidden")
    informer = cache.existing("forbidden", NAMESPACE)
    assert informer is not None
    wait_until(lambda: informer.unwatchable is not None)
    cache.evict()
    assert not live(cache, "forbidden")
    assert cache.existing("forbidden", NAMESPACE) is None


def test_what_shows_no_sign_of_life_is_not_believed(
    cache: Informers, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until(lambda: live(cache, "a"))
    monkeypatch.setattr(informers, "FRESH_SECONDS", 0.0)
    assert not live(cache, "a")


# -- by the clock


class Timed:
    """A cache whose clock the test moves; the informers of ``a``, ``b`` and ``c`` take the same room."""

    def __init__(self, omnis: dict[str, Omni], wait_until: Wait) -> None:
        self.clock = SteppedClock()
        self.answers = True
        self.cache = Informers(
            lambda type, _: omnis[type].stream() if type in omnis else Unwatchable(), self._probe, self.clock
        )
        self.cache.idle_seconds = 600.0
        self._wait_until = wait_until

    def _probe(self) -> None:
        if not self.answers:
            raise errors.Unavailable(grpc.StatusCode.UNAVAILABLE, "away", "Probe")

    def follow(self, type: str) -> Informer:
        """Return a type's informer, ready or refused."""
        self.cache.informer(type, NAMESPACE)
        informer = self.cache.existing(type, NAMESPACE)
        assert informer is not None
        self._wait_until(lambda: informer.ready or informer.unwatchable)
        return informer

    def evict(self, after: float) -> list[str]:
        """Return the types that are left by an eviction after some seconds."""
        self.clock.pass_by(after)
        self.cache.evict()
        return [type for type in ("a", "b", "c", "forbidden") if self.cache.existing(type, NAMESPACE)]

    def is_started(self, type: str, after: float) -> bool:
        """Return whether a read, after some seconds, starts an informer."""
        self.clock.pass_by(after)
        self.cache.informer(type, NAMESPACE)
        return self.cache.existing(type, NAMESPACE) is not None


@pytest.fixture
def timed(omnis: dict[str, Omni], wait_until: Wait, monkeypatch: pytest.MonkeyPatch) -> Iterator[Timed]:
    monkeypatch.setattr(informers, "PROBE_SECONDS", 600.0)  # the test probes and evicts
    made = Timed(omnis, wait_until)
    yield made
    made.cache.close()


def test_an_informer_is_used_for_ten_seconds_after_an_event_or_the_answer_to_a_probe(timed: Timed) -> None:
    def look(after: float) -> tuple[bool, float]:
        timed.clock.pass_by(after)
        return live(timed.cache, "a"), timed.cache.age(informer)

    informer = timed.follow("a")
    assert [look(10.0), look(0.5)] == [(True, 10.0), (False, 10.5)]
    timed.answers = False
    timed.cache.probe()
    assert look(0.0) == (False, 10.5)
    timed.answers = True
    timed.cache.probe()
    assert [look(0.0), look(10.0), look(0.5)] == [(True, 0.0), (True, 10.0), (False, 10.5)]


def test_an_informer_that_is_read_within_ten_minutes_stays(timed: Timed) -> None:
    timed.follow("a")
    timed.follow("b")
    assert timed.evict(after=300.0) == ["a", "b"]
    timed.cache.informer("b", NAMESPACE)
    assert timed.evict(after=300.0) == ["a", "b"]
    assert timed.evict(after=0.5) == ["b"]
    # Having been idle is no reason to wait.
    assert timed.is_started("a", after=0.0)


def test_an_informer_that_is_let_go_is_closed_and_nothing_is_expected_of_it(timed: Timed) -> None:
    informer, other = timed.follow("a"), timed.follow("b")
    for type in ("a", "b"):
        timed.cache.expect(type, NAMESPACE, "x0", AtLeast(1_000.0, 1_000.0, 1_000.0, "9", 1))
    timed.clock.pass_by(600.5)
    timed.cache.informer("b", NAMESPACE)
    assert timed.evict(after=0.0) == ["b"]
    assert (informer.ready, other.ready) == (False, True)
    assert [timed.cache.pending_writes.any((type, NAMESPACE)) for type in ("a", "b")] == [False, True]


def test_a_type_that_omni_refuses_is_tried_again_after_five_minutes(timed: Timed) -> None:
    timed.follow("forbidden")
    assert timed.evict(after=0.0) == []
    assert [timed.is_started("forbidden", after=299.5), timed.is_started("forbidden", after=0.5)] == [False, True]


def test_a_type_may_take_half_of_the_room_and_no_more(timed: Timed) -> None:
    size = timed.follow("a").size
    timed.cache.max_size = 2 * size
    assert timed.evict(after=0.0) == ["a"]
    timed.cache.max_size = 2 * size - 1
    assert timed.evict(after=0.0) == []
    assert [timed.is_started("a", after=299.5), timed.is_started("a", after=0.5)] == [False, True]


def test_all_types_together_fill_the_room_and_the_least_recently_read_one_makes_it(timed: Timed) -> None:
    size, *_ = [timed.follow(type).size for type in "abc"]
    timed.clock.pass_by(1.0)
    for type in ("c", "a"):
        timed.cache.informer(type, NAMESPACE)
    timed.cache.max_size = 3 * size
    assert timed.evict(after=0.0) == ["a", "b", "c"]
    timed.cache.max_size = 3 * size - 1
    assert timed.evict(after=0.0) == ["a", "c"]
    assert [timed.is_started("b", after=299.5), timed.is_started("b", after=0.5)] == [False, True]


def test_as_many_types_as_needed_make_room(timed: Timed) -> None:
    size, *_ = [timed.follow(type).size for type in "abc"]
    timed.clock.pass_by(1.0)
    timed.cache.informer("b", NAMESPACE)
    timed.cache.max_size = 2 * size
    assert timed.evict(after=0.0) == ["b", "c"]


@pytest.mark.parametrize(
    ("max_age", "age"), [(None, 4.0), (5, 4.0), (4.0, 4.0), (3.5, None), (0, None)], ids=lambda value: str(value)
)
def test_an_answer_is_as_old_as_the_oldest_of_what_it_was_made_from(
    timed: Timed, omnis: dict[str, Omni], wait_until: Wait, max_age: float | None, age: float | None
) -> None:
    parts = [Dependency(timed.follow(type), "absent") for type in ("a", "b", "c")]
    timed.clock.pass_by(4.0)
    for type in ("a", "c"):
        omnis[type].create("more")
        omnis[type].deliver(1)
        wait_until(lambda type=type: timed.cache.age(timed.cache.existing(type, NAMESPACE)) == 0.0)
    assert timed.cache.age_of(parts, max_age) == age
    assert timed.cache.age_of(parts[:1], 0) is None


def test_an_answer_of_an_informer_that_was_let_go_is_not_given_again(timed: Timed) -> None:
    part = Dependency(timed.follow("a"), "absent")
    assert timed.cache.age_of([part], None) == 0.0
    timed.evict(after=600.5)
    timed.follow("a")
    assert timed.cache.age_of([part], None) is None


def test_a_closed_cache_has_no_informers_and_starts_none(timed: Timed) -> None:
    closed = [timed.follow("a"), timed.follow("b")]
    timed.cache.close()
    assert ([each.ready for each in closed], timed.is_started("a", after=0.0)) == ([False, False], False)


def test_memory_is_given_back_after_a_list_and_not_each_time(
    omnis: dict[str, Omni], monkeypatch: pytest.MonkeyPatch, wait_until: Wait
) -> None:
    monkeypatch.setattr(informers, "PROBE_SECONDS", 0.005)
    given, probes = list[None](), list[None]()
    monkeypatch.setattr(informers, "give_back", lambda: given.append(None))
    cache = Informers(lambda type, _: omnis[type].stream(), lambda: probes.append(None))
    cache.idle_seconds = 600.0
    try:
        for times, type in ((1, "a"), (2, "b")):
            wait_until(lambda type=type: live(cache, type))
            wait_until(lambda times=times: len(given) == times)
            before = len(probes)
            wait_until(lambda before=before: len(probes) > before + 2)
            assert len(given) == times
    finally:
        cache.close()
