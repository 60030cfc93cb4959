"""Filters that the engine applies to what an adapter returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from omni_gateway.http.guard import current_principal
from omni_gateway.model.query import Change, Listing, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.filters import Filter, filtered_list, filtered_watch, member_filter
from omni_gateway.rest.parameters import to_list_query

RACK = member_filter("rack", "Only those in this rack")


def server(id: str, rack: str) -> Resource:
    return Resource(id, {"rack": rack})


class Servers(ResourceAdapter):
    def __init__(self, items: Sequence[Resource] = (), changes: Sequence[Change] = ()) -> None:
        self.items, self.changes = items, changes

    def list(self, query: ListQuery) -> Listing:
        assert (query.offset, query.limit) == (0, 0), "a page of all objects is not one of those in the rack"
        return Listing(self.items, len(self.items))

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        yield iter(self.changes)


def test_a_page_is_cut_from_the_objects_that_match() -> None:
    adapter = Servers([server("s1", "7"), server("s2", "8"), server("s3", "7"), server("s4", "7")])
    query = to_list_query({"rack": "7", "page": 2, "page_size": 2}, [RACK])
    page = filtered_list(adapter, query)
    assert ([item.id for item in page.items], page.total) == (["s4"], 3)


def test_an_object_that_comes_to_match_is_added_and_one_that_ceases_to_is_deleted_as_it_last_matched() -> None:
    changes = [
        Change("added", server("s1", "8")),
        Change("bookmark"),
        Change("modified", server("s1", "7")),
        Change("modified", server("s1", "7")),
        Change("modified", server("s1", "8")),
        Change("modified", server("s1", "8")),
        Change("deleted", server("s1", "8")),
    ]
    with filtered_watch(Servers(changes=changes), to_list_query({"rack": "7"}, [RACK]), "") as filtered:
        seen = [(each.kind, each.resource.spec["rack"] if each.resource else "") for each in filtered]
    assert seen == [("bookmark", ""), ("added", "7"), ("modified", "7"), ("deleted", "7")]


def test_a_deleted_object_that_matched_is_deleted() -> None:
    changes = [Change("added", server("s1", "7")), Change("deleted", server("s1", "7"))]
    with filtered_watch(Servers(changes=changes), to_list_query({"rack": "7"}, [RACK]), "") as filtered:
        assert [each.kind for each in filtered] == ["added", "deleted"]


@pytest.mark.parametrize(("value", "found"), [(True, ["on"]), (False, ["off", "unset"])], ids=["true", "false"])
def test_a_member_that_is_not_set_has_its_zero_value(value: bool, found: list[str]) -> None:
    items = [Resource("off", {"lit": False}), Resource("on", {"lit": True}), Resource("unset", {})]
    query = to_list_query({"light": value}, [member_filter("light", "Only those that are lit", member="lit")])
    assert [item.id for item in filtered_list(Servers(items), query).items] == found


def test_a_filter_cannot_depend_on_the_caller() -> None:
    def mine(item: Resource, value: Any) -> bool:
        return current_principal().subject == value

    query = to_list_query({"owner": "ann"}, [Filter("owner", "Only those of this owner", matches=mine)])
    with pytest.raises(RuntimeError):
        filtered_list(Servers([server("s1", "7")]), query)


def test_a_filter_with_a_selector_and_matches_is_refused() -> None:
    with pytest.raises(ValueError, match="'rack' has both a selector and matches"):
        Filter("rack", "Only those in this rack", lambda rack: f"rack={rack}", matches=lambda server, rack: True)
