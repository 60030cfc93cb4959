"""Changes of objects as they happen."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, Self, TypeVar, cast

import httpx

from .client import AuthenticatedClient
from .problems import ProblemError

#: Seconds without a byte, heartbeats included, after which the connection counts as lost.
_SILENCE = 30.0
_PAUSE = 1.0


class Model(Protocol):
    """A generated class of objects."""

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Return the object of a JSON document."""
        ...


T = TypeVar("T", bound=Model)
EventType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True)
class Event(Generic[T]):
    """A change; ``object`` is as it is now, or as it was last."""

    type: EventType
    object: T


def watch(client: AuthenticatedClient, path: str, model: type[T], **query: str | bool) -> Iterator[Event[T]]:
    """Yield the present objects of a list as ``ADDED``, then each change, as long as the caller iterates.

    ``watch(gateway, "/api/v1/clusters", Cluster, label_selector="env=test")``; of one object, until it is gone:
    ``watch(gateway, "/api/v1/clusters/demo/status", ClusterStatus)``.

    A cut connection is resumed where it was cut. Where the gateway's history does not reach back that far, the objects
    are read again, and the differences to what has been yielded are yielded. Raises :class:`ProblemError` if the watch
    is refused, or ended by a problem that is not retryable.
    """
    known = _Known(model)
    point: str | None = None
    connected = False
    while True:
        received = False
        try:
            for event in _events(client, path, query, point):
                connected = received = True
                if event["type"] == "ERROR":
                    raise ProblemError.from_event(event["object"])
                if event["type"] == "BOOKMARK":
                    yield from known.missing(point is None)
                elif event["type"] != "HEARTBEAT":
                    yield from known.changes(event["type"], event["object"])
                point = event.get("resume_point", point)
        except httpx.TransportError:
            pass
        except ProblemError as problem:
            if problem.status == 404 and connected:
                yield from known.missing(True)
                return
            if problem.status == 410 and point is not None:
                point = None
            elif not problem.retryable:
                raise
        if point is None:
            known.begin()
        if not received:
            time.sleep(_PAUSE)


class _Known(Generic[T]):
    """The objects that have been yielded, by id."""

    def __init__(self, model: type[T]) -> None:
        self._model = model
        self._documents: dict[str, Mapping[str, Any]] = {}
        self._seen: set[str] = set()

    def begin(self) -> None:
        """Note that all objects are about to come again."""
        self._seen.clear()

    def changes(self, type: EventType, document: Mapping[str, Any]) -> Iterator[Event[T]]:
        id = str(document.get("id", ""))
        before = self._documents.get(id)
        self._seen.add(id)
        if type == "DELETED":
            if self._documents.pop(id, None) is not None:
                yield Event(type, self._model.from_dict(document))
        elif before != document:
            self._documents[id] = document
            yield Event("ADDED" if before is None else "MODIFIED", self._model.from_dict(document))

    def missing(self, all: bool) -> Iterator[Event[T]]:
        """Yield as deleted what did not come again, if all objects were to."""
        for id in [id for id in self._documents if all and id not in self._seen]:
            yield Event("DELETED", self._model.from_dict(self._documents.pop(id)))


def _events(
    client: AuthenticatedClient, path: str, query: Mapping[str, str | bool], point: str | None
) -> Iterator[dict[str, Any]]:
    """Yield the events of one connection."""
    headers = {"Accept": "application/x-ndjson"} | ({"Last-Event-ID": point} if point else {})
    with client.get_httpx_client().stream("GET", path, params=query, headers=headers, timeout=_SILENCE) as answer:
        for line in answer.iter_lines():
            yield cast(dict[str, Any], json.loads(line))
