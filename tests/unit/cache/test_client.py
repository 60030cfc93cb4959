"""Which reads informers answer, which are forwarded to Omni and why, and what is recorded of either."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import grpc
import orjson
import pytest

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.client import CachedResources, CachingClient, find_written, informers_of
from omni_gateway.cache.informer import Informer
from omni_gateway.cache.informers import FRESH_SECONDS, SETTLED_SECONDS, Informers
from omni_gateway.cache.pending_writes import AtLeast, Expectation, Gone
from omni_gateway.cache.read_record import ReadRecord
from omni_gateway.omni import OmniClient, OmniConfig, deadline, errors
from omni_gateway.omni.resources import ResourceClient
from omni_gateway.omni.signing import AnonymousSigner

from .test_cache_model import (
    LOST_EVENT_SECONDS,
    NAMESPACE,
    OWN_WRITE_SECONDS,
    TYPE,
    ModelClock,
    Omni,
    moment,
)

KEY = (TYPE, NAMESPACE)


class AskedOmni(Omni):
    """The model's Omni, which keeps the requests that it answered."""

    def __init__(self) -> None:
        super().__init__(ModelClock())
        self.asked: list[Any] = []

    def unary(self, rpc: Any, build: Any, metadata: Any = (), **options: Any) -> Any:
        self.asked.append(build())
        return super().unary(rpc, build, metadata, **options)


class World:
    """An Omni that holds ``a``, ``b`` and ``c``, and a cache of it; events come when a test delivers them."""

    def __init__(self, wait_until: Callable[..., Any]) -> None:
        self.omni = AskedOmni()
        for id in "abc":
            self.omni.create(id)
        self.cache = Informers(lambda *_: self.omni.stream(), lambda: None, self.omni.clock)
        self.writer = ResourceClient(self.omni, self.cache)  # type: ignore[arg-type]
        self.wait_until = wait_until
        self.max_age: float | None = None

    def follow(self) -> Informer:
        """Start the informer, and return it once it has listed all objects."""
        self.cache.informer(TYPE, NAMESPACE)
        self.wait_until(lambda: self.informer.ready and self.omni.applied)
        return self.informer

    @property
    def informer(self) -> Informer:
        informer = self.cache.existing(TYPE, NAMESPACE)
        assert informer is not None
        return informer

    def deliver(self) -> None:
        """Deliver all events that are on their way."""
        self.omni.deliver(len(self.omni.on_the_way))
        self.omni.wait_until_applied()

    def reading(self, record: ReadRecord | None = None) -> CachedResources:
        kept = record or ReadRecord()
        return CachedResources(self.omni, self.cache, lambda: kept)  # type: ignore[arg-type]

    def update(self, id: str) -> None:
        """Update an object by the gateway's own client; its event is on its way then."""
        version = orjson.loads(self.omni.held[id])["metadata"]["version"]
        self.omni.update(id)
        metadata = {"id": id, "namespace": NAMESPACE, "type": TYPE, "created": created_of(self.omni.held[id])}
        self.writer.update({"metadata": metadata}, version=version)

    def pending(self, id: str) -> list[Expectation]:
        return list(self.cache.pending_writes.find(KEY, id))


def created_of(text: str) -> str:
    return str(orjson.loads(text)["metadata"]["created"])


def ids(texts: Any) -> list[str]:
    return [orjson.loads(text)["metadata"]["id"] for text in texts]


