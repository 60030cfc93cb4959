"""Events of informers wait in one queue; objects are read as they were after the last event that was taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from omni_gateway.cache import informer_events
from omni_gateway.cache.informer_events import InformerEvents
from omni_gateway.omni.errors import Unavailable
from omni_gateway.omni.selectors import parse
from tests.unit.watch.followed import Followed

Wait = Callable[..., Any]


def following(*types: Followed, events: bool = True) -> InformerEvents:
    queue = InformerEvents(lambda: None)
    for each in types:
        assert queue.follow(each.informer, events=events)
    return queue


def versions(queue: InformerEvents, type: str, selector: str = "") -> dict[str, int]:
    return {item.id: item.version for item in queue.items(type, parse(selector) if selector else None)}


def test_an_object_is_read_as_of_the_event_that_was_taken_however_far_its_informer_is(wait_until: Wait) -> None:
    things = Followed(wait_until, "things", "a", "b")
    queue = following(things)
    things.put("a", {"x": "1"})
    things.remove("b")
    things.put("c")
    things.put("a", {"x": "2"})
    things.put("b")
    seen = [versions(queue, "things")]
    while event := queue.take():
        seen.append(versions(queue, "things"))
        for id in "abc":
            found = queue.find("things", id)
            assert (found.version if found else None) == seen[-1].get(id), event
    assert seen == [
        {"a": 1, "b": 1},
        {"a": 2, "b": 1},
        {"a": 2},
        {"a": 2, "c": 1},
        {"a": 3, "c": 1},
        {"a": 3, "b": 1, "c": 1},
    ]


def test_a_selection_is_as_of_the_event_too(wait_until: Wait) -> None:
    things = Followed(wait_until, "things", "a")
    queue = following(things)
    things.put("a", {"x": "1"})
    things.put("a", {"x": "2"})
    things.put("b", {"x": "1"})
    seen = [versions(queue, "things", "x=1")]
    while queue.take():
        seen.append(versions(queue, "things", "x=1"))
    assert seen == [{}, {"a": 2}, {}, {"b": 1}]


def test_events_of_several_types_come_in_one_order_and_wake_the_reader(wait_until: Wait) -> None:
    things, others, woken = Followed(wait_until, "things"), Followed(wait_until, "others"), list[int]()
    queue = InformerEvents(lambda: woken.append(1))
    assert queue.follow(things.informer) and queue.follow(others.informer)
    things.put("a")
    others.put("b")
    things.put("a")
    taken = [queue.take() for _ in range(4)]
    assert [(event[0], event[1][0], event[1][1].id) for event in taken if event] == [
        ("things", "created", "a"),
        ("others", "created", "b"),
        ("things", "updated", "a"),
    ]
    assert (taken[3], len(woken)) == (None, 3)


def test_events_of_a_type_that_is_only_read_do_not_wait(wait_until: Wait) -> None:
    things = Followed(wait_until, "things", "a")
    queue = following(things, events=False)
    things.put("a")
    assert queue.take() is None
    assert versions(queue, "things") == {"a": 2}


@pytest.mark.parametrize("events", [True, False])
def test_the_end_of_an_informer_ends_it_and_nothing_seems_to_be_deleted(wait_until: Wait, events: bool) -> None:
    things = Followed(wait_until, "things", "a")
    queue = following(things, events=events)
    things.put("a")
    things.informer.close()
    for read in (queue.take, lambda: queue.find("things", "a"), lambda: queue.items("things")):
        with pytest.raises(Unavailable, match="not followed any more"):
            read()
    assert not InformerEvents(lambda: None).follow(things.informer)


def test_a_reader_that_is_too_far_behind_is_cut_off(wait_until: Wait, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(informer_events, "LONGEST_QUEUE", 3)
    things = Followed(wait_until, "things")
    queue = following(things)
    for id in "abcde":
        things.put(id)
    with pytest.raises(Unavailable, match="too far behind"):
        queue.take()


def test_an_informer_is_held_until_it_is_closed(wait_until: Wait) -> None:
    things = Followed(wait_until, "things")
    queue = following(things, events=False)
    assert things.informer.has_followers
    queue.close()
    assert not things.informer.has_followers


def test_an_informer_selects_what_is_there_in_the_order_of_ids(wait_until: Wait) -> None:
    things = Followed(wait_until, "things")
    for id in "cabd":
        things.put(id, {"x": "1"})
    selector = parse("x in (1)")
    assert [item.id for item in things.informer.items(selector)] == ["a", "b", "c", "d"]
    things.remove("b")
    things.put("c", {"x": "2"})
    assert [item.id for item in things.informer.items(selector)] == ["a", "d"]


def test_the_size_of_an_informer_is_that_of_its_objects(wait_until: Wait) -> None:
    things = Followed(wait_until, "things", "a", "b")
    things.put("a", text="x" * 1000)
    things.put("c")
    things.remove("b")
    assert things.informer.size == sum(len(item) for item in things.informer.items())


def test_closing_an_informer_ends_its_watch(wait_until: Wait) -> None:
    things = Followed(wait_until, "things")
    things.informer.close()
    assert things._watch.cancelled
