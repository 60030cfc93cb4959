"""Query parameters become what an adapter understands."""

from __future__ import annotations

from enum import Enum

import pytest
from marshmallow import fields

from omni_gateway.rest.parameters import list_query_schema, parse_fields, parse_sort, to_list_query
from omni_gateway.sdk import Filter, Problem
from omni_gateway.sdk.adapters import label_filter


class Size(Enum):
    SMALL = "s"


FILTERS = [label_filter("cluster", "omni.sidero.dev/cluster"), Filter("machine", "By machine")]


def test_a_label_filter_and_a_selector_must_both_hold() -> None:
    query = to_list_query({"cluster": "c1", "label_selector": "a=b"}, FILTERS)
    assert query.selector is not None
    assert query.selector.matches({"omni.sidero.dev/cluster": "c1", "a": "b"})
    assert not query.selector.matches({"omni.sidero.dev/cluster": "c1"})


def test_a_filter_of_the_path_wins_over_the_callers() -> None:
    query = to_list_query({"cluster": "other"}, FILTERS, {"cluster": "c1"})
    assert str(query.selector) == "omni.sidero.dev/cluster=c1"


def test_a_filter_without_a_selector_reaches_the_adapter_as_it_is() -> None:
    assert to_list_query({"machine": "m1"}, FILTERS).filters == {"machine": "m1"}


@pytest.mark.parametrize("value", ["a,b", "a b", "a=b", "(a", "!a", "", "x" * 1025])
def test_a_value_that_would_mean_something_in_a_selector_is_refused(value: str) -> None:
    assert list(list_query_schema("x", FILTERS).validate({"cluster": value})) == ["cluster"]


def test_the_field_of_a_filter_keeps_its_options() -> None:
    size = Filter("size", "By size", field=fields.Enum(Size, by_value=True))
    schema = list_query_schema("x", [size])
    assert schema.load({"size": "s"})["size"] is Size.SMALL
    assert list(schema.validate({"size": "m"})) == ["size"]
    assert schema.fields["size"].metadata["description"] == "By size"


def test_a_page_is_an_offset_and_a_limit() -> None:
    query = to_list_query({"page": 3, "page_size": 20}, [])
    assert (query.offset, query.limit) == (40, 20)


def test_sort_keys_are_read_with_their_direction() -> None:
    assert parse_sort("-created,id") == (("created", True), ("id", False))


@pytest.mark.parametrize("parse", [lambda: parse_sort("a,b,c,d,e,f"), lambda: parse_fields("nmae", ["name"])])
def test_too_many_keys_and_unknown_fields_are_refused(parse: object) -> None:
    with pytest.raises(Problem):
        parse()  # type: ignore[operator]
