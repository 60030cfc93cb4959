"""One watch for all who ask the same: followed once, written once, closed when the last one leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from omni_gateway.auth import EVERYTHING, Scope
from omni_gateway.cache.informer import Informer
from omni_gateway.model.resource import Resource
from omni_gateway.omni.errors import Unavailable
from omni_gateway.watch import stream_response
from omni_gateway.watch.broadcaster import Broadcaster, Broadcasters, InformerNotReady
from omni_gateway.watch.push_stream import PushStream
from omni_gateway.watch.resume_token import ResumePoint
from omni_gateway.watch.source import View, WatchedType, WatchSource

from .followed import Followed, Wait, text_of

NDJSON = stream_response.FORMS[stream_response.NDJSON]


class Things(WatchSource):
    """Things as they are; the cluster of one is the object of its id in ``owners``."""

    triggers = (WatchedType("things"),)

    def affected(self, type: str, old: Resource | None, new: Resource | None) -> Iterable[str]:
        return [each.id for each in (old, new) if each is not None]

    def ids(self, view: View) -> Iterable[str]:
        return [each.id for each in view.all("things")]

    def build(self, view: View, id: str) -> Resource | None:
        return view.get("things", id)

    def owner(self, view: View, resource: Resource) -> str | None:
        owner = view.get("owners", resource.id)
        return owner.labels["cluster"] if owner else None


class Watched:
    """A type with objects, and the broadcasters of its watches."""

    def __init__(self, wait_until: Wait, *ids: str) -> None:
        self.things = Followed(wait_until, "things", *ids)
        self.made = self.rendered = 0

    def channel(self) -> Broadcaster:
        self.made += 1
        return Broadcaster(Things(), [self.things.informer], EVERYTHING, self._render, NDJSON)

    @property
    def left(self) -> bool:
        return not self.things.informer.has_followers

    def _render(self, resource: Resource) -> bytes:
        self.rendered += 1
        return json.dumps({"id": resource.id}).encode()


def watcher() -> PushStream:
    return PushStream(NDJSON, proved=lambda: True, closed=lambda: None, heartbeat=3600, max_age=3600)


def events(stream: PushStream, wait_until: Callable[..., Any], count: int) -> list[Any]:
    said = bytearray()

    def enough() -> bool:
        said.extend(stream.take())
        return said.count(b"\n") >= count

    wait_until(enough)
    return [json.loads(line) for line in said.splitlines()]


def point_of(*ids: str) -> str:
    return str(ResumePoint.of(Resource.from_omni(json.loads(text_of("things", id))) for id in ids))


def test_each_change_is_written_once_for_all_with_the_point_that_a_list_would_have(wait_until: Wait) -> None:
    channels, watched = Broadcasters(), Watched(wait_until, "a")
    members = [watcher() for _ in range(50)]
    joined = [channels.join("question", member, watched.channel) for member in members]
    assert {(tuple(one.id for one in present), str(point)) for present, point, _ in joined} == {(("a",), point_of("a"))}

    watched.things.put("b")
    watched.things.remove("a")
    told = [events(member, wait_until, 2) for member in members]

    assert told == [told[0]] * 50
    assert [(event["type"], event["object"]["id"], event["resume_point"]) for event in told[0]] == [
        ("ADDED", "b", point_of("a", "b")),
        ("DELETED", "a", point_of("b")),
    ]
    assert (watched.made, watched.rendered) == (1, 2)


def test_who_comes_late_begins_with_all_that_was_told_by_then(wait_until: Wait) -> None:
    channels, watched = Broadcasters(), Watched(wait_until, "b")
    channels.join("question", watcher(), watched.channel)
    watched.things.put("a")
    present, point, _ = channels.join("question", watcher(), watched.channel)
    assert ([one.id for one in present], str(point)) == (["a", "b"], point_of("a", "b"))


def test_another_question_is_another_channel(wait_until: Wait) -> None:
    channels, one, other = Broadcasters(), Watched(wait_until, "a"), Watched(wait_until, "b")
    assert [each.id for each in channels.join("one", watcher(), one.channel)[0]] == ["a"]
    assert [each.id for each in channels.join("other", watcher(), other.channel)[0]] == ["b"]


def test_the_watch_is_left_when_the_last_one_leaves_and_opened_again_for_the_next(wait_until: Wait) -> None:
    channels, watched = Broadcasters(), Watched(wait_until, "a")
    leave = [channels.join("question", watcher(), watched.channel)[2] for _ in range(2)]
    leave[0]()
    leave[0]()
    assert not watched.left
    leave[1]()
    wait_until(lambda: watched.left)
    channels.join("question", watcher(), watched.channel)
    assert (watched.left, watched.made) == (False, 2)


def test_what_ends_the_watch_is_told_to_all_and_the_next_one_begins_anew(wait_until: Wait) -> None:
    channels, watched, other = Broadcasters(), Watched(wait_until, "a"), Watched(wait_until, "b")
    members = [watcher() for _ in range(3)]
    for member in members:
        channels.join("question", member, watched.channel)
    watched.things.informer.close()
    for member in members:
        (last,) = events(member, wait_until, 1)
        assert (last["type"], last["object"]["code"]) == ("ERROR", "omni-unreachable")
    wait_until(lambda: watched.left)
    assert [one.id for one in channels.join("question", watcher(), other.channel)[0]] == ["b"]


def test_what_a_new_watch_raises_at_once_is_its_callers_to_know(wait_until: Wait) -> None:
    watched = Watched(wait_until)
    channel = watched.channel()
    watched.things.informer.close()
    with pytest.raises(Unavailable):
        Broadcasters().join("question", watcher(), lambda: channel)
    with pytest.raises(InformerNotReady):
        Broadcasters().join("question", watcher(), watched.channel)


def test_who_leaves_before_the_one_is_in_for_whom_the_watch_was_opened_does_not_end_it(wait_until: Wait) -> None:
    watched, quick, maker = Watched(wait_until, "a"), watcher(), watcher()
    channel = watched.channel()
    channel.join(quick, maker=False)
    left: list[bool] = []
    channel.leave(quick, lambda: left.append(channel.close_if_empty()))
    wait_until(lambda: left == [False])
    assert [one.id for one in channel.join(maker, maker=True)[0]] == ["a"]
    channel.leave(maker, lambda: left.append(channel.close_if_empty()))
    wait_until(lambda: left == [False, True])
    assert watched.left


def scoped(informers: Iterable[Informer]) -> Broadcaster:
    """Return the watch of a caller who may see the cluster ``ours``."""
    source = Things()
    source.lookups = (WatchedType("owners"),)

    def render(resource: Resource) -> bytes:
        return json.dumps({"id": resource.id, "labels": resource.labels}).encode()

    return Broadcaster(source, informers, Scope(("ours",)), render, NDJSON)


def test_an_event_that_comes_while_informers_are_joined_waits_for_all_of_them(wait_until: Wait) -> None:
    watched, owners = Watched(wait_until, "a"), Followed(wait_until, "owners")
    owners.put("a", {"cluster": "ours"})
    owners.put("b", {"cluster": "ours"})

    def one_by_one() -> Iterator[Informer]:
        yield watched.things.informer
        for _ in range(20):
            watched.things.put("b")
        yield owners.informer

    channel = scoped(one_by_one())
    assert [one.id for one in channel.join(watcher(), maker=True)[0]] == ["a", "b"]


def test_the_scope_is_found_in_informers_and_what_leaves_it_is_sent_without_content(wait_until: Wait) -> None:
    watched, owners, member = Watched(wait_until, "a", "b"), Followed(wait_until, "owners"), watcher()
    owners.put("a", {"cluster": "ours"})
    owners.put("b", {"cluster": "theirs"})
    channel = scoped([watched.things.informer, owners.informer])
    assert [one.id for one in channel.join(member, maker=True)[0]] == ["a"]
    watched.things.put("b", {"x": "unseen"})
    owners.put("a", {"cluster": "theirs"})
    watched.things.put("a", {"x": "secret"})
    (gone,) = events(member, wait_until, 1)
    owners.put("a", {"cluster": "ours"})
    watched.things.put("a", {"x": "seen"})
    (back,) = events(member, wait_until, 1)
    assert (gone["type"], gone["object"]) == ("DELETED", {"id": "a", "labels": {}})
    assert (back["type"], back["object"]) == ("ADDED", {"id": "a", "labels": {"x": "seen"}})
