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

from .test_cache_model import NAMESPACE, TYPE, ModelClock, Omni, moment

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


def test_an_object_that_may_never_have_been_there_is_gone_where_there_is_none() -> None:
    expected = Gone(*NOW, "", existed=False)
    assert [expected.met(item, None) for item in (None, version(LATER, 1))] == [True, False]


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
    wait_until(lambda: informer_of(made).ready)
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


# -- what a direct read makes of it


def test_a_read_of_what_the_informer_has_expects_nothing(cache: Informers) -> None:
    cache.read(TYPE, NAMESPACE, "held", 1, moment(1), cache.now())
    cache.read(TYPE, NAMESPACE, "held", 1, EARLIER, cache.now())
    assert not cache.pending_writes.any(KEY)


def test_a_newer_state_that_was_read_is_expected(cache: Informers) -> None:
    now = cache.now()
    cache.read(TYPE, NAMESPACE, "held", 2, moment(1), now - 0.5)
    assert list(cache.pending_writes.find(KEY, "held")) == [AtLeast(now - 0.5, now, now, moment(1), 2)]


def test_a_read_from_before_the_answer_of_a_create_does_not_tell_its_result(cache: Informers) -> None:
    cache.written(TYPE, NAMESPACE, "new", Write("create", cache.now()), answered=True)
    cache.read(TYPE, NAMESPACE, "new", 1, LATER, cache.now() - 0.5)
    assert [type(each) for each in cache.pending_writes.find(KEY, "new")] == [Unknown, AtLeast]


def test_a_read_leaves_what_else_is_expected(cache: Informers, omni: Omni) -> None:
    now = cache.now()
    cache.written(TYPE, NAMESPACE, "held", Write("update", now, moment(1), 2), answered=True)
    cache.written(TYPE, NAMESPACE, "held", Write("delete", now), answered=True)
    cache.written(TYPE, NAMESPACE, "held", Write("update", now), answered=True)
    omni.clock.pass_by(SETTLED_SECONDS)
    cache.read(TYPE, NAMESPACE, "held", 1, moment(1), cache.now())
    assert [type(each) for each in cache.pending_writes.find(KEY, "held")] == [AtLeast, Gone]


def test_of_a_type_without_an_informer_nothing_is_expected(cache: Informers) -> None:
    now = cache.now()
    cache.read(TYPE, "elsewhere", "x", 1, LATER, now)
    cache.missing(TYPE, "elsewhere", "x", now)
    for kind in ("create", "update", "teardown", "delete"):
        cache.written(TYPE, "elsewhere", "x", Write(kind, now, LATER, 2), answered=True)
    assert (cache.pending_writes.any((TYPE, "elsewhere")), cache.created(TYPE, "elsewhere", "x")) == (False, "")


def test_an_update_whose_result_has_no_version_is_unknown_until_it_is_settled(cache: Informers) -> None:
    now = cache.now()
    for write in (Write("update", now), Write("update", now, LATER), Write("update", now, "", 2)):
        cache.written(TYPE, NAMESPACE, "held", write, answered=True)
        assert list(cache.pending_writes.find(KEY, "held")) == [Unknown(now, now, now + SETTLED_SECONDS)]


def test_a_create_without_an_answer_is_settled_a_while_later(cache: Informers) -> None:
    now = cache.now()
    cache.written(TYPE, NAMESPACE, "new", Write("create", now - 0.5), answered=False)
    assert list(cache.pending_writes.find(KEY, "new")) == [Unknown(now - 0.5, now, now + SETTLED_SECONDS)]


def test_a_removal_of_what_was_written_before_its_event_is_of_that_incarnation(cache: Informers) -> None:
    now = cache.now()
    cache.written(TYPE, NAMESPACE, "held", Write("update", now, moment(7), 2), answered=True)
    cache.written(TYPE, NAMESPACE, "held", Write("delete", now), answered=True)
    (*_, expected) = cache.pending_writes.find(KEY, "held")
    assert expected == Gone(now, now, now + SETTLED_SECONDS, moment(7))


# -- what a 404 makes of it