@pytest.fixture
def world(wait_until: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("omni_gateway.cache.informer._FIRST_PAUSE", 0.001)
    made = World(wait_until)
    yield made
    made.cache.close()


@pytest.fixture
def followed(world: World) -> World:
    world.follow()
    return world


# -- one object


def test_an_object_is_read_from_the_informer_without_a_call(followed: World) -> None:
    record = ReadRecord()
    followed.omni.clock.pass_by(4.0)

    assert followed.reading(record).get(TYPE, "a") == orjson.loads(followed.omni.held["a"])

    assert followed.omni.calls == 0
    assert (record.is_hit, record.age, record.cache_status) == (True, 4.0, "omni-gateway; hit")


def test_readers_share_one_instance_of_an_object(followed: World) -> None:
    assert followed.reading().item(TYPE, "a") is followed.reading().item(TYPE, "a", NAMESPACE)


def test_an_absent_object_is_answered_as_omni_answers_it(followed: World) -> None:
    with pytest.raises(errors.NotFound) as refusal:
        followed.reading().item(TYPE, "x")

    assert refusal.value.detail == f"resource {TYPE}({NAMESPACE}/x) doesn't exist"
    assert refusal.value.code is grpc.StatusCode.NOT_FOUND
    assert refusal.value.method == "omni.resources.ResourceService/Get"
    assert followed.omni.calls == 0


def test_an_object_of_a_namespace_is_asked_for_in_it(world: World) -> None:
    with pytest.raises(errors.NotFound, match=r"\(elsewhere/x\)"):
        world.reading().item(TYPE, "x", "elsewhere")
    assert world.cache.existing(TYPE, "elsewhere") is not None
    assert world.cache.existing(TYPE, NAMESPACE) is None

    with pytest.raises(errors.NotFound):
        world.reading(ReadRecord(max_age=0)).item(TYPE, "x", "elsewhere")
    assert world.omni.asked[-1].namespace == "elsewhere"


@pytest.mark.parametrize("id", ["a", "x"])
def test_a_response_depends_on_the_object_or_on_its_absence(followed: World, id: str) -> None:
    record = ReadRecord()
    with suppress(errors.NotFound):
        followed.reading(record).item(TYPE, id)
    assert followed.cache.age_of(record.dependencies, None) == 0.0

    followed.omni.update("b")
    followed.deliver()
    assert followed.cache.age_of(record.dependencies, None) == 0.0

    followed.omni.update(id) if id in followed.omni.held else followed.omni.create(id)
    followed.deliver()
    assert followed.cache.age_of(record.dependencies, None) is None


# -- when an informer may not be used


def test_the_first_read_of_a_type_waits_for_its_informer(world: World) -> None:
    record = ReadRecord()
    assert world.reading(record).item(TYPE, "a").text == world.omni.held["a"]
    assert (world.omni.calls, len(record.dependencies)) == (0, 1)
    assert record.forward_reasons == [("uri-miss", "no-informer")]


def test_a_type_without_an_informer_is_read_from_omni(world: World) -> None:
    world.cache.max_size = 0
    record = ReadRecord()
    assert world.reading(record).item(TYPE, "a").text == world.omni.held["a"]
    assert list(world.reading(record).list(TYPE).texts) == list(world.omni.held.values())
    assert record.forward_reasons == [("uri-miss", "no-informer")] * 2
    assert not record.dependencies


def test_while_an_informer_lists_reads_go_to_omni(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Informer, "start", lambda informer: None)
    world.cache.informer(TYPE, NAMESPACE)
    world.omni.stream()  # which nothing reads
    monkeypatch.setattr(world.omni.clock, "wait", lambda *_: setattr(world.omni.clock, "time", 1_010.0))
    record = ReadRecord()
    world.reading(record).item(TYPE, "a")
    assert (record.forward_reasons, world.omni.calls) == ([("uri-miss", "syncing")], 1)


def test_a_whole_list_waits_for_the_objects_that_keep_coming_and_a_part_does_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Informer, "start", lambda informer: None)
    world.cache.informer(TYPE, NAMESPACE)
    world.omni.stream()  # which nothing reads
    patience: list[float] = []
    monkeypatch.setattr(Informer, "wait_for_sync", lambda informer, seconds=0.0: patience.append(seconds))
    with deadline.until(time.monotonic() + 40.0):
        world.reading().list(TYPE)
        world.reading().list(TYPE, limit=1)
        world.reading().list(TYPE, selectors=["a"])
        world.reading().list_cached(TYPE)
        world.reading().item(TYPE, "a")
    assert 0.0 < patience[0] <= 20.0
    assert patience[1:] == [0.0, 0.0, 0.0, 0.0]


