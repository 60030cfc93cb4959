"""Additional kernel arguments of a machine."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, redaction
from omni_gateway.sdk import fields as wire


class KernelArgsSchema(ResourceSchema):
    """Additional kernel arguments of one machine; the id is the machine's."""

    args = fields.List(
        fields.String(),
        metadata={
            "description": "Additional kernel arguments of the machine, in order; they replace those of its image",
            "example": ["console=ttyS0"],
        },
    )


class KernelArgsStatusSchema(ResourceSchema):
    """Current and wanted kernel arguments of a machine."""

    args = fields.List(
        wire.Masked(redaction.mask_tokens),
        metadata={
            "description": "Additional kernel arguments that Omni wants in the machine's image; join tokens are masked",
            "example": ["console=ttyS0"],
        },
    )
    current_args = fields.List(
        wire.Masked(redaction.mask_tokens),
        metadata={
            "description": "Additional kernel arguments in the image that the machine runs; join tokens are masked",
            "example": ["console=ttyS0"],
        },
    )
    unmet_conditions = fields.List(
        fields.String(),
        metadata={
            "description": "Why the arguments of this machine cannot be changed now, a line each; empty if they can",
            "example": [],
        },
    )
    current_cmdline = wire.Masked(
        redaction.mask_tokens,
        metadata={
            "description": "Command line of the running kernel; join tokens are masked",
            "example": "talos.platform=metal console=ttyS0",
        },
    )
