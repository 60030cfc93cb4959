"""Additional kernel arguments of a machine."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, redaction
from omni_gateway.sdk import fields as wire


class KernelArgsSchema(ResourceSchema):
    """Additional kernel arguments of one machine; the id is the machine's."""

    args = fields.List(fields.String())


class KernelArgsStatusSchema(ResourceSchema):
    """Current and wanted kernel arguments of a machine."""

    args = fields.List(wire.Masked(redaction.mask_tokens))
    current_args = fields.List(wire.Masked(redaction.mask_tokens))
    unmet_conditions = fields.List(fields.String())
    current_cmdline = wire.Masked(redaction.mask_tokens)
