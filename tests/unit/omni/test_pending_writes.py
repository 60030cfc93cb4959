"""What each expectation of an object is met by, and what a later one of the same object makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.informer import Informer
from omni_gateway.cache.informers import SETTLED_SECONDS, Informers
from omni_gateway.cache.pending_writes import AtLeast, Expectation, Gone, PendingWrites, Tombstone, Unknown
from omni_gateway.omni.resources import Write

from .test_cache_model import NAMESPACE, TYPE, ModelClock, Omni

KEY = (TYPE, NAMESPACE)
NOW = (10.0, 10.0, 10.0)
EARLIER, BEFORE, LATER = (f"2026-01-01T00:00:0{second}Z" for second in (0, 1, 2))


def version(created: str, number: int, phase: str = "running") -> CachedObject:
    metadata = {"id": "x", "version": number, "created": created, "phase": phase}
    return CachedObject(orjson.dumps({"metadata": metadata, "spec": {}}).decode())


def tombstone(created: str, number: int = 1) -> Tombstone:
    return Tombstone(11.0, version(created, number))


@pytest.mark.parametrize(
    ("item", "deleted", "met"),
    [
        (version(BEFORE, 4), None, False),
        (version(BEFORE, 5), None, True),
        (version(BEFORE, 6), None, True),
        (version(LATER, 1), None, True),
        (None, None, False),
        (None, tombstone(BEFORE, 5), True),
        (None, tombstone(EARLIER, 9), False),
        (version(EARLIER, 9), None, False),
    ],
)
def test_a_version_is_met_by_a_later_state_of_it(
    item: CachedObject | None, deleted: Tombstone | None, met: bool
) -> None:
    assert AtLeast(*NOW, BEFORE, 5).met(item, deleted) is met


@pytest.mark.parametrize(
    ("item", "deleted", "met"),
    [
        (version(BEFORE, 5), None, False),
        (version(BEFORE, 5, "tearingDown"), None, False),
        (version(LATER, 1), None, True),
        (None, None, False),
        (None, tombstone(BEFORE), True),
        (None, tombstone(EARLIER), False),
    ],
)
def test_a_deletion_is_met_by_itself_or_a_successor(
    item: CachedObject | None, deleted: Tombstone | None, met: bool
) -> None:
    assert Gone(*NOW, BEFORE).met(item, deleted) is met


def test_a_teardown_is_met_by_an_object_that_is_torn_down() -> None:
    assert Gone(*NOW, BEFORE, teardown=True).met(version(BEFORE, 2, "tearingDown"), None)
    assert not Gone(*NOW, BEFORE, teardown=True).met(version(EARLIER, 2, "tearingDown"), None)


def test_a_deletion_of_what_the_process_never_saw_is_met_by_a_deletion_only() -> None:
    assert not Gone(*NOW, "").met(version(LATER, 1), None)
    assert not Gone(*NOW, "").met(None, None)
    assert Gone(*NOW, "").met(None, tombstone(LATER))


def test_no_event_meets_a_write_whose_result_is_unknown() -> None:
    assert not Unknown(*NOW).met(version(LATER, 9), tombstone(LATER))


@pytest.mark.parametrize(
    ("earlier", "later", "left"),
    [
        (AtLeast(*NOW, BEFORE, 5), AtLeast(*NOW, BEFORE, 4), AtLeast(*NOW, BEFORE, 5)),
        (AtLeast(*NOW, BEFORE, 5), AtLeast(*NOW, LATER, 1), AtLeast(*NOW, LATER, 1)),
        (AtLeast(*NOW, BEFORE, 5), AtLeast(20.0, 20.0, 20.0, BEFORE, 5), AtLeast(*NOW, BEFORE, 5)),
        (Gone(*NOW, BEFORE), Gone(*NOW, LATER), Gone(*NOW, LATER)),
        (Gone(*NOW, LATER), Gone(*NOW, BEFORE), Gone(*NOW, LATER)),
        (Gone(*NOW, BEFORE), Gone(*NOW, BEFORE, teardown=True), Gone(*NOW, BEFORE)),
        (Unknown(*NOW), Unknown(20.0, 20.0, 22.0), Unknown(20.0, 20.0, 22.0)),
    ],
)
def test_of_two_of_a_class_the_stricter_one_is_expected(
    earlier: Expectation, later: Expectation, left: Expectation
) -> None:
    pending = PendingWrites()
    pending.add(KEY, "x", earlier)
    pending.add(KEY, "x", later)

    assert list(pending.find(KEY, "x")) == [left]


def test_a_deletion_is_still_expected_after_a_later_write() -> None:
    pending = PendingWrites()
    pending.add(KEY, "x", Gone(*NOW, BEFORE))
    pending.add(KEY, "x", AtLeast(*NOW, BEFORE, 1))

    assert list(pending.find(KEY, "x")) == [Gone(*NOW, BEFORE), AtLeast(*NOW, BEFORE, 1)]


def test_what_was_written_since_a_look_is_still_expected() -> None:
    pending = PendingWrites()
    pending.add(KEY, "x", AtLeast(*NOW, BEFORE, 1))
    seen = pending.find(KEY, "x")
    pending.add(KEY, "x", AtLeast(*NOW, BEFORE, 2))
    pending.drop(KEY, "x", seen)

    assert list(pending.find(KEY, "x")) == [AtLeast(*NOW, BEFORE, 2)]
    pending.drop(KEY, "x", pending.find(KEY, "x"))
    assert not pending.any(KEY)


@pytest.fixture
def omni() -> Omni:
    made = Omni(ModelClock())
    made.create("held")
    return made


@pytest.fixture
def cache(omni: Omni, wait_until: Any) -> Iterator[Informers]:
    made = Informers(lambda *_: omni.stream(), lambda: None, omni.clock)
    made.informer(TYPE, NAMESPACE)
    wait_until(lambda: informer_of(made).ready, 5)
    omni.clock.pass_by(1.0)
    yield made
    made.close()


def informer_of(cache: Informers) -> Informer:
    informer = cache.existing(TYPE, NAMESPACE)
    assert informer is not None
    return informer


def test_a_404_counts_for_an_object_that_the_informer_has(cache: Informers) -> None:
    cache.missing(TYPE, NAMESPACE, "never seen", cache.now())
    assert not cache.pending_writes.any(KEY)

    cache.missing(TYPE, NAMESPACE, "held", cache.now())
    (expected,) = cache.pending_writes.find(KEY, "held")
    assert isinstance(expected, Gone)


def test_a_404_counts_for_an_object_that_is_expected_but_not_if_it_was_asked_before(cache: Informers) -> None:
    cache.written(TYPE, NAMESPACE, "new", Write("create", cache.now()), answered=True)
    cache.missing(TYPE, NAMESPACE, "new", cache.now() - 0.5)
    assert [type(each) for each in cache.pending_writes.find(KEY, "new")] == [Unknown]

    cache.missing(TYPE, NAMESPACE, "new", cache.now())
    assert [type(each) for each in cache.pending_writes.find(KEY, "new")] == [Unknown, Gone]


def test_a_create_whose_result_is_gone_has_the_type_listed_anew(cache: Informers, omni: Omni) -> None:
    cache.written(TYPE, NAMESPACE, "new", Write("create", cache.now()), answered=True)
    omni.clock.pass_by(SETTLED_SECONDS - 0.1)
    cache.missing(TYPE, NAMESPACE, "new", cache.now())
    assert informer_of(cache).ready

    omni.clock.pass_by(0.2)
    cache.missing(TYPE, NAMESPACE, "new", cache.now())
    assert not informer_of(cache).ready


def test_a_confirmed_create_ends_the_object_that_the_id_had(cache: Informers) -> None:
    before = cache.created(TYPE, NAMESPACE, "held")
    cache.written(TYPE, NAMESPACE, "held", Write("create", cache.now(), before), answered=True)

    assert [type(each) for each in cache.pending_writes.find(KEY, "held")] == [Gone, Unknown]


def test_a_create_without_an_answer_proves_nothing(cache: Informers) -> None:
    before = cache.created(TYPE, NAMESPACE, "held")
    cache.written(TYPE, NAMESPACE, "held", Write("create", cache.now(), before), answered=False)
    (expected,) = cache.pending_writes.find(KEY, "held")

    # Omni may apply it after a read that was sent now.
    cache.read(TYPE, NAMESPACE, "held", 1, before, cache.now())
    assert list(cache.pending_writes.find(KEY, "held")) == [expected]


def test_a_read_tells_the_result_of_a_confirmed_create(cache: Informers) -> None:
    cache.written(TYPE, NAMESPACE, "new", Write("create", cache.now()), answered=True)
    cache.read(TYPE, NAMESPACE, "new", 1, LATER, cache.now())

    (expected,) = cache.pending_writes.find(KEY, "new")
    assert isinstance(expected, AtLeast)
    assert (expected.created, expected.version) == (LATER, 1)


@pytest.mark.parametrize(
    ("kind", "answered", "teardown"),
    [("delete", True, False), ("delete", False, True), ("teardown", True, True), ("teardown", False, True)],
)
def test_a_removal_is_expected_of_the_object_that_the_informer_has(
    cache: Informers, kind: Any, answered: bool, teardown: bool
) -> None:
    held, now = cache.created(TYPE, NAMESPACE, "held"), cache.now()
    cache.written(TYPE, NAMESPACE, "held", Write(kind, now - 0.2), answered=answered)
    expected = Gone(now - 0.2, now, now + SETTLED_SECONDS, held, teardown)
    assert held and list(cache.pending_writes.find(KEY, "held")) == [expected]


def test_an_update_is_expected_at_its_version_and_is_settled_a_while_later(cache: Informers) -> None:
    now = cache.now()
    cache.written(TYPE, NAMESPACE, "held", Write("update", now, LATER, 2), answered=True)
    assert list(cache.pending_writes.find(KEY, "held")) == [AtLeast(now, now, now + SETTLED_SECONDS, LATER, 2)]


def test_a_confirmed_create_is_settled_at_once_and_its_predecessor_a_while_later(cache: Informers) -> None:
    now = cache.now()
    cache.written(TYPE, NAMESPACE, "held", Write("create", now, LATER), answered=True)
    settled_at = now + SETTLED_SECONDS
    assert list(cache.pending_writes.find(KEY, "held")) == [Gone(now, now, settled_at, LATER), Unknown(now, now, now)]
