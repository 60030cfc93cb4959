"""A Kubernetes version that Omni offers."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema


class KubernetesVersionSchema(ResourceSchema):
    """A Kubernetes version that Omni offers."""

    version = fields.String(
        metadata={"description": "Kubernetes version without a leading `v`; the same as the id", "example": "1.35.6"}
    )
