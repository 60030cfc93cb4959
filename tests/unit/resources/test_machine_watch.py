"""Several of Omni's watches made one, event by event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omni_gateway.model import label_names
from omni_gateway.sdk import Resource
from omni_gateway.sdk.adapters import Change, TypedEvent
from resources.machine.join import Machine
from resources.machine.watch import _SHARE_ID, TYPES, _changes, _Parts

MACHINES, STATUSES, NODES, EXTENSIONS = TYPES
BOOTSTRAPPED = [TypedEvent(type, "bootstrapped", None) for type in TYPES]


def object_of(type: str, version: int = 1, labels: dict[str, str] | None = None, **spec: Any) -> Resource:
    return Resource("m1", spec, labels or {}, type=type, version=version)


def created(type: str, version: int = 1, **members: Any) -> TypedEvent:
    return TypedEvent(type, "created", object_of(type, version, **members))


def destroyed(type: str) -> TypedEvent:
    return TypedEvent(type, "destroyed", object_of(type))


def told(
    *said: TypedEvent, wanted: Callable[[Machine], bool] = lambda machine: True, single: bool = False
) -> list[tuple[str, int]]:
    """Feed events and return what the watch makes of them, as (kind, labels)."""
    found: list[Change] = list(_changes(_Parts(), wanted, _SHARE_ID if single else frozenset(), iter(said)))
    return [(change.kind, len(change.resource.labels) if change.resource else -1) for change in found]


def test_nothing_is_told_before_every_part_is_known() -> None:
    said = [created(MACHINES), created(STATUSES, labels={"a": "b"}), *BOOTSTRAPPED[:-1]]
    assert told(*said) == []
    assert told(*said, BOOTSTRAPPED[-1]) == [("added", 1), ("bookmark", -1)]


def test_a_status_without_a_machine_is_no_machine() -> None:
    assert told(created(STATUSES), *BOOTSTRAPPED) == [("bookmark", -1)]


def test_a_later_status_changes_the_machine() -> None:
    said = [created(MACHINES), *BOOTSTRAPPED, created(STATUSES, labels={"a": "b"})]
    assert told(*said) == [("added", 0), ("bookmark", -1), ("modified", 1)]


def test_an_event_that_changes_nothing_is_not_told() -> None:
    assert told(created(MACHINES), *BOOTSTRAPPED, created(MACHINES)) == [("added", 0), ("bookmark", -1)]


def test_a_machine_that_goes_is_told_as_it_was() -> None:
    said = [created(MACHINES), created(STATUSES, labels={"a": "b"}), *BOOTSTRAPPED, destroyed(MACHINES)]
    assert told(*said)[-1] == ("deleted", 1)


def test_a_machine_that_leaves_the_selection_is_told_as_deleted_and_can_come_back() -> None:
    said = [
        created(MACHINES),
        created(STATUSES, 1, labels={"a": "b"}),
        *BOOTSTRAPPED,
        created(STATUSES, 2),
        created(STATUSES, 3, labels={"a": "b"}),
    ]
    kinds = [kind for kind, _ in told(*said, wanted=lambda machine: "a" in machine.labels)]
    assert kinds == ["added", "bookmark", "deleted", "added"]


def test_a_list_of_extensions_concerns_the_machine_that_it_names() -> None:
    labels = {label_names.LABEL_CLUSTER: "c1", label_names.LABEL_CLUSTER_MACHINE: "m1"}
    said = [
        created(MACHINES),
        created(NODES, labels={label_names.LABEL_CLUSTER: "c1"}),
        *BOOTSTRAPPED,
        created(EXTENSIONS, labels=labels, extensions=["a"]),
    ]
    assert [kind for kind, _ in told(*said)] == ["added", "bookmark", "modified"]


def test_the_watch_of_one_machine_needs_one_word_of_each_part() -> None:
    said = [created(MACHINES), destroyed(NODES), created(STATUSES), TypedEvent(EXTENSIONS, "bootstrapped", None)]
    assert [kind for kind, _ in told(*said, single=True)] == ["added", "bookmark"]


def test_that_there_is_nothing_now_is_passed_on() -> None:
    said = iter([created(MACHINES), None, *BOOTSTRAPPED, None])
    kinds = [change.kind for change in _changes(_Parts(), lambda machine: True, frozenset(), said)]
    assert kinds == ["idle", "added", "bookmark", "idle"]
