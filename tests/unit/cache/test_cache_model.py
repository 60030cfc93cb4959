"""The cache against a model: whatever Omni does and however late its events come, no read shows what was never so.

The model is an Omni of one type that keeps its events back until they are delivered. Objects are made, changed and
destroyed by others and by this process; the watch is cut. Each read is held against all that Omni ever held, against
what was shown before, and against this process's own writes. Time passes only as the model says, also while a read
waits; the bounds that docs/caching.md promises are numbers of this file, so that another bound in the code fails here.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.client import CachedListResult, CachedResources
from omni_gateway.cache.clock import Clock
from omni_gateway.cache.informers import Informers
from omni_gateway.cache.read_record import ReadRecord
from omni_gateway.omni import errors, rpcs
from omni_gateway.omni.large_lists import LargeLists
from omni_gateway.omni.resources import ResourceClient
from omni_gateway.omni.selectors import parse
from omni_gateway.stubs import resources_pb2 as pb
from tests.examples import examples

pytestmark = pytest.mark.slow

TYPE, NAMESPACE = "Clusters.omni.sidero.dev", "default"
IDS = st.sampled_from(["a", "b", "c"])
#: A read waits this long for an event of this process's own write.
OWN_WRITE_SECONDS = 0.5
#: Omni's reads lag behind its writes by less than this.
SETTLED_SECONDS = 2.0
#: After this long an event was lost, and the type is listed anew.
LOST_EVENT_SECONDS = 15.0
#: What a thread may take here, in real seconds.
PATIENCE_SECONDS = 5.0
_CUT = object()


def moment(number: int) -> str:
    return f"2026-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"


class ModelClock(Clock):
    """Time that passes when the model says so, and while a read waits: until the next event comes, or to the end."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.omni: Omni

    def now(self) -> float:
        return self.time

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        self.time = min(self.time + seconds, max(self.time, self.omni.next_arrival))
        self.omni.send_what_has_come()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.omni.applied:
            assert time.monotonic() < deadline, "the events are not applied"
            condition.wait(0.0005)  # releases the lock for the thread that applies them

    def jitter(self, least: float, most: float) -> float:
        return most

    def pass_by(self, seconds: float) -> None:
        end = self.time + seconds
        while self.time < end:
            self.time = min(end, max(self.time, self.omni.next_arrival))
            self.omni.send_what_has_come()
            self.omni.wait_until_applied()


