"""One watch for all who ask the same: it is followed once, each change is written once, and all are sent those bytes.

A question is what is asked and how its answer looks: objects, query, fields, media type, and the clusters that the
caller may see. Nothing else of a caller decides what a watch of the gateway's own memory tells.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from threading import Lock

from omni_gateway.model.query import Change, Fed
from omni_gateway.model.resource import Resource
from omni_gateway.watch.push_stream import PushStream
from omni_gateway.watch.resume_token import Digest, ResumePoint
from omni_gateway.watch.stream_response import Form, StreamEvent, last_event

TYPES = {"added": "ADDED", "modified": "MODIFIED", "deleted": "DELETED"}
#: Threads that write changes for all channels of a process; which cluster an object belongs to may be Omni's to say.
_PUMPS = ThreadPoolExecutor(4, thread_name_prefix="stream-pump")


def _soon(run: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the process ends
        _PUMPS.submit(run)


class Over(Exception):
    """The channel has ended; ask for another one."""


class Broadcaster:
    """One question's watch and those who are told of it.

    ``opened`` is the watch's context, which the channel owns from now on.
    """

    def __init__(self, changes: Fed, opened: ExitStack, render: Callable[[Resource], bytes], form: Form) -> None:
        self._changes = changes
        self._opened = opened
        self._render = render
        self._form = form
        self._lock = Lock()
        self._members: dict[PushStream, None] = {}
        self._present: dict[str, Resource] = {}
        self._point = ResumePoint()
        self._over = self._scheduled = False
        self._awaited = True
        changes.told_by(self._told)

    def join(self, member: PushStream, *, maker: bool) -> tuple[list[Resource], ResumePoint]:
        """Tell ``member`` of all that happens from now on; return what is there now, in order, and its resume point.

        What the watch has been told by now is in there. ``maker``: the channel was made for this one, and is not closed
        before it is in. Raises :class:`Over`, with what ended the channel as its cause.
        """
        with self._lock:
            error = self._pump()
            self._awaited = self._awaited and not maker
            if self._over:
                raise Over from error
            self._members[member] = None
            return [self._present[id] for id in sorted(self._present)], self._point

    def leave(self, member: PushStream, empty: Callable[[], None]) -> None:
        """Tell ``member`` no more; never waits. ``empty`` is called later where it was the last one."""
        self._members.pop(member, None)
        if not self._members:
            _soon(empty)

    def close_if_empty(self) -> bool:
        """End the watch where nobody is told of it."""
        with self._lock:
            if not self._members and not self._awaited:
                self._end()
            return self._over

    def _told(self) -> None:
        """Have what is new written soon: this is called under the feed's lock."""
        if not self._scheduled:
            self._scheduled = True
            _soon(self._run)

    def _run(self) -> None:
        self._scheduled = False
        with self._lock:
            self._pump()

    def _pump(self) -> Exception | None:
        """Tell what is new; return what ended the watch, if that is what came."""
        if self._over:
            return None
        error = None
        try:
            while True:
                change = next(self._changes)
                if change.kind == "idle":
                    return None
                self._tell(change)
        except StopIteration:
            pass
        except Exception as raised:
            error = raised
        last = self._form.write(last_event(error)) if error is not None else b""
        for member in tuple(self._members):
            member.end_with(last)
        self._end()
        return error

    def _tell(self, change: Change) -> None:
        resource = change.resource
        if resource is None:
            return
        before = self._present.pop(resource.id, None)
        if before is not None:
            self._point = self._point.minus(before.derived("digest", Digest.of))
        if change.kind != "deleted":
            self._present[resource.id] = resource
            self._point = self._point.plus(resource.derived("digest", Digest.of))
        if self._members:
            frame = self._form.write(StreamEvent(TYPES[change.kind], self._render(resource), str(self._point)))
            for member in tuple(self._members):
                member.put(frame)

    def _end(self) -> None:
        self._over = True
        self._members.clear()
        self._present.clear()
        self._opened.close()


class Broadcasters:
    """The channels of one application, by their question."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._channels: dict[Hashable, Broadcaster] = {}

    def join(
        self, question: Hashable, member: PushStream, make: Callable[[], Broadcaster]
    ) -> tuple[list[Resource], ResumePoint, Callable[[], None]]:
        """Let ``member`` in where the question is answered already, in what ``make`` returns otherwise.

        Return what is there, its resume point, and what leaves the channel. Raises what the new watch raised.
        """
        while True:
            with self._lock:
                channel = self._channels.get(question)
                mine = channel is None
                if channel is None:
                    channel = self._channels[question] = make()
            try:
                present, point = channel.join(member, maker=mine)
            except Over as over:
                self._forget(question, channel)
                if mine:
                    raise over.__cause__ or over from None
                continue
            return present, point, partial(channel.leave, member, partial(self._close_if_empty, question, channel))

    def _forget(self, question: Hashable, channel: Broadcaster) -> None:
        with self._lock:
            if self._channels.get(question) is channel:
                del self._channels[question]

    def _close_if_empty(self, question: Hashable, channel: Broadcaster) -> None:
        if channel.close_if_empty():
            self._forget(question, channel)