def test_after_its_watch_was_cut_a_type_is_read_from_omni_at_once(
    followed: World, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    monkeypatch.setattr("omni_gateway.cache.informer._FIRST_PAUSE", 60.0)
    source, now = followed.omni.source, followed.omni.clock.time
    assert source is not None
    source.cancel()
    wait_until(lambda: not followed.informer.ready)
    record = ReadRecord()
    assert followed.reading(record).item(TYPE, "a").text == followed.omni.held["a"]
    assert record.forward_reasons == [("stale", "watch-interrupted")]
    assert (followed.omni.calls, followed.omni.clock.time) == (1, now)


@pytest.mark.parametrize(
    "read",
    [
        lambda resources: [resources.item(TYPE, "a").text],
        lambda resources: list(resources.list(TYPE).texts),
    ],
    ids=["object", "list"],
)
def test_a_watch_that_is_cut_between_check_and_read_is_noticed(
    followed: World, monkeypatch: pytest.MonkeyPatch, read: Callable[[Any], list[str]]
) -> None:
    record = ReadRecord()
    resources, cut = followed.reading(record), followed.informer
    monkeypatch.setattr(resources, "informer_for", lambda *_: cut)
    cut.close()
    assert followed.omni.held["a"] in read(resources)
    assert (record.forward_reasons, record.dependencies) == ([("stale", "watch-interrupted")], [])


def test_without_a_sign_of_life_a_type_is_read_from_omni(followed: World) -> None:
    followed.omni.clock.pass_by(FRESH_SECONDS + 0.1)
    record = ReadRecord()
    followed.reading(record).item(TYPE, "a")
    assert (record.forward_reasons, followed.omni.calls) == ([("stale", "no-sign-of-life")], 1)


@pytest.mark.parametrize("namespace", ["virtual", "external"])
def test_what_omni_computes_for_each_caller_is_read_from_it(world: World, namespace: str) -> None:
    record = ReadRecord()
    with pytest.raises(errors.NotFound):
        world.reading(record).item(TYPE, "x", namespace)
    assert record.forward_reasons == [("bypass", "computed")]
    assert world.cache.existing(TYPE, namespace) is None


@pytest.mark.parametrize(
    ("max_age", "reasons"),
    [(0, [("request", "no-cache")]), (3.9, [("request", "max-age")]), (4.0, []), (5, []), (None, [])],
)
def test_a_caller_says_how_old_an_answer_may_be(
    followed: World, max_age: float | None, reasons: list[tuple[str, str]]
) -> None:
    followed.omni.clock.pass_by(4.0)
    record = ReadRecord(max_age=max_age)
    followed.reading(record).item(TYPE, "a")
    assert record.forward_reasons == reasons
    assert followed.omni.calls == len(reasons)


# -- lists


@pytest.mark.parametrize(
    ("options", "found", "total"),
    [
        ({}, "abc", 3),
        ({"descending": True}, "cba", 3),
        ({"offset": 1}, "bc", 3),
        ({"limit": 2}, "ab", 3),
        ({"offset": 1, "limit": 1, "descending": True}, "b", 3),
        ({"selectors": ["n = 2"]}, "b", 1),
        ({"selectors": ["n in (1, 2)"], "limit": 1}, "a", 2),
        ({"selectors": ["n = 1", "n = 3"], "descending": True}, "ca", 2),
        ({"sort_by": "id"}, "abc", 3),
    ],
)
def test_a_page_is_read_from_the_informer(followed: World, options: Any, found: str, total: int) -> None:
    record = ReadRecord()
    listed = followed.reading(record).list(TYPE, **options)
    assert (ids(listed.texts), listed.total) == (list(found), total)
    assert [item["metadata"]["id"] for item in listed.items] == list(found)
    assert (followed.omni.calls, record.is_hit) == (0, True)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"selectors": ["= what Omni refuses"]}, "selector"),
        ({"search": ["a"]}, "search"),
        ({"search": ["a"], "sort_by": "created"}, "search"),
        ({"sort_by": "created", "descending": True}, "sort"),
    ],
)
def test_what_only_omni_knows_the_rules_of_is_read_from_it(
    followed: World, monkeypatch: pytest.MonkeyPatch, options: Any, reason: str
) -> None:
    asked: list[tuple[Any, Any, Any]] = []

    def unary(rpc: Any, build: Any, metadata: Any = (), timeout: float | None = None) -> Any:
        asked.append((build(), dict(metadata).get("selectors"), timeout))
        return type("Answer", (), {"items": [followed.omni.held["b"]], "total": 7})

    monkeypatch.setattr(followed.omni, "unary", unary)
    record = ReadRecord()
    listed = followed.reading(record).list(TYPE, timeout=9.0, **options)
    assert (ids(listed.texts), listed.total) == (["b"], 7)
    assert record.forward_reasons == [("bypass", reason)]
    ((request, selectors, timeout),) = asked
    assert (request.type, request.sort_by_field, list(request.search_for), selectors, timeout) == (
        TYPE,
        options.get("sort_by", ""),
        options.get("search", []),
        next(iter(options.get("selectors", [])), None),
        9.0,
    )


