"""Which responses are stored, under which key, and which requests are answered from the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, Response
from werkzeug.test import TestResponse

from omni_gateway.auth import Principal, Role, Scope
from omni_gateway.cache import cache_status
from omni_gateway.cache.read_record import ReadRecord
from omni_gateway.http import headers
from omni_gateway.http.guard import _PRINCIPAL
from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.rest.gateway import EXTENSION
from omni_gateway.rest.request_context import request_context
from omni_gateway.rest.response_cache import CachedResponse, Key, Reply
from omni_gateway.rest.views.cached_response import use_response_cache

ANN = Principal("ann", Role.READER, "token:ann")
SEEN: Any = object()


class Stored:
    """A response cache that the test holds in its hand."""

    def __init__(self) -> None:
        self.reply: Reply | None = None
        self.asked: list[tuple[Key, float | None, str | None]] = []
        self.responses: dict[Key, CachedResponse] = {}

    def get(self, key: Key, max_age: float | None = None, if_none_match: str | None = None) -> Reply | None:
        self.asked.append((key, max_age, if_none_match))
        return self.reply

    def put(self, key: Key, response: CachedResponse) -> None:
        self.responses[key] = response


class World:
    """An application with one read, which the test may change, and its caller."""

    def __init__(self) -> None:
        self.stored = Stored()
        self.caller = ANN
        self.called = 0
        self.read: Callable[[ReadRecord], object] = lambda reads: reads.hit(SEEN, 1.0)
        self.response = Response(
            "{}", headers={"ETag": '"a-1"', "Age": "1", "X-More": "m"}, mimetype="application/json"
        )
        self.app = Flask("read")
        self.app.extensions[EXTENSION] = SimpleNamespace(responses=self.stored)
        self.app.add_url_rule("/things/<id>", view_func=use_response_cache(self.view), endpoint="thing")

    def view(self, id: str) -> Response:
        """Read a thing."""
        self.called += 1
        self.read(request_context().reads)
        return self.response

    def get(self, url: str = "/things/a", **options: Any) -> TestResponse:
        return self.app.test_client().get(url, environ_overrides={_PRINCIPAL: self.caller}, **options)

    def key(self, url: str = "/things/a", **options: Any) -> Key:
        """Return the key that a request is looked up by."""
        self.get(url, **options)
        return self.stored.asked[-1][0]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with OmniClient(OmniConfig("http://127.0.0.1:9", insecure=True)) as own:
        made.own = own  # type: ignore[attr-defined]
        yield made


def test_a_stored_response_is_sent_and_the_view_is_not_called(world: World) -> None:
    world.stored.reply = Reply(200, [("X-Stored", "yes")], b"stored")
    answer = world.get(headers={"If-None-Match": '"b-1"', "Cache-Control": "max-age=7"})
    assert (answer.status_code, answer.data, answer.headers["X-Stored"], world.called) == (200, b"stored", "yes", 0)
    assert world.stored.asked == [(("/things/a", "", "", "token:ann", "reader"), 7.0, '"b-1"')]
    world.stored.reply = Reply(304, [], None)
    assert world.get().status_code == 304


def test_a_new_response_is_sent_and_stored_with_what_it_was_made_from(world: World) -> None:
    answer = world.get()
    assert (answer.status_code, answer.data, world.called) == (200, b"{}", 1)
    assert world.stored.asked[0][1:] == (None, None)
    key = ("/things/a", "", "", "token:ann", "reader")
    assert world.stored.responses == {
        key: CachedResponse((SEEN,), headers.settled([("ETag", '"a-1"'), ("X-More", "m")]), '"a-1"', b"{}")
    }


def test_a_304_is_stored_without_a_body(world: World) -> None:
    world.response = Response(status=304, headers={"ETag": '"a-1"'})
    world.get()
    assert [stored.body for stored in world.stored.responses.values()] == [None]


def test_a_key_has_all_that_a_response_depends_on(world: World) -> None:
    keys = {
        world.key(),
        world.key("/things/b"),
        world.key("/things/a?view=summary"),
        world.key(headers={"Accept": "application/yaml"}),
    }
    world.caller = replace(ANN, id="token:bob")
    keys.add(world.key())
    world.caller = replace(ANN, role=Role.ADMIN)
    keys.add(world.key())
    assert len(keys) == 6
    assert world.key("/things/a?x=1", headers={"Accept": "a/b"}) == (
        "/things/a",
        "x=1",
        "a/b",
        "token:ann",
        "admin",
    )


def test_callers_whose_answers_depend_on_more_get_no_stored_one_and_none_is_stored(world: World) -> None:
    world.stored.reply = Reply(200, [], b"stored")
    for caller in (
        replace(ANN, scope=Scope(("mine-*",))),
        replace(ANN, scope=Scope(())),
        replace(ANN, omni=world.own),  # type: ignore[attr-defined]
    ):
        world.caller = caller
        assert world.get().data == b"{}"
    assert (world.stored.asked, world.stored.responses, world.called) == ([], {}, 3)


def omni_was_called(reads: ReadRecord) -> None:
    reads.hit(SEEN, 0.0)
    reads.note_call()


def a_read_was_forwarded(reads: ReadRecord) -> None:
    reads.hit(SEEN, 0.0)
    reads.forward(cache_status.WATCH_INTERRUPTED)


def it_depends_on_the_caller(reads: ReadRecord) -> None:
    reads.hit(SEEN, 0.0)
    reads.cacheable_response = False


@pytest.mark.parametrize("read", [omni_was_called, a_read_was_forwarded, it_depends_on_the_caller, lambda reads: None])
def test_what_does_not_follow_from_informers_alone_is_not_stored(
    world: World, read: Callable[[ReadRecord], object]
) -> None:
    world.read = read
    assert world.get().data == b"{}"
    assert world.stored.responses == {}


@pytest.mark.parametrize(
    "response",
    [
        Response("{}", status=201, headers={"ETag": '"a-1"'}),
        Response("{}", status=404, headers={"ETag": '"a-1"'}),
        Response("{}", status=200),
    ],
)
def test_neither_other_statuses_nor_answers_without_a_tag_are_stored(world: World, response: Response) -> None:
    world.response = response
    assert world.get().status_code == response.status_code
    assert world.stored.responses == {}


def test_the_view_keeps_its_name_and_its_text() -> None:
    view = use_response_cache(World.view)
    assert (view.__name__, view.__doc__) == ("view", "Read a thing.")


def test_a_read_record_says_what_a_response_came_from() -> None:
    record = ReadRecord()
    assert (record.cache_status, record.is_hit) == ("omni-gateway; fwd=uri-miss", False)
    record.hit(SEEN, 3.0)
    record.hit(SEEN, 1.0)
    assert (record.cache_status, record.is_hit, record.age) == ("omni-gateway; hit", True, 3.0)
    record.note_call()
    assert (record.cache_status, record.is_hit) == ("omni-gateway; fwd=bypass; detail=call", False)
    record.forward(cache_status.WATCH_INTERRUPTED)
    record.forward(cache_status.NO_CACHE)
    assert (record.cache_status, record.is_hit) == ("omni-gateway; fwd=stale; detail=watch-interrupted", False)
    assert record.called_omni is True
