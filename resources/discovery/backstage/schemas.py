"""The query and the clusters."""

from __future__ import annotations

from marshmallow import fields, validate

from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk import fields as wire
from resources.discovery.clusters import ClustersQuery


class BackstageClustersQuery(ClustersQuery):
    """Which clusters are listed, and how Backstage logs in to them."""

    auth_provider = fields.String(
        load_default="serviceAccount",
        validate=validate.OneOf(("serviceAccount", "oidc")),
        metadata={
            "description": "How Backstage logs in: `serviceAccount`, with a token that Backstage itself keeps, or"
            " `oidc`, with that of its user",
            "example": "oidc",
        },
    )


class BackstageClusterSchema(SpecSchema):
    """A cluster, with the members of Backstage's `ClusterDetails`."""

    name = fields.String(metadata={"description": "Id of the cluster", "example": "my-cluster"})
    title = fields.String(metadata={"description": "Name to show: the id", "example": "my-cluster"})
    url = fields.String(
        metadata={
            "description": "URL of the Kubernetes API: Omni's proxy, the same one for all clusters; empty before Omni"
            " knows a cluster",
            "example": "https://omni.example.com:8100",
        }
    )
    authProvider = fields.String(
        metadata={"description": "The `auth_provider` of the query", "example": "serviceAccount"}
    )
    authMetadata = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "The same, where newer releases of Backstage look for it. It has no credential",
            "additionalProperties": {"type": "string"},
            "example": {"kubernetes.io/auth-provider": "serviceAccount"},
        },
    )
    caData = fields.String(
        metadata={
            "description": "Certificate authority of the API in base64; empty where Omni names none, since its"
            " certificate is one that clients know",
            "example": "",
        }
    )
    skipTLSVerify = wire.Boolean(
        metadata={"description": "Whether Backstage is not to verify the certificate: never", "example": False}
    )
    labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Labels of the cluster, for a supplier to select by; Backstage itself ignores them",
            "additionalProperties": {"type": "string"},
            "example": {"env": "prod"},
        },
    )
    ready = wire.Boolean(metadata={"description": "Whether all machine sets are running and ready", "example": True})
    kubernetesVersion = fields.String(
        metadata={"description": "Kubernetes version in the cluster's spec, without a leading `v`", "example": "1.35.6"}
    )


class BackstageClustersSchema(SpecSchema):
    """The clusters, under the name that `clusterLocatorMethods` of the type `config` has for them."""

    clusters = fields.List(fields.Nested(BackstageClusterSchema), metadata={"description": "The clusters, by name"})
