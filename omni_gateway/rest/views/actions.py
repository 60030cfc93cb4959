"""Views around a plugin's functions: POST of an action, GET of a computed document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import orjson
from flask import Response, request
from werkzeug.http import dump_options_header

from omni_gateway.http.changed_fields import note_credential
from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.rest.actions import (
    Answer,
    DryRunResult,
    EventStreamResponse,
    FilePart,
    FileResponse,
    RangedResponse,
    StepsResponse,
    StreamingResponse,
)
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.scoped import unscoped, within_reach
from omni_gateway.rest.cache_headers import cache_headers
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.operations import Operation
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.views.responses import (
    check_tags,
    content_response,
    dry_run_response,
    json_response,
    object_response,
    operation_response,
)
from omni_gateway.watch import stream_response
from omni_gateway.watch.stream_response import StreamEvent

_Opening = Callable[[], AbstractContextManager[Iterator[tuple[str, bytes]]]]


def action_view(
    adapter: ResourceAdapter,
    representation: Representation,
    function: Callable[..., Answer],
    *,
    with_body: bool,
    operation: str,
    answers: bool,
    writes: bool,
    cluster_independent: bool,
    parent: ResourceAdapter | None = None,
) -> Callable[..., Response]:
    """Return the view of an action's POST.

    It calls ``function(adapter, id, body, dry_run=...)``, without ``id`` for an action on a collection, with the other
    parameters of the query by their names.

    :param with_body: whether the request has a body; else ``body`` is an empty mapping.
    :param operation: the kind of the operation that it starts; empty for none.
    :param answers: whether it returns a mapping.
    :param writes: whether the action needs more than the reader role.
    :param cluster_independent: whether callers restricted to some clusters may call it on a collection.
    :param parent: the adapter of the object, if that is another plugin's.
    """

    def post(arguments: Mapping[str, Any], body: Mapping[str, Any] | None = None, **path: str) -> Response:
        bind, id = current_gateway().bound, path.get("id")
        owner = within_reach(bind(parent or adapter), id, writes=writes, cluster_independent=cluster_independent)
        bound = owner if parent is None else _below(owner, path["id"], bind(adapter))
        _check_preconditions(owner, representation, id)
        answer = function(bound, *path.values(), body or {}, **arguments)
        if answers and isinstance(answer, DryRunResult) and answer.answer is None:
            raise TypeError("the DryRunResult of an action with `answers` needs an `answer`")
        return respond(representation, answer, operation=operation)

    def post_without_body(arguments: Mapping[str, Any], **path: str) -> Response:
        return post(arguments, None, **path)

    return post if with_body else post_without_body


def _check_preconditions(adapter: ResourceAdapter, representation: Representation, id: str | None) -> None:
    """Raise 412 if a precondition of the request fails for the object that an action is called on.

    An action on a collection has no entity tag: any If-Match fails, and If-None-Match never does.
    """
    if id is None and "If-Match" in request.headers:
        raise Problem(412, "stale-precondition", "An action on a collection has no entity tag, so If-Match fails.")
    if id is not None and ("If-Match" in request.headers or "If-None-Match" in request.headers):
        check_tags(representation, adapter.get(id))


def computed_view(
    adapter: ResourceAdapter,
    representation: Representation,
    function: Callable[..., Answer],
    *,
    with_body: bool,
    writes: bool,
    cluster_independent: bool,
    scoped: bool,
    conditional: bool,
    parent: ResourceAdapter | None = None,
) -> Callable[..., Response]:
    """Return the view of a computed document, which calls ``function(adapter, *path, query)``.

    :param with_body: whether the request has a body, which the function gets in the place of the query.
    :param writes: whether it needs more than the reader role; its adapter then reads from Omni, never from the cache.
    :param cluster_independent: whether callers restricted to some clusters may read it on a collection.
    :param scoped: whether the function reads a collection's objects within the caller's scope only.
    :param conditional: whether the response has an entity tag.
    :param parent: the adapter of the object, if that is another plugin's.
    """

    def get(arguments: Mapping[str, Any], **path: str) -> Response:
        gateway = current_gateway()
        bind, id = gateway.bound if writes else gateway.reading, path.get("id")
        if scoped:
            bound = bind(adapter)
        else:
            owner = within_reach(bind(parent or adapter), id, writes=writes, cluster_independent=cluster_independent)
            bound = owner if parent is None else _below(owner, path["id"], bind(adapter))
        answer = function(bound, *path.values(), arguments)
        return content_response(answer) if conditional else respond(representation, answer)

    def post(query: Mapping[str, Any], body: Mapping[str, Any], **path: str) -> Response:
        return get(body, **path)

    return post if with_body else get


def _below(owner: ResourceAdapter, id: str, adapter: ResourceAdapter) -> ResourceAdapter:
    """Return the adapter for the function of a route below another plugin's object, which was found within reach.

    Raises the not-found error of ``owner``, the adapter of that object, if there is none.
    """
    owner.get(id)
    return unscoped(adapter)


def respond(representation: Representation, answer: Answer, *, operation: str = "") -> Response:
    """Return the response for the return value of a plugin's function.

    ``operation`` is the kind of the operation that the request starts, for a dry run of it; empty for none.
    """
    if isinstance(answer, Resource):
        return object_response(representation, answer)
    if isinstance(answer, Operation):
        return operation_response(answer)
    if isinstance(answer, DryRunResult):
        return dry_run_response(representation, answer, operation=operation)
    if isinstance(answer, FileResponse):
        return _file_response(answer)
    if isinstance(answer, StreamingResponse) and request.method == "HEAD":
        # Without opening the stream: that may be a call to Omni and takes one of the caller's streams.
        return Response(headers=_file_headers(answer.filename), mimetype=answer.media_type)
    if isinstance(answer, StepsResponse):
        return _steps_response(representation, answer)
    if isinstance(answer, StreamingResponse):
        return stream_response.stream_bytes(
            answer.open,
            media=answer.media_type,
            limiter=current_gateway().streams,
            headers=_file_headers(answer.filename),
            beat=answer.beat,
        )
    if isinstance(answer, EventStreamResponse):
        return _event_stream_response(answer)
    if isinstance(answer, RangedResponse):
        return _ranged_response(answer)
    return json_response(answer, headers=cache_headers())


def _file_response(answer: FileResponse) -> Response:
    headers = _file_headers(answer.filename)
    if callable(answer.body) and request.method == "HEAD":
        response = Response(headers=headers, mimetype=answer.media_type)
        response.automatically_set_content_length = False  # it is known of a file that was made only
        return response
    body = answer.body() if callable(answer.body) else answer.body
    if answer.credential:
        note_credential(request.environ)
    return Response(body, headers=headers, mimetype=answer.media_type)


def _steps_response(representation: Representation, answer: StepsResponse) -> Response:
    """Return the stream of the steps if the caller asks for one, else one answer after the last of them.

    The latter occupies a thread as long as a stream does, so it counts as one.
    """
    streams = current_gateway().streams
    media = stream_response.negotiate(request)
    if media is not None:
        return stream_response.stream(partial(_step_events, answer), media=media, limiter=streams)
    release = streams.take(stream_response.caller())
    try:
        with answer.open() as steps:
            collected = answer.collect([*steps])
    finally:
        release()
    return respond(representation, collected)


@contextmanager
def _step_events(answer: StepsResponse) -> Iterator[Iterator[stream_response.StreamEvent]]:
    with answer.open() as steps:
        yield (stream_response.StreamEvent("STEP", orjson.dumps(step)) for step in steps)


def _ranged_response(answer: RangedResponse) -> Response:
    headers = _file_headers(answer.filename)
    if request.method == "HEAD":
        return Response(headers={**headers, "Accept-Ranges": "bytes"}, mimetype=answer.media_type)
    wanted = {name: request.headers[name] for name in ("Range", "If-Range") if name in request.headers}
    opened: list[FilePart] = []

    @contextmanager
    def source() -> Iterator[Iterator[bytes]]:
        with answer.open(wanted) as part:
            if part.status == 416:
                length = {name: value for name, value in part.headers.items() if name == "Content-Range"}
                raise Problem(416, "range-not-satisfiable", headers=length)
            opened.append(part)
            yield part.chunks

    # Opened before it returns, and only where the caller may have one more stream.
    response = stream_response.stream_bytes(
        source, media=answer.media_type, limiter=current_gateway().streams, headers=headers
    )
    response.status_code = opened[0].status
    response.headers.extend(opened[0].headers)
    if answer.credential:
        note_credential(request.environ)
    return response


def _event_stream_response(answer: EventStreamResponse) -> Response:
    headers = {"Cache-Control": "no-store"}
    if request.method == "HEAD":
        return Response(headers=headers, mimetype=stream_response.NDJSON)
    limiter = current_gateway().streams
    opening = partial(answer.open, stream_response.resume_point(request))
    if stream_response.negotiate(request) == stream_response.SSE:
        return stream_response.stream(partial(_as_events, opening), media=stream_response.SSE, limiter=limiter)
    return stream_response.stream_bytes(
        partial(_as_lines, opening), media=stream_response.NDJSON, limiter=limiter, headers=headers, beat=b"\n"
    )


@contextmanager
def _as_events(opening: _Opening) -> Iterator[Iterator[StreamEvent]]:
    with opening() as objects:
        yield (
            StreamEvent("ADDED", text, id) if text else StreamEvent("BOOKMARK", orjson.dumps({"resume_point": id}), id)
            for id, text in objects
        )


@contextmanager
def _as_lines(opening: _Opening) -> Iterator[Iterator[bytes]]:
    with opening() as objects:
        yield (text + b"\n" for _, text in objects if text)


def _file_headers(filename: str | None) -> dict[str, str]:
    """Return the headers of a file: its name, and ``no-store`` since it may contain a credential."""
    headers = {"Cache-Control": "no-store"}
    if filename:
        headers["Content-Disposition"] = dump_options_header("attachment", {"filename": filename})
    return headers
