"""The document types answers and bodies to the end: no unions, no bare objects, all that is always there required."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from regress import Regex

from tests.document import Schemas

NULL = {"type": "null"}
PREFIX = "#/components/schemas/"
SHAPES = ("", "Create", "Replace", "Patch", "Input")
#: Members that an answer may lack, by schema; `_dry_run` is only in the answer to a dry run.
MAY_BE_ABSENT = {
    "ApplyProblem": {"counts", "dry_run", "errors", "grpc_code", "hint", "instance", "request_id", "results"},
    "ApplyResult": {"diff", "problem"},
    # Records of Omni's and of Talos', as they are sent.
    "AuditLogRecord": {"event_data", "event_id", "event_ts", "event_type", "resource_id", "resource_type"},
    "JSONPatchOperation": {"value"},
    "MachineLogLine": {"msg", "talos-level", "talos-service", "talos-time"},
    "ObjectChange": {"problem"},
    "Problem": {"errors", "grpc_code", "hint", "instance", "request_id"},
}
#: Members that any answer may lack: a dry run's, and the point of a change that a watch cannot be resumed from.
OF_SOME_ANSWERS = {"_dry_run", "resume_point"}
#: Members whose content is Omni's, in whatever form it has there.
FREE_FORM = {
    "ClusterTemplate.documents",
    "GenericResource.spec",
    "Operation.details",
    "PlannedObject.spec",
    "ExportedTemplate.documents",
    "RenderedObject.spec",
}
#: What went since `data/document_names.txt` was written, with the reason; the changelog has it too.
GIVEN_UP = {
    "DryRun.dry_run": "a dry run answers in the type of the real request; its member `_dry_run` says that it is one",
    "DryRun.object": "the answer itself is the object that would result",
}
#: Keyword → the types that it constrains.
TYPES_OF_KEYWORDS = {
    **dict.fromkeys(("maxLength", "minLength", "pattern"), ("string",)),
    **dict.fromkeys(("maxItems", "minItems", "uniqueItems", "items"), ("array",)),
    **dict.fromkeys(("maxProperties", "minProperties", "additionalProperties", "properties", "required"), ("object",)),
    **dict.fromkeys(("maximum", "minimum", "multipleOf"), ("integer", "number")),
    "format": ("string", "integer", "number"),
}


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    return dict(json.loads(app.test_client().get("/openapi.json").data))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "responses" in operation:
                yield f"{method.upper()} {path}", operation


def success_answers(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the schema of each JSON answer of a success, by operation and status."""
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if "$ref" in response:
                response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
            if status[0] == "2" and "application/json" in response.get("content", {}):
                yield f"{name} {status}", response["content"]["application/json"]["schema"]


