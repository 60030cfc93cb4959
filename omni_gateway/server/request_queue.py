"""A bounded, fair queue of requests that wait for a thread; used by the worker's loop only, so it needs no lock.

Each caller has a FIFO of its own; these are served round robin. A caller has at most ``per_caller`` requests in
threads, fewer than there are threads, so that another caller's request finds one. Bytes of bodies in threads are
bounded too, as a parsed body is many times as large.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from omni_gateway.server.error_responses import RequestRejected

ConnT = TypeVar("ConnT")

Caller = int | str
RETRY_AFTER_SECONDS = 1


@dataclass(slots=True, eq=False)
class Waiting(Generic[ConnT]):
    """A request: its connection, caller, bytes of body, time of arrival and latest start (monotonic seconds).

    ``handler`` serves it, in a thread.
    """

    conn: ConnT
    caller: Caller
    size: int
    arrived: float
    starts_by: float
    handler: Callable[[ConnT], bool]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of requests in threads and waiting, in all and per caller; ``size``: bytes of bodies in threads."""

    threads: int
    per_caller: int
    waiting: int
    waiting_per_caller: int
    size: int


class RequestQueue(Generic[ConnT]):
    """The requests of one worker that wait for a thread, and those that have one."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._waiting: OrderedDict[Caller, deque[Waiting[ConnT]]] = OrderedDict()
        self._count = 0
        self._running: Counter[Caller] = Counter()
        self._threads = 0
        self._size = 0

    def __len__(self) -> int:
        """Return how many requests wait."""
        return self._count

    @property
    def threads(self) -> int:
        """Return how many threads are in use."""
        return self._threads

    def __iter__(self) -> Iterator[Waiting[ConnT]]:
        """Iterate over the requests that wait."""
        for line in list(self._waiting.values()):
            yield from list(line)

    def start_at_once(self, request: Waiting[ConnT]) -> bool:
        """Take a thread for a request if one is free and no request of its caller waits; return True if taken."""
        if request.caller in self._waiting or not self._may_start(request):
            return False
        self._start(request)
        return True

    def add(self, request: Waiting[ConnT]) -> None:
        """Queue a request; raises :class:`RequestRejected` (429 or 503) if too many wait."""
        line = self._waiting.get(request.caller)
        if line is not None and len(line) >= self._bounds.waiting_per_caller:
            raise RequestRejected(429, "too-many-own-requests", retry_after=RETRY_AFTER_SECONDS)
        if self._count >= self._bounds.waiting:
            raise RequestRejected(503, "overloaded", retry_after=RETRY_AFTER_SECONDS)
        if line is None:
            line = self._waiting[request.caller] = deque()
        line.append(request)
        self._count += 1

    def next(self) -> Waiting[ConnT] | None:
        """Take a thread for the next request that may start and return it; None if there is none."""
        if self._threads >= self._bounds.threads:
            return None
        for caller, line in self._waiting.items():
            if self._may_start(line[0]):
                request = line[0]
                self.remove(request)
                if caller in self._waiting:
                    self._waiting.move_to_end(caller)
                self._start(request)
                return request
        return None

    def remove(self, request: Waiting[ConnT]) -> None:
        """Remove a waiting request from the queue."""
        line = self._waiting[request.caller]
        line.remove(request)
        self._count -= 1
        if not line:
            del self._waiting[request.caller]

    def finished(self, request: Waiting[ConnT]) -> None:
        """Release the thread of a request."""
        self._threads -= 1
        self._size -= request.size
        self._running[request.caller] -= 1
        if not self._running[request.caller]:
            del self._running[request.caller]

    def _may_start(self, request: Waiting[ConnT]) -> bool:
        bounds = self._bounds
        return (
            self._threads < bounds.threads
            and self._running[request.caller] < bounds.per_caller
            and (not request.size or not self._size or self._size + request.size <= bounds.size)
        )

    def _start(self, request: Waiting[ConnT]) -> None:
        self._threads += 1
        self._size += request.size
        self._running[request.caller] += 1
