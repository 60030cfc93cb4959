"""What the caches share between requests and callers depends on nothing of one request, whatever a plugin tries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, request
from marshmallow import fields

from omni_gateway.app import create_app
from omni_gateway.omni import OmniClient
from omni_gateway.omni.selectors import parse
from omni_gateway.plugins.discovery import Found
from omni_gateway.sdk import (
    READ,
    Listing,
    ListQuery,
    OmniResourceAdapter,
    Resource,
    ResourceAdapter,
    ResourcePlugin,
    ResourceSchema,
)
from omni_gateway.sdk.actions import current_principal
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.store import Store

from .conftest import Caller
from .streams import told

CLASSES = "MachineClasses.omni.sidero.dev"
HIT = "omni-gateway; hit"
Wait = Callable[..., Any]


class NoteSchema(ResourceSchema):
    """A machine class with a note."""

    note = fields.String()


class Plain(OmniResourceAdapter):
    """Reads nothing but Omni's objects, and says so; counts how often it was asked."""

    cacheable_response = True

    def __init__(self) -> None:
        super().__init__(CLASSES)
        self.asked: list[str] = []

    def note(self) -> str:
        return "nothing"

    def _with_note(self, resource: Resource) -> Resource:
        return replace(resource, spec={**resource.spec, "note": self.note()})

    def list(self, query: ListQuery) -> Listing:
        self.asked.append("list")
        found = super().list(query)
        return Listing([self._with_note(item) for item in found.items], found.total)

    def get(self, id: str) -> Resource:
        self.asked.append("get")
        return self._with_note(super().get(id))


class OfCaller(Plain):
    """Claims that its responses can be stored, and shows the caller."""

    cacheable_response = True

    def note(self) -> str:
        return current_principal().name


class OfHeader(Plain):
    """Shows a header of the request, in a method that it has overridden without a word on caching."""

    def get(self, id: str) -> Resource:
        return replace(super().get(id), spec={"note": request.headers.get("X-Tenant", "")})

    def list(self, query: ListQuery) -> Listing:
        return Listing([self.get(item.id) for item in super().list(query).items], 1)


class ShownByCaller(OmniResourceAdapter):
    """Shows the caller in what is stored with the object itself, for all callers."""

    def shown(self, resource: Resource) -> Resource:
        return replace(resource, spec={"note": current_principal().name})


class ShownByHeader(OmniResourceAdapter):
    """Shows a header of the request there."""

    def shown(self, resource: Resource) -> Resource:
        return replace(resource, spec={"note": request.headers.get("X-Tenant", "")})


class WatchedByCaller(OmniResourceAdapter):
    """Claims that its responses can be stored, and narrows a watch, which callers share, to those of the caller."""

    cacheable_response = True

    def watch_source(self, query: ListQuery, id: str = "") -> Any:
        return super().watch_source(replace(query, selector=parse(f"of={current_principal().name}")), id)


def link_of_caller(resource: Resource) -> str:
    return f"/of/{current_principal().name}"


def link_of_header(resource: Resource) -> str:
    return f"/of/{request.headers.get('X-Tenant', '')}"


def plugin(name: str, adapter: ResourceAdapter, **options: Any) -> ResourcePlugin:
    return ResourcePlugin(name=name, singular=f"{name}-one", schema=NoteSchema, adapter=adapter, roles=READ, **options)


@pytest.fixture(scope="module")
def adapters() -> dict[str, ResourceAdapter]:
    return {
        "plain": Plain(),
        "of-caller": OfCaller(),
        "of-header": OfHeader(),
        "shown-by-caller": ShownByCaller(CLASSES),
        "shown-by-header": ShownByHeader(CLASSES),
        "watched-by-caller": WatchedByCaller(CLASSES),
    }


@pytest.fixture(scope="module")
def gateway(
    adapters: dict[str, ResourceAdapter], settings: Settings, omni: OmniClient, tokens: dict[str, str]
) -> Iterator[Flask]:
    """An application with these plugins, and one machine class."""
    plugins = [plugin(name, adapter) for name, adapter in adapters.items()]
    for name, link in (("link-of-caller", link_of_caller), ("link-of-header", link_of_header)):
        plugins.append(plugin(name, OmniResourceAdapter(CLASSES), links={"of": link}))
    found = [Found(each.name, "here", "tries", "1.0", "loaded", each) for each in plugins]
    omni.resources.create(CLASSES, "shared", {"match_labels": ["a = b"]}, labels={"tries": "yes"})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("omni_gateway.app.discover", lambda **_: found)
        app = create_app(settings)
    yield app
    omni.resources.remove(CLASSES, "shared")


