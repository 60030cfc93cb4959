"""The query and the list of ClusterProfiles."""

from __future__ import annotations

from marshmallow import fields, validate

from omni_gateway.sdk import SpecSchema
from resources.discovery.argocd.manifest_schemas import ArgocdObjectMetadataSchema, namespace_field
from resources.discovery.clusters import ClustersQuery


class ClusterProfilesQuery(ClustersQuery):
    """Which clusters, and who they are said to be managed by."""

    namespace = namespace_field("cluster-inventory")
    cluster_manager = fields.String(
        load_default="omni",
        validate=validate.Regexp(
            r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$",
            error="Must be a value that a label of Kubernetes may have.",
        ),
        metadata={
            "description": "Name of this Omni as a cluster manager; Kubernetes lets no profile change it",
            "example": "omni",
        },
    )


class ClusterProfileManagerSchema(SpecSchema):
    """Who manages the cluster."""

    name = fields.String(metadata={"description": "The `cluster_manager` of the query", "example": "omni"})


class ClusterProfileSpecSchema(SpecSchema):
    """The `spec` of a ClusterProfile."""

    displayName = fields.String(metadata={"description": "Id of the cluster", "example": "my-cluster"})
    clusterManager = fields.Nested(ClusterProfileManagerSchema, metadata={"description": "Who manages the cluster"})


class ClusterProfileVersionSchema(SpecSchema):
    """Versions of the cluster."""

    kubernetes = fields.String(
        metadata={"description": "Kubernetes version in the cluster's spec, without a leading `v`", "example": "1.35.6"}
    )


class ClusterProfileConditionSchema(SpecSchema):
    """A condition of the cluster."""

    type = fields.String(
        metadata={
            "description": "What the condition is about",
            "example": "ControlPlaneHealthy",
            "enum": ["ControlPlaneHealthy"],
        }
    )
    status = fields.String(metadata={"description": "Whether it is so", "example": "True", "enum": ["True", "False"]})
    reason = fields.String(
        metadata={
            "description": "What Omni reports of the control plane",
            "example": "Ready",
            "enum": ["Ready", "NotReady"],
        }
    )
    message = fields.String(metadata={"description": "Always empty", "example": ""})
    lastTransitionTime = fields.String(
        metadata={
            "description": "When Omni last changed the status of the cluster, not of this condition alone",
            "example": "2026-02-01T12:00:00Z",
        }
    )


class ClusterProfileExecConfigSchema(SpecSchema):
    """The configuration of the cluster for an exec plugin of the consumer."""

    clusterName = fields.String(metadata={"description": "Id of the cluster", "example": "my-cluster"})


class ClusterProfileExtensionSchema(SpecSchema):
    """An extension of the cluster's entry, as in a kubeconfig."""

    name = fields.String(
        metadata={
            "description": "Which extension",
            "example": "client.authentication.k8s.io/exec",
            "enum": ["client.authentication.k8s.io/exec"],
        }
    )
    extension = fields.Nested(
        ClusterProfileExecConfigSchema, metadata={"description": "What an exec plugin of the consumer gets"}
    )


class ClusterProfileApiSchema(SpecSchema):
    """Where the Kubernetes API is, as in a kubeconfig."""

    server = fields.String(
        metadata={
            "description": "URL of the Kubernetes API: Omni's proxy, with the cluster's id as a parameter that Omni"
            " ignores",
            "example": "https://omni.example.com:8100?cluster=my-cluster",
        }
    )
    certificate_authority_data = fields.String(
        data_key="certificate-authority-data",
        metadata={
            "description": "Certificate authority of the API in base64; empty where Omni names none, since its"
            " certificate is one that clients know",
            "example": "",
        },
    )
    extensions = fields.List(
        fields.Nested(ClusterProfileExtensionSchema),
        metadata={"description": "The id of the cluster, for exec plugins"},
    )


class ClusterProfileAccessSchema(SpecSchema):
    """A way to log in to the cluster."""

    name = fields.String(
        metadata={"description": "Name by which consumers find their exec plugin", "example": "omni", "enum": ["omni"]}
    )
    cluster = fields.Nested(ClusterProfileApiSchema, metadata={"description": "Where the Kubernetes API is"})


class ClusterProfileStatusSchema(SpecSchema):
    """The `status` of a ClusterProfile."""

    version = fields.Nested(ClusterProfileVersionSchema, metadata={"description": "Versions of the cluster"})
    conditions = fields.List(
        fields.Nested(ClusterProfileConditionSchema),
        metadata={"description": "Conditions; none before Omni has reported the cluster's status"},
    )
    accessProviders = fields.List(
        fields.Nested(ClusterProfileAccessSchema),
        metadata={"description": "How to log in; without a credential, which an exec plugin of the consumer gets"},
    )


class ClusterProfileSchema(SpecSchema):
    """A cluster, in the cluster inventory of Kubernetes' SIG Multicluster."""

    apiVersion = fields.String(
        metadata={
            "description": "Version of the API",
            "example": "multicluster.x-k8s.io/v1alpha1",
            "enum": ["multicluster.x-k8s.io/v1alpha1"],
        }
    )
    kind = fields.String(
        metadata={"description": "Kind of the object", "example": "ClusterProfile", "enum": ["ClusterProfile"]}
    )
    metadata = fields.Nested(
        ArgocdObjectMetadataSchema, metadata={"description": "Name, labels and annotations of the profile"}
    )
    spec = fields.Nested(ClusterProfileSpecSchema, metadata={"description": "Which cluster it is"})
    status = fields.Nested(ClusterProfileStatusSchema, metadata={"description": "What is known of it"})


class ClusterProfilesSchema(SpecSchema):
    """A list that `kubectl apply -f -` takes."""

    apiVersion = fields.String(metadata={"description": "Version of the API", "example": "v1", "enum": ["v1"]})
    kind = fields.String(metadata={"description": "Kind of the object", "example": "List", "enum": ["List"]})
    items = fields.List(fields.Nested(ClusterProfileSchema), metadata={"description": "The profiles, by cluster id"})
