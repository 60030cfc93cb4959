"""A choice by labels from the index is the choice from all objects, whatever came and went."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.label_index import MOST_KEYS, LabelIndex
from omni_gateway.omni.selectors import parse

KEYS, VALUES = st.sampled_from(["a", "b", "c"]), st.sampled_from(["", "1", "2"])
LABELS = st.dictionaries(KEYS, VALUES)
TERMS = st.one_of(
    st.builds("{}={}".format, KEYS, VALUES),
    st.builds("{}!={}".format, KEYS, VALUES),
    st.builds("{} in ({})".format, KEYS, st.sampled_from(["1", "1,2"])),
    st.builds("{} notin ({})".format, KEYS, st.sampled_from(["1", "1,2"])),
    KEYS,
    KEYS.map("!{}".format),
)
SELECTORS = st.lists(TERMS, min_size=1, max_size=3).map(",".join)
CHANGES = st.lists(st.tuples(st.sampled_from("wxyz"), st.one_of(st.none(), LABELS)), max_size=12)


def item(id: str, labels: dict[str, str]) -> CachedObject:
    return CachedObject(orjson.dumps({"metadata": {"id": id, "labels": labels}, "spec": {}}).decode())


@given(CHANGES, st.lists(SELECTORS, min_size=1, max_size=4), CHANGES)
def test_the_index_chooses_what_a_look_at_all_objects_would(
    before: list[tuple[str, dict[str, str] | None]],
    selectors: list[str],
    after: list[tuple[str, dict[str, str] | None]],
) -> None:
    index, objects = LabelIndex(), dict[str, CachedObject]()
    for changes in (before, after):
        for id, labels in changes:
            old, new = objects.get(id), item(id, labels) if labels is not None else None
            objects.pop(id, None)
            if new is not None:
                objects[id] = new
            index.change(old, new)
        for text in selectors:
            selector = parse(text)
            chosen = {each.id for each in index.choose(selector, objects)}
            assert chosen == {each.id for each in objects.values() if selector.matches(each.labels)}


def test_no_more_keys_are_indexed_than_there_is_room_for() -> None:
    index, objects = LabelIndex(), {"x": item("x", {"a": "1"})}
    for number in range(3 * MOST_KEYS):
        index.choose(parse(f"key{number}"), objects)
    assert len(index._keys) == MOST_KEYS
    assert [each.id for each in index.choose(parse("a=1"), objects)] == ["x"]


class Objects(dict[str, CachedObject]):
    """Objects by id that count how often all of them are looked at, and how many were asked for by id."""

    scans = found = 0

    def values(self) -> Any:
        self.scans += 1
        return super().values()

    def __getitem__(self, id: str) -> CachedObject:
        self.found += 1
        return super().__getitem__(id)


@pytest.mark.parametrize("selector", ["a=1", "a in (1, 3)", "a,b=2", "b=2,a", "a=1,c!=5", "b in (2),a in (1,2)"])
def test_only_the_objects_that_a_label_names_are_looked_at(selector: str) -> None:
    index, objects = LabelIndex(), Objects()
    for number in range(20):
        objects[f"x{number}"] = item(f"x{number}", {"a": "2", "b": "9"} if number % 2 else {})
    objects["one"] = item("one", {"a": "1", "b": "2"})
    index.choose(parse(selector), objects)  # indexes the keys
    objects.scans = objects.found = 0

    chosen = [each.id for each in index.choose(parse(selector), objects)]

    assert (chosen, objects.scans, objects.found) == (["one"], 0, 1)


def test_the_key_that_was_asked_for_least_recently_makes_room() -> None:
    index, objects = LabelIndex(), Objects({"x": item("x", {"key0": "1"})})
    for number in range(MOST_KEYS):
        index.choose(parse(f"key{number}"), objects)
    for key, scans in (("key0", 0), ("another", 1), ("key0", 0), ("key1", 1)):
        objects.scans = 0
        index.choose(parse(key), objects)
        assert (key, objects.scans) == (key, scans)


def test_a_value_that_no_object_has_any_more_takes_no_room() -> None:
    index, objects = LabelIndex(), dict[str, CachedObject]()
    list(index.choose(parse("host"), objects))
    for number in range(5):
        index.change(None, first := item("x", {"host": f"name-{number}"}))
        index.change(first, None)
    assert index._keys == {"host": {}}
