"""One type's informer: what it has after each event, how long it is waited for, and what follows the end of a watch.

The informer reads its watches in the test's own thread, so that each step of a test follows the one before it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc
import orjson
import pytest

from omni_gateway.cache import informer as module
from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.clock import Clock
from omni_gateway.cache.informer import SYNC_SECONDS, Informer
from omni_gateway.cache.pending_writes import AtLeast, Expectation, Gone
from omni_gateway.omni import errors
from omni_gateway.omni.selectors import parse

Event = tuple[str, str]
Step = Event | Callable[[], Any] | Exception
CREATED, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"
BOOTSTRAPPED: Event = ("bootstrapped", "")


def text(id: str, version: int = 1, **labels: str) -> str:
    metadata = {"id": id, "version": version, "created": CREATED, "labels": labels}
    return orjson.dumps({"metadata": metadata, "spec": {}}).decode()


def created(id: str, version: int = 1, **labels: str) -> Event:
    return "created", text(id, version, **labels)


def updated(id: str, version: int, **labels: str) -> Event:
    return "updated", text(id, version, **labels)


def destroyed(id: str) -> Event:
    return "destroyed", text(id)


def error(code: grpc.StatusCode, kind: type[errors.OmniError]) -> errors.OmniError:
    return kind(code, "as the test says", "omni.resources.ResourceService/Watch")


CUT = error(grpc.StatusCode.UNAVAILABLE, errors.Unavailable)
REFUSED = error(grpc.StatusCode.PERMISSION_DENIED, errors.PermissionDenied)


class SteppedClock(Clock):
    """Time that passes as the test says, and to the end of each wait unless the test has something happen in it."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.while_waiting: Callable[[], object] | None = None
        self.draws_least = False

    def now(self) -> float:
        return self.time

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        if self.while_waiting is None:
            self.time += seconds
        else:
            self.while_waiting()

    def jitter(self, least: float, most: float) -> float:
        return least if self.draws_least else most

    def pass_by(self, seconds: float) -> None:
        self.time += seconds


class Pauses(threading.Condition):
    """The condition of an informer, with the pauses between its watches; these take no time."""

    def __init__(self, lock: Any) -> None:
        super().__init__(lock)
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return True


class Watch:
    """A watch that delivers the events among its steps, calls the functions and records what they return."""

    def __init__(self, steps: Sequence[Step], results: list[Any]) -> None:
        self._steps = steps
        self._results = results
        self.cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1

    def __iter__(self) -> Iterator[Any]:
        for step in self._steps:
            if self.cancelled:
                return
            if isinstance(step, Exception):
                raise step
            if callable(step):
                self._results.append(step())
            else:
                yield step


class LateWatch(Watch):
    """A watch that still delivers what it has received before it was cancelled."""

    def cancel(self) -> None: ...


