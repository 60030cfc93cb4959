"""Watches: the changes of the objects of one type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from omni_gateway.omni.calls import parsed
from omni_gateway.omni.rpcs import WATCH
from omni_gateway.omni.streams import Stream
from omni_gateway.stubs import resources_pb2 as pb

WatchKind = Literal["bootstrapped", "created", "updated", "destroyed"]

_KINDS: dict[int, WatchKind] = {
    pb.CREATED: "created",
    pb.UPDATED: "updated",
    pb.DESTROYED: "destroyed",
    pb.BOOTSTRAPPED: "bootstrapped",
}


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change. ``bootstrapped`` comes once, after a ``created`` for every object present, and carries no object.

    ``resource`` is the object as ``{"metadata", "spec"}``; ``old`` is what it was before an update.
    """

    kind: WatchKind
    resource: dict[str, Any] | None = None
    old: dict[str, Any] | None = None


Watch: TypeAlias = Stream[WatchEvent]
"""A stream of ``WatchEvent``; ``cancel`` from any thread ends the iteration cleanly."""


def events_in(message: pb.WatchResponse) -> tuple[WatchEvent, ...]:
    """Return the event of one message; none for a kind that a newer Omni may invent."""
    event = message.event
    kind = _KINDS.get(event.event_type)
    if kind is None:
        return ()
    if kind == "bootstrapped":
        return (WatchEvent(kind),)
    return (WatchEvent(kind, _object(event.resource), _object(event.old)),)


RawEvent: TypeAlias = tuple[WatchKind, str]
"""A change's kind and the object's JSON text (of a destroyed one: as it was last); empty for ``bootstrapped``."""


def raw_events_in(message: pb.WatchResponse) -> tuple[RawEvent, ...]:
    """Return the event of one message, unparsed."""
    event = message.event
    kind = _KINDS.get(event.event_type)
    return () if kind is None else ((kind, event.resource or event.old),)


def _object(text: str) -> dict[str, Any] | None:
    return parsed(WATCH.name, text) if text else None
