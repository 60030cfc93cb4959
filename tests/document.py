"""Reading of the OpenAPI document."""

from __future__ import annotations

from typing import Any


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the document, or the component that it refers to, with what it says of its own."""
    if "$ref" not in part:
        return part
    _, _, section, name = part["$ref"].split("/")
    return {**document["components"][section][name], **{key: part[key] for key in part if key != "$ref"}}


def parameters(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters of an operation by name."""
    found = [resolved(document, parameter) for parameter in operation.get("parameters", ())]
    return {parameter["name"]: parameter for parameter in found}
