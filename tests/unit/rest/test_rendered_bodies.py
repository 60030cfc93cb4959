"""Rendered bodies are kept with their objects, as far as there is room for them."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.lru import IDLE_SECONDS, OVERHEAD, ByteBoundedLRU
from omni_gateway.model.lazy_resource import lazy_resource
from omni_gateway.model.resource import Resource
from omni_gateway.rest import fields
from omni_gateway.rest.rendered_bodies import RenderedBodies
from omni_gateway.rest.representation import Representation
from omni_gateway.sdk import ResourceSchema


class FlagSchema(ResourceSchema):
    enabled = fields.Boolean()


def resource(id: str) -> Resource:
    text = orjson.dumps({"metadata": {"id": id, "version": 1}, "spec": {"enabled": True}}).decode()
    return lazy_resource(CachedObject(text))


@pytest.fixture
def representation() -> Representation:
    return Representation(FlagSchema(), "flags", {})


@pytest.fixture
def cache() -> ByteBoundedLRU:
    return ByteBoundedLRU(1024 * 1024)


@pytest.fixture
def bodies(cache: ByteBoundedLRU) -> RenderedBodies:
    return RenderedBodies(cache)


def kept_bodies(representation: Representation, objects: list[Resource]) -> list[bool]:
    """Return which objects have a cached body: an evicted one is empty."""
    joined = [each.memo.get(representation) if each.memo is not None else None for each in objects]
    return [each is not None and bool(each.body) for each in joined]


def test_bodies_that_nobody_used_for_longest_go_first(
    cache: ByteBoundedLRU, bodies: RenderedBodies, representation: Representation
) -> None:
    objects = [resource(id) for id in "abc"]
    cache.most = 2 * (len(bodies.body(representation, resource("x"))) + OVERHEAD)
    rendered = [bodies.body(representation, each) for each in objects]
    assert kept_bodies(representation, objects) == [False, True, True]
    assert bodies.body(representation, objects[0]) == rendered[0]


def test_a_page_and_the_bodies_on_it_are_the_same_bytes(bodies: RenderedBodies, representation: Representation) -> None:
    objects = [resource(id) for id in "abc"]
    page = bodies.page(representation, objects)
    rendered = [bodies.body(representation, each) for each in objects]
    assert orjson.loads(page) == [orjson.loads(body) for body in rendered]
    assert all(each.memo is not None and each.memo[representation].body is page for each in objects)
    assert bodies.page(representation, objects[1:]) == b"[" + b",".join(rendered[1:]) + b"]"


def test_when_a_page_has_gone_its_bodies_are_rendered_again(
    cache: ByteBoundedLRU, bodies: RenderedBodies, representation: Representation
) -> None:
    first, second = [resource("a"), resource("b")], [resource("c"), resource("d")]
    page = bodies.page(representation, first)
    cache.most = len(page) + OVERHEAD + 10
    bodies.page(representation, second)
    assert kept_bodies(representation, first + second) == [False, False, True, True]
    assert bodies.page(representation, first) == page


def test_what_is_the_same_bytes_counts_once_and_goes_together() -> None:
    cache, gone = ByteBoundedLRU(2500), list[str]()
    page = b"x" * 1000
    assert cache.put("page", 1, page)
    assert cache.put("answer", 2, page, lambda: gone.append("answer"))
    assert (cache.get("page"), cache.get("answer")) == (1, 2)
    cache.put("other", 3, b"y" * 1000)
    assert gone == ["answer"]
    assert (cache.get("page"), cache.get("answer"), cache.get("other")) == (None, None, 3)


def test_what_nobody_has_used_for_long_goes_though_there_were_room(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, now = ByteBoundedLRU(100_000), [1000.0]
    monkeypatch.setattr("omni_gateway.lru.time.monotonic", lambda: now[0])
    cache.put("old", 1, b"x" * 100)
    cache.put("used", 2, b"y" * 100)
    now[0] += IDLE_SECONDS
    cache.get("used")
    now[0] += 1
    cache.put("new", 3, b"z" * 100)
    assert [cache.get(key) for key in ("old", "used", "new")] == [None, 2, 3]


def test_what_has_no_room_at_all_is_not_kept() -> None:
    cache = ByteBoundedLRU(1000)
    assert not cache.put("huge", 1, b"x" * 1000)
    assert cache.get("huge") is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 400)), max_size=40))
def test_a_cache_never_holds_more_than_it_may(steps: list[tuple[int, int, int]]) -> None:
    cache, buffers = ByteBoundedLRU(3 * OVERHEAD), [b"%d" % number * 50 for number in range(4)]
    for key, number, size in steps:
        cache.put(key, (key, size), buffers[number] if size % 2 else bytes(bytearray(size)))
        held = {id(buffer.content): buffer.size for _, buffer in cache._entries.values()}
        assert cache._size == sum(held.values()) + OVERHEAD * len(cache._entries) <= cache.most
        assert cache._buffers.keys() == held.keys()
