"""What is kept of an object is the whole of it, in a fraction of its room."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.cache import cached_object
from omni_gateway.cache.cached_object import OVERHEAD, CachedObject, DictionaryCompressor
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


def test_objects_of_a_type_share_the_texts_that_they_have_in_common() -> None:
    compressor = DictionaryCompressor()
    metadata = {
        "namespace": "a namespace",
        "type": "a type",
        "phase": "a phase",
        "owner": "an owner",
        "finalizers": ["a finalizer"],
        "labels": {"a key": "a value"},
    }
    texts = [json.dumps({"metadata": {"id": id, **metadata}, "spec": {}}) for id in "ab"]
    first, second = (texts_of(CachedObject(text, compressor)) for text in texts)
    assert first == ["a namespace", "a type", "a phase", "an owner", "a finalizer", "a key", "a value"]
    assert [one is other for one, other in zip(first, second, strict=True)] == [True] * 7


def texts_of(item: CachedObject) -> list[str]:
    (label,) = item.labels.items()
    return [item.namespace, item.type, item.phase, item.owner, *item.finalizers, *label]


def test_no_more_texts_are_shared_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_object, "MOST_INTERNED", 3)
    compressor = DictionaryCompressor()
    sizes = []
    for number in range(7):
        assert compressor.intern(f"text {number}") == f"text {number}"
        sizes.append(len(compressor._interned))
    assert sizes == [1, 2, 3, 1, 2, 3, 1]


@pytest.mark.parametrize("compressor", [None, DictionaryCompressor()], ids=["plain", "compressed"])
def test_the_size_of_an_object_is_that_of_its_text_as_it_is_stored_and_a_constant(
    compressor: DictionaryCompressor | None,
) -> None:
    whole = text("a", {"alike": "x" * 10_000})
    size = len(CachedObject(whole, compressor))
    assert size == len(whole) + OVERHEAD if compressor is None else OVERHEAD < size < OVERHEAD + 1000


def test_objects_with_one_text_have_one_hash_and_those_with_others_have_others() -> None:
    compressor = DictionaryCompressor()
    hashes = [CachedObject(text(id, {}), packing).text_hash for id in "ab" for packing in (None, compressor)]
    assert hashes[0] == hashes[1] != hashes[2] == hashes[3]


def test_a_body_may_be_changed_and_the_object_stays_as_it_is() -> None:
    item = CachedObject(text("a", {"x": 1}))
    item.body()["spec"]["x"] = 2
    assert (item.body()["spec"], item.derived) == ({"x": 1}, None)
