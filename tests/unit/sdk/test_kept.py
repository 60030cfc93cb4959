"""Rendered bodies are kept with their objects, as far as there is room for them."""

from __future__ import annotations

import gc

import orjson
import pytest

from omni_gateway.omni.cache.item import Item
from omni_gateway.sdk import ResourceSchema, fields
from omni_gateway.sdk.kept import BODIES, Bodies, kept
from omni_gateway.sdk.memo import Memo
from omni_gateway.sdk.representation import Representation
from omni_gateway.sdk.resource import Resource


class FlagSchema(ResourceSchema):
    enabled = fields.Boolean()


def resource(id: str) -> Resource:
    return kept(Item(orjson.dumps({"metadata": {"id": id, "version": 1}, "spec": {"enabled": True}}).decode()))


def test_bodies_that_were_made_first_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    representation, objects = Representation(FlagSchema(), "flags", {}), [resource(id) for id in "abc"]
    size = len(representation.body(resource("x")))
    monkeypatch.setattr(BODIES, "most", 2 * size)
    bodies = [representation.body(each) for each in objects]
    assert [representation in (each.memo or {}) for each in objects] == [False, True, True]
    assert representation.body(objects[0]) == bodies[0]


def test_a_body_counts_no_more_once_its_turn_has_come_though_its_object_is_gone() -> None:
    bodies, first, second = Bodies(10), resource("a"), resource("b")
    bodies.made(first, "key", b"1234567890")
    del first
    gc.collect()
    bodies.made(second, "key", b"1234567890")
    assert second.memo is not None
    assert bodies._held == 10


class Part:
    """Something that a memo is made of."""


def test_what_was_made_goes_with_the_first_of_its_parts() -> None:
    memo: Memo[list[Resource]] = Memo()
    lasting, passing = Part(), Part()
    made = memo.made("question", [lasting, passing], lambda: [resource("a")])
    assert memo.made("question", [lasting, passing], lambda: []) is made
    del passing
    gc.collect()
    assert memo._kept.get("question") is None
