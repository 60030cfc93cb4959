"""Examples of successful responses, composed of the schemas: a component of the document for each kind of object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from omni_gateway.http.openapi.operations import operations
from omni_gateway.http.openapi.tags import Tag

_JSON = "application/json"
_SCHEMAS = "#/components/schemas/"
#: Deeper messages are left empty.
_DEEPEST = 8
#: Texts by the name of the member that has them, where its schema has no example.
_TEXTS = {
    "arch": "amd64",
    "cluster": "my-cluster",
    "hostname": "my-machine",
    "kubernetes_version": "1.34.1",
    "machine": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
    "namespace": "default",
    "platform": "metal",
    "talos_version": "1.11.2",
}
_FORMATS = {
    "date": "2026-08-21",
    "date-time": "2026-08-21T10:00:00Z",
    "uri": "https://example.com",
    "uri-reference": "/api/v1/clusters/my-cluster",
    "uuid": _TEXTS["machine"],
}


def add_examples(document: dict[str, Any], tags: Mapping[str, Tag]) -> None:
    """Give each successful response in JSON an example, and the parameters of paths too.

    An object's example has each member of its schema: the example of the request that creates such an object, else the
    schema's own example, else the first value of an enumeration, else the zero value.
    """
    examples = _Examples(document["components"]["schemas"], _known_members(document, tags))
    for content in _contents(document):
        for media in content.values():
            _add_example(media, examples)
    document["components"]["examples"] = dict(sorted(examples.components.items()))


def _known_members(document: dict[str, Any], tags: Mapping[str, Tag]) -> dict[str, Mapping[str, Any]]:
    """Return an example of the objects of each schema: the body that creates one, or an id as they have."""
    known: dict[str, Mapping[str, Any]] = {}
    for path, item in document["paths"].items():
        if "get" in item:
            id = tags[item["get"]["tags"][0]].example_id
            links = {"self": path.replace("{id}", quote(id, safe=""))}
            for name in _answered(item["get"]):
                known[name] = {"id": id, "_links": links, **known.get(name, {})}
        body = item.get("post", {}).get("requestBody", {}).get("content", {}).get(_JSON, {}).get("example")
        one = document["paths"].get(f"{path}/{{id}}", {}).get("get", {})
        if isinstance(body, Mapping):
            for name in {*_answered(item["post"]), *_answered(one)}:
                known[name] = {**known.get(name, {}), **body}
    return known


def _answered(operation: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the schemas of an operation's answers, and of the objects in its lists."""
    for status in ("200", "201"):
        content = operation.get("responses", {}).get(status, {}).get("content", {})
        schema = content.get(_JSON, {}).get("schema", {})
        name = schema.get("items", schema).get("$ref", "")
        if name:
            yield name.removeprefix(_SCHEMAS)


def _contents(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the content of each successful response, of the shared ones too."""
    for _, operation in operations(document):
        # A view that a plugin adds by itself may document no response.
        responses = operation.get("responses", {})
        good = (response for status, response in responses.items() if status[0] == "2")
        yield from (response["content"] for response in good if "content" in response)
    yield document["components"]["responses"]["Accepted"]["content"]


def _add_example(media: dict[str, Any], examples: _Examples) -> None:
    schema = media["schema"]
    item = schema.get("items", schema)
    choice = item.get("oneOf", [item])[0]
    name = choice.get("$ref", "").removeprefix(_SCHEMAS)
    if name.endswith("Event") or "example" in media:
        return  # an event is a change of an object whose example is there
    if name:
        key = examples.named(name, many="items" in schema)
        media["examples"] = {"example": {"$ref": f"#/components/examples/{key}"}}
    elif schema.get("type") != "string":
        media["example"] = examples.of(schema)


class _Examples:
    """The examples of one document's schemas."""

    def __init__(self, schemas: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> None:
        self._schemas = schemas
        self._known = known
        #: Name → OpenAPI Example Object.
        self.components: dict[str, Any] = {}

    def named(self, name: str, *, many: bool) -> str:
        """Return the name of the example of an object of a schema, or of a list of one."""
        key = f"{name}List" if many else name
        if key not in self.components:
            value = self._completed({"$ref": f"{_SCHEMAS}{name}"}, self._known.get(name, {}))
            self.components[key] = {"value": [value] if many else value}
        return key

    def of(self, schema: Mapping[str, Any], member: str = "", depth: int = 0) -> Any:
        """Return the example of a schema; ``member`` is the name of the member that has it."""
        if "example" in schema:
            return self._completed(schema, schema["example"], depth)
        schema = self._resolved(schema)
        for key in ("example", "const"):
            if key in schema:
                return schema[key]
        if "enum" in schema:
            return next((value for value in schema["enum"] if value is not None), None)
        kinds = schema.get("type", "object" if "properties" in schema else "null")
        kind = kinds if isinstance(kinds, str) else next(each for each in kinds if each != "null")
        if kind == "object":
            properties = schema.get("properties", {}) if depth < _DEEPEST else {}
            readable = {name: each for name, each in properties.items() if not each.get("writeOnly")}
            return {name: self.of(each, name, depth + 1) for name, each in readable.items()}
        if kind == "array":
            one = self.of(schema["items"], member, depth + 1) if depth < _DEEPEST and schema.get("items") else ""
            return [] if one in ("", 0, {}) else [one]
        if kind == "string":
            return _FORMATS.get(schema.get("format", "")) or _TEXTS.get(member, "")
        return {"integer": schema.get("minimum", 0), "number": 0, "boolean": False}.get(kind)

    def _completed(self, schema: Mapping[str, Any], value: Any, depth: int = 0) -> Any:
        """Return a value with all members of its schema, at any depth: a body may leave out some of an answer's."""
        schema = self._resolved(schema)
        if isinstance(value, Mapping) and "properties" in schema:
            readable = {name: each for name, each in schema["properties"].items() if not each.get("writeOnly")}
            return {
                name: self.of(each, name, depth + 1)
                if value.get(name) is None
                else self._completed(each, value[name], depth + 1)
                for name, each in readable.items()
            }
        if isinstance(value, Mapping) and isinstance(schema.get("additionalProperties"), Mapping):
            return {
                name: self._completed(schema["additionalProperties"], each, depth + 1) for name, each in value.items()
            }
        if isinstance(value, list) and "items" in schema:
            return [self._completed(schema["items"], each, depth + 1) for each in value]
        return value

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the schema that a reference names, or the first of a choice that is not null."""
        while True:
            if "$ref" in schema:
                schema = self._schemas[schema["$ref"].removeprefix(_SCHEMAS)]
            elif key := next((key for key in ("oneOf", "anyOf", "allOf") if key in schema), None):
                schema = next(each for each in schema[key] if each.get("type") != "null")
            else:
                return schema
