"""A watch over streams of its own: it begins once all have sent what is there, and an error of one ends it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import grpc
import pytest

from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, OmniConfig, errors, rpcs
from omni_gateway.stubs import resources_pb2 as pb
from omni_gateway.watch.private_watch import private_watch
from omni_gateway.watch.source import View, WatchedType, WatchSource
from tests.omni_client.scripted_omni import ScriptedOmni, serving

from .followed import text_of

Messages = list[pb.WatchResponse]
BOOTSTRAPPED = pb.WatchResponse(event=pb.Event(event_type=pb.BOOTSTRAPPED))


class Pairs(WatchSource):
    """Objects of the type ``a``, each with the label of the object of its id of the type ``b``."""

    def __init__(self, *types: WatchedType) -> None:
        self.triggers = types or (WatchedType("a"), WatchedType("b"))

    def affected(self, type: str, old: Resource | None, new: Resource | None) -> Iterable[str]:
        return [each.id for each in (old, new) if each is not None]

    def ids(self, view: View) -> Iterable[str]:
        return [each.id for each in view.all("a")]

    def build(self, view: View, id: str) -> Resource | None:
        one, other = view.get("a", id), view.get("b", id)
        return Resource(id, labels=dict(other.labels) if other else {}, version=one.version) if one else None


@pytest.fixture
def omni() -> Iterator[ScriptedOmni]:
    with serving() as server:
        yield server


@pytest.fixture
def client(omni: ScriptedOmni) -> Iterator[OmniClient]:
    with OmniClient(OmniConfig(endpoint=f"http://127.0.0.1:{omni.port}")) as made:
        yield made


def created(type: str, id: str, **labels: str) -> pb.WatchResponse:
    return pb.WatchResponse(event=pb.Event(event_type=pb.CREATED, resource=text_of(type, id, labels=labels)))


def says(omni: ScriptedOmni, **streams: Messages | grpc.StatusCode) -> None:
    """Let each type's watch send messages, then stay open until it is cancelled; or fail with a status."""

    def watch(request: pb.WatchRequest, context: grpc.ServicerContext) -> Iterator[pb.WatchResponse]:
        messages = streams[request.type]
        if isinstance(messages, grpc.StatusCode):
            context.abort(messages, "cut")
        cancelled = threading.Event()
        context.add_callback(cancelled.set)
        yield from messages
        cancelled.wait(20)

    omni.answer(rpcs.WATCH, watch)


def test_it_begins_once_every_stream_has_sent_what_is_there(omni: ScriptedOmni, client: OmniClient) -> None:
    says(omni, a=[created("a", "2"), created("a", "1"), BOOTSTRAPPED], b=[created("b", "1", x="y"), BOOTSTRAPPED])
    with private_watch(client, Pairs()) as changes:
        first = [next(changes) for _ in range(3)]
    assert [(change.kind, change.resource.id, change.resource.labels) for change in first[:2] if change.resource] == [
        ("added", "1", {"x": "y"}),
        ("added", "2", {}),
    ]
    assert first[2].kind == "bookmark"


def test_an_error_of_one_stream_ends_all(omni: ScriptedOmni, client: OmniClient) -> None:
    says(omni, a=[created("a", "1"), BOOTSTRAPPED], b=grpc.StatusCode.UNAVAILABLE)
    with private_watch(client, Pairs()) as changes, pytest.raises(errors.Unavailable):
        list(changes)


def test_one_stream_needs_no_thread_and_is_narrowed_to_what_matters(omni: ScriptedOmni, client: OmniClient) -> None:
    says(omni, a=[created("a", "1")])
    source = Pairs(WatchedType("a", id="1", selectors=("x = y",), search=("z",)))
    source.build = lambda view, id: view.get("a", id)  # type: ignore[method-assign]
    before = {thread.name for thread in threading.enumerate()}
    with private_watch(client, source) as changes:
        assert [next(changes).kind, next(changes).kind] == ["added", "bookmark"]
        assert not {thread.name for thread in threading.enumerate() if thread.name.startswith("watch-")} - before
    (call,) = omni.calls(rpcs.WATCH)
    request: Any = call.request
    assert (request.id, list(request.search_for), call.values("selectors")) == ("1", ["z"], ["x = y"])


def test_leaving_it_ends_the_reader(omni: ScriptedOmni, client: OmniClient) -> None:
    says(omni, a=[BOOTSTRAPPED], b=[BOOTSTRAPPED])
    with private_watch(client, Pairs()) as changes:
        assert next(changes).kind == "bookmark"
        reader = threading.Thread(target=lambda: list(changes))
        reader.start()
    reader.join(10)
    assert not reader.is_alive()
