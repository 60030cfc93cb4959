"""Objects that were read before are not read again, and what is kept is bounded."""

from __future__ import annotations

import json

from omni_gateway.lru import ByteBoundedLRU
from omni_gateway.model.omni_objects import ResourceCache, from_text
from omni_gateway.model.resource import Resource
from omni_gateway.rest import fields
from omni_gateway.rest.rendered_bodies import RenderedBodies
from omni_gateway.rest.representation import Representation, project
from omni_gateway.sdk import ResourceSchema


class FlagSchema(ResourceSchema):
    enabled = fields.Boolean()


def text(id: str, version: int = 1, padding: int = 0) -> str:
    metadata = {"id": id, "version": version, "namespace": "default", "labels": {"x": "y" * padding}}
    return json.dumps({"metadata": metadata, "spec": {"enabled": True}})


def test_the_same_text_is_parsed_once() -> None:
    cache, parsed = ResourceCache(), []

    def read(item: str) -> Resource:
        parsed.append(item)
        return from_text(item)

    first = cache.resources([text("a"), text("b")], read)
    again = cache.resources([text("b"), text("a")], read)
    assert (len(parsed), again) == (2, first[::-1])


def test_another_version_is_another_object() -> None:
    cache = ResourceCache()
    assert [item.version for item in cache.resources([text("a", 1), text("a", 2)], from_text)] == [1, 2]


def test_what_came_first_goes_first_when_room_is_short() -> None:
    cache = ResourceCache(max_bytes=3500)
    old, kept = text("old", padding=1500), text("kept", padding=1000)
    first = cache.resources([old, kept], from_text)
    cache.resources([text("new", padding=1000)], from_text)
    assert cache.resources([kept], from_text)[0] is first[1]
    assert cache.resources([old], from_text)[0] is not first[0]


def test_a_shared_object_is_rendered_once_per_schema() -> None:
    representation, bodies = Representation(FlagSchema(), "flags", {}), RenderedBodies(ByteBoundedLRU(10_000))
    shared = ResourceCache().resources([text("a")], from_text)[0]
    assert bodies.body(representation, shared) is bodies.body(representation, shared)


def test_a_projection_keeps_id_and_version() -> None:
    document = {
        "id": "a",
        "metadata": {"version": 3, "phase": "running"},
        "spec": {"x": {"y": 1, "z": 2}},
        "labels": {},
    }
    assert project(document, ["spec.x.y", "nothing"]) == {
        "id": "a",
        "metadata": {"version": 3},
        "spec": {"x": {"y": 1}},
    }


def test_another_selection_of_fields_has_another_tag_with_the_same_content() -> None:
    representation = Representation(FlagSchema(), "flags", {})
    resource = from_text(text("a"))
    whole, part = representation.etag(resource), representation.etag(resource, ("enabled",))
    assert whole != part
    assert whole.split("-")[0] == part.split("-")[0]
