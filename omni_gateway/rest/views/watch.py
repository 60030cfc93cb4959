"""Watch: respond with the changes of a list or an object, as Server-Sent Events or NDJSON."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial

import orjson
from flask import Response, request

from omni_gateway.auth import EVERYTHING, Scope
from omni_gateway.cache.client import informers_of
from omni_gateway.cache.informer import Informer
from omni_gateway.http.problems import Problem
from omni_gateway.model.query import Change, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.scoped import ScopedAdapter, unscoped
from omni_gateway.rest.filters import filtered_list, filtered_source, filtered_watch
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.request_context import current_reads
from omni_gateway.watch import push_stream, stream_response
from omni_gateway.watch.broadcaster import TYPES, Broadcaster, InformerNotReady
from omni_gateway.watch.resume_token import Digest, HistoryGone, ResumePoint, digest_of
from omni_gateway.watch.source import WatchSource
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

    The stream continues after ``Last-Event-ID``, or else ``resume_point`` of the query, if the request has one. Raises
    404 for a missing object, 410 for a resume point that is too old, and 429 if the caller has too many streams.
    """
    resume = _resume_point()
    _check_before_headers(adapter, query, id, resume)
    gateway = current_gateway()
    render = partial(gateway.bodies.body, representation, fields=fields)
    source = filtered_source(adapter, query, id) if gateway.may_use_cache() else None
    scope = adapter.scope if isinstance(adapter, ScopedAdapter) else EVERYTHING
    informers = _informers(adapter.omni, source, scope) if source is not None else None
    if source is not None and informers is not None:
        # The source of an adapter whose responses are not cacheable may be about this request or its caller only.
        cacheable = current_reads().cacheable_response
        key = (_query_key(adapter, query, id), representation, fields, media) if cacheable else object()
        make = partial(Broadcaster, source, informers, scope, render, stream_response.FORMS[media])
        # An informer may have lost its watch since it was looked at.
        with suppress(InformerNotReady):
            return _push_response(key, make, media, resume, render)
    opening = partial(_opened, adapter, query, id, resume, render)
    return stream_response.stream(opening, media=media, limiter=gateway.streams)


def _informers(omni: OmniClient, source: WatchSource, scope: Scope) -> Sequence[Informer] | None:
    """Return the informers of all types that a source needs; None if the watch cannot be served from informers."""
    if not source.from_informers:
        return None
    needed = (*source.triggers, *source.lookups) if scope.restricted else source.triggers
    return informers_of(omni, [(each.type, each.place) for each in needed])


@contextmanager
def _opened(
    adapter: ResourceAdapter, query: ListQuery, id: str, resume: ResumePoint | None, render: partial[bytes]
) -> Iterator[Iterator[StreamEvent]]:
    with filtered_watch(adapter, query, id) as changes:
        yield _events(changes, resume, render)


def _push_response(
    key: Hashable,
    make: Callable[[], Broadcaster],
    media: str,
    resume: ResumePoint | None,
    render: partial[bytes],
) -> Response:
    """Return a response that a broadcaster feeds; watches with the same ``key`` share one.

    ``make`` creates the broadcaster if there is none yet. Raises :class:`InformerNotReady`.
    """
    form = stream_response.FORMS[media]
    gateway = current_gateway()
    limiter = gateway.watches if push_stream.offered() else gateway.streams
    with ExitStack() as on_failure:
        on_close = ExitStack()
        stream = push_stream.new(media, on_close.close)
        on_failure.callback(stream.close)
        on_close.callback(limiter.take(stream_response.caller()))
        present, point, leave = gateway.broadcasters.join(key, stream, make)
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
    return (*kind, query.selector, query.search, query.id_matches, filters, id)


def _resume_point() -> ResumePoint | None:
    text = stream_response.resume_point(request)
    try:
        return ResumePoint.parse(text) if text else None
    except HistoryGone as error:
        raise _gone(error) from error


def _check_before_headers(adapter: ResourceAdapter, query: ListQuery, id: str, resume: ResumePoint | None) -> None:
    """Raise 404 for a missing object and 410 for an old resume point, while the response's status is not yet sent."""
    if not id and resume is None:
        return
    present = [adapter.get(id)] if id else filtered_list(adapter, replace(query, offset=0, limit=0)).items
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
    digests = {id: digest_of(resource) for id, resource in present.items()}
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
            digests[resource.id] = digest = digest_of(resource)
            point = point.plus(digest)
        yield StreamEvent(TYPES[change.kind], render(resource), str(point))