def test_a_list_depends_on_all_objects_of_its_type(followed: World) -> None:
    record = ReadRecord()
    followed.reading(record).list(TYPE, selectors=["n = 1"])
    assert followed.cache.age_of(record.dependencies, None) == 0.0
    followed.omni.update("c")
    followed.deliver()
    assert followed.cache.age_of(record.dependencies, None) is None


# -- a direct read, compared with the informer


def fresh() -> ReadRecord:
    return ReadRecord(max_age=0)


def test_a_fresh_read_of_what_the_informer_has_is_the_informers_instance(followed: World) -> None:
    assert followed.reading(fresh()).item(TYPE, "a") is followed.informer.find("a")[1]
    listed = followed.reading(fresh()).list(TYPE)
    assert [item is followed.informer.find(item.id)[1] for item in listed.page.entries] == [True] * 3  # type: ignore[attr-defined]
    assert (followed.omni.calls, followed.cache.pending_writes.any(KEY)) == (2, False)


def test_a_fresh_read_is_omnis_answer_and_no_later_read_goes_behind_it(followed: World) -> None:
    followed.omni.update("a")
    began = followed.omni.clock.time
    item = followed.reading(fresh()).item(TYPE, "a")
    assert item.text == followed.omni.held["a"]
    assert followed.pending("a") == [AtLeast(began, began, began, moment(1), 2)]

    record = ReadRecord()
    assert followed.reading(record).item(TYPE, "a").text == followed.omni.held["a"]
    assert record.forward_reasons == [("stale", "pending-write")]


