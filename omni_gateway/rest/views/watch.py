"""Watch: respond with the changes of a list or an object, as Server-Sent Events or NDJSON."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial

import orjson
from flask import Response, request

from omni_gateway.http.problems import Problem
from omni_gateway.model.query import Change, Fed, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni.deadline import opening_stream
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.scoped import unscoped
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.representation import Representation
from omni_gateway.watch import push_stream, stream_response
from omni_gateway.watch.broadcaster import TYPES, Broadcaster
from omni_gateway.watch.resume_token import Digest, HistoryGone, ResumePoint
from omni_gateway.watch.stream_response import StreamEvent


def watch_response(
    adapter: ResourceAdapter,
    representation: Representation,
    query: ListQuery,
    media: str,
    fields: tuple[str, ...] = (),
    *,
    id: str = "",
) -> Response:
    """Open a stream of the changes of ``query``, or of the object ``id`` if given.

    The stream continues after ``Last-Event-ID`` if the request has that header. Raises 404 for a missing object, 410
    for a resume point that is too old, and 429 if the caller has too many streams.
    """
    resume = _resume_point()
    _check_before_headers(adapter, query, id, resume)
    gateway = current_gateway()
    render = partial(gateway.bodies.body, representation, fields=fields)
    if not gateway.may_use_cache():
        opening = partial(_opened, adapter, query, id, resume, render)
        return stream_response.stream(opening, media=media, limiter=gateway.streams)
    with ExitStack() as opened, ExitStack() as slot:
        slot.callback((gateway.watches if push_stream.offered() else gateway.streams).take(stream_response.caller()))
        with opening_stream():
            changes = opened.enter_context(adapter.watch(query, id))
        if isinstance(changes, Fed):
            key = (_query_key(adapter, query, id), representation, fields, media)
            make = partial(_broadcaster, changes, opened, render, media)
            return _push_response(key, make, media, resume, render, slot)
        # This watch takes a thread: it gives back the slot of a push stream and takes one of `gateway.streams` instead.
        slot.close()
        events = _events(changes, resume, render)
        return stream_response.stream(lambda: _closing(opened.pop_all(), events), media=media, limiter=gateway.streams)


@contextmanager
def _opened(
    adapter: ResourceAdapter, query: ListQuery, id: str, resume: ResumePoint | None, render: partial[bytes]
) -> Iterator[Iterator[StreamEvent]]:
    with adapter.watch(query, id) as changes:
        yield _events(changes, resume, render)


@contextmanager
def _closing(opened: ExitStack, events: Iterator[StreamEvent]) -> Iterator[Iterator[StreamEvent]]:
    with opened:
        yield events


def _broadcaster(changes: Fed, opened: ExitStack, render: partial[bytes], media: str) -> Broadcaster:
    return Broadcaster(changes, opened.pop_all(), render, stream_response.FORMS[media])


def _push_response(
    key: Hashable,
    make: Callable[[], Broadcaster],
    media: str,
    resume: ResumePoint | None,
    render: partial[bytes],
    slot: ExitStack,
) -> Response:
    """Return a response that a broadcaster feeds; watches with the same ``key`` share one.

    ``make`` creates the broadcaster if there is none yet. ``slot`` is closed when the stream has ended.
    """
    form = stream_response.FORMS[media]
    with ExitStack() as on_failure:
        on_close = ExitStack()
        stream = push_stream.new(media, on_close.close)
        on_failure.callback(stream.close)
        on_close.enter_context(slot.pop_all())
        present, point, leave = current_gateway().broadcasters.join(key, stream, make)
        on_close.callback(leave)
        # Rendered in the request's thread; the frames are joined and sent by the stream loop, since there may be
        # megabytes of them and the client may be slow.
        events = list(_start(present, point, resume, render))
        stream.begin(push_stream.joined(form.write(event) for event in events))
        response = push_stream.respond(stream, media)
        on_failure.pop_all()
    return response


def _query_key(adapter: ResourceAdapter, query: ListQuery, id: str) -> Hashable:
    """Return a key that is equal for two watches of the same objects."""
    filters = tuple(sorted((name, repr(value)) for name, value in query.filters.items()))
    kind = type(unscoped(adapter)), adapter.type, adapter.namespace, adapter.scope
    return (*kind, query.selector, query.search, filters, id)


def _resume_point() -> ResumePoint | None:
    text = request.headers.get("Last-Event-ID") or ""
    try:
        return ResumePoint.parse(text) if text else None
    except HistoryGone as error:
        raise _gone(error) from error


def _check_before_headers(adapter: ResourceAdapter, query: ListQuery, id: str, resume: ResumePoint | None) -> None:
    """Raise 404 for a missing object and 410 for an old resume point, while the response's status is not yet sent."""
    if not id and resume is None:
        return
    present = [adapter.get(id)] if id else adapter.list(replace(query, offset=0, limit=0)).items
    if resume is not None:
        try:
            resume.changes(present)
        except HistoryGone as error:
            raise _gone(error) from error


def _gone(error: HistoryGone) -> Problem:
    return Problem(
        410,
        "gone",
        f"The watch cannot continue from this resume point: {error}.",
        hint="List again, or watch from the start.",
    )


def _events(changes: Iterator[Change], resume: ResumePoint | None, render: partial[bytes]) -> Iterator[StreamEvent]:
    present: dict[str, Resource] = {}
    for change in changes:
        if change.kind == "bookmark":
            break
        if change.resource is not None:
            present[change.resource.id] = change.resource
    point = ResumePoint.of(present.values())
    yield from _start(present.values(), point, resume, render)
    # Only digests are needed from here on; a watch may last for hours, so the specs are released.
    digests = {id: Digest.of(resource) for id, resource in present.items()}
    present.clear()
    yield from _follow(changes, point, digests, render)


def _start(
    present: Collection[Resource], point: ResumePoint, resume: ResumePoint | None, render: partial[bytes]
) -> Iterator[StreamEvent]:
    """Yield the present objects, or with a resume point those changed since, then the bookmark ``point``.

    Raises 410 if the resume point is too old.
    """
    if resume is None:
        for resource in present:
            yield StreamEvent("ADDED", render(resource), None)
    else:
        try:
            unseen = resume.changes(present)
        except HistoryGone as error:
            raise _gone(error) from error
        for resource in unseen:
            kind = "ADDED" if (resource.created or "") >= resume.newest else "MODIFIED"
            yield StreamEvent(kind, render(resource), None)
    yield StreamEvent("BOOKMARK", orjson.dumps({"resume_point": str(point)}), str(point))


def _follow(
    changes: Iterator[Change], point: ResumePoint, digests: dict[str, Digest], render: partial[bytes]
) -> Iterator[StreamEvent]:
    """Yield each change with the resume point after it; ``digests`` are those of the present objects, by id."""
    for change in changes:
        resource = change.resource
        if resource is None:
            continue
        before = digests.pop(resource.id, None)
        if before is not None:
            point = point.minus(before)
        if change.kind != "deleted":
            digests[resource.id] = digest = Digest.of(resource)
            point = point.plus(digest)
        yield StreamEvent(TYPES[change.kind], render(resource), str(point))
