"""The objects of a type, found by id, in order and by label, whatever happened to them before."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.simulator.state.bucket import INDEXED, Bucket
from omni_gateway.simulator.state.resource import Resource

IDS = st.sampled_from("abcdefgh")
LABELS = st.dictionaries(st.sampled_from([*INDEXED, "other"]), st.sampled_from(["x", "y", ""]))
STEPS = st.lists(st.tuples(st.sampled_from(["put", "put", "remove", "look"]), IDS, LABELS))


@given(STEPS)
def test_what_it_finds_is_what_a_look_at_all_would_find(steps: list[tuple[str, str, dict[str, str]]]) -> None:
    bucket = Bucket()
    plain: dict[str, Resource] = {}
    for verb, id, labels in steps:
        if verb == "put":
            plain[id] = Resource("default", "Things", id, labels=labels)
            bucket.put(plain[id])
        elif verb == "remove" and id in plain:
            del plain[id]
            bucket.remove(id)
        elif verb == "look":
            bucket.ordered()

    everything = [plain[id] for id in sorted(plain)]
    assert same(bucket.ordered(), everything)
    for key in INDEXED:
        for value in ("x", "y", ""):
            assert same(bucket.labelled(key, value), [res for res in everything if res.labels.get(key) == value])
    assert all(bucket.get(id) is plain.get(id) for id in "abcdefgh")


def same(one: Any, other: Any) -> bool:
    return [id(res) for res in one] == [id(res) for res in other]
