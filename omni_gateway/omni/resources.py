"""Reads and writes of any resource of Omni, by type and id, over ``omni.resources.ResourceService``.

Objects are transferred as ``{"metadata": {…}, "spec": {…}}`` in Omni's own JSON: spec keys by their proto names, enums
as numbers, zero values left out. A new resource type therefore needs nothing here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import grpc
import orjson

from omni_gateway.omni import deadline, errors, outcomes, rpcs, types
from omni_gateway.omni.calls import Calls, parsed
from omni_gateway.omni.list_options import ListOptions, ListResult
from omni_gateway.omni.signing import Metadata
from omni_gateway.omni.streams import Stream
from omni_gateway.omni.types import UNREADABLE, namespace_of
from omni_gateway.omni.watch import RawEvent, Watch, WatchEvent, events_in, raw_events_in
from omni_gateway.stubs import cosi_resource_pb2 as cosi
from omni_gateway.stubs import resources_pb2 as pb

__all__ = ["ListResult", "ResourceClient", "Watch", "WatchEvent"]

_OMNI = (("runtime", "Omni"),)
_NEW_VERSION = "1"
_ANY_VERSION = "undefined"
_RUNNING, _TEARING_DOWN = "running", "tearingDown"
#: How long the destruction of an object without finalizers may take.
_UNHELD_SECONDS = 2.0
#: How long Omni is asked to wait for the finalizers of an object that is being removed.
_HELD_SECONDS = 1800.0
#: Types whose objects every Omni destroys by itself once they have no finalizers.
_OMNI_ENDS = frozenset({types.CLUSTERS, types.MACHINE_SETS, types.LINKS})


@dataclass(frozen=True, slots=True)
class Write:
    """A write that may have been applied.

    ``at`` (by the observer's clock) is before it was sent. ``created`` and ``version``, where they are known: of the
    object as it is from then on; of one that was created, ``created`` is that of the object that was known before.
    """

    kind: Literal["create", "update", "teardown", "delete"]
    at: float
    created: str = ""
    version: int = 0


class ResourceObserver(Protocol):
    """Notified of all that a client reads and writes: a cache may show nothing older from then on."""

    def now(self) -> float:
        """Return the present time; the observer is told when reads and writes were sent by this clock."""

    def created(self, type: str, namespace: str, id: str) -> str:
        """Return when the object that is known now was made; empty where none is known."""

    def read(self, type: str, namespace: str, id: str, version: int, created: str, asked_at: float) -> None:
        """Called with what was read of an object; ``asked_at`` is before the read was sent."""

    def missing(self, type: str, namespace: str, id: str, asked_at: float) -> None:
        """Called for an object that was not there; ``asked_at`` is before the read was sent."""

    def written(self, type: str, namespace: str, id: str, write: Write, *, answered: bool) -> None:
        """Called once a write may have been applied; ``answered``: it has been."""


class NoObserver:
    """An observer that does nothing."""

    def now(self) -> float:
        return 0.0

    def created(self, type: str, namespace: str, id: str) -> str:
        return ""

    def read(self, type: str, namespace: str, id: str, version: int, created: str, asked_at: float) -> None:
        """Ignore it."""

    def missing(self, type: str, namespace: str, id: str, asked_at: float) -> None:
        """Ignore it."""

    def written(self, type: str, namespace: str, id: str, write: Write, *, answered: bool) -> None:
        """Ignore it."""


class ResourceClient:
    """Reads and writes objects; every method raises ``OmniError``.

    The default ``namespace`` is the type's own (:mod:`omni_gateway.omni.types`), or ``default``.
    """

    def __init__(self, calls: Calls, observer: ResourceObserver | None = None) -> None:
        self._calls = calls
        self._observer = observer or NoObserver()

    def get(self, type: str, id: str, namespace: str | None = None) -> dict[str, Any]:
        """Return one object; ``NotFound`` when there is none (also when the namespace is not the type's own)."""
        place, asked_at = namespace or namespace_of(type), self._observer.now()
        body: dict[str, Any] = parsed(rpcs.GET.name, self._read_text(type, id, place, asked_at))
        metadata = body.get("metadata") or {}
        version, created = int(metadata.get("version", 0)), metadata.get("created") or ""
        self._observer.read(type, place, id, version, created, asked_at)
        return body

    def get_text(self, type: str, id: str, namespace: str | None = None) -> str:
        """Return one object as Omni's JSON text; ``NotFound`` when there is none."""
        return self._read_text(type, id, namespace or namespace_of(type), self._observer.now())

    def _read_text(self, type: str, id: str, place: str, asked_at: float) -> str:
        try:
            answer = self._calls.unary(
                rpcs.GET, lambda: pb.GetRequest(namespace=place, type=type, id=id), metadata=_OMNI
            )
        except errors.NotFound:
            self._observer.missing(type, place, id, asked_at)
            raise
        return answer.body

    @contextmanager
    def _writing(self, type: str, namespace: str, id: str, write: Write) -> Iterator[None]:
        """Notify the observer of a write, unless Omni refused it: after any other error it may have been applied."""
        try:
            yield
        except outcomes.REFUSALS:
            raise
        except errors.OmniError:
            self._observer.written(type, namespace, id, write, answered=False)
            raise
        self._observer.written(type, namespace, id, write, answered=True)

    def list(
        self,
        type: str,
        namespace: str | None = None,
        *,
        offset: int = 0,
        limit: int = 0,
        sort_by: str = "",
        descending: bool = False,
        search: Sequence[str] = (),
        selectors: Sequence[str] = (),
        timeout: float | None = None,
    ) -> ListResult:
        """Return the objects of a type as of one moment; ``limit`` 0 means all.

        ``selectors`` are label queries in the Kubernetes grammar: commas mean AND, several entries OR. ``search``
        texts are matched with the id. Sorting by a field that an object lacks ends as ``Unknown``. A list that does not
        fit into one message is read by a watch; ``ListTooLarge`` if it exceeds the configured bound.
        """
        place = namespace or namespace_of(type)
        return self._list(ListOptions(type, place, offset, limit, sort_by, descending, search, selectors), timeout)

    def _list(self, asked: ListOptions, timeout: float | None) -> ListResult:
        large = self._calls.large_lists
        key = (asked.type, asked.namespace)
        # Pages, and orders that only Omni knows, are left to List: a watch has neither.
        streamable = asked.limit <= 0 and asked.offset <= 0 and asked.sort_by in ("", "id")
        if streamable and key in large and asked.every:
            return self._list_by_watch(asked, timeout)
        try:
            answer = self._calls.unary(
                rpcs.LIST,
                lambda: pb.ListRequest(
                    namespace=asked.namespace,
                    type=asked.type,
                    offset=asked.offset,
                    limit=asked.limit,
                    sort_by_field=asked.sort_by,
                    sort_descending=asked.descending,
                    search_for=asked.search,
                ),
                metadata=_with_selectors(asked.selectors),
                timeout=timeout,
            )
        except errors.MessageTooLarge:
            if not streamable:
                raise
        else:
            return ListResult(answer.items, answer.total)
        if asked.every:
            large.add(key)
        return self._list_by_watch(asked, timeout)

    def _list_by_watch(self, asked: ListOptions, timeout: float | None) -> ListResult:
        """Return what the bootstrap of a watch lists; see :mod:`omni_gateway.omni.large_lists`."""
        large = self._calls.large_lists
        ends = time.monotonic() + deadline.left(self._calls.timeout if timeout is None else timeout)
        with large.turn(ends - time.monotonic()):
            stream = self._calls.stream(
                rpcs.WATCH,
                lambda: pb.WatchRequest(namespace=asked.namespace, type=asked.type, search_for=asked.search),
                raw_events_in,
                metadata=_with_selectors(asked.selectors),
                timeout=ends - time.monotonic(),
            )
            with stream:
                texts = large.collect((asked.type, asked.namespace), stream, every=asked.every)
        return ListResult(texts[::-1] if asked.descending and asked.sort_by else texts, len(texts))

    def create(
        self,
        type: str,
        id: str,
        spec: Mapping[str, Any],
        *,
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> None:
        """Create an object; ``AlreadyExists`` when the id is taken. Omni's answer is empty: read it if need be.

        If the answer is lost, the object is read: one with this spec and metadata counts as created by this call.
        """

        def build() -> pb.CreateRequest:
            metadata = cosi.Metadata(
                namespace=namespace or namespace_of(type),
                type=type,
                id=id,
                version=_NEW_VERSION,
                phase=_RUNNING,
                labels=labels,
                annotations=annotations,
            )
            return pb.CreateRequest(resource=pb.Resource(metadata=metadata, spec=_spec_text(spec)))

        place = namespace or namespace_of(type)
        # Read before the write, for the watch may deliver the new object before Omni answers.
        write = Write("create", self._observer.now(), self._observer.created(type, place, id))
        try:
            with self._writing(type, place, id, write):
                self._calls.unary(rpcs.CREATE, build, metadata=_OMNI)
        except errors.OmniError as error:
            metadata = {"labels": labels, "annotations": annotations, "owner": "", "phase": _RUNNING}
            asked = {"metadata": metadata, "spec": spec}
            if not self._was_done(error, type, id, place, lambda now: now is not None and outcomes.holds(asked, now)):
                raise

    def update(self, resource: Mapping[str, Any], *, version: int | None) -> None:
        """Replace an object whole: spec, labels, annotations **and finalizers**, so send back what was read.

        ``version`` is the one that was read; ``StaleVersion`` if the object has changed since. None: the last write
        wins. Never update an object that is tearing down: Omni would make it a running one again. If the answer is
        lost, the object is read: one that is as ``resource`` counts as written.
        """
        expected = _ANY_VERSION if version is None else str(version)

        def build() -> pb.UpdateRequest:
            spec = _spec_text(resource.get("spec") or {})
            body = pb.Resource(metadata=_metadata(resource["metadata"], expected), spec=spec)
            return pb.UpdateRequest(currentVersion=expected, resource=body)

        metadata = resource["metadata"]
        written_over = int(metadata.get("version") or 0) if version is None else version
        place = metadata.get("namespace", "default")
        new_version = written_over + 1 if written_over else 0
        write = Write("update", self._observer.now(), metadata.get("created") or "", new_version)
        try:
            with self._writing(metadata["type"], place, metadata["id"], write):
                self._calls.unary(rpcs.UPDATE, build, metadata=_OMNI)
        except errors.OmniError as error:
            if not self._was_done(error, metadata["type"], metadata["id"], place, lambda now: _is(resource, now)):
                raise

    def teardown(self, type: str, id: str, namespace: str | None = None) -> None:
        """Mark an object for removal; Omni destroys most types by itself once their finalizers are gone.

        If the answer is lost, the object is read: one that is gone or tearing down counts as torn down.
        """
        place = namespace or namespace_of(type)
        try:
            with self._writing(type, place, id, Write("teardown", self._observer.now())):
                self._calls.unary(
                    rpcs.TEARDOWN, lambda: pb.DeleteRequest(namespace=place, type=type, id=id), metadata=_OMNI
                )
        except errors.OmniError as error:
            if not self._was_done(error, type, id, place, lambda now: now is None or _is_tearing_down(now)):
                raise

    def _was_done(
        self,
        error: errors.OmniError,
        type: str,
        id: str,
        namespace: str,
        done: Callable[[Mapping[str, Any] | None], bool],
    ) -> bool:
        """Return whether a failed write was applied: read the object, and pass it (None: missing) to ``done``."""
        if not outcomes.may_have_been_applied(error):
            return False
        deadline.grace()
        for pause in outcomes.LOOKS:
            time.sleep(pause)
            try:
                if done(self.get(type, id, namespace)):
                    return True
            except errors.NotFound:
                return done(None)
            except errors.OmniError:
                return False
        return False

    def remove(self, type: str, id: str, namespace: str | None = None) -> None:
        """Tear an object down, and destroy it if it has no finalizers; ``NotFound`` when there is none.

        Omni of August 2026 destroys an object without finalizers by itself; 1.7 leaves it tearing down for ever (tried
        on both). There a client must keep a Delete call open until the object is gone, as omnictl and Omni's web pages
        do. So for an object with finalizers such a call is sent as well, without waiting for it: Omni completes the
        removal once the finalizers are gone.
        """
        self.teardown(type, id, namespace)
        with suppress(errors.NotFound, errors.FinalizersRemain, errors.DeadlineExceeded):
            if type in UNREADABLE or not self.get(type, id, namespace)["metadata"].get("finalizers"):
                self.delete(type, id, namespace, timeout=_UNHELD_SECONDS)
            elif type not in _OMNI_ENDS:
                self._begin_delete(type, id, namespace or namespace_of(type))

    def _begin_delete(self, type: str, id: str, namespace: str) -> None:
        self._calls.begin(
            rpcs.DELETE,
            lambda: pb.DeleteRequest(namespace=namespace, type=type, id=id),
            metadata=_OMNI,
            timeout=_HELD_SECONDS,
        )

    def delete(self, type: str, id: str, namespace: str | None = None, *, timeout: float | None = None) -> None:
        """Tear an object down, wait for its finalizers, destroy it; ``DeadlineExceeded`` after ``timeout`` seconds.

        The object may vanish by itself before the last step, so ``NotFound`` after a successful read means success.
        """
        place = namespace or namespace_of(type)
        with self._writing(type, place, id, Write("delete", self._observer.now())):
            self._calls.unary(
                rpcs.DELETE,
                lambda: pb.DeleteRequest(namespace=place, type=type, id=id),
                metadata=_OMNI,
                timeout=timeout,
            )

    def watch(
        self,
        type: str,
        namespace: str | None = None,
        *,
        id: str = "",
        selectors: Sequence[str] = (),
        search: Sequence[str] = (),
        timeout: float | None = None,
    ) -> Watch:
        """Follow a type (or one object): everything present, one ``bootstrapped``, then the changes.

        Open for as long as it is read, unless ``timeout`` (seconds) bounds it.
        """
        return self._calls.stream(
            rpcs.WATCH,
            lambda: pb.WatchRequest(namespace=namespace or namespace_of(type), type=type, id=id, search_for=search),
            events_in,
            metadata=_with_selectors(selectors),
            timeout=timeout,
        )

    def follow(
        self, type: str, namespace: str, *, id: str = "", selectors: Sequence[str] = (), search: Sequence[str] = ()
    ) -> Stream[RawEvent]:
        """Follow a type as ``watch`` does, each event as its kind and the object's JSON text."""
        return self._calls.stream(
            rpcs.WATCH,
            lambda: pb.WatchRequest(namespace=namespace, type=type, id=id, search_for=search),
            raw_events_in,
            metadata=_with_selectors(selectors),
        )


class EmptyResources(ResourceClient):
    """A client of an Omni without objects: the answers for a caller who must not learn which objects exist."""

    def get_text(self, type: str, id: str, namespace: str | None = None) -> str:
        """Raise ``NotFound``."""
        text = f"resource {type}({namespace or namespace_of(type)}/{id}) doesn't exist"
        raise errors.NotFound(grpc.StatusCode.NOT_FOUND, text, rpcs.GET.name)

    def get(self, type: str, id: str, namespace: str | None = None) -> dict[str, Any]:
        """Raise ``NotFound``."""
        return {"body": self.get_text(type, id, namespace)}

    def _list(self, asked: ListOptions, timeout: float | None) -> ListResult:
        return ListResult((), 0)


def _is(asked: Mapping[str, Any], now: Mapping[str, Any] | None) -> bool:
    """Return whether an object is as asked: the same incarnation, spec, labels, annotations and phase."""
    if now is None:
        return False
    wanted, found = asked["metadata"], now["metadata"]
    spec, found_spec = asked.get("spec") or {}, now.get("spec") or {}
    return (
        all((wanted.get(name) or {}) == (found.get(name) or {}) for name in ("labels", "annotations"))
        and (wanted.get("created") or found.get("created")) == found.get("created")
        and found.get("phase") == (wanted.get("phase") or _RUNNING)
        and outcomes.holds(spec, found_spec)
        and outcomes.holds(found_spec, spec)
    )


def _is_tearing_down(now: Mapping[str, Any]) -> bool:
    return bool(now["metadata"].get("phase") == _TEARING_DOWN)


def _with_selectors(selectors: Sequence[str]) -> Metadata:
    return (*_OMNI, *(("selectors", selector) for selector in selectors if selector.strip()))


def _spec_text(spec: Mapping[str, Any]) -> str:
    try:
        return orjson.dumps(spec if isinstance(spec, dict) else dict(spec)).decode()
    except orjson.JSONEncodeError as error:
        raise ValueError(f"the spec is not JSON: {error}") from None


def _metadata(read: Mapping[str, Any], version: str) -> cosi.Metadata:
    metadata = cosi.Metadata(
        namespace=read.get("namespace", "default"),
        type=read["type"],
        id=read["id"],
        version=version,
        owner=read.get("owner") or "",
        phase=read.get("phase") or _RUNNING,
        finalizers=read.get("finalizers") or (),
        labels=read.get("labels") or {},
        annotations=read.get("annotations") or {},
    )
    for name in ("created", "updated"):
        if read.get(name):
            getattr(metadata, name).FromJsonString(read[name])
    return metadata
