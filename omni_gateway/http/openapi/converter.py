"""apispec's conversion of marshmallow schemas, with what it does not do or gets wrong."""

from __future__ import annotations

import re
from typing import Any

import marshmallow as ma
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import fields

from omni_gateway.http.openapi.shapes import CREATE_ONLY, OPTIONAL


class GatewayConverter(OpenAPIConverter):
    """Converts schemas and fields; see :mod:`.shapes` for what becomes of the schemas."""

    def schema2jsonschema(self, schema: ma.Schema) -> dict[str, Any]:
        """Return the component of a schema, with the names of members that are not in each of its shapes."""
        component: dict[str, Any] = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        for key, names in (
            (OPTIONAL, getattr(schema, "optional_in_answers", None)),
            (CREATE_ONLY, getattr(schema, "request_only", None)),
        ):
            if names is not None:
                component[key] = sorted(schema.fields[name].data_key or name for name in names)
        return component

    def field2length(self, field: fields.Field[Any], **kwargs: Any) -> dict[str, Any]:
        """Return the limits of a length by the keywords of the field's type: a map has a number of properties."""
        limits: dict[str, Any] = super().field2length(field, **kwargs)
        if isinstance(field, fields.Dict):
            limits = {key.replace("Length", "Properties"): value for key, value in limits.items()}
        return limits

    def field2pattern(self, field: fields.Field[Any], **kwargs: Any) -> dict[str, Any]:
        """Return the pattern in the grammar of ECMA-262, which JSON Schema takes."""
        pattern: dict[str, Any] = super().field2pattern(field, **kwargs)
        return {key: ecma_pattern(value) for key, value in pattern.items()}


class GatewayMarshmallowPlugin(MarshmallowPlugin):
    """apispec's plugin with :class:`GatewayConverter`."""

    Converter = GatewayConverter


def ecma_pattern(pattern: str) -> str:
    """Return a Python pattern, which ``re.match`` applies, in the grammar and with the meaning of ECMA-262.

    ``re.match`` looks at the beginning of a text, JSON Schema anywhere in it; and ``\\Z`` is Python's alone.
    """
    anchored = re.sub(r"(?<!\\)((?:\\\\)*)\\A", r"\1^", pattern)
    anchored = re.sub(r"(?<!\\)((?:\\\\)*)\\Z", r"\1$", anchored)
    return anchored if anchored.startswith("^") else f"^(?:{anchored})"
