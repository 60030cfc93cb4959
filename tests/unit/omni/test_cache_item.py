"""What is kept of an object is the whole of it, in a fraction of its room."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.cache.cached_object import CachedObject, DictionaryCompressor
from omni_gateway.model.resource import Resource

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
SPECS = st.dictionaries(st.text(max_size=8), VALUES, max_size=6)


def text(id: str, spec: object) -> str:
    return json.dumps({"metadata": {"id": id, "version": 3, "labels": {"a": "1"}}, "spec": spec})


@given(st.lists(SPECS, min_size=1, max_size=5))
def test_a_packed_object_is_read_as_it_was_told(specs: list[object]) -> None:
    packing = DictionaryCompressor()
    items = [(CachedObject(text(str(number), spec), packing), spec) for number, spec in enumerate(specs)]
    for number, (item, spec) in enumerate(items):
        assert (item.text, item.body()["spec"], item.id) == (text(str(number), spec), spec, str(number))


def test_objects_that_are_alike_take_a_fraction_of_their_texts() -> None:
    packing = DictionaryCompressor()
    spec = {"hostname": "worker", "addresses": ["10.0.0.1/24"] * 3, "disks": [{"size": n} for n in range(60)]}
    whole = [text(f"machine-{number}", spec | {"number": number}) for number in range(50)]
    packed = sum(len(packing.pack(each)) for each in whole[1:])
    assert packed * 8 < sum(map(len, whole[1:]))


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_an_object_that_was_never_updated_has_no_time_of_update(never: str) -> None:
    stored = {"metadata": {"id": "a", "version": 1, "updated": never}, "spec": {}}
    assert CachedObject(json.dumps(stored)).updated is None
    assert Resource.from_omni(stored).updated is None


def test_what_look_ups_need_is_read_from_the_metadata() -> None:
    metadata = {
        "id": "a",
        "namespace": "default",
        "type": "Links",
        "version": "7",
        "created": "2026-01-01T00:00:00Z",
        "updated": "2026-01-02T00:00:00Z",
        "phase": "tearingDown",
        "owner": "LinkController",
        "finalizers": ["x", "y"],
        "labels": {"l": "1"},
        "annotations": {"n": "2"},
    }
    item = CachedObject(json.dumps({"metadata": metadata, "spec": {}}))
    read = {name: getattr(item, name) for name in metadata}
    assert read == {**metadata, "version": 7, "finalizers": ("x", "y")}
    assert item.tearing_down


def test_metadata_that_omni_leaves_out_is_empty() -> None:
    item = CachedObject(json.dumps({"metadata": {"id": "a"}, "spec": {}}))
    assert (item.namespace, item.type, item.version, item.created, item.updated) == ("", "", 0, "", None)
    assert (item.phase, item.owner, item.finalizers, item.labels, item.annotations) == ("running", "", (), {}, {})


def test_a_dictionary_is_no_longer_than_the_compression_can_use() -> None:
    compressor = DictionaryCompressor()
    compressor.pack("x" * 100_000)
    assert len(compressor._dictionary) == 32 * 1024
