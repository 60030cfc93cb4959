"""Reading of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from omni_gateway.testing.document import resolved


def parameters(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters of an operation by name."""
    found = [resolved(document, parameter) for parameter in operation.get("parameters", ())]
    return {parameter["name"]: parameter for parameter in found}
