"""What callers write and read of a config patch."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema, SpecSchema

MAX_DATA_BYTES = 2 * 1024 * 1024

EXAMPLE: dict[str, Any] = {
    "id": "500-somaxconn",
    "data": 'machine:\n  sysctls:\n    net.core.somaxconn: "4096"\n',
    "labels": {"omni.sidero.dev/cluster": "demo"},
    "annotations": {"description": "longer listen queues"},
}


def _data() -> fields.String:
    return fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAX_DATA_BYTES),
        metadata={
            "description": "Talos machine configuration to merge: YAML (several documents allowed) or JSON, as text"
        },
    )


class ConfigPatchSchema(ResourceSchema):
    """A patch of the configuration of machines."""

    data = _data()


class ValidateSchema(SpecSchema):
    """A patch to look at."""

    data = _data()


class ValiditySchema(SpecSchema):
    """What Omni thinks of a patch."""

    valid = fields.Boolean(metadata={"description": "Always true; a patch that Omni refuses is a 422 with its reason"})
