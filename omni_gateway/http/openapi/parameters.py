"""The parameters of operations: components of the OpenAPI document for those that many operations take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson

from omni_gateway.http.openapi.headers import ENTITY_TAG, RESUME_POINT
from omni_gateway.http.openapi.operations import operations, operations_of
from omni_gateway.http.openapi.tags import Tag

#: From how many operations on a parameter is a component.
_SHARED_BY = 10


#: Variables of paths besides ``id``: name → description, example.
_VARIABLES: Mapping[str, tuple[str, str]] = {
    "kind": ("The kind of the operation, as in `/operation-kinds`", "cluster-create"),
    "number": ("Which version, as in the history: from 1", "1"),
    "node": ("The name of the Kubernetes node", "my-machine"),
    "type": ("An Omni type: its full name, a short name or an alias", "MachineClasses.omni.sidero.dev"),
}


def _header(name: str, description: str, example: str, **schema: Any) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "description": description,
        "schema": {"type": "string", **schema},
        "example": example,
    }


#: The headers of requests, by their keys in the components.
HEADERS: Mapping[str, Mapping[str, Any]] = {
    "IfMatchParameter": _header("If-Match", "Write only if the object has this entity tag; 412 otherwise", ENTITY_TAG),
    "IfNoneMatchParameter": _header("If-None-Match", "304 when the entity tag is unchanged", ENTITY_TAG),
    "IfNoneMatchWriteParameter": _header(
        "If-None-Match", "412 when the object has this entity tag; `*`: 412 when the object exists", ENTITY_TAG
    ),
    "IfNoneMatchPutParameter": _header(
        "If-None-Match",
        "412 when the object has this entity tag; `*`: create the object, 412 when it exists",
        "*",
    ),
    "LastEventIDParameter": _header(
        "Last-Event-ID",
        "Of a stream: continue after this resume point, with what has changed since; 410 when it is too old",
        RESUME_POINT,
    ),
    "RangeParameter": _header(
        "Range", "Send this part of the file only (RFC 9110); 416 if there is none", "bytes=1048576-"
    ),
    "IfRangeParameter": _header(
        "If-Range", "With `Range`: send the whole file if its entity tag is another one by now", ENTITY_TAG
    ),
    "IdempotencyKeyParameter": _header(
        "Idempotency-Key",
        "A name of your own for this request. A request sent again with the same key within 24 hours is not"
        " carried out again: the first response is replayed (`Idempotency-Replayed: true`). 409 `idempotency-conflict`"
        " while the first request runs, 409 `outcome-unknown` if it ended without a response and may have been applied,"
        " 422 if the key was used with another request",
        "2f9d3c1e-6a58-4b0e-9d0c-7c1f0f6d2b11",
        minLength=1,
        maxLength=255,
        pattern="^[!-~]( *[!-~])*$",
    ),
}


def describe_paths(document: dict[str, Any], tags: Mapping[str, Tag]) -> None:
    """Describe the variables of the paths: ids by the words of the operations' tag."""
    for item in document["paths"].values():
        _, operation = next(operations_of(item))
        tag = tags[operation["tags"][0]]
        described = {"id": (f"The id of the {tag.noun}", tag.example_id), **_VARIABLES}
        for parameter in item.get("parameters", ()):
            text, example = described.get(parameter["name"], (f"The {parameter['name']}", ""))
            parameter.setdefault("description", text)
            if example:
                parameter.setdefault("example", example)


def share(document: dict[str, Any]) -> None:
    """Make a component of each query parameter that many operations take in the same form, and refer to it there."""
    lists = [operation["parameters"] for _, operation in operations(document) if operation.get("parameters")]
    texts = Counter(_text(parameter) for parameters in lists for parameter in parameters if "$ref" not in parameter)
    shared: dict[bytes, str] = {}
    components = document["components"].setdefault("parameters", {})
    for text, times in texts.most_common():
        parameter = orjson.loads(text)
        name = f"{parameter['name'].title().replace('_', '')}Parameter"
        if times >= _SHARED_BY and name not in components:
            components[name], shared[text] = parameter, f"#/components/parameters/{name}"
    for parameters in lists:
        parameters[:] = [
            {"$ref": shared[text]} if (text := _text(parameter)) in shared else parameter for parameter in parameters
        ]


def _text(parameter: Mapping[str, Any]) -> bytes:
    return orjson.dumps(parameter)
