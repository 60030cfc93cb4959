"""Reading of the OpenAPI document."""

from __future__ import annotations

import json
from typing import Any

from jsonschema_rs import Draft202012, Draft202012Validator, Registry

from omni_gateway.testing.document import resolved

_URI = "urn:document"


def parameters(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters of an operation by name."""
    found = [resolved(document, parameter) for parameter in operation.get("parameters", ())]
    return {parameter["name"]: parameter for parameter in found}


class Schemas:
    """The schemas of a document, to hold values against.

    The document is read once for all of them: a validator with a copy of the components each would take minutes.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._registry = Registry([(_URI, document)], draft=Draft202012)

    def errors(self, schema: dict[str, Any], value: Any) -> list[str]:
        """Return the place and the message of each error of a value."""
        absolute = json.loads(json.dumps(schema).replace('"$ref": "#/', f'"$ref": "{_URI}#/'))
        found = Draft202012Validator(absolute, registry=self._registry).iter_errors(value)
        return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:200]}" for error in found]
