"""The events of watches, of operations' progress and of actions' steps: a schema for each kind of object.

OpenAPI 3.1 has no word for "a stream of these", so the schema of a stream's media type is that of one event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omni_gateway.http.openapi.schema_names import SchemaNameTaken

_JSON = "application/json"
#: The media types of a stream of events.
STREAMS = ("text/event-stream", "application/x-ndjson")
_POINT = {
    "type": "string",
    "description": "Sent as `Last-Event-ID`, a new watch continues after this event",
}
_NOTICES: Mapping[str, Any] = {
    "BOOKMARK": {
        "title": "Bookmark",
        "description": "All objects that were there at the start, or that had changed, have been sent",
        "object": {"type": "object", "properties": {"resume_point": _POINT}, "required": ["resume_point"]},
    },
    "HEARTBEAT": {
        "title": "Heartbeat",
        "description": "Nothing has changed for a while. Only in NDJSON; in an event stream this is a comment",
    },
    "ERROR": {
        "title": "StreamError",
        "description": "The stream ends, for the reason in `object`",
        "object": {"$ref": "#/components/schemas/Problem"},
    },
}


def add_events(document: dict[str, Any]) -> None:
    """Give the stream of each operation the schema of its events: that of its objects, and notices.

    The objects are those in the JSON answer of a GET, and the steps of a POST, whose schema the stream has.

    Raises :class:`SchemaNameTaken` if a schema has the name of an event.
    """
    schemas = document["components"]["schemas"]
    added: dict[str, Any] = {}
    for method, operation, content in _streams(document):
        schema = content[_JSON if method == "get" else STREAMS[0]]["schema"]
        item = schema.get("items", schema)
        resumable = any(item.get("$ref", "").endswith("/LastEventIDParameter") for item in operation["parameters"])
        name = item["$ref"].rpartition("/")[2] if "$ref" in item else "Any"
        events = _event(name, item, _types(method, resumable=resumable), resumable=resumable)
        if taken := sorted(events.keys() & schemas.keys()):
            text = f"the schema names {', '.join(taken)} are those of events of {name!r}; rename the schemas"
            raise SchemaNameTaken(text, *taken, name)
        added |= events
        for media in STREAMS:
            content[media]["schema"] = {"$ref": f"#/components/schemas/{name}Event"}
    schemas |= dict(sorted(added.items()))


def _streams(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield the operations that can answer with JSON or with a stream of events: method, operation and that content."""
    for item in document["paths"].values():
        for method in ("get", "post"):
            operation = item.get(method, {})
            content = operation.get("responses", {}).get("200", {}).get("content", {})
            if _JSON in content and content.keys() >= set(STREAMS):
                yield method, operation, content


def _types(method: str, *, resumable: bool) -> tuple[str, ...]:
    if method == "post":
        return ("STEP",)
    return ("ADDED", "MODIFIED", "DELETED") if resumable else ("ADDED", "MODIFIED")


def _event(name: str, item: Mapping[str, Any], types: tuple[str, ...], *, resumable: bool) -> dict[str, Any]:
    """Return the schemas of a change of one kind of object, or of a step, and of the events of its streams."""
    notices = _NOTICES if resumable else {type: notice for type, notice in _NOTICES.items() if type != "BOOKMARK"}
    stepped = types == ("STEP",)
    text = "The step" if stepped else "The object after the change; if it was deleted, before"
    change = _message(types, text, {"object": {**item, "description": text}})
    if resumable:
        change["properties"]["resume_point"] = _POINT
    own = f"{name}Done" if stepped else f"{name}Change"
    names = dict.fromkeys(types, own) | {type: notice["title"] for type, notice in notices.items()}
    event = {
        "description": "One line of NDJSON. Of a Server-Sent Event `event` is the `type`, `id` the `resume_point` and"
        " `data` the `object`",
        "oneOf": [{"$ref": f"#/components/schemas/{each}"} for each in dict.fromkeys(names.values())],
        "discriminator": {
            "propertyName": "type",
            "mapping": {type: f"#/components/schemas/{each}" for type, each in names.items()},
        },
    }
    return {own: change, f"{name}Event": event} | {
        notice["title"]: _notice(type, notice) for type, notice in notices.items()
    }


def _notice(type: str, notice: Mapping[str, Any]) -> dict[str, Any]:
    members = {"object": {"description": notice["description"], **notice["object"]}} if "object" in notice else {}
    message = _message((type,), notice["description"], members)
    if type == "BOOKMARK":
        message["properties"]["resume_point"] = _POINT
        message["required"].append("resume_point")
    return message


def _message(types: tuple[str, ...], description: str, members: Mapping[str, Any]) -> dict[str, Any]:
    kind = {"type": "string", "enum": [*types], "description": "Kind of the event: a change of an object, or a notice"}
    properties: dict[str, Any] = {"type": kind, **members}
    return {"type": "object", "description": description, "properties": properties, "required": [*properties]}
