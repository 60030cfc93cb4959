"""Which image a machine is to run."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema


class SchematicConfigurationSchema(ResourceSchema):
    """The schematic and the Talos version that Omni wants on a machine."""

    schematic_id = fields.String()
    talos_version = fields.String()