def schemas_in(node: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return each schema within one, itself included, with its place."""
    if not isinstance(node, dict):
        return
    yield place, node
    for name, member in node.get("properties", {}).items():
        yield from schemas_in(member, f"{place}.{name}")
    for keyword in ("items", "additionalProperties"):
        yield from schemas_in(node.get(keyword), place)
    for keyword in ("anyOf", "oneOf", "allOf"):
        for part in node.get(keyword, ()):
            yield from schemas_in(part, place)


def components_of(document: dict[str, Any], schemas: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the components that schemas refer to, directly or by others."""
    found: dict[str, dict[str, Any]] = {}
    waiting = list(schemas)
    while waiting:
        for _, schema in schemas_in(waiting.pop(), ""):
            name = schema.get("$ref", "").removeprefix(PREFIX)
            if name and name not in found:
                found[name] = document["components"]["schemas"][name]
                waiting.append(found[name])
    return found


def in_success_answers(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the schemas of all success answers, and the components that they refer to."""
    answers = dict(success_answers(document))
    return answers | components_of(document, list(answers.values()))


def test_no_success_answer_is_a_union(document: dict[str, Any]) -> None:
    unions = [
        place
        for name, answer in in_success_answers(document).items()
        for place, schema in schemas_in(answer, name)
        for keyword in ("anyOf", "oneOf")
        if len([part for part in schema.get(keyword, ()) if part != NULL]) > 1
    ]
    assert unions == []


def test_no_success_answer_has_a_part_without_a_type(document: dict[str, Any]) -> None:
    untyped, free = [], set()
    for name, answer in in_success_answers(document).items():
        for place, schema in schemas_in(answer, name):
            if schema in ({}, {"type": "object"}, {"type": "array"}):
                untyped.append(place)
            is_map = "object" in kinds(schema) and "properties" not in schema
            if is_map and schema.get("additionalProperties") in (None, True, {}):
                free.add(place)
    assert [place for place in untyped if place not in FREE_FORM] == []
    assert free == FREE_FORM


def kinds(schema: dict[str, Any]) -> set[str]:
    kind = schema.get("type", [])
    return {kind} if isinstance(kind, str) else set(kind)


def test_what_is_always_in_an_answer_is_required(document: dict[str, Any]) -> None:
    optional = {
        name: absent
        for name, schema in components_of(document, [schema for _, schema in all_answers(document)]).items()
        if (absent := schema.get("properties", {}).keys() - set(schema.get("required", ())) - OF_SOME_ANSWERS)
    }
    assert optional == MAY_BE_ABSENT


def all_answers(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the schema of each answer, problems included."""
    responses = [*document["components"].get("responses", {}).values()]
    responses += [response for _, operation in operations(document) for response in operation["responses"].values()]
    for response in responses:
        for media, content in response.get("content", {}).items():
            yield media, content["schema"]


def test_an_answer_has_nothing_that_is_for_bodies_only_and_a_body_nothing_that_is_for_answers_only(
    document: dict[str, Any],
) -> None:
    schemas = document["components"]["schemas"]
    assert "control_plane" not in schemas["Cluster"]["properties"]
    assert "control_plane" in schemas["ClusterCreate"]["properties"]
    for shape in ("Create", "Replace", "Patch"):
        assert not {"metadata", "_links", "namespace", "_dry_run"} & schemas[f"Cluster{shape}"]["properties"].keys()
    assert [word for word in ('"readOnly"', '"writeOnly"') if word in json.dumps(schemas)] == []


def test_a_put_needs_no_id_and_a_merge_patch_needs_nothing(document: dict[str, Any]) -> None:
    bodies = {
        name: document["components"]["schemas"][content["schema"]["$ref"].removeprefix(PREFIX)]
        for name, operation in operations(document)
        if name.split()[0] in ("PUT", "PATCH")
        for content in operation["requestBody"]["content"].values()
        if "$ref" in content["schema"]  # the other forms of a body have no members
    }
    assert len(bodies) > 30
    for name, schema in bodies.items():
        required = set(schema.get("required", ()))
        assert "id" not in required and not (name.startswith("PATCH") and required), name
        if name.startswith("PATCH"):
            assert [key for key, member in schema["properties"].items() if not takes_null(member)] == [], name


def takes_null(schema: dict[str, Any]) -> bool:
    return "null" in kinds(schema) or NULL in schema.get("anyOf", ())


def test_what_was_read_fits_the_body_of_a_put(document: dict[str, Any]) -> None:
    """A typed client sends back what it has read: what an answer may hold, the body takes."""
    schemas = document["components"]["schemas"]

    def differences(read: dict[str, Any], written: dict[str, Any], place: str) -> Iterator[str]:
        read, written = resolved(read), resolved(written)
        if takes_null(read) and not takes_null(written):
            yield f"{place} may be null"
        if not kinds(read) <= kinds(written):
            yield f"{place} is {kinds(read)}, not {kinds(written)}"
        if set(read.get("enum", ())) - set(written.get("enum", read.get("enum", ()))):
            yield f"{place} has other values"
        for missing in set(written.get("required", ())) - set(read.get("required", ())):
            yield f"{place}.{missing} is missing"
        for name in read.get("properties", {}).keys() & written.get("properties", {}).keys():
            yield from differences(read["properties"][name], written["properties"][name], f"{place}.{name}")
        for keyword in ("items", "additionalProperties"):
            if isinstance(read.get(keyword), dict) and isinstance(written.get(keyword), dict):
                yield from differences(read[keyword], written[keyword], place)

    def resolved(schema: dict[str, Any]) -> dict[str, Any]:
        for part in (schema, *schema.get("anyOf", ())):
            if "$ref" in part:
                known = dict(schemas[part["$ref"].removeprefix(PREFIX)])
                return {**known, "type": [known["type"], *(["null"] if NULL in schema.get("anyOf", ()) else [])]}
        return schema

    replaceable = [name.removesuffix("Replace") for name in schemas if name.endswith("Replace")]
    assert len(replaceable) > 15
    assert [
        fault for name in replaceable for fault in differences(schemas[name], schemas[f"{name}Replace"], name)
    ] == []


def test_the_example_of_every_body_is_one(document: dict[str, Any]) -> None:
    schemas = Schemas(document)
    wrong = {}
    for name, operation in operations(document):
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            if "json" in media and "example" in content:
                errors = schemas.errors(content["schema"], content["example"])
                if errors:
                    wrong[name] = errors
    assert wrong == {}


def test_every_pattern_is_one_of_ecma_262(document: dict[str, Any]) -> None:
    patterns = set(all_patterns(document))
    assert len(patterns) > 5
    for pattern in patterns:
        Regex(pattern, flags="u")


def all_patterns(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        for item in node.values():
            yield from all_patterns(item)
    elif isinstance(node, list):
        for item in node:
            yield from all_patterns(item)


def test_every_keyword_fits_its_type(document: dict[str, Any]) -> None:
    schemas = dict(document["components"]["schemas"])
    for name, operation in operations(document):
        schemas |= {f"{name} ?{item['name']}": item["schema"] for item in operation["parameters"] if "schema" in item}
    wrong = [
        f"{place}: {keyword} of {kinds(schema)}"
        for name, component in schemas.items()
        for place, schema in schemas_in(component, name)
        for keyword, fitting in TYPES_OF_KEYWORDS.items()
        if keyword in schema and kinds(schema) and kinds(schema).isdisjoint(fitting)
    ]
    wrong += [
        f"{place}: null is no value of its enum"
        for name, component in schemas.items()
        for place, schema in schemas_in(component, name)
        if "null" in kinds(schema) and None not in schema.get("enum", [None])
    ]
    assert wrong == []


def test_no_name_of_an_operation_or_a_member_is_given_up(document: dict[str, Any]) -> None:
    ids = {operation["operationId"] for _, operation in operations(document)}
    schemas = document["components"]["schemas"]
    gone = set()
    for line in (Path(__file__).parent / "data" / "document_names.txt").read_text().splitlines():
        if line.startswith("operation ") and line.removeprefix("operation ") not in ids:
            gone.add(line)
        elif ": " in line:
            schema, _, members = line.partition(": ")
            now = {name for shape in SHAPES for name in schemas.get(schema + shape, {}).get("properties", {})}
            gone |= {f"{schema}.{name}" for name in members.split() if name not in now}
    assert gone == GIVEN_UP.keys()