class Omni:
    """All that it holds, all that it ever held, and the events that are still on their way, with when they come."""

    def __init__(self, clock: ModelClock | None = None) -> None:
        self.clock = clock or ModelClock()
        self.clock.omni = self
        self.held: dict[str, str] = {}
        self.ever: set[str] = set()
        self.made = 0
        self.on_the_way: list[tuple[float, str, str]] = []
        #: How long the event of a write takes; without end: until it is delivered.
        self.latency = math.inf
        #: How far reads are behind writes; what was held since when.
        self.lag = 0.0
        self.history: list[tuple[float, dict[str, str]]] = [(0.0, {})]
        self.source: Source | None = None
        self.calls = self.opened = 0
        self.large_lists = LargeLists(1 << 30, 1 << 30)

    def write(self, id: str, version: int, made: int, phase: str = "running") -> None:
        metadata = {"id": id, "version": version, "created": moment(made), "phase": phase, "labels": {"n": str(made)}}
        text = orjson.dumps({"metadata": metadata, "spec": {}}).decode()
        kind = "updated" if id in self.held else "created"
        self.held[id] = text
        self.ever.add(text)
        self.say(kind, text)

    def say(self, kind: str, text: str) -> None:
        self.history.append((self.clock.time, dict(self.held)))
        before = self.on_the_way[-1][0] if self.on_the_way else 0.0
        self.on_the_way.append((max(before, self.clock.time + self.latency), kind, text))

    def create(self, id: str) -> None:
        self.made += 1
        self.write(id, 1, self.made)

    def update(self, id: str, phase: str = "running") -> None:
        metadata = orjson.loads(self.held[id])["metadata"]
        self.write(id, metadata["version"] + 1, self.number_of(metadata), phase)

    @staticmethod
    def number_of(metadata: dict[str, Any]) -> int:
        return int(metadata["labels"]["n"])

    def destroy(self, id: str) -> None:
        self.say("destroyed", self.held.pop(id))

    @property
    def readable(self) -> dict[str, str]:
        """What reads return: what was held a while ago."""
        return next(held for since, held in reversed(self.history) if since <= self.clock.time - self.lag)

    # -- as the client sees it

    def unary(self, rpc: Any, build: Any, metadata: Any = (), **_: Any) -> Any:
        request = build()
        self.calls += 1
        if rpc is rpcs.GET:
            if request.id not in self.readable:
                raise errors.NotFound(grpc.StatusCode.NOT_FOUND, "not there", rpc.name)
            return pb.GetResponse(body=self.readable[request.id])
        if rpc is rpcs.LIST:
            selectors = [parse(text) for name, text in metadata if name == "selectors"]
            texts = [self.readable[id] for id in sorted(self.readable)]
            texts = [text for text in texts if all(each.matches(CachedObject(text).labels) for each in selectors)]
            page = texts[:: -1 if request.sort_descending else 1][request.offset :]
            return pb.ListResponse(items=page[: request.limit or None], total=len(texts))
        return None

    def stream(self, *_: Any, **__: Any) -> Source:
        self.on_the_way = []
        self.opened += 1
        source = Source()
        for text in self.held.values():
            source.send("created", text)
        source.send("bootstrapped", "")
        self.source = source
        return source

    @property
    def next_arrival(self) -> float:
        return self.on_the_way[0][0] if self.on_the_way else math.inf

    def deliver(self, count: int) -> None:
        now, self.on_the_way = self.on_the_way[:count], self.on_the_way[count:]
        for _, kind, text in now:
            assert self.source is not None
            self.source.send(kind, text)

    def send_what_has_come(self) -> None:
        self.deliver(sum(arrival <= self.clock.time for arrival, _, _ in self.on_the_way))

    @property
    def applied(self) -> bool:
        return self.source is not None and self.source.applied == self.source.sent

    def wait_until_applied(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.applied:
            assert time.monotonic() < deadline, "the events are not applied"
            time.sleep(0.0005)


def state_of(text: str) -> tuple[float, int]:
    """Which object of its id it is, and its version."""
    metadata = orjson.loads(text)["metadata"]
    return Omni.number_of(metadata), metadata["version"]


class Source:
    """A watch that ends with an error when it is cut; it counts what was sent, and what the informer has applied."""

    def __init__(self) -> None:
        self._events: queue.Queue[Any] = queue.Queue()
        self.sent = self.applied = 0

    def send(self, kind: str, text: str) -> None:
        self.sent += 1
        self._events.put((kind, text))

    def __iter__(self) -> Iterator[tuple[Any, str]]:
        while (event := self._events.get()) is not _CUT:
            yield event
            self.applied += 1
        raise errors.Unavailable(grpc.StatusCode.UNAVAILABLE, "cut", rpcs.WATCH.name)

    def cancel(self) -> None:
        self._events.put(_CUT)


class CacheAgainstModel(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.clock = ModelClock()
        self.omni = Omni(self.clock)
        self.cache = Informers(lambda *_: self.omni.stream(), lambda: None, self.clock)
        self.client = ResourceClient(self.omni, self.cache)  # type: ignore[arg-type]
        self.shown: dict[str, tuple[float, int]] = {}
        self.ours: dict[str, tuple[float, int]] = {}
        self.answers: dict[str, tuple[ReadRecord, list[str]]] = {}
        self.cache.informer(TYPE, NAMESPACE)
        self.wait_live()

    def teardown(self) -> None:
        self.cache.close()

    def wait_live(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.informer.ready:
            assert time.monotonic() < deadline, "the feed does not begin"
            time.sleep(0.0005)
        self.omni.wait_until_applied()

    @property
    def informer(self) -> Any:
        return self.cache.existing(TYPE, NAMESPACE)

    def reading(self, record: ReadRecord | None = None) -> CachedResources:
        reading = record or ReadRecord()
        return CachedResources(self.omni, self.cache, lambda: reading)  # type: ignore[arg-type]

    # -- others

    @rule(id=IDS)
    def others_make_or_change(self, id: str) -> None:
        self.omni.update(id) if id in self.omni.held else self.omni.create(id)

    @rule(id=IDS)
    def others_destroy(self, id: str) -> None:
        if id in self.omni.held:
            self.omni.destroy(id)

    @rule(count=st.integers(1, 4))
    def events_come(self, count: int) -> None:
        self.omni.deliver(count)
        self.omni.wait_until_applied()

    @rule(seconds=st.sampled_from([0.1, 0.6, 3.0, math.inf]))
    def events_take(self, seconds: float) -> None:
        self.omni.latency = seconds

    @rule(seconds=st.sampled_from([0.1, 0.5, 2.5]))
    def time_passes(self, seconds: float) -> None:
        self.clock.pass_by(seconds)
        self.cache.probe()  # each three seconds; events of one type may be further apart than a probe is valid

    @rule()
    def the_watch_is_cut(self) -> None:
        source = self.omni.source
        assert source is not None
        source.cancel()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.omni.source is source:
            assert time.monotonic() < deadline, "no new watch"
            time.sleep(0.0005)
        self.wait_live()

    @rule(seconds=st.sampled_from([0.0, 0.3, 1.0, 1.9]))
    def omnis_reads_lag(self, seconds: float) -> None:
        self.omni.lag = seconds

    # -- this process

    def wrote(self, id: str) -> None:
        self.ours[id] = state_of(self.omni.held[id])

    def read_before_a_write(self, id: str) -> dict[str, Any]:
        read = self.client.get(TYPE, id)
        read["metadata"]["namespace"], read["metadata"]["type"] = NAMESPACE, TYPE
        return read

    @rule(id=IDS)
    def we_create(self, id: str) -> None:
        # An object that others created and deleted just before would be taken for ours by reads that lag.
        just_now = self.clock.time - SETTLED_SECONDS
        if id not in self.omni.held and not any(id in held for at, held in self.omni.history if at >= just_now):
            self.omni.create(id)
            self.client.create(TYPE, id, {})
            self.wrote(id)

    @precondition(lambda self: self.omni.lag == 0)
    @rule(id=IDS)
    def we_update(self, id: str) -> None:
        if id in self.omni.held:
            read = self.read_before_a_write(id)
            self.omni.update(id)
            self.client.update(read, version=read["metadata"]["version"])
            self.wrote(id)

    @rule(id=IDS)
    def we_update_whatever_version_there_is(self, id: str) -> None:
        if id in self.omni.held:
            self.omni.update(id)
            self.client.update({"metadata": {"id": id, "namespace": NAMESPACE, "type": TYPE}}, version=None)
            self.wrote(id)

    @precondition(lambda self: self.omni.lag == 0)
    @rule(id=IDS)
    def we_destroy(self, id: str) -> None:
        if id in self.omni.held:
            self.client.get(TYPE, id)
            self.omni.destroy(id)
            self.client.delete(TYPE, id)
            self.ours[id] = (self.omni.made + 1, 0)  # whatever is shown of it must be a later one

    @precondition(lambda self: self.omni.lag == 0)
    @rule(id=IDS)
    def we_tear_down(self, id: str) -> None:
        if id in self.omni.held:
            self.client.get(TYPE, id)
            self.omni.update(id, "tearingDown")
            self.client.teardown(TYPE, id)
            self.wrote(id)

    @precondition(lambda self: self.omni.lag == 0)
    @rule(id=IDS)
    def we_remove(self, id: str) -> None:
        self.we_tear_down(id)
        if id in self.omni.held:
            self.omni.destroy(id)
            with pytest.raises(errors.NotFound):
                self.client.get(TYPE, id)
            self.ours[id] = (self.omni.made + 1, 0)

    # -- reads

    def look_at(self, text: str, *, hit: bool = False) -> str:
        """Hold an object against what is known; what Omni itself answers while its reads lag may be older."""
        assert text in self.omni.ever, f"{text} was never so"
        id, now = orjson.loads(text)["metadata"]["id"], state_of(text)
        if self.omni.lag and not hit:
            self.shown[id] = max(now, self.shown.get(id, (0, 0)))
            return str(id)
        assert now >= self.shown.get(id, (0, 0)), "an older state after a newer one"
        assert now >= self.ours.get(id, (0, 0)), "what was before our own write"
        self.shown[id] = now
        return str(id)

    def look_at_absence(self, id: str, *, hit: bool = False) -> None:
        if self.omni.lag and not hit:
            return
        made, version = self.ours.get(id, (0, 0))
        if version > 0 and id in self.omni.held and state_of(self.omni.held[id])[0] == made:
            raise AssertionError("our own object is not shown")
        if id in self.shown:  # that one is gone: only a later one may be shown
            self.shown[id] = (int(self.shown[id][0]) + 0.5, 0)

    def look_at_all(self, texts: list[str], *, hit: bool = False) -> None:
        ids = [self.look_at(text, hit=hit) for text in texts]
        assert ids == sorted(ids)
        for id in {"a", "b", "c"} - set(ids):
            self.look_at_absence(id, hit=hit)

    @contextmanager
    def waits_no_longer_than_promised(self) -> Iterator[None]:
        begun = self.clock.time
        yield
        assert self.clock.time <= begun + OWN_WRITE_SECONDS, "a read waited for too long"

    @rule()
    def a_list_is_read(self) -> None:
        self.read_a_list()

    def read_a_list(self) -> ReadRecord:
        record = ReadRecord()
        with self.waits_no_longer_than_promised():
            listing = self.reading(record).list(TYPE)
        self.wait_live()
        self.look_at_all(list(listing.texts), hit=is_hit(record))
        assert listing.total == len(listing.texts)
        self.answers[""] = record, list(listing.texts)
        return record

    @rule(id=IDS)
    def an_object_is_read(self, id: str) -> None:
        record = ReadRecord()
        try:
            with self.waits_no_longer_than_promised():
                text = self.reading(record).item(TYPE, id).text
        except errors.NotFound:
            self.look_at_absence(id, hit=is_hit(record))
            self.answers[id] = record, []
        else:
            self.look_at(text, hit=is_hit(record))
            self.answers[id] = record, [text]

    @rule(id=IDS)
    def an_object_is_read_afresh(self, id: str) -> None:
        try:
            text = self.reading(ReadRecord(max_age=0)).item(TYPE, id).text
        except errors.NotFound:
            assert id not in self.omni.readable
            self.look_at_absence(id)
        else:
            assert text == self.omni.readable[id]
            self.look_at(text)

    @rule()
    def a_list_is_read_afresh(self) -> None:
        listing = self.reading(ReadRecord(max_age=0)).list(TYPE)
        readable = self.omni.readable
        assert list(listing.texts) == [readable[id] for id in sorted(readable)]
        self.look_at_all(list(listing.texts))

    @rule(id=IDS)
    def a_selection_is_read_afresh(self, id: str) -> None:
        number = int(self.shown.get(id, (1, 0))[0])
        texts = list(self.reading(ReadRecord(max_age=0)).list(TYPE, selectors=[f"n = {number}"]).texts)
        ids = [self.look_at(text) for text in texts]
        if self.omni.lag:
            return
        for id in self.shown.keys() - set(ids):
            if self.shown[id][0] == number:
                self.shown[id] = (number + 0.5, 0)  # it is gone: only a later one may be shown

    @rule(question=st.sampled_from(["", "a", "b", "c"]))
    def an_answer_is_given_again(self, question: str) -> None:
        record, texts = self.answers.get(question, (ReadRecord(), []))
        if not record.dependencies or self.cache.age_of(record.dependencies, None) is None:
            return
        if question == "":
            self.look_at_all(texts, hit=True)
        elif texts:
            self.look_at(texts[0], hit=True)
        else:
            self.look_at_absence(question, hit=True)

    @rule(id=IDS, number=st.integers(1, 9))
    def a_selection_is_read(self, id: str, number: int) -> None:
        listing = self.reading().list(TYPE, selectors=[f"n = {number}"])
        if isinstance(listing, CachedListResult):
            assert all(item.labels["n"] == str(number) for item in listing.page.entries)

    @invariant()
    def once_all_events_came_reads_are_true(self) -> None:
        if hasattr(self, "omni") and not self.omni.on_the_way and not self.omni.lag:
            texts = list(self.reading().list(TYPE).texts)
            self.wait_live()
            assert texts == [self.omni.held[id] for id in sorted(self.omni.held)]

    # -- bounds

    def all_is_known(self) -> None:
        """Every event has come, and no read is forwarded any more."""
        self.omni.lag, self.omni.latency = 0.0, math.inf
        self.events_come(len(self.omni.on_the_way))
        if not is_hit(self.read_a_list()):
            self.time_passes(LOST_EVENT_SECONDS + 0.1)
            self.read_a_list()
            assert is_hit(self.read_a_list())

    @rule(id=IDS, seconds=st.sampled_from([0.05, 0.45]))
    def a_read_waits_for_the_event_of_our_write(self, id: str, seconds: float) -> None:
        self.all_is_known()
        if id in self.omni.held:
            self.omni.latency = seconds
            self.we_update(id)
            begun, calls = self.clock.time, self.omni.calls
            assert is_hit(self.read_a_list())
            assert (self.clock.time, self.omni.calls) == (begun + seconds, calls)

    @rule(id=IDS, lag=st.sampled_from([0.6, 1.9]), seconds=st.sampled_from([0.0, 1.2, 1.8]))
    def our_write_is_not_in_what_omni_reads(self, id: str, lag: float, seconds: float) -> None:
        self.all_is_known()
        if id in self.omni.held:
            self.time_passes(SETTLED_SECONDS)  # so that reads that lag return what the informer has
            self.we_update(id)
            self.omni.lag = lag
            self.time_passes(seconds)
            self.read_a_list()

    @rule(id=IDS)
    def a_write_that_changes_nothing_has_no_event(self, id: str) -> None:
        self.all_is_known()
        if id in self.omni.held:
            read = self.read_before_a_write(id)
            self.client.update(read, version=read["metadata"]["version"])
            self.time_passes(SETTLED_SECONDS + 0.1)
            assert is_hit(self.read_a_list())

    @rule(id=IDS)
    def the_event_of_our_write_is_lost(self, id: str) -> None:
        self.all_is_known()
        if id in self.omni.held:
            opened = self.omni.opened
            self.we_update(id)
            self.omni.on_the_way.clear()
            for _ in range(2):
                self.time_passes(LOST_EVENT_SECONDS / 2 - 0.5)
                assert not is_hit(self.read_a_list())
            assert self.omni.opened == opened, "listed anew too early"
            self.time_passes(1.5)
            self.read_a_list()
            assert is_hit(self.read_a_list())
            assert self.omni.opened == opened + 1


def is_hit(record: ReadRecord) -> bool:
    """Whether informers answered, perhaps after a look at Omni."""
    return bool(record.dependencies) and not record.forward_reasons


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni_gateway.cache.informer._FIRST_PAUSE", 0.001)


def test_what_a_fresh_selection_lacks_is_not_shown_by_a_later_read() -> None:
    story = CacheAgainstModel()
    story.begin()
    story.others_make_or_change("a")
    story.events_come(1)
    story.a_list_is_read()
    story.others_destroy("a")
    story.a_selection_is_read_afresh("a")
    story.a_list_is_read()
    story.teardown()


def test_what_the_watch_tells_of_before_omni_answers_its_create_is_read_from_the_feed(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    story = CacheAgainstModel()
    story.begin()
    answer = story.omni.unary

    def told_before_it_is_answered(rpc: Any, build: Any, **rest: Any) -> Any:
        if rpc is rpcs.CREATE:
            story.omni.create("a")
            story.omni.deliver(1)
            wait_until(lambda: story.informer.find("a")[1])
        return answer(rpc, build, **rest)

    monkeypatch.setattr(story.omni, "unary", told_before_it_is_answered)
    story.client.create(TYPE, "a", {})
    calls = story.omni.calls

    assert is_hit(story.read_a_list())
    assert story.omni.calls == calls + 1  # is it the one that we created?
    story.teardown()


class TestCacheAgainstModel(CacheAgainstModel.TestCase):  # type: ignore[misc]
    settings = settings(
        max_examples=examples(150, fuzz=300),
        derandomize=True,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
