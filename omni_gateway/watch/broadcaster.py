"""One shared watch per query: followed once, each change encoded once, the same bytes sent to all subscribers.

The key of a broadcaster is everything that its bytes depend on: type, query, fields, media type, and the clusters that
the caller may see. Nothing else of a caller influences the events of a watch that is served from an informer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Lock

from omni_gateway.auth import Scope
from omni_gateway.cache.informer import Informer
from omni_gateway.cache.informer_events import InformerEvents
from omni_gateway.http.unexpected_errors import unexpected_problems
from omni_gateway.model.query import Change
from omni_gateway.model.resource import Resource
from omni_gateway.watch.push_stream import PushStream
from omni_gateway.watch.resume_token import ResumePoint
from omni_gateway.watch.source import InformerView, ShownObjects, WatchSource
from omni_gateway.watch.stream_response import Form, StreamEvent, last_event

TYPES = {"added": "ADDED", "modified": "MODIFIED", "deleted": "DELETED"}
#: Threads that build and encode changes for all broadcasters of a process. Never an informer's thread: it would keep
#: the type's reads waiting.
_PUMPS = ThreadPoolExecutor(4, thread_name_prefix="stream-pump")


def _submit(run: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the pool is shut down when the process exits
        _PUMPS.submit(run)


class BroadcasterClosed(Exception):
    """The broadcaster has ended; the caller has to make another one."""


class InformerNotReady(Exception):
    """An informer that a broadcaster needs is not ready; the caller has to watch without informers."""


class Broadcaster:
    """One watch and its subscribers.

    ``informers``: one for each type that ``source`` names; those of its ``lookups`` only where ``scope``, the clusters
    that the subscribers may see, is restricted.
    Raises :class:`InformerNotReady`.
    """

    def __init__(
        self,
        source: WatchSource,
        informers: Iterable[Informer],
        scope: Scope,
        render: Callable[[Resource], bytes],
        form: Form,
    ) -> None:
        self._render = render
        self._form = form
        self._unexpected = unexpected_problems()
        # Serializes reading the events with joining: a subscriber's initial list and its first change have neither a
        # gap nor an overlap. Not taken by _on_event() or leave(), which must not wait for an encoding in progress.
        self._lock = Lock()
        # A dict as an ordered set: pop() by leave() and tuple() by the pump are atomic, so leave() needs no lock.
        self._members: dict[PushStream, None] = {}
        self._begun = self._closed = self._scheduled = False
        self._awaiting_first = True
        self._events = InformerEvents(self._on_event)
        readable = scope.allows if scope.restricted else None
        self._shown = ShownObjects(source, InformerView(self._events), readable)
        triggers = {each.type for each in source.triggers}
        # An event of the first informer must not be looked at before all of them can be read.
        with self._lock:
            followed = [self._events.follow(each, events=each.name in triggers) for each in informers]
        if not all(followed):
            self._events.close()
            raise InformerNotReady

    def join(self, member: PushStream, *, maker: bool) -> tuple[list[Resource], ResumePoint]:
        """Subscribe ``member`` to all later changes; return the present objects, ordered by id, and their resume point.

        ``maker``: True for the subscriber that the broadcaster was made for; until it has joined, the broadcaster is
        not closed as empty. Raises :class:`BroadcasterClosed`, with the watch's error as its cause.
        """
        with self._lock:
            # What is queued by now belongs to the list: the caller's own writes included.
            error = self._pump()
            self._awaiting_first = self._awaiting_first and not maker
            if self._closed:
                raise BroadcasterClosed from error
            self._members[member] = None
            present = self._shown.present
            return [present[id] for id in sorted(present)], self._shown.point

    @property
    def subscribers(self) -> int:
        """Return the number of subscribers."""
        return len(self._members)

    def leave(self, member: PushStream, empty: Callable[[], None]) -> None:
        """Unsubscribe ``member`` without blocking; ``empty`` is called in a pool thread if it was the last one."""
        # The server's event loop calls this when a connection ends, and must not wait for the lock.
        self._members.pop(member, None)
        if not self._members:
            _submit(empty)

    def close_if_empty(self) -> bool:
        """Close the watch if there are no subscribers; return True if the broadcaster is closed."""
        with self._lock:
            # Checked again: another subscriber may have joined since leave(). And one that leaves early must not close
            # a broadcaster whose maker has not joined yet.
            if not self._members and not self._awaiting_first:
                self._close()
            return self._closed

    def _on_event(self) -> None:
        """Schedule the encoding of queued events; called under an informer's lock, so it does not block."""
        # Two threads may both see False: the second run finds nothing to do.
        if not self._scheduled:
            self._scheduled = True
            _submit(self._run)

    def _run(self) -> None:
        # Cleared before the queue is read: an event that arrives during the read schedules another run.
        self._scheduled = False
        with self._lock:
            self._pump()

    def _pump(self) -> Exception | None:
        """Build, encode and send what the queued events change; return the error that ended the watch.

        Called with the lock held. The source reads informers only, so this does not wait for Omni.
        """
        if self._closed:
            return None
        try:
            if not self._begun:
                self._shown.begin()
                self._begun = True
            while (event := self._events.take()) is not None:
                for change in self._shown.apply(*event):
                    self._send(change)
        except Exception as error:
            last = self._form.write(last_event(error, self._unexpected))
            for member in tuple(self._members):
                member.end_with(last)
            self._close()
            return error
        return None

    def _send(self, change: Change) -> None:
        if change.resource is None or not self._members:  # before the first join nothing is encoded
            return
        frame = self._form.write(StreamEvent(TYPES[change.kind], self._render(change.resource), str(self._shown.point)))
        for member in tuple(self._members):
            member.put(frame)

    def _close(self) -> None:
        self._closed = True
        self._members.clear()
        self._shown.present.clear()
        self._events.close()


