"""Which types are followed, and for how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from omni_gateway.cache import informers
from omni_gateway.cache.informers import Informers
from omni_gateway.omni import errors

from .test_cache_model import NAMESPACE, Omni

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
    wait_until(lambda: live(cache, "a"), 5)
    assert cache.existing("b", NAMESPACE) is None


def test_a_type_that_nobody_asks_for_is_let_go(cache: Informers, wait_until: Wait) -> None:
    wait_until(lambda: live(cache, "a"), 5)
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
    informer = wait_until(lambda: cache.informer("a", NAMESPACE), 5)
    leave = informer.follow(lambda told: None)
    cache.idle_seconds = 0.0
    cache.evict()
    assert cache.existing("a", NAMESPACE) is informer
    leave()
    cache.evict()
    assert cache.existing("a", NAMESPACE) is None


def test_a_type_that_takes_more_than_half_of_the_room_is_read_through(cache: Informers, wait_until: Wait) -> None:
    informer = wait_until(lambda: cache.informer("a", NAMESPACE), 5)
    cache.max_size = int(informer.size * 1.5)
    cache.evict()
    assert not live(cache, "a")
    assert cache.existing("a", NAMESPACE) is None


def test_where_two_do_not_fit_the_one_that_was_asked_for_last_stays(
    cache: Informers, omnis: dict[str, Omni], wait_until: Wait
) -> None:
    first = wait_until(lambda: cache.informer("a", NAMESPACE), 5)
    wait_until(lambda: live(cache, "b"), 5)
    omnis["b"].create("more")
    omnis["b"].deliver(100)
    wait_until(lambda: live(cache, "a"), 5)
    cache.max_size = first.size * 2
    wait_until(lambda: cache.existing("b", NAMESPACE).size > first.size, 5)
    cache.informer("a", NAMESPACE)
    cache.evict()
    assert cache.existing("a", NAMESPACE) is first
    assert cache.existing("b", NAMESPACE) is None


def test_where_three_do_not_fit_the_one_that_was_asked_for_first_goes(cache: Informers, wait_until: Wait) -> None:
    sizes = [wait_until(lambda type=type: cache.informer(type, NAMESPACE), 5).size for type in "bca"]
    cache.max_size = sizes[0] + sizes[1]
    cache.evict()
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
    wait_until(lambda: informer.unwatchable is not None, 5)
    cache.evict()
    assert not live(cache, "forbidden")
    assert cache.existing("forbidden", NAMESPACE) is None


def test_what_shows_no_sign_of_life_is_not_believed(
    cache: Informers, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until(lambda: live(cache, "a"), 5)
    monkeypatch.setattr(informers, "FRESH_SECONDS", 0.0)
    assert not live(cache, "a")