def test_a_fresh_read_while_the_informer_is_interrupted_is_recorded_too(
    followed: World, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    monkeypatch.setattr("omni_gateway.cache.informer._FIRST_PAUSE", 60.0)
    assert followed.omni.source is not None
    followed.omni.source.cancel()
    wait_until(lambda: not followed.informer.ready)
    followed.omni.update("a")
    followed.reading(fresh()).item(TYPE, "a")
    followed.omni.create("new")
    followed.reading(fresh()).item(TYPE, "new")
    assert len(followed.pending("a")) == len(followed.pending("new")) == 1
    assert list(followed.reading(fresh()).list(TYPE).texts) == [followed.omni.held[id] for id in ("a", "b", "c", "new")]


def test_a_fresh_list_records_what_is_newer_in_it(followed: World) -> None:
    followed.omni.update("a")
    followed.omni.create("new")
    now = followed.omni.clock.time
    listed = followed.reading(fresh()).list(TYPE)

    assert list(listed.texts) == [followed.omni.held[id] for id in ("a", "b", "c", "new")]
    assert {id: followed.pending(id) for id in ("a", "b", "c", "new")} == {
        "a": [AtLeast(now, now, now, moment(1), 2)],
        "b": [],
        "c": [],
        "new": [AtLeast(now, now, now, moment(4), 1)],
    }


def test_a_fresh_list_that_is_older_than_the_informer_records_nothing(followed: World) -> None:
    followed.omni.clock.pass_by(1.0)
    followed.omni.lag = 0.5
    followed.omni.update("a")
    followed.deliver()
    older = followed.reading(fresh()).list(TYPE)
    assert orjson.loads(older.texts[0])["metadata"]["version"] == 1
    assert not followed.cache.pending_writes.any(KEY)


def test_what_a_fresh_list_lacks_was_deleted(followed: World) -> None:
    followed.omni.destroy("b")
    now = followed.omni.clock.time
    assert ids(followed.reading(fresh()).list(TYPE).texts) == ["a", "c"]
    assert followed.pending("b") == [Gone(now, now, now, moment(2)), AtLeast(now, now, now, moment(2), 2)]
    assert not followed.pending("a") and not followed.pending("c")


def test_what_a_page_of_several_lacks_may_be_on_another_one(followed: World) -> None:
    followed.omni.create("aa")
    assert ids(followed.reading(fresh()).list(TYPE, limit=2).texts) == ["a", "aa"]
    assert followed.pending("aa") and not followed.pending("b") and not followed.pending("c")


def test_what_a_fresh_selection_lacks_has_other_labels_or_was_deleted(followed: World) -> None:
    followed.omni.destroy("b")
    now = followed.omni.clock.time
    assert ids(followed.reading(fresh()).list(TYPE, selectors=["n = 2"]).texts) == []
    assert followed.pending("b") == [AtLeast(now, now, now, moment(2), 2)]
    assert not followed.pending("a") and not followed.pending("c")


def test_a_later_page_tells_nothing_of_the_objects_before_it(followed: World) -> None:
    followed.omni.update("c")
    followed.reading(fresh()).list(TYPE, offset=2)
    assert followed.pending("c") and not followed.pending("a") and not followed.pending("b")


@pytest.mark.parametrize("also_changed", [False, True])
def test_an_expected_object_that_omni_does_not_list_was_deleted(followed: World, also_changed: bool) -> None:
    followed.omni.create("new")
    followed.reading(fresh()).item(TYPE, "new")
    followed.omni.destroy("new")
    if also_changed:
        followed.omni.update("a")
    followed.omni.clock.pass_by(0.1)
    now = followed.omni.clock.time
    followed.reading(fresh()).list(TYPE)
    assert Gone(now, now, now, moment(4)) in followed.pending("new")


def test_a_list_that_equals_the_informer_settles_what_no_event_can_meet(followed: World) -> None:
    update_that_changes_nothing(followed, "a")
    assert followed.pending("a")
    followed.omni.clock.pass_by(SETTLED_SECONDS)
    followed.reading(fresh()).list(TYPE)
    assert not followed.pending("a")


@pytest.mark.parametrize("options", [{"limit": 2}, {"selectors": ["n in (1, 2, 3)"]}, {"offset": 0, "limit": 1}])
def test_a_part_of_a_list_settles_nothing(followed: World, options: Any) -> None:
    update_that_changes_nothing(followed, "a")
    followed.omni.clock.pass_by(SETTLED_SECONDS)
    followed.reading(fresh()).list(TYPE, **options)
    assert followed.pending("a")


def test_a_list_before_omnis_reads_show_a_write_does_not_settle_it(followed: World) -> None:
    update_that_changes_nothing(followed, "a")
    followed.omni.clock.pass_by(SETTLED_SECONDS - 0.1)
    followed.reading(fresh()).list(TYPE)
    assert followed.pending("a")


def update_that_changes_nothing(world: World, id: str) -> None:
    """Update an object with what it holds already: Omni sends no event of it."""
    metadata = {"id": id, "namespace": NAMESPACE, "type": TYPE, "created": created_of(world.omni.held[id])}
    world.writer.update({"metadata": metadata}, version=1)


# -- own writes


def test_a_read_waits_for_the_event_of_an_own_write(followed: World) -> None:
    followed.omni.latency = OWN_WRITE_SECONDS - 0.1
    began = followed.omni.clock.time
    followed.update("a")
    record = ReadRecord()
    assert followed.reading(record).item(TYPE, "a").text == followed.omni.held["a"]
    assert (followed.omni.clock.time, record.forward_reasons) == (pytest.approx(began + 0.4), [])
    assert not followed.pending("a")


def test_a_read_waits_once_for_all_own_writes(followed: World) -> None:
    began = followed.omni.clock.time
    for id in "abc":
        followed.update(id)
    record = ReadRecord()
    followed.reading(record).list(TYPE)
    assert followed.omni.clock.time == pytest.approx(began + OWN_WRITE_SECONDS)
    assert record.forward_reasons == [("stale", "pending-write")]

    followed.reading().list(TYPE)
    assert followed.omni.clock.time == pytest.approx(began + OWN_WRITE_SECONDS)


def test_a_write_that_changed_nothing_is_read_back_once_omnis_reads_show_it(followed: World) -> None:
    update_that_changes_nothing(followed, "a")
    record = ReadRecord()
    followed.reading(record).item(TYPE, "b")
    assert record.forward_reasons == [("stale", "pending-write")]

    followed.omni.clock.pass_by(SETTLED_SECONDS)
    calls, record = followed.omni.calls, ReadRecord()
    followed.reading(record).item(TYPE, "b")
    assert (record.forward_reasons, followed.omni.calls) == ([], calls + 1)
    assert not followed.pending("a")


def test_a_write_whose_result_is_unknown_is_read_back_without_waiting(followed: World) -> None:
    followed.omni.create("new")
    followed.writer.create(TYPE, "new", {})
    began, calls = followed.omni.clock.time, followed.omni.calls
    followed.deliver()
    record = ReadRecord()
    followed.reading(record).item(TYPE, "new")
    assert (record.forward_reasons, followed.omni.calls) == ([], calls + 1)
    assert followed.omni.clock.time == began


def test_what_is_read_back_and_newer_is_waited_for(followed: World) -> None:
    followed.omni.create("new")
    followed.writer.create(TYPE, "new", {})
    followed.omni.update("new")
    followed.omni.deliver(1)
    followed.omni.wait_until_applied()
    now, record = followed.omni.clock.time, ReadRecord()
    followed.reading(record).item(TYPE, "a")
    assert record.forward_reasons == [("stale", "pending-write")]
    assert followed.pending("new") == [AtLeast(now, now, now, moment(4), 2)]


def test_what_was_deleted_meanwhile_is_read_back_as_gone(followed: World) -> None:
    update_that_changes_nothing(followed, "a")
    followed.omni.destroy("a")
    record = ReadRecord()
    with pytest.raises(errors.NotFound):
        followed.reading(record).item(TYPE, "a")
    assert record.forward_reasons == [("stale", "pending-write")]
    assert any(isinstance(each, Gone) for each in followed.pending("a"))


def test_a_lost_event_has_the_type_listed_anew_and_not_before_its_time(followed: World) -> None:
    followed.update("a")
    followed.omni.on_the_way.clear()
    followed.omni.clock.pass_by(LOST_EVENT_SECONDS)
    followed.cache.probe()
    followed.reading().item(TYPE, "b")
    assert (followed.omni.opened, followed.informer.ready) == (1, True)

    followed.omni.clock.pass_by(0.1)
    followed.reading().item(TYPE, "b")
    followed.wait_until(lambda: followed.omni.opened == 2 and followed.informer.ready and followed.omni.applied)
    followed.cache.probe()
    record = ReadRecord()
    assert followed.reading(record).item(TYPE, "a").text == followed.omni.held["a"]
    assert record.forward_reasons == []


def test_the_event_of_a_deletion_shows_an_own_update_before_it(followed: World) -> None:
    followed.update("a")
    followed.omni.destroy("a")
    followed.deliver()
    calls, record = followed.omni.calls, ReadRecord()
    followed.reading(record).item(TYPE, "b")
    assert (followed.omni.calls, record.is_hit) == (calls, True)


def test_after_a_relist_followers_get_the_difference(followed: World) -> None:
    seen: list[Any] = []
    followed.informer.follow(lambda event: seen.append(event and (event[0], event[1].id, event[2] and event[2].id)))
    followed.omni.update("a")
    followed.omni.destroy("b")
    followed.omni.create("new")
    source = followed.omni.source
    assert source is not None
    source.cancel()
    followed.wait_until(lambda: followed.informer.relists == 2)
    assert seen == [("destroyed", "b", "b"), ("updated", "a", "a"), ("created", "new", None)]


# -- the informers of a client, for watches


def clients(world: World) -> tuple[CachingClient, CachingClient]:
    """Return a client that owns the world's cache, which makes no call here, and one that reads for a request."""
    owner = CachingClient(OmniConfig("http://127.0.0.1:9", insecure=True))
    owner.cache = world.cache
    return owner, owner.reading(lambda: ReadRecord(max_age=world.max_age))


def test_a_request_watches_the_informers_of_the_types_that_it_needs(followed: World) -> None:
    _, reading = clients(followed)
    assert informers_of(reading, [(TYPE, NAMESPACE), (TYPE, NAMESPACE)]) == [followed.informer, followed.informer]
    assert informers_of(reading, []) == []


def test_a_request_watches_no_informer_where_one_of_several_may_not_be_used(followed: World) -> None:
    owner, reading = clients(followed)
    assert informers_of(owner, [(TYPE, NAMESPACE)]) is None
    assert informers_of(owner.only_reading(), []) is None
    assert informers_of(reading, [(TYPE, NAMESPACE), (TYPE, "virtual")]) is None
    followed.max_age = 0
    assert informers_of(reading, [(TYPE, NAMESPACE)]) is None


# -- an object that was just written


def found(world: World, id: str, created: Any = None) -> CachedObject | None:
    return find_written(clients(world)[0], TYPE, id, NAMESPACE, created)


def test_an_update_is_answered_from_its_event_without_a_call(followed: World) -> None:
    followed.omni.latency = 0.09
    followed.update("a")
    calls = followed.omni.calls
    item = found(followed, "a")
    assert item is not None and item.text == followed.omni.held["a"]
    assert followed.omni.calls == calls


def test_an_event_that_is_late_is_not_waited_for(followed: World) -> None:
    followed.omni.latency, began = 0.2, followed.omni.clock.time
    followed.update("a")
    assert found(followed, "a") is None
    assert followed.omni.clock.time == pytest.approx(began + 0.1)


def test_a_create_is_answered_from_its_event_if_that_has_what_was_written(followed: World) -> None:
    followed.omni.latency = 0.05
    followed.omni.create("new")
    followed.writer.create(TYPE, "new", {}, labels={"n": "4"})
    item = found(followed, "new", {"metadata": {"labels": {"n": "4"}}})
    assert item is not None and item.text == followed.omni.held["new"]
    assert found(followed, "new", {"metadata": {"labels": {"n": "5"}}}) is None
    assert found(followed, "new") is None  # of an update: what Omni made of it is not known


def test_an_object_that_was_deleted_meanwhile_is_not_found(followed: World) -> None:
    followed.omni.latency = 0.01
    followed.update("a")
    followed.omni.destroy("a")
    assert found(followed, "a") is None


def test_nothing_is_found_where_nothing_was_written_or_no_informer_is_current(followed: World) -> None:
    assert found(followed, "a") is None
    followed.update("a")
    followed.deliver()
    followed.omni.clock.pass_by(FRESH_SECONDS + 0.1)
    assert found(followed, "a") is None
    followed.cache.probe()
    assert found(followed, "a") is not None


def test_a_client_with_an_identity_of_its_own_finds_nothing_in_the_cache(followed: World) -> None:
    followed.update("a")
    followed.deliver()
    owner, reading = clients(followed)
    other = owner.acting_as(AnonymousSigner())
    assert find_written(other, TYPE, "a", NAMESPACE, None) is None
    assert find_written(OmniClient(owner.config), TYPE, "a", NAMESPACE, None) is None
    assert find_written(reading, TYPE, "a", NAMESPACE, None) is not None