class World:
    """An informer, and the watches that it has been given."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self.watches: list[Watch] = []
        self.seen: list[Any] = []
        self.informer = Informer("Things", "default", self._open, self.clock)
        self.pauses = self.informer._changed = Pauses(self.informer._lock)

    def run(self, *watches: Sequence[Step]) -> list[Any]:
        """Read one watch after another, then close the informer; return what the functions among the steps returned."""
        self._coming = list(watches)
        self._results: list[Any] = []
        self.informer._run()
        return self._results

    def _open(self) -> Watch:
        if not self._coming:
            self.informer.close()
        self.watches.append(Watch(self._coming.pop(0) if self._coming else [], self._results))
        return self.watches[-1]

    def follow(self) -> Callable[[], None] | None:
        """Have each change noted in ``seen``."""
        return self.informer.follow(lambda event: self.seen.append(event and named(event)))

    def versions(self) -> dict[str, int] | None:
        """Return the versions of a snapshot by id, in its order; None without one."""
        snapshot = self.informer.snapshot()
        return {item.id: item.version for item in snapshot.items} if snapshot is not None else None

    def find(self) -> tuple[bool, int | None]:
        ready, item = self.informer.find("a")
        return ready, item.version if item is not None else None

    def items(self, selector: str = "") -> list[str]:
        return [item.id for item in self.informer.items(parse(selector) if selector else None)]

    def met(self, expected: Expectation) -> bool:
        return self.informer.met("a", expected)

    def wait_for_sync(self, patience: float = 0.0) -> tuple[bool, float]:
        """Return what a wait for the first bootstrap returns, and how long it takes."""
        began = self.clock.time
        return self.informer.wait_for_sync(patience), self.clock.time - began

    def wait_for(self, *expected: Expectation, seconds: float = 1.0) -> tuple[bool, float]:
        began = self.clock.time
        return self.informer.wait_for("a", expected, began + seconds), self.clock.time - began


def named(event: tuple[str, CachedObject, CachedObject | None]) -> tuple[str, str, int, int | None]:
    kind, item, old = event
    return kind, item.id, item.version, old.version if old is not None else None


def at_least(version: int, sent_at: float = 1_000.0, known_at: float = 1_000.0) -> AtLeast:
    return AtLeast(sent_at, known_at, known_at, CREATED, version)


def gone(sent_at: float = 1_000.0, known_at: float = 1_000.0) -> Gone:
    return Gone(sent_at, known_at, known_at, CREATED)


@pytest.fixture
def world() -> World:
    return World()


# -- what it has


def test_before_all_objects_are_listed_none_is_shown_and_nobody_follows(world: World) -> None:
    seen = world.run([created("a"), world.versions, world.find, world.items, world.follow, BOOTSTRAPPED, world.find])
    assert seen == [None, (False, None), [], None, (True, 1)]
    assert world.seen == []


def test_what_changes_while_objects_are_listed_is_in_the_list(world: World) -> None:
    bootstrap = [
        created("b"),
        created("c"),
        created("a"),
        destroyed("c"),
        destroyed("x"),
        updated("a", 2),
        BOOTSTRAPPED,
    ]
    assert world.run([*bootstrap, world.versions, world.items]) == [{"a": 2, "b": 1}, ["a", "b"]]


def test_each_event_changes_one_object_and_followers_get_it_with_its_former_version(world: World) -> None:
    events = [created("c"), created("a"), updated("b", 2), destroyed("c"), destroyed("never there"), created("d")]
    steps = [step for event in events for step in (event, world.versions)]

    states = world.run([created("b"), BOOTSTRAPPED, world.follow, *steps])

    assert [list(state.items()) for state in states[1:]] == [
        [("b", 1), ("c", 1)],
        [("a", 1), ("b", 1), ("c", 1)],
        [("a", 1), ("b", 2), ("c", 1)],
        [("a", 1), ("b", 2)],
        [("a", 1), ("b", 2)],
        [("a", 1), ("b", 2), ("d", 1)],
    ]
    assert world.seen == [
        ("created", "c", 1, None),
        ("created", "a", 1, None),
        ("updated", "b", 2, 1),
        ("destroyed", "c", 1, 1),
        ("destroyed", "never there", 1, None),
        ("created", "d", 1, None),
        None,
    ]


def test_a_second_end_of_the_bootstrap_changes_nothing(world: World) -> None:
    seen = world.run(
        [created("a"), BOOTSTRAPPED, created("b"), BOOTSTRAPPED, world.versions, created("c"), world.versions]
    )
    assert seen == [{"a": 1, "b": 1}, {"a": 1, "b": 1, "c": 1}]
    assert world.informer.relists == 1


def test_a_snapshot_is_the_same_until_something_changes(world: World) -> None:
    taken: list[Any] = []

    def take() -> tuple[bool, ...]:
        taken.append(world.informer.snapshot())
        return tuple(map(world.informer.shows, taken))

    seen = world.run([created("a"), BOOTSTRAPPED, take, take, updated("a", 2), take, destroyed("a"), take])
    assert seen == [(True,), (True, True), (False, False, True), (False, False, False, True)]
    assert not world.informer.shows(taken[-1])  # the informer is closed


def test_a_snapshot_is_selected_from_as_it_was(world: World) -> None:
    taken: list[Any] = []

    def take() -> None:
        taken.append(world.informer.snapshot())
        taken[-1].select([parse("x = 1")])  # so that the label is indexed

    def select() -> list[list[tuple[str, int]]]:
        return [[(item.id, item.version) for item in each.select([parse("x = 1")])] for each in taken]

    changes = [updated("a", 2, x="2"), created("c", x="1"), destroyed("b")]
    (*_, seen) = world.run([created("b", x="1"), created("a", x="1"), BOOTSTRAPPED, take, *changes, take, select])
    assert seen == [[("a", 1), ("b", 1)], [("c", 1)]]


def test_a_selection_follows_the_labels_also_through_a_new_list(world: World) -> None:
    def select() -> list[str]:
        return world.items("x = 1")

    first = [created("b", x="1"), created("a", x="1"), created("c", x="2"), BOOTSTRAPPED, select]
    second = [created("a", x="2"), created("c", x="1"), BOOTSTRAPPED, select]
    assert world.run([*first, updated("c", 2, x="1"), select], second) == [["a", "b"], ["a", "b", "c"], ["c"]]


def test_its_size_is_that_of_the_objects_that_it_has(world: World) -> None:
    def sizes() -> tuple[int, int]:
        return world.informer.size, sum(len(item) for item in world.informer.items())

    events = [updated("a", 2, more="text" * 50), created("c"), destroyed("b"), destroyed("never there")]
    steps = [step for event in events for step in (event, sizes)]
    seen = world.run([created("a"), created("b"), BOOTSTRAPPED, sizes, *steps], [created("d"), BOOTSTRAPPED, sizes])
    assert all(size == counted > 0 for size, counted in seen), seen


def test_objects_that_are_alike_take_a_fraction_of_their_texts(world: World) -> None:
    alike = {f"label-{number}": "of a machine" for number in range(100)}
    listed = [created(f"machine-{number}", **alike) for number in range(20)]
    changed = [updated(f"machine-{number}", 2, **alike) for number in range(20)]

    sizes = world.run([*listed, BOOTSTRAPPED, lambda: world.informer.size, *changed, lambda: world.informer.size])

    assert max(sizes) < sum(len(sent) for _, sent in listed) / 2


def test_each_event_is_a_sign_of_life(world: World) -> None:
    def later() -> float:
        world.clock.pass_by(3.0)
        return world.informer.last_event_at

    assert world.run([created("a"), later, BOOTSTRAPPED, later, updated("a", 2), later]) == [1_000.0, 1_003.0, 1_006.0]


# -- after the end of a watch


def test_while_there_is_no_watch_nothing_is_read_and_what_there_was_is_remembered(world: World) -> None:
    second = [
        world.versions,
        world.find,
        world.items,
        world.follow,
        created("b"),
        BOOTSTRAPPED,
        world.find,
        world.items,
    ]
    seen = world.run([created("a"), BOOTSTRAPPED, CUT], second)
    assert seen == [None, (False, 1), ["a"], None, (True, None), ["b"]]


def test_followers_get_the_difference_that_a_new_list_makes(world: World) -> None:
    first = [created("a"), created("b"), created("c"), BOOTSTRAPPED, world.follow, CUT]
    second = [created("d"), created("a", 2), created("c"), lambda: world.seen[:], BOOTSTRAPPED, lambda: world.seen[:]]
    (_, during, after) = world.run(first, second)
    assert during == []
    assert after == [("destroyed", "b", 1, 1), ("created", "d", 1, None), ("updated", "a", 2, 1)]


def test_pauses_grow_to_five_seconds_and_start_over_after_a_watch_that_has_listed(world: World) -> None:
    world.run(*[[CUT]] * 6, [BOOTSTRAPPED, CUT], [CUT], [])
    assert world.pauses.seconds == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 0.5, 1.0, 2.0]


def test_pauses_are_random_so_that_workers_do_not_list_at_once(world: World) -> None:
    world.clock.draws_least = True
    world.run(*[[CUT]] * 6, [BOOTSTRAPPED, CUT], [CUT], [])
    assert world.pauses.seconds == [0.5, 1.0, 2.0, 2.5, 2.5, 2.5, 0.0, 0.5, 1.0]


def test_a_type_that_is_listed_anew_on_demand_is_not_waited_for_longer(world: World) -> None:
    world.run([BOOTSTRAPPED, world.informer.relist], [])
    assert world.pauses.seconds[0] == 0.5


def test_a_random_pause_is_within_its_bounds() -> None:
    drawn = [Clock().jitter(0.5, 1.0) for _ in range(100)]
    assert 0.5 <= min(drawn) < max(drawn) <= 1.0


@pytest.mark.parametrize(
    "ended",
    [
        CUT,
        error(grpc.StatusCode.CANCELLED, errors.Cancelled),
        error(grpc.StatusCode.RESOURCE_EXHAUSTED, errors.ResourceExhausted),
        RuntimeError("a defect"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_watch_that_could_not_be_kept_is_opened_again(world: World, ended: Exception) -> None:
    assert world.run([ended], [created("a"), BOOTSTRAPPED, world.versions]) == [{"a": 1}]
    assert world.informer.unwatchable is None


def test_a_defect_is_logged_with_the_type(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.run([RuntimeError("a defect")])
    assert [(each.getMessage(), bool(each.exc_info)) for each in of_informers(caplog, logging.ERROR)] == [
        ("the watch of Things failed", True)
    ]


def of_informers(caplog: pytest.LogCaptureFixture, level: int) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == module.__name__ and record.levelno >= level]


@pytest.mark.parametrize("refusal", [REFUSED, error(grpc.StatusCode.RESOURCE_EXHAUSTED, errors.MessageTooLarge)])
def test_a_type_that_omni_lets_nobody_watch_is_given_up(world: World, refusal: errors.OmniError) -> None:
    world.run([refusal])
    assert (world.informer.unwatchable, len(world.watches), world.pauses.seconds) == (refusal, 1, [])
    assert world.wait_for_sync() == (False, 0.0)


def test_a_type_that_could_be_watched_before_is_not_given_up(world: World) -> None:
    seen = world.run([created("a"), BOOTSTRAPPED, REFUSED], [REFUSED], [created("b"), BOOTSTRAPPED, world.versions])
    assert (seen, world.informer.unwatchable) == ([{"b": 1}], None)


def test_a_type_is_listed_anew_on_demand(world: World) -> None:
    def relist() -> bool:
        world.informer.relist()
        world.informer.relist()  # on its way already
        return world.informer.ready

    seen = world.run(
        [created("a"), relist, BOOTSTRAPPED, relist, created("c")], [created("b"), BOOTSTRAPPED, world.versions]
    )
    assert seen == [False, False, {"b": 1}]
    assert [watch.cancelled for watch in world.watches] == [1, 1, 1]


# -- waits


def test_the_first_list_is_waited_for_no_longer_than_is_promised(world: World) -> None:
    assert world.wait_for_sync() == (False, SYNC_SECONDS)
    # Counted from the start of the informer: a later read does not wait again.
    assert world.wait_for_sync() == (False, 0.0)


def test_a_patient_wait_goes_on_while_objects_keep_coming(world: World) -> None:
    arrivals = iter([1.5, 1.5, 1.5, 1.5])

    def object_comes() -> None:
        world.clock.pass_by(next(arrivals))
        world.informer.last_event_at = world.clock.time

    world.clock.while_waiting = object_comes
    with pytest.raises(StopIteration):  # it would have waited on after six seconds
        world.informer.wait_for_sync(60.0)


def test_a_patient_wait_ends_when_no_more_objects_come(world: World) -> None:
    world.clock.pass_by(5.0)
    world.informer.last_event_at = world.clock.time - 0.5
    assert world.wait_for_sync(60.0) == (False, SYNC_SECONDS - 0.5)


def test_a_patient_wait_ends_at_its_bound(world: World) -> None:
    world.clock.pass_by(5.0)
    world.informer.last_event_at = world.clock.time
    assert world.wait_for_sync(1.0) == (False, 1.0)


def test_a_wait_for_the_first_list_ends_with_it(world: World) -> None:
    seen = world.run([created("a"), BOOTSTRAPPED, world.wait_for_sync, CUT], [world.wait_for_sync])
    # After an interruption reads are forwarded, not delayed.
    assert seen == [(True, 0.0), (False, 0.0)]


def test_a_wait_for_the_first_list_ends_when_the_informer_is_closed(world: World) -> None:
    world.clock.while_waiting = world.informer.close
    assert world.wait_for_sync() == (False, 0.0)


def test_what_is_there_already_is_not_waited_for(world: World) -> None:
    seen = world.run([created("a", 2), BOOTSTRAPPED, lambda: world.wait_for(at_least(1), at_least(2)), world.wait_for])
    assert seen == [(True, 0.0), (True, 0.0)]


def test_all_that_is_expected_of_an_object_is_waited_for_until_the_deadline(world: World) -> None:
    seen = world.run([created("a", 2), BOOTSTRAPPED, lambda: world.wait_for(at_least(2), at_least(3), seconds=0.5)])
    assert seen == [(False, 0.5)]


def test_a_wait_ends_when_the_informer_is_not_ready_any_more(world: World) -> None:
    def cut_while_waiting() -> tuple[bool, float]:
        world.clock.while_waiting = world.informer.relist
        return world.wait_for(at_least(9))

    seen = world.run([created("a"), lambda: world.wait_for(at_least(1)), BOOTSTRAPPED, cut_while_waiting])
    assert seen == [(False, 0.0), (False, 0.0)]


@pytest.mark.parametrize("step", [updated("a", 2), CUT], ids=["by the event", "by the end of the watch"])
def test_a_reader_that_waits_is_woken(step: Step, wait_until: Callable[..., Any]) -> None:
    """In threads, by the clock of the process: a reader that is not notified waits for a minute."""
    go_on, stay, result = threading.Event(), threading.Event(), list[bool]()
    watches = [Watch([created("a"), BOOTSTRAPPED, go_on.wait, step, stay.wait], []), Watch([stay.wait], [])]
    informer = Informer("Things", "default", lambda: watches.pop(0))
    informer.start()
    wait_until(lambda: informer.ready)
    deadline = informer._clock.now() + 60
    expected = [at_least(2, known_at=deadline)]
    reader = threading.Thread(target=lambda: result.append(informer.wait_for("a", expected, deadline)), daemon=True)
    reader.start()
    wait_until(lambda: informer._changed._waiters)  # type: ignore[attr-defined]

    go_on.set()
    reader.join(20)

    assert result == [step is not CUT]
    informer.close()
    stay.set()


# -- what is expected of an object


def test_an_expectation_is_met_by_the_object_or_by_the_event_of_its_deletion(world: World) -> None:
    def look() -> list[bool]:
        return [world.met(each) for each in (at_least(1), at_least(2), gone())]

    steps = [BOOTSTRAPPED, look, updated("a", 2), look, destroyed("a"), look]
    assert world.run([created("a"), *steps]) == [[True, False, False], [True, True, False], [True, True, True]]


def test_a_deletion_that_was_delivered_before_the_write_was_sent_shows_nothing(world: World) -> None:
    def look() -> list[bool]:
        return [world.met(gone(sent_at, 1_005.0)) for sent_at in (1_001.9, 1_002.0, 1_002.1)]

    seen = world.run([created("a"), BOOTSTRAPPED, lambda: world.clock.pass_by(2.0), destroyed("a"), look])
    assert seen == [None, [True, True, False]]


def test_a_list_that_was_asked_for_after_a_write_shows_its_result(world: World) -> None:
    def look() -> list[bool]:
        return [world.met(at_least(9, known_at, known_at)) for known_at in (1_000.9, 1_001.0, 1_001.1)]

    world.clock.pass_by(1.0)
    # Asked for at 1,001, opened at 1,003, and listed at 1,005: of the time between nothing is known.
    asked, listed = (lambda: world.clock.pass_by(2.0)), [created("a"), lambda: world.clock.pass_by(2.0), BOOTSTRAPPED]
    opened = world.informer._open_watch
    world.informer._open_watch = lambda: (asked(), opened())[1]
    assert world.run([*listed, look])[1:] == [[True, False, False]]


def test_what_a_new_list_lacks_was_deleted(world: World) -> None:
    expected = gone(1_000.0, 2_000.0)
    seen = world.run(
        [created("a"), BOOTSTRAPPED, lambda: world.met(expected), CUT], [BOOTSTRAPPED, lambda: world.met(expected)]
    )
    assert seen == [False, True]


def test_deletions_are_remembered_within_a_bound_and_the_last_one_always(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_TOMBSTONES", 3)

    def remembered() -> list[str]:
        return [id for id in "abcdefg" if world.informer.met(id, gone())]

    steps = [step for id in "abcdefg" for step in (destroyed(id), remembered)]
    seen = world.run([*(created(id) for id in "abcdefg"), BOOTSTRAPPED, *steps])
    assert seen == [["a"], ["a", "b"], ["a", "b", "c"], ["d"], ["d", "e"], ["d", "e", "f"], ["g"]]


# -- followers, and the end


def test_a_follower_may_leave_while_it_is_notified_and_the_others_get_the_event(world: World) -> None:
    leave: list[Callable[[], None] | None] = []
    seen: list[str] = []

    def follow() -> None:
        leave.append(world.informer.follow(lambda event: (seen.append("first"), leave[0]())))
        leave.append(world.informer.follow(lambda event: seen.append("second")))

    def leave_again() -> bool:
        for each in [*leave, *leave]:
            each()
        return world.informer.has_followers

    events = [follow, created("a"), created("b"), lambda: world.informer.has_followers, leave_again, created("c")]
    assert world.run([BOOTSTRAPPED, *events]) == [None, True, False]
    assert seen == ["first", "second", "second"]


def test_a_closed_informer_has_nothing_and_its_followers_have_got_the_end(world: World) -> None:
    def close() -> int:
        world.informer.close()
        world.informer.close()
        return world.watches[0].cancelled

    assert world.run([created("a"), BOOTSTRAPPED, world.follow, close, created("b")])[1:] == [2]
    assert (world.find(), world.items(), world.items("x"), world.versions()) == ((False, None), [], [], None)
    assert (world.seen, world.informer.has_followers, len(world.watches)) == ([None], False, 1)
    assert world.wait_for_sync() == (False, 0.0)


def test_no_event_is_applied_after_the_close(world: World) -> None:
    late = LateWatch([created("a"), BOOTSTRAPPED, world.informer.close, created("b")], [])
    world.informer._open_watch = lambda: late
    world.run()
    assert world.items() == []


def test_an_informer_that_is_closed_while_its_watch_is_opened_reads_nothing(world: World) -> None:
    opened = world.informer._open_watch
    world.informer._open_watch = lambda: (opened(), world.informer.close())[0]
    assert world.run([created("a"), BOOTSTRAPPED, world.items]) == []
    assert [watch.cancelled for watch in world.watches] == [1]


def test_a_watch_that_ends_by_the_close_is_no_refusal(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, module.__name__)
    world.run([world.informer.close, BOOTSTRAPPED, REFUSED])
    assert (world.informer.unwatchable, of_informers(caplog, logging.INFO)) == (None, [])


def test_an_informer_does_not_keep_the_process(wait_until: Callable[..., Any]) -> None:
    stay = threading.Event()
    informer = Informer("Things of a test", "default", lambda: Watch([BOOTSTRAPPED, stay.wait], []))
    informer.start()
    wait_until(lambda: informer.ready)
    (thread,) = [each for each in threading.enumerate() if each.name == "informer-Things of a test"]
    assert thread.daemon
    informer.close()
    stay.set()
    wait_until(lambda: not thread.is_alive())