def test_a_404_expects_the_deletion_of_what_the_informer_has(cache: Informers) -> None:
    now = cache.now()
    cache.missing(TYPE, NAMESPACE, "held", now - 0.5)
    assert list(cache.pending_writes.find(KEY, "held")) == [Gone(now - 0.5, now, now, moment(1))]


def test_a_second_404_does_not_postpone_the_time_at_which_the_event_counts_as_lost(
    cache: Informers, omni: Omni
) -> None:
    cache.missing(TYPE, NAMESPACE, "held", cache.now())
    first = cache.pending_writes.find(KEY, "held")
    omni.clock.pass_by(1.0)
    cache.missing(TYPE, NAMESPACE, "held", cache.now())
    assert list(cache.pending_writes.find(KEY, "held")) == list(first)


def test_a_404_of_what_is_torn_down_expects_its_deletion(cache: Informers) -> None:
    cache.written(TYPE, NAMESPACE, "held", Write("teardown", cache.now()), answered=True)
    now = cache.now()
    cache.missing(TYPE, NAMESPACE, "held", now)
    assert list(cache.pending_writes.find(KEY, "held")) == [Gone(now, now, now, moment(1))]


def test_a_404_of_a_later_incarnation_expects_the_deletion_of_that_one(cache: Informers) -> None:
    now = cache.now()
    cache.missing(TYPE, NAMESPACE, "held", now)
    cache.written(TYPE, NAMESPACE, "held", Write("update", now, moment(7), 2), answered=True)
    cache.missing(TYPE, NAMESPACE, "held", now)
    assert Gone(now, now, now, moment(7)) in cache.pending_writes.find(KEY, "held")


def test_a_404_of_what_was_written_after_it_was_asked_for_proves_nothing(cache: Informers, omni: Omni) -> None:
    asked_at = cache.now()
    omni.clock.pass_by(0.5)
    now = cache.now()
    cache.written(TYPE, NAMESPACE, "new", Write("update", now, LATER, 2), answered=True)
    before = cache.pending_writes.find(KEY, "new")
    cache.missing(TYPE, NAMESPACE, "new", asked_at)
    assert list(cache.pending_writes.find(KEY, "new")) == list(before)

    cache.missing(TYPE, NAMESPACE, "new", now)  # asked for at the moment of the answer
    assert Gone(now, now, now, LATER) in cache.pending_writes.find(KEY, "new")


def test_after_the_event_of_a_deletion_a_404_expects_no_other(cache: Informers, omni: Omni) -> None:
    now = cache.now()
    cache.written(TYPE, NAMESPACE, "held", Write("update", now, moment(1), 2), answered=True)
    omni.destroy("held")
    omni.deliver(1)
    omni.wait_until_applied()
    cache.missing(TYPE, NAMESPACE, "held", now)
    assert [type(each) for each in cache.pending_writes.find(KEY, "held")] == [AtLeast]


def test_a_404_while_the_informer_lists_counts_for_any_object(cache: Informers) -> None:
    informer_of(cache).ready = False
    now = cache.now()
    cache.missing(TYPE, NAMESPACE, "never seen", now)
    assert list(cache.pending_writes.find(KEY, "never seen")) == [Gone(now, now, now, "", existed=False)]


def test_a_create_that_is_gone_has_the_type_listed_anew_from_the_moment_that_it_is_settled(
    cache: Informers, omni: Omni
) -> None:
    cache.written(TYPE, NAMESPACE, "new", Write("create", cache.now()), answered=True)
    omni.clock.pass_by(SETTLED_SECONDS)
    cache.missing(TYPE, NAMESPACE, "new", cache.now())
    assert not informer_of(cache).ready


def test_what_is_met_by_now_is_not_joined_with_what_is_expected_from_now_on(cache: Informers) -> None:
    now = cache.now()
    met, later = AtLeast(now, now, now, moment(1), 1), Gone(now, now, now, moment(1))
    cache.pending_writes.add(KEY, "held", met)
    cache.expect(TYPE, NAMESPACE, "held", later)
    assert list(cache.pending_writes.find(KEY, "held")) == [later]
