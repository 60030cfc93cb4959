"""What becomes of schemas and patterns in the OpenAPI document."""

from __future__ import annotations

from typing import Any

import pytest
from regress import Regex

from omni_gateway.http.openapi.converter import ecma_pattern
from omni_gateway.http.openapi.items import ITEMS_OF, resolve_items
from omni_gateway.http.openapi.schema_names import SchemaNameTaken
from omni_gateway.http.openapi.shapes import CREATE_ONLY, OPTIONAL, split_shapes

TEXT = {"type": "string"}
THING = {
    "type": "object",
    "properties": {
        "id": TEXT,
        "version": {"type": "integer", "readOnly": True},
        "ttl": {**TEXT, "writeOnly": True},
        "limits": {"anyOf": [{"$ref": "#/components/schemas/Limits"}, {"type": "null"}]},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Limits"}},
        "labels": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        "note": {**TEXT, "readOnly": True},
    },
    "required": ["id"],
    OPTIONAL: ["note"],
    CREATE_ONLY: ["ttl"],
}
LIMITS = {"type": "object", "properties": {"cpu": {"type": "integer", "default": 1}}, "required": ["cpu"], OPTIONAL: []}
MOVE = {"type": "object", "properties": {"to": TEXT}, "required": ["to"], OPTIONAL: []}


def content(name: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def route(answer: str = "Thing", body: str = "", status: str = "200") -> dict[str, Any]:
    return {"responses": {status: content(answer)}} | ({"requestBody": content(body)} if body else {})


def document(**schemas: Any) -> dict[str, Any]:
    collection = {"post": route(body="Thing", status="201")}
    one = {"get": route(), "put": route(body="Thing"), "patch": route(body="Thing")}
    paths = {"/things": collection, "/things/{id}": one, "/things/{id}/actions/move": {"post": route(body="Move")}}
    return {"paths": paths, "components": {"schemas": {"Thing": THING, "Limits": LIMITS, "Move": MOVE, **schemas}}}


def shapes(**schemas: Any) -> dict[str, Any]:
    made = document(**schemas)
    split_shapes(made)
    return dict(made["components"]["schemas"])


def test_each_use_of_a_schema_has_a_shape_and_a_message_in_it_too() -> None:
    assert sorted(shapes()) == [
        "Limits",
        "LimitsInput",
        "LimitsPatch",
        "Move",
        "Thing",
        "ThingCreate",
        "ThingPatch",
        "ThingReplace",
    ]


def test_an_answer_has_what_is_read_and_requires_what_it_never_lacks() -> None:
    thing = shapes()["Thing"]
    assert list(thing["properties"]) == ["id", "version", "limits", "parts", "labels", "note"]
    assert thing["required"] == ["id", "version", "limits", "parts", "labels"]
    assert thing["properties"]["labels"]["additionalProperties"] == TEXT


def test_a_create_has_what_is_written_and_a_replace_that_creates_nothing_lacks_what_only_a_create_takes() -> None:
    made = shapes()
    assert (list(made["ThingCreate"]["properties"])[:2], made["ThingCreate"]["required"]) == (["id", "ttl"], ["id"])
    assert (list(made["ThingReplace"]["properties"])[:2], made["ThingReplace"].get("required")) == (
        ["id", "limits"],
        None,
    )


def test_a_put_that_may_create_takes_what_a_create_takes() -> None:
    made = document()
    made["paths"]["/things/{id}"]["put"]["responses"]["201"] = content("Thing")
    split_shapes(made)
    assert "ttl" in made["components"]["schemas"]["ThingReplace"]["properties"]


def test_a_merge_patch_merges_objects_and_replaces_lists() -> None:
    properties = shapes()["ThingPatch"]["properties"]
    assert list(properties) == ["limits", "parts", "labels"]
    assert properties["limits"]["anyOf"] == [{"$ref": "#/components/schemas/LimitsPatch"}, {"type": "null"}]
    assert properties["parts"] == {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/LimitsInput"}}
    assert shapes()["LimitsPatch"]["properties"]["cpu"] == {"type": ["integer", "null"]}


def test_a_schema_with_the_name_of_anothers_shape_is_refused() -> None:
    with pytest.raises(SchemaNameTaken, match="'ThingPatch' is taken: it is the name of a shape of 'Thing'"):
        shapes(ThingPatch=MOVE)


def test_items_have_the_schema_of_the_collection_that_they_belong_to() -> None:
    listed = {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}
    below = {"type": "array", "items": {ITEMS_OF: "/things"}}
    unknown = {"type": "array", "items": {ITEMS_OF: "/of-a-plugin-that-is-not-there"}}
    paths = {
        path: {"get": {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}}
        for path, schema in (("/things", listed), ("/sets/{id}/things", below), ("/sets/{id}/others", unknown))
    }
    resolve_items({"paths": paths})
    assert below == listed
    assert unknown["items"] == {"type": "object", "additionalProperties": True}


@pytest.mark.parametrize(
    ("pattern", "found", "missed"),
    [
        (r"[a-z]+\Z", "abc", "1abc"),
        (r"\A[a-z]+\Z", "abc", "abc1"),
        (r"^v?\d+$", "v1", "x1"),
        (r"a\\Z", "a\\Zb", "aZ"),
        (r"a|b", "b1", "cb"),
    ],
)
def test_a_pattern_finds_in_javascript_what_it_matches_in_python(pattern: str, found: str, missed: str) -> None:
    regex = Regex(ecma_pattern(pattern), flags="u")
    assert regex.find(found)
    assert not regex.find(missed)
