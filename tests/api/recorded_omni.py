"""A real gRPC server with the objects of a recorded sequence of Omni's events, sent one by one as a test says."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import orjson

from omni_gateway.omni import rpcs, selectors
from omni_gateway.stubs import resources_pb2 as pb
from tests.omni_client.scripted_omni import ScriptedOmni

_KINDS = {"created": pb.CREATED, "updated": pb.UPDATED, "destroyed": pb.DESTROYED}
Key = tuple[str, str]


@dataclass(frozen=True)
class Event:
    """One change; ``text`` is the object as Omni writes it, of a destroyed one its last state."""

    kind: str
    text: str

    @property
    def metadata(self) -> dict[str, Any]:
        metadata: dict[str, Any] = orjson.loads(self.text)["metadata"]
        return metadata

    @property
    def key(self) -> Key:
        return self.metadata["namespace"], self.metadata["type"]


@dataclass
class _Watcher:
    """One open watch: which objects it is for, and what is to be sent."""

    id: str
    selectors: Sequence[selectors.Selector]
    search: Sequence[str]
    events: queue.SimpleQueue[pb.WatchResponse | None] = field(default_factory=queue.SimpleQueue)

    def wants(self, text: str | None) -> bool:
        if text is None:
            return False
        metadata = orjson.loads(text)["metadata"]
        labels = metadata.get("labels") or {}
        if self.id and metadata["id"] != self.id:
            return False
        if self.search and not any(each in metadata["id"] for each in self.search):
            return False
        return not self.selectors or any(each.matches(labels) for each in self.selectors)


class RecordedOmni:
    """Answers Get, List and Watch as Omni does, for the objects that the events so far have left."""

    def __init__(self, server: ScriptedOmni) -> None:
        self._lock = threading.Lock()
        self._objects: dict[Key, dict[str, str]] = {}
        self._watchers: dict[Key, list[_Watcher]] = {}
        server.answer(rpcs.GET, self._get)
        server.answer(rpcs.LIST, self._list)
        server.answer(rpcs.WATCH, self._watch)
        self._server = server

    def happen(self, event: Event) -> None:
        """Apply an event and send it to each watch that it concerns, as that watch sees it."""
        id = event.metadata["id"]
        with self._lock:
            objects = self._objects.setdefault(event.key, {})
            old = objects.get(id)
            if event.kind == "destroyed":
                del objects[id]
            else:
                objects[id] = event.text
            for watcher in self._watchers.get(event.key, ()):
                kind = _as_seen(event.kind, watcher.wants(old), watcher.wants(event.text))
                if kind:
                    watcher.events.put(_message(kind, event.text, old if kind == "updated" else None))

    def stop(self) -> None:
        """End all watches."""
        with self._lock:
            for watcher in (each for watchers in self._watchers.values() for each in watchers):
                watcher.events.put(None)

    def _get(self, request: pb.GetRequest, context: grpc.ServicerContext) -> pb.GetResponse:
        with self._lock:
            text = self._objects.get((request.namespace, request.type), {}).get(request.id)
        if text is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"resource {request.type}({request.id}) doesn't exist")
        return pb.GetResponse(body=text)

    def _list(self, request: pb.ListRequest, context: grpc.ServicerContext) -> pb.ListResponse:
        wanted = _Watcher("", _selectors(context), request.search_for)
        with self._lock:
            objects = self._objects.get((request.namespace, request.type), {})
            found = [text for _, text in sorted(objects.items()) if wanted.wants(text)]
        end = request.offset + request.limit if request.limit else None
        return pb.ListResponse(items=found[request.offset : end], total=len(found))

    def _watch(self, request: pb.WatchRequest, context: grpc.ServicerContext) -> Iterator[pb.WatchResponse]:
        watcher = _Watcher(request.id, _selectors(context), request.search_for)
        key = (request.namespace, request.type)
        with self._lock:
            present = [text for _, text in sorted(self._objects.get(key, {}).items()) if watcher.wants(text)]
            self._watchers.setdefault(key, []).append(watcher)
        context.add_callback(lambda: watcher.events.put(None))
        for text in present:
            yield _message("created", text, None)
        yield pb.WatchResponse(event=pb.Event(event_type=pb.BOOTSTRAPPED))
        while (message := watcher.events.get()) is not None:
            yield message
        with self._lock:
            self._watchers[key].remove(watcher)


def _as_seen(kind: str, before: bool, after: bool) -> str:
    """Return a change as a watch with selectors sees it; empty where it does not."""
    if kind == "destroyed":
        return kind if after else ""
    if before and after:
        return "updated"
    return "created" if after else "destroyed" if before else ""


def _message(kind: str, text: str, old: str | None) -> pb.WatchResponse:
    return pb.WatchResponse(event=pb.Event(event_type=_KINDS[kind], resource=text, old=old or ""))


def _selectors(context: grpc.ServicerContext) -> list[selectors.Selector]:
    values = [value for name, value in context.invocation_metadata() if name == "selectors"]
    return [selectors.parse(value) for value in values if value.strip()]
