"""Configuration patches: label queries, and the one form in which they are written."""

from __future__ import annotations

from omni_gateway.omni import selectors
from omni_gateway.sdk import ListQuery, Resource
from resources.configpatch.adapter import plain
from resources.configpatch.targets import machine_link
from resources.configpatch.targets import selectors as label_queries

PREFIX = "omni.sidero.dev/"


def test_a_machine_is_looked_for_under_either_label() -> None:
    query = ListQuery(filters={"machine": "m1"})
    assert label_queries(query) == [f"{PREFIX}cluster-machine = m1", f"{PREFIX}machine = m1"]


def test_a_selector_holds_in_each_of_the_alternatives() -> None:
    query = ListQuery(selector=selectors.parse("a=b,!c"), filters={"machine": "m1"})
    assert label_queries(query) == [f"a = b,!c,{PREFIX}cluster-machine = m1", f"a = b,!c,{PREFIX}machine = m1"]


def test_without_a_machine_there_is_one_query_or_none() -> None:
    assert label_queries(ListQuery(selector=selectors.parse("a"))) == ["a"]
    assert label_queries(ListQuery()) == []


def test_the_compressed_form_is_left_out_of_a_write() -> None:
    assert plain(Resource("p", {"data": "a: b", "compressed_data": "KLUv"})).spec == {"data": "a: b"}


def test_a_patch_for_no_single_machine_has_no_link_to_one() -> None:
    assert machine_link(Resource("p", labels={f"{PREFIX}cluster": "c1"})) is None