class Broadcasters:
    """The broadcasters of one application, by key."""

    def __init__(self) -> None:
        # Guards the dict only. Never held while a broadcaster's lock is awaited: a slow encoding of one query does not
        # delay the watches of others.
        self._lock = Lock()
        self._by_key: dict[Hashable, Broadcaster] = {}

    def join(
        self, key: Hashable, member: PushStream, make: Callable[[], Broadcaster]
    ) -> tuple[list[Resource], ResumePoint, Callable[[], None]]:
        """Subscribe ``member`` to the broadcaster of ``key``, which ``make`` creates where there is none.

        Returns the present objects, their resume point, and the function that unsubscribes. Raises what ``make``
        raises, and what ended a watch that was made for this call.
        """
        while True:
            with self._lock:
                broadcaster = self._by_key.get(key)
                made_here = broadcaster is None
                if broadcaster is None:
                    broadcaster = self._by_key[key] = make()
            try:
                present, point = broadcaster.join(member, maker=made_here)
            except BroadcasterClosed as closed:
                self._forget(key, broadcaster)
                # Retry only a broadcaster of others, which may have ended long ago; a new one that fails would do so
                # again.
                if made_here:
                    raise closed.__cause__ or closed from None
                continue
            leave = partial(broadcaster.leave, member, partial(self._close_if_empty, key, broadcaster))
            return present, point, leave

    def all(self) -> Sequence[Broadcaster]:
        """Return the broadcasters there are."""
        with self._lock:
            return tuple(self._by_key.values())

    def _forget(self, key: Hashable, broadcaster: Broadcaster) -> None:
        with self._lock:
            # Another thread may have replaced it already.
            if self._by_key.get(key) is broadcaster:
                del self._by_key[key]

    def _close_if_empty(self, key: Hashable, broadcaster: Broadcaster) -> None:
        if broadcaster.close_if_empty():
            self._forget(key, broadcaster)
