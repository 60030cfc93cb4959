"""What an adapter says of callers who are restricted to some clusters, and what holds if it says nothing."""

from __future__ import annotations

from typing import Any, cast

import pytest

from omni_gateway.auth import Scope
from omni_gateway.http.problems import Problem
from omni_gateway.rest.gateway import _scoped
from omni_gateway.sdk import Listing, ListQuery, NotFound, Resource, ResourceAdapter
from omni_gateway.sdk.adapters import Created, select
from omni_gateway.sdk.omni import label_names

SCOPE = Scope(("mine-*",))
MINE, THEIRS, NOBODYS = "mine-1", "theirs", ""


def note(cluster: str) -> Resource:
    return Resource(f"note-{cluster}", labels={label_names.LABEL_CLUSTER: cluster} if cluster else {})


class SaysNothing(ResourceAdapter):
    """A third party's adapter: notes in memory, by cluster."""

    def __init__(self) -> None:
        self.notes = {item.id: item for item in map(note, (MINE, THEIRS, NOBODYS))}
        self.written: list[str] = []
        self.omni = self.store = cast(Any, None)  # an adapter without a back end needs neither

    def list(self, query: ListQuery) -> Listing:
        return select(self.notes.values(), query, frozenset())

    def get(self, id: str) -> Resource:
        if id not in self.notes:
            raise NotFound(id)
        return self.notes[id]

    def create(self, resource: Resource, extras: object) -> Created:
        self.written.append(resource.id)
        return None

    def replace(self, resource: Resource) -> None:
        self.written.append(resource.id)

    def delete(self, resource: Resource) -> None:
        self.written.append(resource.id)


class MayNotWrite(SaysNothing):
    restricted_may_write = False


class MayNotRead(SaysNothing):
    restricted_may_read = False


def refused(call: Any, *arguments: Any) -> bool:
    """Whether a call is a 403; any other outcome but success is raised."""
    try:
        call(*arguments)
    except Problem as problem:
        assert problem.status == 403
        return True
    return False


def writes_refused(adapter: ResourceAdapter, cluster: str) -> list[bool]:
    """Whether creating, checking, replacing and deleting the note of a cluster are refused."""
    item = note(cluster)
    return [
        refused(adapter.check, item, None, {}),
        refused(adapter.create, item, {}),
        refused(adapter.replace, item),
        refused(adapter.delete, item),
    ]


def test_an_adapter_that_says_nothing_lets_them_write_objects_of_their_clusters_only() -> None:
    inner = SaysNothing()
    held = _scoped(SCOPE, inner)
    assert writes_refused(held, MINE) == [False] * 4
    assert writes_refused(held, THEIRS) == [True] * 4
    assert writes_refused(held, NOBODYS) == [True] * 4


def test_an_adapter_that_says_nothing_lets_them_read_objects_of_their_clusters_and_of_none() -> None:
    held = _scoped(SCOPE, SaysNothing())
    assert {item.id for item in held.list(ListQuery()).items} == {note(MINE).id, note(NOBODYS).id}
    with pytest.raises(NotFound):
        held.get(note(THEIRS).id)


def test_where_they_may_not_write_no_label_lets_them() -> None:
    inner = MayNotWrite()
    held = _scoped(SCOPE, inner)
    assert [writes_refused(held, cluster) for cluster in (MINE, THEIRS, NOBODYS)] == [[True] * 4] * 3
    assert held.get(note(MINE).id).id == note(MINE).id


def test_where_they_may_not_read_they_get_no_adapter() -> None:
    with pytest.raises(Problem) as problem:
        _scoped(SCOPE, MayNotRead())
    assert problem.value.status == 403


def test_callers_of_all_clusters_are_held_to_nothing() -> None:
    for inner in (SaysNothing(), MayNotWrite(), MayNotRead()):
        assert _scoped(Scope(), inner) is inner
