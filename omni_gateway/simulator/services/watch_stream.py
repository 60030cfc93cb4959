"""A watch as it goes over the wire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import grpc

from omni_gateway.simulator.errors import Unimplemented
from omni_gateway.simulator.state.resource import Event, Resource
from omni_gateway.simulator.state.watchers import Watchers
from omni_gateway.simulator.wire import resource_json
from omni_gateway.simulator.wire.queries import Check, Page, matcher
from omni_gateway.simulator.wire.types import catalogue
from omni_gateway.stubs import resources_pb2 as pb

Kind: TypeAlias = pb.EventType.ValueType

_KINDS: dict[str, Kind] = {"created": pb.CREATED, "updated": pb.UPDATED, "destroyed": pb.DESTROYED}


def watch(
    watchers: Watchers, request: pb.WatchRequest, selectors: Sequence[str], context: grpc.ServicerContext
) -> Iterator[pb.WatchResponse]:
    """Yield CREATED for everything that matches, one BOOTSTRAPPED, then the changes with the state before them."""
    known = catalogue()[request.type]
    if not known.listable:
        raise Unimplemented(f"{request.type} cannot be watched")
    matches = matcher(selectors, request.search_for)
    watcher, present = watchers.follow(request.namespace, request.type, context.is_active)
    try:
        if not context.add_callback(watcher.close):
            return
        if request.id:
            yield from _of_one(request, iter(watcher), present)
        else:
            yield from _of_all(request, iter(watcher), present, matches)
    finally:
        watchers.leave(request.namespace, request.type, watcher)


def _of_all(
    request: pb.WatchRequest, events: Iterator[Event], present: Sequence[Resource], matches: Check | None
) -> Iterator[pb.WatchResponse]:
    found = [res for res in present if matches is None or matches(res)]
    ids = {res.id for res in found}
    page = Page(request.offset, request.limit, request.sort_by_field, request.sort_descending)
    for res in page.of(found):
        yield _message(pb.CREATED, res, None, len(ids))
    yield pb.WatchResponse(event=pb.Event(event_type=pb.BOOTSTRAPPED), total=len(ids))
    for event in events:
        seen = _as_seen(event, matches)
        if seen is None:
            continue
        if seen == pb.DESTROYED:
            ids.discard(event.new.id)
        else:
            ids.add(event.new.id)
        yield _message(seen, event.new, event.old if seen == pb.UPDATED else None, len(ids))


def _of_one(
    request: pb.WatchRequest, events: Iterator[Event], present: Sequence[Resource]
) -> Iterator[pb.WatchResponse]:
    found = next((res for res in present if res.id == request.id), None)
    if found is not None:
        yield _message(pb.CREATED, found, None, 1)
    # An object that is not there is told by its absence: Omni swallows the tombstone that its own state gives it.
    yield pb.WatchResponse(event=pb.Event(event_type=pb.BOOTSTRAPPED), total=int(found is not None))
    for event in events:
        if event.new.id == request.id:
            yield _message(_KINDS[event.kind], event.new, event.old, int(event.kind != "destroyed"))


def _as_seen(event: Event, matches: Check | None) -> Kind | None:
    """Return how a change looks through a filter: an object that comes to match is created, one that ceases is gone."""
    if matches is None or event.kind != "updated" or event.old is None:
        return _KINDS[event.kind] if matches is None or matches(event.new) else None
    before, after = matches(event.old), matches(event.new)
    if before and after:
        return pb.UPDATED
    return pb.CREATED if after else pb.DESTROYED if before else None


def _message(kind: Kind, res: Resource, old: Resource | None, total: int) -> pb.WatchResponse:
    event = pb.Event(event_type=kind, resource=resource_json.text(res), old=resource_json.text(old) if old else "")
    return pb.WatchResponse(event=event, total=total)
