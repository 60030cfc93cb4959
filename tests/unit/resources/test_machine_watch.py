"""Machines are joined from four of Omni's types, event by event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from omni_gateway.cache.informer_events import InformerEvents
from omni_gateway.model import label_names
from omni_gateway.omni.selectors import parse
from omni_gateway.sdk import ListQuery
from omni_gateway.sdk.omni import types
from omni_gateway.watch.source import InformerView, ShownObjects
from resources.machine.watch import MachineSource
from tests.unit.watch.followed import Followed

Wait = Callable[..., Any]
IN_C1 = {label_names.LABEL_CLUSTER: "c1"}


class Fleet:
    """The four types, and the changes that a watch makes of their events."""

    def __init__(self, wait_until: Wait) -> None:
        self.machines = Followed(wait_until, types.MACHINES)
        self.statuses = Followed(wait_until, types.MACHINE_STATUSES)
        self.nodes = Followed(wait_until, types.MACHINE_SET_NODES)
        self.extensions = Followed(wait_until, types.EXTENSIONS_CONFIGURATIONS)

    def watch(self, query: ListQuery | None = None, id: str = "") -> Callable[[], list[tuple[str, str, int]]]:
        """Return a function that returns the changes since it was called last, as (kind, id, labels)."""
        events = InformerEvents(lambda: None)
        for each in (self.machines, self.statuses, self.nodes, self.extensions):
            assert events.follow(each.informer)
        shown = ShownObjects(MachineSource(query or ListQuery(), id), InformerView(events))
        shown.begin()

        def changes() -> list[tuple[str, str, int]]:
            found = []
            while event := events.take():
                found += [(each.kind, each.resource.id, len(each.resource.labels)) for each in shown.apply(*event)]
            return found

        return changes


@pytest.fixture
def fleet(wait_until: Wait) -> Fleet:
    return Fleet(wait_until)


def own(id: str) -> dict[str, str]:
    return {**IN_C1, label_names.LABEL_CLUSTER_MACHINE: id}


def test_a_status_without_a_machine_is_no_machine(fleet: Fleet) -> None:
    changes = fleet.watch()
    fleet.statuses.put("m1")
    assert changes() == []


def test_a_later_status_changes_the_machine(fleet: Fleet) -> None:
    fleet.machines.put("m1")
    changes = fleet.watch()
    fleet.statuses.put("m1", {"a": "b"})
    assert changes() == [("modified", "m1", 1)]


def test_each_event_is_told_though_others_have_come_since(fleet: Fleet) -> None:
    changes = fleet.watch()
    fleet.machines.put("m1")
    fleet.statuses.put("m1", {"a": "b"})
    fleet.statuses.put("m1", {"a": "b", "c": "d"})
    fleet.nodes.put("m1", IN_C1)
    fleet.statuses.put("m1")
    fleet.machines.remove("m1")
    assert changes() == [
        ("added", "m1", 0),
        ("modified", "m1", 1),
        ("modified", "m1", 2),
        ("modified", "m1", 2),
        ("modified", "m1", 0),
        ("deleted", "m1", 0),
    ]


def test_an_event_that_changes_nothing_is_not_told(fleet: Fleet) -> None:
    fleet.machines.put("m1")
    changes = fleet.watch()
    fleet.extensions.put("x1", {label_names.LABEL_CLUSTER_MACHINE: "m1"})
    assert changes() == []


def test_a_machine_that_goes_is_told_as_it_was(fleet: Fleet) -> None:
    fleet.machines.put("m1")
    fleet.statuses.put("m1", {"a": "b"})
    changes = fleet.watch()
    fleet.machines.remove("m1")
    assert changes() == [("deleted", "m1", 1)]


def test_a_machine_that_leaves_the_selection_is_told_as_it_was_and_can_come_back(fleet: Fleet) -> None:
    fleet.machines.put("m1")
    fleet.statuses.put("m1", {"a": "b"})
    changes = fleet.watch(ListQuery(selector=parse("a")))
    fleet.statuses.put("m1")
    fleet.statuses.put("m1", {"a": "b", "c": "d"})
    assert changes() == [("deleted", "m1", 1), ("added", "m1", 2)]


def test_a_list_of_extensions_concerns_the_machine_that_it_names(fleet: Fleet) -> None:
    fleet.machines.put("m1")
    fleet.nodes.put("m1", IN_C1)
    changes = fleet.watch()
    fleet.extensions.put("x1", own("m1"), extensions=["a"])
    assert changes() == [("modified", "m1", 0)]


def test_a_list_of_extensions_concerns_the_machine_that_it_leaves_too(fleet: Fleet) -> None:
    for id in ("m1", "m2"):
        fleet.machines.put(id)
        fleet.nodes.put(id, IN_C1)
    fleet.extensions.put("x1", own("m1"), extensions=["a"])
    changes = fleet.watch()
    fleet.extensions.put("x1", own("m2"), extensions=["a"])
    assert changes() == [("modified", "m1", 0), ("modified", "m2", 0)]


def test_the_watch_of_one_machine_is_not_told_of_others(fleet: Fleet) -> None:
    changes = fleet.watch(id="m1")
    for id in ("m1", "m2"):
        fleet.machines.put(id)
        fleet.nodes.put(id, IN_C1)
        fleet.extensions.put(f"x-{id}", own(id), extensions=["a"])
    assert {id for _, id, _ in changes()} == {"m1"}
