"""The run of a bulk operation: in chunks, each recorded before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock

from omni_gateway.http.problems import Problem, without_request
from omni_gateway.model.resource import Resource
from omni_gateway.rest.bulk.object_requests import ObjectRequests, Result
from omni_gateway.rest.bulk.record import BulkRecord, Outcome
from omni_gateway.store import Store

#: How often the request of an object is sent while Omni refuses more calls for now, and the pauses in between.
ATTEMPTS = 6
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 8.0
#: The time that an operation may take, for each object and in all: a back end that is away must not hold it for hours.
SECONDS_PER_OBJECT, LEAST_SECONDS = 1.0, 60.0
#: Chunks of an operation with many objects, at most; the record is written once for each.
_MOST_CHUNKS = 50

STOPPED = "The limit of failures was reached."
OVERDUE = "It took too long; the objects that are left were not written."
INVALID = "An object cannot be written as requested, so none was."
REVOKED = "The caller's credential is not valid any more."


class Interrupted(Exception):
    """This process has to leave the operation to another one, because it stops or has lost the lease."""


class Pace:
    """Delays the requests of all threads while Omni refuses more calls."""

    def __init__(self, wait: Callable[[float], bool]) -> None:
        """``wait``: waits for some seconds; returns True if the operation has to stop."""
        self._wait = wait
        self._lock = Lock()
        self._until = 0.0
        self._pause = FIRST_PAUSE_SECONDS

    def keep(self) -> None:
        """Wait until requests may be sent."""
        while (remaining := self._until - time.monotonic()) > 0:
            if self._wait(remaining):
                return

    def slow_down(self, seconds: float) -> None:
        """Pause, longer each time; ``seconds``: how long Omni asks for, at least."""
        with self._lock:
            if self._until > time.monotonic():
                return  # another thread was refused in the same moment
            self._until = time.monotonic() + min(max(self._pause, seconds), LONGEST_PAUSE_SECONDS)
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    def recover(self) -> None:
        """Shorten the next pause."""
        if self._pause > FIRST_PAUSE_SECONDS:
            with self._lock:
                self._pause = max(FIRST_PAUSE_SECONDS, self._pause / 2)


@dataclass
class Sender:
    """Sends requests of several objects side by side, and stops after too many failures."""

    requests: ObjectRequests
    ending: Event
    until: float
    most_failures: int
    failures: int = 0
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._pace = Pace(self.ending.wait)

    @property
    def stop_reason(self) -> str:
        """Return why no more requests are to be sent; empty if they are."""
        if self.most_failures and self.failures >= self.most_failures:
            return STOPPED
        return OVERDUE if time.monotonic() >= self.until else ""

    def send(self, id: str, *, dry_run: bool = False) -> Result | None:
        """Send the request of an object; return None if it was not sent, because the run stops."""
        result = None
        for _ in range(ATTEMPTS):
            self._pace.keep()
            if self.ending.is_set():
                return None
            if self.stop_reason:
                break
            result = self.requests.send(id, dry_run=dry_run)
            if result.retry_after is None:
                self._pace.recover()
                break
            self._pace.slow_down(result.retry_after)
        if result is not None and result.outcome.problem is not None:
            with self._lock:
                self.failures += 1
        return result


def dry_run(requests: ObjectRequests, ids: Sequence[str]) -> list[Outcome]:
    """Return the outcomes that the requests of these objects would have; nothing is written."""
    sender = Sender(requests, Event(), time.monotonic() + _seconds_for(ids), requests.work.most_failures)
    with ThreadPoolExecutor(requests.work.parallelism) as pool:
        results = list(pool.map(lambda id: sender.send(id, dry_run=True), ids))
    outcomes = [Outcome("not-written") if each is None else each.outcome for each in results]
    if requests.work.atomic and any(outcome.problem for outcome in outcomes):
        for outcome in outcomes:
            if outcome.problem is None:
                outcome.action = "not-written"
    return outcomes


@dataclass
class Run:
    """The run of one recorded operation in this process.

    :param valid: whether the caller may still do this; asked before each chunk.
    :param key: the key that seals the record's secrets.
    :param ending: set when this process has to leave the operation to another one.
    :param resumed: whether another process has begun it.
    """

    record: BulkRecord
    requests: ObjectRequests
    store: Store
    key: str
    valid: Callable[[], bool]
    ending: Event
    resumed: bool = False
    #: Of an atomic request that this process has checked: the objects before the write.
    _before: Sequence[Resource] = ()

    def run(self) -> None:
        """Carry the operation on to its end.

        Raises :class:`Interrupted` if this process has to stop, ``Superseded`` if another one carries it on already.
        """
        until = time.monotonic() + _seconds_for(self.record.ids)
        self._sender = Sender(self.requests, self.ending, until, self.record.work.most_failures)
        self._sender.failures = sum(outcome.problem is not None for outcome in self.record.outcomes)
        with ThreadPoolExecutor(self.requests.work.parallelism) as self._pool:
            if self.record.phase == "checking":
                self._check()
            if self.record.phase == "writing":
                self._write()
            if self.record.phase == "reverting":
                self._revert()

    def _check(self) -> None:
        """Check each object by a dry run, and keep its content, before the first is written."""
        record = self.record
        checked = list(self._pool.map(self._checked, record.ids))
        self._leave_if_ending()
        before = [each for each in checked if isinstance(each, Resource)]
        if len(before) < len(checked):
            for position, each in enumerate(checked):
                record.outcomes[position] = each if isinstance(each, Outcome) else Outcome("not-written")
            self._end(self._sender.stop_reason or INVALID)
            return
        self._before = before
        record.seal_before(before, self.key)
        record.phase = "writing"

    def _checked(self, id: str) -> Resource | Outcome:
        """Return an object's content, or its outcome if it cannot be written as requested."""
        result = self._sender.send(id, dry_run=True)
        if result is None:
            return Outcome("not-written")
        if result.outcome.problem is not None:
            return result.outcome
        content = self.requests.content(id)
        return content if isinstance(content, Resource) else Outcome("failed", without_request(content.to_dict()))

    def _write(self) -> None:
        record, work = self.record, self.record.work
        if work.atomic:
            self._sender.most_failures = 1  # what is written after it would only be reverted
        if self.resumed and work.verb == "action":
            self._mark_unknown()
        pending = [position for position, outcome in enumerate(record.outcomes) if outcome.action == "pending"]
        size = max(work.parallelism * (1 if work.verb == "action" else 4), len(record.ids) // _MOST_CHUNKS)
        for start in range(0, len(pending), size):
            chunk = pending[start : start + size]
            if not self.valid():
                self._end(REVOKED)
                return
            begun_before, record.begun = record.begun, max(record.begun, chunk[-1] + 1)
            record.save(self.store)
            self._write_chunk(chunk, begun_before)
            self._leave_if_ending()
            if work.atomic and any(record.outcomes[position].problem for position in chunk):
                record.phase = "reverting"
                return
            reason = self._sender.stop_reason
            if reason and any(outcome.action == "pending" for outcome in record.outcomes):
                self._end(reason)
                return
        self._end()

    def _write_chunk(self, chunk: Sequence[int], begun_before: int) -> None:
        record = self.record
        results = self._pool.map(lambda position: self._sender.send(record.ids[position]), chunk)
        for position, result in zip(chunk, results, strict=True):
            if result is None:
                if record.work.atomic and not self.ending.is_set():
                    record.outcomes[position] = Outcome("not-written")
                continue
            gone = record.work.verb == "delete" and result.status == 404
            # Gone by the request of the process that began this, whose answer is not in the record.
            record.outcomes[position] = Outcome("deleted") if gone and position < begun_before else result.outcome

    def _mark_unknown(self) -> None:
        """Do not send an action again that the process before has begun: a second reboot is no repetition."""
        text = "The gateway was stopped while this was under way; it may have been done."
        for outcome in self.record.outcomes[: self.record.begun]:
            if outcome.action == "pending":
                problem = without_request(Problem(409, "outcome-unknown", text).to_dict())
                outcome.action, outcome.problem = "unknown", problem

    def _revert(self) -> None:
        """Write the former contents back, of all objects that were written or may have been."""
        record = self.record
        record.save(self.store)
        before = self._before or record.unseal_before(self.key)
        if before is None:
            self._end("An object could not be written, and the contents before cannot be read back.")
            return
        written = [
            position
            for position, outcome in enumerate(record.outcomes[: record.begun])
            if outcome.action in ("updated", "pending") or _may_be_applied(outcome)
        ]
        reverted = list(self._pool.map(lambda position: self._reverted(position, before), written))
        for position, outcome in zip(written, reverted, strict=True):
            record.outcomes[position] = outcome
        self._end("An object could not be written, so the others were reverted.")

    def _reverted(self, position: int, before: Sequence[Resource]) -> Outcome:
        outcome = self.record.outcomes[position]
        problem = self.requests.restore(before[position])
        if problem is not None:
            text = f"It may have been written, and was not reverted: {problem.detail}"
            return Outcome("failed", without_request(Problem(problem.status, problem.code, text).to_dict()))
        if outcome.problem is not None:
            return outcome
        # One without an outcome was begun by a process that died; it has its former content, written or not.
        return Outcome("reverted" if outcome.action == "updated" else "not-written")

    def _leave_if_ending(self) -> None:
        if self.ending.is_set():
            self.record.save(self.store)
            raise Interrupted

    def _end(self, reason: str = "") -> None:
        self.record.end(reason)
        self.record.save(self.store)


def _may_be_applied(outcome: Outcome) -> bool:
    return outcome.problem is not None and outcome.problem["status"] >= 500


def _seconds_for(ids: Sequence[str]) -> float:
    return LEAST_SECONDS + SECONDS_PER_OBJECT * len(ids)
