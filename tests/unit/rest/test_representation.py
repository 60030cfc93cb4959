"""What a caller reads of an object: its document, its views and selections, and the entity tag of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import marshmallow as ma
import orjson
import pytest

from omni_gateway.http import etags
from omni_gateway.model.label_names import ANNOTATION_LOCKED
from omni_gateway.model.resource import Resource
from omni_gateway.rest import fields
from omni_gateway.rest.links import label_link
from omni_gateway.rest.representation import Representation
from omni_gateway.sdk import ResourceSchema, SpecSchema

SINCE, LATELY = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


class LampSchema(SpecSchema):
    watts = ma.fields.Integer()
    lit = fields.Boolean(dump_only=True)
    power = ma.fields.Integer(dump_only=True, data_key="power_now", attribute="power")


class RoomSchema(ResourceSchema):
    floor = ma.fields.Integer()
    lamp = fields.Message(LampSchema)
    warm = fields.Boolean(dump_only=True)
    heat = ma.fields.Integer(dump_only=True, data_key="heat_now", attribute="heat")
    building = ma.fields.String(dump_only=True)
    aliases = {"building": "labels:building"}


ROOM = Resource(
    "r 1",
    spec={"floor": 2, "lamp": {"watts": 60, "lit": True, "power": 5}, "warm": True, "heat": 20},
    labels={"building": "b"},
    annotations={"note": "n", ANNOTATION_LOCKED: "", "omni.sidero.dev/of-its-own": "x"},
    namespace="space",
    type="Rooms.example.com",
    version=7,
    phase="tearingDown",
    owner="RoomController",
    created=SINCE,
    updated=LATELY,
    finalizers=("Sweeper",),
)
LINKS = {"building": label_link("buildings", "building"), "street": label_link("streets", "street")}
DOCUMENT = {
    "id": "r 1",
    "namespace": "space",
    "floor": 2,
    "lamp": {"watts": 60, "lit": True, "power_now": 5},
    "warm": True,
    "heat_now": 20,
    "building": "b",
    "labels": ROOM.labels,
    "annotations": ROOM.annotations,
    "metadata": {
        "type": "Rooms.example.com",
        "version": 7,
        "phase": "tearingDown",
        "owner": "RoomController",
        "created": SINCE,
        "updated": LATELY,
        "finalizers": ("Sweeper",),
    },
    "_links": {"self": "/api/v1/rooms/r%201", "building": "/api/v1/buildings/b"},
}


@pytest.fixture
def rooms() -> Representation:
    return Representation(RoomSchema(), "rooms", LINKS)


@pytest.fixture
def summary(rooms: Representation) -> Representation:
    return rooms.views["summary"]


def test_a_document_has_the_spec_beside_the_envelope_and_links_to_what_there_is(rooms: Representation) -> None:
    assert rooms.document(ROOM) == DOCUMENT
    assert rooms.views["full"] is rooms
    assert rooms.views["summary"].views["summary"] is rooms.views["summary"]


def test_a_summary_leaves_out_links_finalizers_and_annotations_of_omni_except_locks(summary: Representation) -> None:
    metadata = {key: value for key, value in DOCUMENT["metadata"].items() if key != "finalizers"}  # type: ignore[attr-defined]
    expected = {
        **{key: value for key, value in DOCUMENT.items() if key != "_links"},
        "annotations": {"note": "n", ANNOTATION_LOCKED: ""},
        "metadata": metadata,
    }
    assert summary.document(ROOM) == expected


def test_a_caller_may_select_what_a_view_has(rooms: Representation, summary: Representation) -> None:
    assert {"id", "floor", "lamp", "heat_now", "building", "metadata", "_links"} <= rooms.known_fields
    assert rooms.known_fields - summary.known_fields == {"_links"}


def test_a_merge_patch_applies_to_what_a_caller_may_write(rooms: Representation) -> None:
    assert rooms.writable(ROOM) == {
        "id": "r 1",
        "floor": 2,
        "lamp": {"watts": 60},
        "labels": ROOM.labels,
        "annotations": ROOM.annotations,
    }


def test_a_nested_message_that_is_not_set_is_patched_from_nothing(rooms: Representation) -> None:
    assert rooms.writable(replace(ROOM, spec={"floor": 2}))["lamp"] is None


@pytest.mark.parametrize("view", ["full", "summary"])
def test_the_only_object_of_a_collection_is_at_the_collection(view: str) -> None:
    only = Representation(RoomSchema(), "room", {}, singleton=True).views[view]
    assert only.url("r 1") == "/api/v1/room"


@pytest.mark.parametrize("view", ["full", "summary"])
def test_another_object_is_below_its_collection(rooms: Representation, view: str) -> None:
    assert rooms.views[view].url("r 1") == "/api/v1/rooms/r%201"


def rendered(representation: Representation, *selected: str) -> Any:
    return orjson.loads(representation.render(ROOM, selected))


def test_a_selection_has_the_id_and_the_version_besides(rooms: Representation) -> None:
    assert rendered(rooms, "lamp.watts", "floor") == {
        "id": "r 1",
        "metadata": {"version": 7},
        "lamp": {"watts": 60},
        "floor": 2,
    }


def test_several_members_of_one_object_are_selected_together(rooms: Representation) -> None:
    assert rendered(rooms, "lamp.watts", "lamp.lit")["lamp"] == {"watts": 60, "lit": True}


@pytest.mark.parametrize("path", ["nothing", "lamp.nothing", "floor.watts", "nothing.watts", "id.watts"])
def test_a_path_that_leads_nowhere_selects_nothing(rooms: Representation, path: str) -> None:
    selected = rendered(rooms, path)
    selected.pop("lamp", None)
    assert selected == {"id": "r 1", "metadata": {"version": 7}}


def test_without_a_selection_all_is_rendered(rooms: Representation) -> None:
    assert rendered(rooms) == {**DOCUMENT, "metadata": {**DOCUMENT["metadata"], "finalizers": ["Sweeper"]}}  # type: ignore[dict-item]


def test_each_view_and_each_selection_has_a_tag_of_its_own(rooms: Representation, summary: Representation) -> None:
    tags = {
        view.etag(ROOM, selected)
        for view in (rooms, summary)
        for selected in ((), ("floor",), ("lamp",), ("floor", "lamp"), ("floorlamp",))
    }
    assert len(tags) == 10


@pytest.mark.parametrize("selected", [(), ("floor",)])
@pytest.mark.parametrize("view", ["full", "summary"])
def test_a_write_may_go_by_the_tag_of_any_view(rooms: Representation, view: str, selected: tuple[str, ...]) -> None:
    tag = rooms.views[view].etag(ROOM, selected)
    assert etags.content_part(tag) == etags.content_part(rooms.etag(ROOM))
    assert tag[0] == tag[-1] == '"'


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"floor": 3}},
        {"labels": {"building": "c"}},
        {"annotations": {"note": "m"}},
        {"phase": "running"},
        {"version": 8},
    ],
)
def test_whatever_changes_of_an_object_changes_its_tag(rooms: Representation, change: dict[str, Any]) -> None:
    assert rooms.etag(replace(ROOM, **change)) != rooms.etag(ROOM)


@pytest.mark.parametrize(
    ("view", "selected", "tag"),
    [
        ("full", (), '"bfb80aac5d0e5c69-7"'),
        ("full", ("floor", "lamp"), '"bfb80aac5d0e5c69-7.0b79035f"'),
        ("summary", (), '"bfb80aac5d0e5c69-7.75bbd45f"'),
    ],
)
def test_tags_outlast_the_process(rooms: Representation, view: str, selected: tuple[str, ...], tag: str) -> None:
    """Workers, and a gateway after an upgrade, have the same tag for the same object."""
    assert rooms.views[view].etag(ROOM, selected) == tag
