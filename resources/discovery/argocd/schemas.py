"""Request and response of Argo CD's plugin generator."""

from __future__ import annotations

from marshmallow import fields, validate

from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk import fields as wire
from resources.discovery.clusters import ClustersQuery


class ArgocdInputSchema(SpecSchema):
    """The generator's `input`."""

    parameters = fields.Nested(
        ClustersQuery,
        load_default=dict,
        allow_none=True,
        metadata={"description": "Which clusters; all if it is empty", "example": {"label_selector": "env=prod"}},
    )


class ArgocdRequestSchema(SpecSchema):
    """The body that Argo CD sends."""

    applicationSetName = fields.String(
        load_default="",
        validate=validate.Length(max=512),
        metadata={"description": "Name of the ApplicationSet; the answer does not depend on it", "example": "addons"},
    )
    input = fields.Nested(
        ArgocdInputSchema,
        load_default=dict,
        allow_none=True,
        metadata={"description": "The `input` of the generator in the ApplicationSet"},
    )


class ArgocdClusterMetadataSchema(SpecSchema):
    """Labels and annotations, where Argo CD's own cluster generator has them."""

    labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Labels of the cluster",
            "additionalProperties": {"type": "string"},
            "example": {"env": "prod"},
        },
    )
    annotations = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Annotations of the cluster",
            "additionalProperties": {"type": "string"},
            "example": {},
        },
    )


class ArgocdClusterSchema(SpecSchema):
    """The parameters of one cluster; those of Argo CD's own cluster generator have the same names."""

    name = fields.String(metadata={"description": "Id of the cluster", "example": "my-cluster"})
    nameNormalized = fields.String(
        metadata={
            "description": "The id in lower case, with `-` for each character that names in Kubernetes may not have",
            "example": "my-cluster",
        }
    )
    server = fields.String(
        metadata={
            "description": "URL of the Kubernetes API, as in the cluster's Secret: Omni's proxy, with the cluster's id"
            " as a parameter that Omni ignores; empty before Omni knows a cluster",
            "example": "https://omni.example.com:8100?cluster=my-cluster",
        }
    )
    metadata = fields.Nested(
        ArgocdClusterMetadataSchema, metadata={"description": "Labels and annotations of the cluster"}
    )
    kubernetesVersion = fields.String(
        metadata={"description": "Kubernetes version in the cluster's spec, without a leading `v`", "example": "1.35.6"}
    )
    talosVersion = fields.String(
        metadata={"description": "Talos version in the cluster's spec, without a leading `v`", "example": "1.13.7"}
    )
    ready = wire.Boolean(metadata={"description": "Whether all machine sets are running and ready", "example": True})
    phase = fields.String(
        metadata={"description": "What the machine sets do, as in the cluster's `status`", "example": "RUNNING"}
    )
    machines = wire.Integer(metadata={"description": "Number of machines that are members", "example": 3})


class ArgocdOutputSchema(SpecSchema):
    """The generator's output."""

    parameters = fields.List(
        fields.Nested(ArgocdClusterSchema), metadata={"description": "The parameters of each cluster, by name"}
    )


class ArgocdParametersSchema(SpecSchema):
    """The body that Argo CD reads."""

    output = fields.Nested(ArgocdOutputSchema, metadata={"description": "One ApplicationSet element a cluster"})
