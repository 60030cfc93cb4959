"""Declarations of a plugin's actions and computed documents, and the return values of their functions.

``rest.views`` makes a route of each declaration, and responses of the return values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass
from typing import Any, Protocol

import marshmallow as ma

from omni_gateway.auth import Role
from omni_gateway.model.resource import Resource
from omni_gateway.rest.declaration import check_role
from omni_gateway.rest.errors import PluginError
from omni_gateway.rest.operations import Operation, OperationKind
from omni_gateway.rest.parameters import WriteQuery


@dataclass(frozen=True, slots=True)
class FileResponse:
    """A file or text that is returned as it is.

    :param body: the content, or a function that makes it. A HEAD does not call the function, so that it has no effect
        (RFC 9110 §9.2.1) where the making of a file has one.
    :param media_type: its media type.
    :param filename: the name under which clients save it (``Content-Disposition``); None: no name.
    :param credential: whether it contains a credential that was made for this response; a GET of it is then audited.
    """

    body: bytes | Callable[[], bytes]
    media_type: str
    filename: str | None = None
    credential: bool = False


@dataclass(frozen=True, slots=True)
class StreamingResponse:
    """A file or log that is sent in chunks.

    :param open: returns a context manager around an iterator of the chunks; leaving the context releases the source.
    :param media_type: the media type of the content.
    :param filename: the name under which clients save it (``Content-Disposition``); None: no name.
    :param beat: bytes to send while no chunk comes, e.g. an empty line in a followed log, so that a closed connection
        is noticed.
    """

    open: Callable[[], AbstractContextManager[Iterator[bytes]]]
    media_type: str
    filename: str | None = None
    beat: bytes = b""


@dataclass(frozen=True, slots=True)
class StepsResponse:
    """Work whose steps are streamed to a caller who asks for a stream, and collected into one answer for any other.

    :param open: returns a context manager around an iterator of the steps, a mapping each; leaving the context releases
        the source.
    :param collect: called with all steps where none is streamed; returns the answer: a mapping, in a dry run a
        :class:`DryRunResult` with that mapping as ``answer``.
    """

    open: Callable[[], AbstractContextManager[Iterator[Mapping[str, Any]]]]
    collect: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any] | DryRunResult]


@dataclass(frozen=True, slots=True)
class EventStreamResponse:
    """A stream of JSON objects with ids: Server-Sent Events if the request's ``Accept`` names them, else JSON lines.

    Declare the document with ``events=True``, and ``resume_point`` in its ``query``.

    :param open: called with the id after which the stream goes on (``Last-Event-ID``, else ``resume_point``; empty for
        none); returns a context manager around an iterator of (id, JSON text). An empty text tells the id only: it is
        a ``BOOKMARK`` among Server-Sent Events, and left out of JSON lines.
    """

    open: Callable[[str], AbstractContextManager[Iterator[tuple[str, bytes]]]]


class FilePart(Protocol):
    """A file that another server has, or a part of it."""

    @property
    def status(self) -> int:
        """200: the whole file; 206: the part that ``Range`` names; 416: there is no such part."""

    @property
    def headers(self) -> Mapping[str, str]:
        """``Content-Length``, ``Content-Range``, ``ETag`` and the like."""

    @property
    def chunks(self) -> Iterator[bytes]:
        """The bytes."""


@dataclass(frozen=True, slots=True)
class RangedResponse:
    """A file from another server, sent on as it comes, whole or in the part that the request's ``Range`` names.

    :param open: called with the request's ``Range`` and ``If-Range``, as far as it has them; returns a context manager
        around a :class:`FilePart`. Leaving the context, from any thread, ends the iteration of its bytes.
    :param media_type: the media type of the content.
    :param filename: the name under which clients save it (``Content-Disposition``).
    :param credential: whether it contains a credential; a GET of it is then audited.
    """

    open: Callable[[Mapping[str, str]], AbstractContextManager[FilePart]]
    media_type: str
    filename: str
    credential: bool = False


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """The result of an action's dry run.

    The response has the type of the real one: the object after the action, an operation of state ``planned``, or
    ``answer``.

    :param before: the stored object; None for a create.
    :param after: the object after the action; None if it would be removed.
    :param additional_objects: objects of other types that would be created or changed, in their new state.
    :param also_deleted: objects of other types that would be removed.
    :param answer: for an action with ``answers``: the mapping that it would return, as far as that is known; texts that
        only the real run can find out are empty. For one with an operation: its ``details``.
    """

    before: Resource | None
    after: Resource | None
    additional_objects: Sequence[Resource] = ()
    also_deleted: Sequence[Resource] = ()
    answer: Mapping[str, Any] | None = None


#: A Resource is rendered by the plugin's schema, an Operation responds 202, a mapping or a sequence of mappings is
#: returned as JSON (its schema is the ``answers`` of the declaration); bytes are such JSON, encoded already.
Answer = (
    Resource
    | Operation
    | FileResponse
    | StreamingResponse
    | StepsResponse
    | EventStreamResponse
    | RangedResponse
    | DryRunResult
    | Mapping[str, Any]
    | Sequence[Mapping[str, Any]]
    | bytes
)


@dataclass(frozen=True, slots=True)
class Action:
    """An action: ``POST <object>/actions/<name>``. A plugin lists it in its ``actions``.

    :param name: the last segment of its URL.
    :param role: the role that a caller needs; above ``READER`` the object must be writable for the caller.
    :param summary: one line for the OpenAPI document.
    :param run: called as ``run(adapter, id, body, dry_run=...)``, without ``id`` for an action on the collection;
        returns an ``Answer``, by default the changed object.
    :param body: the schema of the request body; None: the request has none.
    :param query: the schema of the query parameters; ``run`` gets those besides ``dry_run`` by their names, too.
    :param example: a request body, shown in the OpenAPI document.
    :param answers: the schema of the returned mapping; None: ``run`` returns the changed object.
    :param steps: the schema of one step, for an action with ``answers`` that returns a :class:`StepsResponse`.
    :param media_type: the media type of a file that ``run`` may return in the place of the mapping.
    :param operation: the kind of the ``Operation`` that ``run`` returns (202); None: it returns no operation.
    :param on_collection: make the route ``POST <collection>/actions/<name>`` instead.
    :param returned_once: texts of the result that are not stored: they are empty in a response that is replayed for an
        ``Idempotency-Key`` to another credential.
    :param cluster_independent: whether an action on a collection may be called by callers restricted to some clusters,
        since it affects none.
    :param description: further text for the OpenAPI document.
    """

    name: str
    _: KW_ONLY
    role: Role
    summary: str
    run: Callable[..., Answer]
    body: type[ma.Schema] | None = None
    query: type[WriteQuery] = WriteQuery
    example: Mapping[str, Any] | None = None
    answers: type[ma.Schema] | None = None
    steps: type[ma.Schema] | None = None
    media_type: str | None = None
    operation: OperationKind | None = None
    on_collection: bool = False
    returned_once: Sequence[str] = ()
    cluster_independent: bool = False
    description: str = ""

    def __post_init__(self) -> None:
        """Raise :class:`PluginError` for a role that is none, and for steps without an answer."""
        check_role(self.role, f"the action {self.name!r}")
        if self.steps is not None and self.answers is None:
            raise PluginError(f"the action {self.name!r} has `steps` without `answers`")


@dataclass(frozen=True, slots=True)
class ComputedDocument:
    """A document that is computed on request: ``GET <object>/<path>``. A plugin lists it in its ``documents``.

    With ``body`` it is a ``POST <object>/<path>`` that reads only, for protocols that send their query so. Like any
    declared POST it takes ``dry_run``, which changes nothing here, and an ``Idempotency-Key``.

    :param path: the path below the object; it may have further variables: ``"kubernetes-nodes/<node>"``.
    :param role: the role that a caller needs; above ``READER`` the object must be writable for the caller, and nothing
        is read from the cache.
    :param summary: one line for the OpenAPI document.
    :param run: called as ``run(adapter, id, *variables, query)``, without ``id`` for a document of the collection;
        with ``body`` it gets that in the place of ``query``. Returns an ``Answer``.
    :param answers: the schema of the returned mapping; of a stream of JSON lines, the schema of one line.
    :param many: whether ``run`` returns a sequence of such mappings; the response is then a JSON array.
    :param media_type: the media type of a returned file or stream, for the OpenAPI document.
    :param events: whether ``run`` may return an ``EventStreamResponse``; ``media_type`` is then that of JSON lines.
    :param ranged: whether ``run`` returns a ``RangedResponse``.
    :param query: the schema of the query parameters; by default there are none.
    :param body: the schema of the request body, which makes the route a POST; None: it is a GET.
    :param example: a request body, shown in the OpenAPI document.
    :param on_collection: make the route ``GET <collection>/<path>`` instead.
    :param cluster_independent: whether a document of a collection may be read by callers restricted to some clusters,
        since it is about none.
    :param scoped: whether a document of a collection is made of the objects that ``adapter.list`` and ``adapter.get``
        return, and of nothing else that belongs to a cluster. ``run`` then gets an adapter that leaves out the objects
        of clusters that the caller may not read, so callers restricted to some clusters may read the document.
    :param conditional: whether the JSON has an entity tag, made of its content: ``If-None-Match`` is answered 304, and
        the response cache keeps the response where the adapter's ``cacheable_response`` allows it.
    :param description: further text for the OpenAPI document.
    """

    path: str
    _: KW_ONLY
    role: Role
    summary: str
    run: Callable[..., Answer]
    answers: type[ma.Schema] | None = None
    many: bool = False
    media_type: str | None = None
    events: bool = False
    ranged: bool = False
    query: type[ma.Schema] | None = None
    body: type[ma.Schema] | None = None
    example: Mapping[str, Any] | None = None
    on_collection: bool = False
    cluster_independent: bool = False
    scoped: bool = False
    conditional: bool = False
    description: str = ""

    def __post_init__(self) -> None:
        """Raise :class:`PluginError` for a role that is none, and for arguments that exclude each other."""
        check_role(self.role, f"the document {self.path!r}")
        excluded = {
            "`query` and `body`": self.query is not None and self.body is not None,
            "`conditional` and `body`: a POST has no entity tag": self.conditional and self.body is not None,
            "`conditional` and `media_type`: only JSON has an entity tag": self.conditional and bool(self.media_type),
            "`scoped` and `cluster_independent`": self.scoped and self.cluster_independent,
            "`scoped` without `on_collection`": self.scoped and not self.on_collection,
        }
        for words, wrong in excluded.items():
            if wrong:
                raise PluginError(f"the document {self.path!r} has {words}")
