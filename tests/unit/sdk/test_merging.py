"""Watches of several types are one: whoever has something to say is heard, and an error of one ends all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import orjson
import pytest

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.subscription import Subscription
from omni_gateway.model.query import Fed
from omni_gateway.omni import errors
from omni_gateway.omni.watch import WatchEvent
from omni_gateway.sdk.adapters import Change, TypedEvent, merge_watches

Wait = Callable[..., Any]


def item(type: str, id: str) -> CachedObject:
    return CachedObject(orjson.dumps({"metadata": {"type": type, "id": id, "version": 1}, "spec": {}}).decode())


class Omni:
    """Hands out the streams that it is made with."""

    def __init__(self, **streams: Any) -> None:
        self.resources = self
        self._streams = streams

    def watch(self, type: str, **_: Any) -> Any:
        return self._streams[type]


class Stream:
    """A stream of Omni's own: says what it has, then ends or raises."""

    def __init__(self, *events: Any) -> None:
        self._events = iter(events)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, Exception):
                raise event
            yield event


def as_changes(said: Iterator[TypedEvent | None]) -> Iterator[Change]:
    for each in said:
        yield Change("idle") if each is None else Change("added", each.resource)


def event(id: str) -> WatchEvent:
    return WatchEvent("created", {"metadata": {"id": id, "type": "t"}, "spec": {}})


def test_subscriptions_are_read_as_they_come_without_a_thread() -> None:
    first, second, before = Subscription(), Subscription(), threading.active_count()
    omni: Any = Omni(a=first, b=second)
    with merge_watches(omni, {"a": {}, "b": {}}, as_changes) as changes:
        assert isinstance(changes, Fed)
        woken = []
        changes.told_by(lambda: woken.append(1))
        assert next(changes).kind == "idle"
        second._notify(("created", item("b", "x"), None))
        first._notify(("created", item("a", "y"), None))
        told = [next(changes), next(changes), next(changes)]
        assert len(woken) == 2
    assert {change.resource.id for change in told[:2] if change.resource} == {"x", "y"}
    assert told[2].kind == "idle"
    assert threading.active_count() == before


def test_who_waits_for_subscriptions_is_woken_and_told_of_the_end(wait_until: Wait) -> None:
    stream, heard = Subscription(), list[str]()
    omni: Any = Omni(a=stream, b=Subscription())
    with merge_watches(omni, {"a": {}, "b": {}}, as_changes) as changes:
        reader = threading.Thread(target=lambda: heard.extend(each.resource.id for each in changes if each.resource))
        reader.start()
        stream._notify(("created", item("a", "x"), None))
        wait_until(lambda: heard == ["x"], 5, "the change")
    reader.join(5)
    assert not reader.is_alive()


def test_streams_of_omnis_own_are_heard_side_by_side() -> None:
    omni: Any = Omni(a=Stream(event("1")), b=Subscription())
    with merge_watches(omni, {"a": {}, "b": {}}, as_changes) as changes:
        assert not isinstance(changes, Fed)
        assert [each.resource.id for each in changes if each.resource] == ["1"]


def test_an_error_of_one_ends_all() -> None:
    error = errors.Unavailable(grpc.StatusCode.UNAVAILABLE, "gone", "Watch")
    omni: Any = Omni(a=Stream(event("1"), error), b=Subscription())
    with pytest.raises(errors.Unavailable), merge_watches(omni, {"a": {}, "b": {}}, as_changes) as changes:
        list(changes)