def present(answer: Any) -> list[str]:
    """Return the ids of the objects that a stream begins with."""
    assert answer.status_code == 200
    ids = []
    for event in told(answer):
        if event["type"] == "BOOKMARK":
            return ids
        ids.append(event["object"]["id"])
    raise AssertionError("the stream has ended")


@pytest.fixture
def reading(gateway: Flask, settings: Settings, wait_until: Wait) -> Callable[..., Caller]:
    """Make a caller with a token of its own, once the informer answers."""

    def make(name: str, clusters: list[str] | None = None) -> Caller:
        token = Store(settings.database_url).tokens.create(name, "reader", None, clusters)[1]
        caller = Caller(gateway.test_client(), token)
        wait_until(lambda: caller.get("of-header/shared").headers["Cache-Status"] == HIT, what="the informer")
        return caller

    return make


PATHS = ("{}/shared", "{}?label_selector=tries")


def note(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    found = answer.json[0] if isinstance(answer.json, list) else answer.json
    return str(found["note"])


@pytest.mark.parametrize("form", PATHS)
def test_a_response_made_of_omnis_objects_alone_is_stored(
    adapters: dict[str, Any], reading: Callable[..., Caller], form: str
) -> None:
    caller, asked = reading("plain"), adapters["plain"].asked
    caller.get(form.format("plain"))
    asked.clear()
    assert [note(caller.get(form.format("plain"))) for _ in range(3)] == ["nothing"] * 3
    assert asked == []


@pytest.mark.parametrize("form", PATHS)
def test_what_read_the_caller_is_not_stored_even_if_the_plugin_says_so(
    adapters: dict[str, Any], reading: Callable[..., Caller], form: str
) -> None:
    callers, asked = {name: reading(name) for name in ("ann", "ben")}, adapters["of-caller"].asked
    asked.clear()
    for _ in range(2):
        assert {name: note(caller.get(form.format("of-caller"))) for name, caller in callers.items()} == {
            "ann": "ann",
            "ben": "ben",
        }
    assert len(asked) == 4


def test_a_watch_that_looked_at_the_caller_is_not_shared(reading: Callable[..., Caller], omni: OmniClient) -> None:
    names = ("eve", "max", "nil")
    for name in names[:2]:
        omni.resources.create(CLASSES, f"of-{name}", {"match_labels": ["a = b"]}, labels={"of": name})
    streams = [
        reading(name).get("watched-by-caller", headers={"Accept": "application/x-ndjson"}, buffered=False)
        for name in names
    ]
    seen = [present(stream) for stream in streams]
    for stream in streams:
        stream.close()
    for name in names[:2]:
        omni.resources.remove(CLASSES, f"of-{name}")
    assert seen == [["of-eve"], ["of-max"], []]


@pytest.mark.parametrize("form", PATHS)
def test_an_overridden_read_is_not_stored_until_the_plugin_says_so(reading: Callable[..., Caller], form: str) -> None:
    caller, path = reading("tenants"), form.format("of-header")
    for tenant in ("one", "two", "one"):
        assert note(caller.get(path, headers={"X-Tenant": tenant})) == tenant


@pytest.mark.parametrize("form", PATHS)
@pytest.mark.parametrize("name", ["shown-by-caller", "shown-by-header", "link-of-caller", "link-of-header"])
def test_what_is_stored_with_an_object_cannot_see_a_request(
    reading: Callable[..., Caller], name: str, form: str
) -> None:
    answer = reading(f"{name}-{len(form)}").get(form.format(name), headers={"X-Tenant": "one"})
    assert (answer.status_code, answer.json["code"]) == (500, "plugin-error")


@pytest.mark.parametrize("form", PATHS)
def test_who_is_held_to_some_clusters_gets_no_stored_response(
    adapters: dict[str, Any], reading: Callable[..., Caller], form: str
) -> None:
    caller, asked = reading("held", ["some-*"]), adapters["plain"].asked
    asked.clear()
    for _ in range(2):
        assert caller.get(form.format("plain")).status_code == 200
    assert len(asked) == 2


@pytest.mark.parametrize("form", PATHS)
def test_who_sends_an_omni_key_gets_no_stored_response(
    gateway: Flask, adapters: dict[str, Any], simulator: RunningSimulator, form: str
) -> None:
    caller, asked = Caller(gateway.test_client(), simulator.make_key("Reader")), adapters["plain"].asked
    asked.clear()
    for _ in range(2):
        answer = caller.get(form.format("plain"))
        assert (answer.status_code, answer.headers["Cache-Status"]) == (200, "omni-gateway; fwd=uri-miss")
    assert len(asked) == 2
