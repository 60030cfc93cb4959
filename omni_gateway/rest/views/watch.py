"""Watch: changes of a list or an object as Server-Sent Events or NDJSON."""

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
    """Open a stream of ``query``'s changes; from ``Last-Event-ID`` on when the request names one."""
    resume = _resume_point()
    _refuse_early(adapter, query, id, resume)
    render = partial(representation.body, fields=fields)
    gateway = current_gateway()
    if not gateway.may_feed():
        opening = partial(_opened, adapter, query, id, resume, render)
        return stream_response.stream(opening, media=media, limiter=gateway.streams)
    with ExitStack() as opened, ExitStack() as place:
        place.callback((gateway.watches if push_stream.offered() else gateway.streams).take(stream_response.caller()))
        with opening_stream():
            changes = opened.enter_context(adapter.watch(query, id))
        if isinstance(changes, Fed):
            question = (_question(adapter, query, id), representation, fields, media)
            channel = partial(_channel, changes, opened, render, media)
            return _from_channel(question, channel, media, resume, render, place)
        place.close()  # it takes a thread, and its place among those that do
        events = _events(changes, resume, render)
        return stream_response.stream(
            lambda: _left_with(opened.pop_all(), events), media=media, limiter=gateway.streams
        )


@contextmanager
def _opened(
    adapter: ResourceAdapter, query: ListQuery, id: str, resume: ResumePoint | None, render: partial[bytes]
) -> Iterator[Iterator[StreamEvent]]:
    with adapter.watch(query, id) as changes:
        yield _events(changes, resume, render)


@contextmanager
def _left_with(opened: ExitStack, events: Iterator[StreamEvent]) -> Iterator[Iterator[StreamEvent]]:
    with opened:
        yield events


def _channel(changes: Fed, opened: ExitStack, render: partial[bytes], media: str) -> Broadcaster:
    return Broadcaster(changes, opened.pop_all(), render, stream_response.FORMS[media])


def _from_channel(
    question: Hashable,
    make: Callable[[], Broadcaster],
    media: str,
    resume: ResumePoint | None,
    render: partial[bytes],
    place: ExitStack,
) -> Response:
    """Answer with what the gateway's own watch tells; ``place`` is left when the stream has ended."""
    form = stream_response.FORMS[media]
    with ExitStack() as failing:
        leaving = ExitStack()
        stream = push_stream.new(media, leaving.close)
        failing.callback(stream.close)
        leaving.enter_context(place.pop_all())
        present, point, leave = current_gateway().broadcasters.join(question, stream, make)
        leaving.callback(leave)
        # Rendered here; put together and sent by who carries the stream, for that may be much and its reader slow.
        events = list(_start(present, point, resume, render))
        stream.begin(push_stream.joined(form.write(event) for event in events))
        response = push_stream.respond(stream, media)
        failing.pop_all()
    return response


def _question(adapter: ResourceAdapter, query: ListQuery, id: str) -> Hashable:
    """Return what makes two watches of one representation the same."""
    filters = tuple(sorted((name, repr(value)) for name, value in query.filters.items()))
    kind = type(unscoped(adapter)), adapter.type, adapter.namespace, adapter.scope
    return (*kind, query.selector, query.search, filters, id)


def _resume_point() -> ResumePoint | None:
    text = request.headers.get("Last-Event-ID") or ""
    try:
        return ResumePoint.parse(text) if text else None
    except HistoryGone as error:
        raise _gone(error) from error


def _refuse_early(adapter: ResourceAdapter, query: ListQuery, id: str, resume: ResumePoint | None) -> None:
    """Find out what can be refused while there is still a status line to say it with: 404, and 410."""
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
        410, "gone", f"The watch cannot go on from there: {error}.", hint="List again, or watch from the start."
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
    held = {id: Digest.of(resource) for id, resource in present.items()}  # a long watch holds no specs
    present.clear()
    yield from _follow(changes, point, held, render)


def _start(
    present: Collection[Resource], point: ResumePoint, resume: ResumePoint | None, render: partial[bytes]
) -> Iterator[StreamEvent]:
    """Tell what is there (or, with a resume point, what it has not seen), then the bookmark at ``point``."""
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
    changes: Iterator[Change], point: ResumePoint, held: dict[str, Digest], render: partial[bytes]
) -> Iterator[StreamEvent]:
    """Tell each change with the resume point after it."""
    for change in changes:
        resource = change.resource
        if resource is None:
            continue
        before = held.pop(resource.id, None)
        if before is not None:
            point = point.minus(before)
        if change.kind != "deleted":
            held[resource.id] = digest = Digest.of(resource)
            point = point.plus(digest)
        yield StreamEvent(TYPES[change.kind], render(resource), str(point))
