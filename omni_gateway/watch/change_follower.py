"""Changes of one type's objects, handed to a function one by one, in a background task."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.informer_events import InformerEvents
from omni_gateway.cache.informers import Informers
from omni_gateway.model.omni_objects import resource_of
from omni_gateway.model.resource import Resource
from omni_gateway.omni.errors import Unavailable
from omni_gateway.tasks import TaskContext
from omni_gateway.watch.source import WatchedType

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
#: How long it takes until an idle follower sees that it has to end.
_STOP_SEEN_SECONDS = 0.5

ChangeKind = Literal["present", "created", "updated", "destroyed"]


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One change of an object of Omni's. The objects are shared: read them, never change them in place.

    :param kind: ``present`` for each object that is there when the following begins; then ``created``, ``updated`` and
        ``destroyed``.
    :param old: the object before; None if it is ``present`` or was ``created``.
    :param new: the object after; None if it was ``destroyed``.
    """

    type: str
    kind: ChangeKind
    old: Resource | None
    new: Resource | None

    @property
    def id(self) -> str:
        """The object's id."""
        resource = self.new or self.old
        assert resource is not None  # one of the two is there
        return resource.id


Handle = Callable[[TaskContext, ObjectChange], None]


class ChangeFollower:
    """Calls ``handle`` with each change of a type's objects; :meth:`run` is the function of a background task.

    It reads a queue of the type's informer, so it delays neither the informer nor another follower. A change that
    ``handle`` raises an exception for is logged and counts as handled. Where the queue overflows, or the type was not
    cached for a while, the difference to what was handed over last follows: no object is left out, only states between.

    :param source: what follows, for the log.
    """

    def __init__(self, source: str, informers: Informers, watched: WatchedType, handle: Handle) -> None:
        self._source = source
        self._informers = informers
        self._type, self._namespace = watched.type, watched.place
        self._handle = handle
        self._wake = threading.Event()
        #: The objects as they were handed over last; None before the first time.
        self._known: dict[str, CachedObject] | None = None
        self._warned = False

    def run(self, context: TaskContext) -> None:
        """Hand changes over until the task has to end. The first time all objects are ``present``."""
        self._known = None
        pause = _FIRST_PAUSE
        while not context.stopping:
            events = InformerEvents(self._wake.set)
            try:
                if self._follow(events):
                    pause = _FIRST_PAUSE
                    self._hand_over(events, context)
            except Unavailable as error:
                log.warning("%s: changes of %s: %s; what differs follows", self._source, self._type, error)
            finally:
                events.close()
            context.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _follow(self, events: InformerEvents) -> bool:
        """Follow the type's informer; return False, with a warning in the log, while that is not possible."""
        self._informers.informer(self._type, self._namespace)  # starts one where there is none
        informer = self._informers.existing(self._type, self._namespace)
        followed = informer is not None and informer.wait_for_sync() and events.follow(informer)
        if followed:
            self._warned = False
        elif not self._warned:
            self._warned = True
            refusal = informer.unwatchable if informer is not None else None
            cause = refusal or ("Omni's watch has not begun" if self._informers.max_size else "the cache is off")
            log.warning("%s gets no changes of %s at present: %s", self._source, self._type, cause)
        return followed

    def _hand_over(self, events: InformerEvents, context: TaskContext) -> None:
        """Hand over the present objects, then each event, until stopped; ``Unavailable`` where the queue ends."""
        for change in self._difference({item.id: item for item in events.items(self._type)}):
            self._call(context, change)
        while not context.stopping:
            self._wake.clear()
            while not context.stopping and (taken := events.take()) is not None:
                kind, item, old = taken[1]
                self._call(context, self._change("destroyed" if kind == "destroyed" else None, item, old))
            self._wake.wait(_STOP_SEEN_SECONDS)

    def _difference(self, present: dict[str, CachedObject]) -> Iterator[ObjectChange]:
        """Yield how ``present`` differs from what was handed over last; the first time all is ``present``."""
        known, first = self._known or {}, self._known is None
        self._known = dict(known)
        for id in sorted(known.keys() - present.keys()):
            yield self._change("destroyed", known[id], known[id])
        for id, item in present.items():
            old = known.get(id)
            if old is None or old.text_hash != item.text_hash:
                yield self._change("present" if first else None, item, old)

    def _change(self, kind: ChangeKind | None, item: CachedObject, old: CachedObject | None) -> ObjectChange:
        """Return a change and note it as handed over; ``kind`` None: ``updated``, or ``created`` without ``old``."""
        assert self._known is not None  # set before the first change is made
        if kind == "destroyed":
            self._known.pop(item.id, None)
            return ObjectChange(self._type, kind, resource_of(old or item), None)
        self._known[item.id] = item
        before = resource_of(old) if old is not None else None
        return ObjectChange(self._type, kind or ("updated" if before else "created"), before, resource_of(item))

    def _call(self, context: TaskContext, change: ObjectChange) -> None:
        if context.stopping:
            return
        try:
            self._handle(context, change)
        except Exception:
            log.exception("%s failed at a change: %s %r is %s", self._source, change.type, change.id, change.kind)
