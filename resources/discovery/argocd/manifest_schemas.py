"""The common schemas of the lists of Secrets and of ClusterProfiles."""

from __future__ import annotations

from marshmallow import fields, validate

from omni_gateway.sdk import SpecSchema

_NAMESPACE = validate.Regexp(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", error="Must be a DNS label (RFC 1123).")


def namespace_field(default: str) -> fields.String:
    """Return the parameter that names the namespace of the objects."""
    metadata = {"description": "Namespace of the objects", "example": default}
    return fields.String(load_default=default, validate=_NAMESPACE, metadata=metadata)


class ArgocdObjectMetadataSchema(SpecSchema):
    """The metadata of a Kubernetes object that stands for a cluster."""

    name = fields.String(
        metadata={
            "description": "Name of the object, made of the cluster's id; it ends in a digest where Kubernetes does not"
            " allow the id as a name",
            "example": "omni-cluster-my-cluster",
        }
    )
    namespace = fields.String(metadata={"description": "The `namespace` of the query", "example": "argocd"})
    labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Labels of the cluster, without those that Kubernetes does not allow and those in domains of"
            " Kubernetes and Argo CD; and the label by which the object is found",
            "additionalProperties": {"type": "string"},
            "example": {"env": "prod", "argocd.argoproj.io/secret-type": "cluster"},
        },
    )
    annotations = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Annotations of the cluster, with the same exceptions",
            "additionalProperties": {"type": "string"},
            "example": {},
        },
    )
