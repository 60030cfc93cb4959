"""The store: versions, owners, phases, finalizers, and the order in which changes are told."""

from __future__ import annotations

import threading

import pytest

from omni_gateway.simulator.errors import (
    AlreadyExists,
    Conflict,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from omni_gateway.simulator.state.resource import Event, Resource
from omni_gateway.simulator.state.store import Store

KEY = ("default", "Things", "a")


@pytest.fixture
def store() -> Store:
    return Store()


def thing(id_: str = "a", **fields: object) -> Resource:
    return Resource("default", "Things", id_, **fields)  # type: ignore[arg-type]


def test_a_new_object_has_version_1_whatever_was_asked(store: Store) -> None:
    made = store.create(thing(version=7))

    assert made.version == 1
    assert made.created is not None
    assert made.updated is None


def test_an_id_is_taken_once(store: Store) -> None:
    store.create(thing())
    with pytest.raises(AlreadyExists):
        store.create(thing())


def test_every_update_raises_the_version_and_keeps_owner_and_birth(store: Store) -> None:
    made = store.create(thing(), owner="Maker")

    updated = store.update(thing(spec={"size": 2}), owner="Maker", expected_version=1)

    assert (updated.version, updated.owner, updated.created) == (2, "Maker", made.created)
    assert updated.updated is not None


def test_an_update_is_refused_for_the_version_before_the_owner(store: Store) -> None:
    store.create(thing(), owner="Maker")
    with pytest.raises(Conflict):
        store.update(thing(), owner="Other", expected_version=3)
    with pytest.raises(PermissionDenied):
        store.update(thing(), owner="Other", expected_version=1)
    with pytest.raises(NotFound):
        store.update(thing("b"))


def test_a_phase_is_one_of_two(store: Store) -> None:
    store.create(thing())
    with pytest.raises(InvalidArgument):
        store.update(thing(phase="asleep"))


def test_what_is_read_is_a_copy(store: Store) -> None:
    store.create(thing(spec={"deep": {"list": [1]}}))

    store.get(*KEY).spec["deep"]["list"].append(2)

    assert store.get(*KEY).spec == {"deep": {"list": [1]}}


def test_lists_are_in_the_order_of_ids(store: Store) -> None:
    for id_ in ("b", "c", "a"):
        store.create(thing(id_))

    assert [res.id for res in store.list("default", "Things", lambda res: res.id != "b")] == ["a", "c"]


def test_a_modification_that_changes_nothing_leaves_the_version(store: Store) -> None:
    store.create(thing(spec={"size": 1}))

    store.modify(*KEY, lambda res: res.spec.update(size=1))

    assert store.get(*KEY).version == 1


def test_a_modification_makes_what_is_missing_when_asked_to(store: Store) -> None:
    assert store.modify(*KEY, lambda res: res.spec.update(size=1)) is None

    made = store.modify(*KEY, lambda res: res.spec.update(size=1), owner="Maker", create=True)

    assert made is not None
    assert (made.spec, made.owner, made.version) == ({"size": 1}, "Maker", 1)


def test_an_object_with_finalizers_is_marked_but_not_destroyed(store: Store) -> None:
    store.create(thing(finalizers=["Holder"]))

    assert store.teardown(*KEY) is False
    with pytest.raises(FailedPrecondition):
        store.destroy(*KEY)
    store.remove_finalizer(KEY, "Holder")
    assert store.teardown(*KEY) is True
    store.destroy(*KEY)

    assert store.find(*KEY) is None


def test_marking_twice_is_one_change(store: Store) -> None:
    store.create(thing())
    store.teardown(*KEY)
    store.teardown(*KEY)

    assert store.get(*KEY).version == 2


def test_only_its_owner_ends_an_object(store: Store) -> None:
    store.create(thing(), owner="Maker")
    with pytest.raises(PermissionDenied):
        store.teardown(*KEY)
    with pytest.raises(PermissionDenied):
        store.destroy(*KEY)


def test_changes_are_told_in_their_order_with_what_was_before(store: Store) -> None:
    told: list[Event] = []
    stop = store.subscribe(told.append)

    store.create(thing())
    store.add_finalizer(KEY, "Holder")
    store.add_finalizer(KEY, "Holder")
    store.remove_finalizer(KEY, "Holder")
    store.destroy(*KEY)
    stop()
    store.create(thing())

    assert [(event.kind, event.new.version) for event in told] == [
        ("created", 1),
        ("updated", 2),
        ("updated", 3),
        ("destroyed", 3),
    ]
    assert told[1].old is not None
    assert told[1].old.finalizers == []


def test_no_update_is_lost_between_threads(store: Store) -> None:
    store.create(thing(spec={"count": 0}))

    def count() -> None:
        for _ in range(100):
            store.modify(*KEY, lambda res: res.spec.update(count=res.spec["count"] + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.get(*KEY).spec == {"count": 400}
    assert store.get(*KEY).version == 401
