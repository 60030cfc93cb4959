"""The query and the list of Argo CD's cluster Secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk import fields as wire
from resources.discovery.argocd.manifest_schemas import ArgocdObjectMetadataSchema, namespace_field
from resources.discovery.clusters import ClustersQuery


class ArgocdSecretsQuery(ClustersQuery):
    """Which clusters, and how Argo CD logs in to them."""

    namespace = namespace_field("argocd")
    project = fields.String(
        load_default="",
        validate=validate.Length(max=253),
        metadata={
            "description": "Argo CD project that the clusters are for, and no other; empty: all projects",
            "example": "team-a",
        },
    )
    exec_command = fields.String(
        load_default="omni-credential",
        validate=validate.Length(min=1, max=4096),
        metadata={
            "description": "Without `service_account`: the command in Argo CD's image that prints a credential; it is"
            " called with the cluster's id",
            "example": "omni-credential",
        },
    )
    service_account = fields.Boolean(
        load_default=False,
        metadata={
            "description": "Secrets with a token each (role: operator). Without it they have no credential, and Argo CD"
            " gets one by `exec_command`"
        },
    )
    user = fields.String(
        load_default="argocd",
        validate=validate.Length(min=1, max=255),
        metadata={"description": "With `service_account`: the Kubernetes user that the tokens stand for"},
    )
    groups = fields.String(
        load_default="system:masters",
        validate=[validate.Length(max=4096), wire.token_groups],
        metadata={"description": "With `service_account`: Kubernetes groups, comma separated"},
    )
    ttl = wire.Duration(
        validate=wire.token_ttl,
        metadata={
            "description": "With `service_account`, required: the life of the tokens, e.g. `720h`; at most 10 years"
        },
    )

    @ma.validates_schema
    def check_form(self, data: Mapping[str, Any], **_: Any) -> None:
        """Raise for the life of tokens without tokens, and for tokens without a life."""
        if data["service_account"] and not data.get("ttl"):
            raise ma.ValidationError("Required with service_account=true.", "ttl")
        if not data["service_account"] and data.get("ttl"):
            raise ma.ValidationError("Goes with service_account=true only.", "ttl")


class ArgocdSecretDataSchema(SpecSchema):
    """The members of a Secret that Argo CD reads."""

    name = fields.String(
        metadata={"description": "Id of the cluster: `destination.name` of an Application", "example": "my-cluster"}
    )
    server = fields.String(
        metadata={
            "description": "URL of the Kubernetes API: Omni's proxy, the same one for all clusters, with the cluster's"
            " id as a parameter that Omni ignores, since Argo CD tells clusters apart by their URLs",
            "example": "https://omni.example.com:8100?cluster=my-cluster",
        }
    )
    project = fields.String(metadata={"description": "The `project` of the query; empty: all", "example": ""})
    config = fields.String(
        metadata={
            "description": "JSON: `execProviderConfig`, or with `service_account` a `bearerToken`; and"
            " `tlsClientConfig`",
            "example": '{"tlsClientConfig":{"insecure":false},"execProviderConfig":{"apiVersion":'
            '"client.authentication.k8s.io/v1","command":"omni-credential","args":["my-cluster"]}}',
        }
    )


class ArgocdClusterSecretSchema(SpecSchema):
    """A Secret by which Argo CD knows a cluster."""

    apiVersion = fields.String(metadata={"description": "Version of the API", "example": "v1", "enum": ["v1"]})
    kind = fields.String(metadata={"description": "Kind of the object", "example": "Secret", "enum": ["Secret"]})
    metadata = fields.Nested(
        ArgocdObjectMetadataSchema, metadata={"description": "Name, labels and annotations of the Secret"}
    )
    type = fields.String(metadata={"description": "Type of the Secret", "example": "Opaque", "enum": ["Opaque"]})
    stringData = fields.Nested(ArgocdSecretDataSchema, metadata={"description": "Its content"})


class ArgocdClusterSecretsSchema(SpecSchema):
    """A list that `kubectl apply -f -` takes."""

    apiVersion = fields.String(metadata={"description": "Version of the API", "example": "v1", "enum": ["v1"]})
    kind = fields.String(metadata={"description": "Kind of the object", "example": "List", "enum": ["List"]})
    items = fields.List(
        fields.Nested(ArgocdClusterSecretSchema), metadata={"description": "The Secrets, by the ids of their clusters"}
    )
