"""Watching: what is there, one BOOTSTRAPPED, then what changes."""

from __future__ import annotations

import grpc
import pytest

from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from omni_gateway.simulator.state.watchers import LONGEST_QUEUE, Watchers
from tests.simulator.caller import Caller, denied, refused

TYPE = "MachineLabels.omni.sidero.dev"


@pytest.fixture
def namespace(name: str) -> str:
    """A namespace of the test's own: what happens elsewhere is not seen."""
    return f"ns-{name}"


def make(store: Store, namespace: str, id_: str, **labels: str) -> None:
    store.create(Resource(namespace, TYPE, id_, labels=labels))


def test_what_is_there_comes_first_then_changes_with_what_was_before(
    reader: Caller, store: Store, namespace: str
) -> None:
    make(store, namespace, "a")
    make(store, namespace, "b")
    with reader.watch("MachineLabels", namespace=namespace) as events:
        assert events.kinds(3) == ["created a", "created b", "bootstrapped"]

        store.modify(namespace, TYPE, "a", lambda res: res.labels.update(x="1"))
        store.destroy(namespace, TYPE, "b")
        make(store, namespace, "c")

        kind, new, old = events.next()
        assert (kind, new["metadata"]["version"], old["metadata"]["version"]) == ("updated", 2, 1)
        assert events.kinds(2) == ["destroyed b", "created c"]


def test_an_empty_type_is_bootstrapped_at_once(reader: Caller, namespace: str) -> None:
    with reader.watch("MachineLabels", namespace=namespace) as events:
        assert events.next() == ("bootstrapped", None, None)


def test_a_filter_shows_comers_as_created_and_leavers_as_destroyed(
    reader: Caller, store: Store, namespace: str
) -> None:
    make(store, namespace, "in", colour="red")
    make(store, namespace, "out", colour="blue")
    with reader.watch("MachineLabels", "colour=red", namespace=namespace) as events:
        assert events.kinds(2) == ["created in", "bootstrapped"]

        store.modify(namespace, TYPE, "out", lambda res: res.labels.update(colour="red"))
        store.modify(namespace, TYPE, "out", lambda res: res.labels.update(more="1"))
        store.modify(namespace, TYPE, "out", lambda res: res.labels.update(colour="blue"))
        store.modify(namespace, TYPE, "out", lambda res: res.labels.update(more="2"))
        store.destroy(namespace, TYPE, "out")
        store.destroy(namespace, TYPE, "in")

        assert events.kinds(4) == ["created out", "updated out", "destroyed out", "destroyed in"]


def test_one_object_is_watched_by_its_id(reader: Caller, store: Store, namespace: str) -> None:
    make(store, namespace, "a")
    make(store, namespace, "b")
    with reader.watch("MachineLabels", namespace=namespace, id="b") as events:
        assert events.kinds(2) == ["created b", "bootstrapped"]

        store.destroy(namespace, TYPE, "a")
        store.destroy(namespace, TYPE, "b")

        assert events.kinds(1) == ["destroyed b"]


def test_one_object_that_is_not_there_is_told_by_its_absence(reader: Caller, store: Store, namespace: str) -> None:
    with reader.watch("MachineLabels", namespace=namespace, id="late") as events:
        assert events.kinds(1) == ["bootstrapped"]

        make(store, namespace, "late")

        assert events.kinds(1) == ["created late"]


def test_a_search_narrows_a_watch(reader: Caller, store: Store, namespace: str) -> None:
    make(store, namespace, "apple")
    make(store, namespace, "pear")
    with reader.watch("MachineLabels", namespace=namespace, search_for=["pea"]) as events:
        assert events.kinds(2) == ["created pear", "bootstrapped"]


def test_what_one_may_not_read_one_may_not_watch(reader: Caller) -> None:
    with denied(), reader.watch("Users") as events:
        events.next()
    with denied(), reader.watch("Unicorns") as events:
        events.next()


def test_a_type_that_is_computed_one_by_one_is_not_watched(reader: Caller) -> None:
    with refused(grpc.StatusCode.UNIMPLEMENTED), reader.watch("ClusterPermissions", namespace="virtual") as events:
        events.next()


def test_writers_never_wait_and_a_watcher_too_far_behind_is_cut_off() -> None:
    store = Store()
    watchers = Watchers(store)
    watcher, present = watchers.follow("default", "Things", lambda: True)
    store.create(Resource("default", "Things", "a"))

    for number in range(LONGEST_QUEUE + 10):
        store.modify("default", "Things", "a", lambda res, number=number: res.spec.update(n=number))

    assert present == ()
    with pytest.raises(Exception, match="too far behind"):
        list(watcher)


def test_a_closed_watcher_ends() -> None:
    watchers = Watchers(Store())
    watcher, _ = watchers.follow("default", "Things", lambda: True)

    watchers.close()

    assert list(watcher) == []
