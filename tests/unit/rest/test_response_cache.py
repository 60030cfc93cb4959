"""The response cache: a response is returned again while nothing that it was made from has changed."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from typing import Any

import grpc
import orjson
import pytest

from omni_gateway.cache.informer import Informer, InformerEvent
from omni_gateway.cache.informers import Informers
from omni_gateway.cache.read_record import Dependency
from omni_gateway.lru import OVERHEAD, ByteBoundedLRU
from omni_gateway.omni.errors import Unavailable
from omni_gateway.omni.resources import Write
from omni_gateway.rest.response_cache import MAX_KEY_LENGTH, CachedResponse, ResponseCache

TYPE, NAMESPACE = "Clusters.omni.sidero.dev", "default"
KEY = ("/api/v1/clusters", "page=1", "*/*", "token:a", "reader")
ETAG = 'W/"a"'
HEADERS = [("ETag", ETAG), ("Cache-Status", "omni-gateway; hit")]
BODY = b'[{"id":"a"}]'


def text(id: str, version: int) -> str:
    return orjson.dumps({"metadata": {"id": id, "version": version}, "spec": {}}).decode()


class Watch:
    """A watch that lists two objects, delivers what the test sends, and fails when the test cuts it."""

    def __init__(self) -> None:
        self._events: queue.Queue[tuple[Any, str] | None] = queue.Queue()
        for event in (("created", text("a", 1)), ("created", text("b", 1)), ("bootstrapped", "")):
            self._events.put(event)

    def send(self, kind: str, id: str, version: int = 1) -> None:
        self._events.put((kind, text(id, version)))

    def __iter__(self) -> Iterator[tuple[Any, str]]:
        while (event := self._events.get()) is not None:
            yield event
        raise Unavailable(grpc.StatusCode.UNAVAILABLE, "cut", "Watch")

    def cancel(self) -> None:
        self._events.put(None)


class World:
    """The informer of one type, its watch, and a response cache of 10 kB."""

    def __init__(self) -> None:
        self.watches: list[Watch] = []
        self.informers = Informers(self._open, lambda: None)
        self.rendered = ByteBoundedLRU(10_000)
        self.cache = ResponseCache(self.informers, self.rendered)
        self.informer = self.follow()

    def _open(self, type: str, namespace: str) -> Watch:
        self.watches.append(Watch())
        return self.watches[-1]

    def follow(self) -> Informer:
        self.informers.informer(TYPE, NAMESPACE)
        informer = self.informers.existing(TYPE, NAMESPACE)
        assert informer is not None
        assert informer.wait_for_sync()
        return informer

    def change(self, kind: str, id: str, version: int = 1) -> None:
        """Have Omni send an event, and return when the informer has applied it."""
        applied: queue.Queue[InformerEvent | None] = queue.Queue()
        unfollow = self.informer.follow(applied.put)
        assert unfollow is not None
        self.watches[-1].send(kind, id, version)
        applied.get(timeout=5)
        unfollow()

    def object(self, id: str) -> Dependency:
        return Dependency(self.informer, self.informer.find(id)[1] or id)

    def all_objects(self) -> Dependency:
        snapshot = self.informer.snapshot()
        assert snapshot is not None
        return Dependency(self.informer, snapshot)

    def store(self, *dependencies: Dependency, body: bytes | None = BODY, key: tuple[str, ...] = KEY) -> None:
        self.cache.put(key, CachedResponse(dependencies, HEADERS, ETAG, body))


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.informers.close()


def test_a_stored_response_is_returned_with_its_headers_and_its_age(world: World) -> None:
    world.store(world.object("a"), world.all_objects())
    world.informer.last_event_at = time.monotonic() - 3.2
    reply = world.cache.get(KEY)
    assert reply is not None
    body_headers = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]
    assert (reply.status, reply.body) == (200, BODY)
    assert list(reply.headers) == [*HEADERS, ("Age", "3"), *body_headers]


@pytest.mark.parametrize("other", range(len(KEY)))
def test_another_url_accept_caller_or_role_has_a_response_of_its_own(world: World, other: int) -> None:
    world.store(world.object("a"))
    key = tuple("other" if number == other else part for number, part in enumerate(KEY))
    assert world.cache.get(key) is None


@pytest.mark.parametrize(("kind", "version"), [("updated", 2), ("destroyed", 1)])
def test_an_object_that_changes_or_goes_ends_it(world: World, kind: str, version: int) -> None:
    world.store(world.object("b"), world.object("a"))
    world.change(kind, "a", version)
    assert world.cache.get(KEY) is None


def test_an_object_that_it_was_not_made_from_does_not_end_it(world: World) -> None:
    world.store(world.object("a"), world.object("absent"))
    world.change("updated", "b", 2)
    world.change("created", "c")
    assert world.cache.get(KEY) is not None


def test_an_absent_object_that_appears_ends_it(world: World) -> None:
    world.store(world.object("absent"))
    assert world.cache.get(KEY) is not None
    world.change("created", "absent")
    assert world.cache.get(KEY) is None


@pytest.mark.parametrize(("kind", "id", "version"), [("created", "c", 1), ("updated", "b", 2), ("destroyed", "b", 1)])
def test_any_change_of_a_type_ends_a_list_of_it(world: World, kind: str, id: str, version: int) -> None:
    world.store(world.all_objects())
    world.change(kind, id, version)
    assert world.cache.get(KEY) is None


def test_an_object_that_comes_back_as_it_was_is_another_one(world: World) -> None:
    world.store(world.object("a"))
    world.change("destroyed", "a")
    world.change("created", "a")
    assert world.cache.get(KEY) is None


def test_while_the_watch_is_cut_nothing_is_returned(world: World) -> None:
    world.store(world.object("a"))
    world.informer.ready = False
    assert world.cache.get(KEY) is None


def test_an_informer_without_a_sign_of_life_is_not_used(world: World) -> None:
    world.store(world.object("a"))
    world.informer.last_event_at = time.monotonic() - 60
    assert world.cache.get(KEY) is None


def test_the_next_informer_of_the_type_does_not_vouch_for_the_last_one(world: World) -> None:
    world.store(world.object("absent"))
    world.informers.idle_seconds = -1.0
    world.informers.evict()
    world.informers.idle_seconds = 600.0
    assert world.follow() is not world.informer
    assert world.cache.get(KEY) is None


def test_a_write_of_this_process_ends_it_before_the_watch_delivers(world: World) -> None:
    world.store(world.object("a"))
    write = Write("update", version=2, at=world.informers.now())
    world.informers.written(TYPE, NAMESPACE, "a", write, answered=True)
    assert world.cache.get(KEY) is None


@pytest.mark.parametrize(("max_age", "found"), [(None, True), (6.0, True), (4.0, False), (0.0, False)])
def test_the_caller_decides_how_old_it_may_be(world: World, max_age: float | None, found: bool) -> None:
    world.store(world.object("a"))
    world.informer.last_event_at = time.monotonic() - 5
    assert (world.cache.get(KEY, max_age) is not None) is found


def test_no_cache_is_answered_anew_even_if_the_object_has_just_changed(world: World) -> None:
    world.change("updated", "a", 2)
    world.store(world.object("a"))
    assert world.cache.get(KEY, 0.0) is None


@pytest.mark.parametrize("tag", [ETAG, '"a"', '"x", W/"a"', "*"])
def test_its_own_tag_is_answered_304_without_a_body(world: World, tag: str) -> None:
    world.store(world.object("a"))
    reply = world.cache.get(KEY, if_none_match=tag)
    assert reply is not None
    assert (reply.status, reply.body) == (304, None)
    assert list(reply.headers) == [*HEADERS, ("Age", "0")]


def test_another_tag_is_answered_200(world: World) -> None:
    world.store(world.object("a"))
    reply = world.cache.get(KEY, if_none_match='"another"')
    assert reply is not None
    assert (reply.status, reply.body) == (200, BODY)


def test_what_was_never_rendered_is_only_good_for_304(world: World) -> None:
    world.store(world.object("a"), body=None)
    reply = world.cache.get(KEY, if_none_match=ETAG)
    assert reply is not None
    assert reply.status == 304
    assert world.cache.get(KEY) is None
    world.store(world.object("a"))
    reply = world.cache.get(KEY)
    assert reply is not None
    assert reply.body == BODY


def test_the_least_recently_used_responses_make_room(world: World) -> None:
    world.rendered.most = 2 * (1000 + OVERHEAD)
    keys = [(*KEY, str(number)) for number in range(3)]
    for key in keys:
        world.store(world.object("a"), body=bytes(bytearray(1000)), key=key)
    assert [world.cache.get(key) is not None for key in keys] == [False, True, True]


def test_a_response_larger_than_the_cache_is_not_stored(world: World) -> None:
    world.store(world.object("a"), body=b"x" * world.rendered.most)
    assert world.cache.get(KEY) is None


def test_a_response_with_a_very_long_key_is_not_stored(world: World) -> None:
    for length, found in ((MAX_KEY_LENGTH, True), (MAX_KEY_LENGTH + 1, False)):
        world.store(world.object("a"), key=("x" * length,))
        assert (world.cache.get(("x" * length,)) is not None) is found
