"""Images that Omni pulls to nodes before an upgrade."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire


class ImagePullNodeImageListSchema(SpecSchema):
    """The images that one node pulls (``specs.ImagePullRequestSpec.NodeImageList``)."""

    node = fields.String(
        metadata={"description": "Name of the Kubernetes node that pulls the images", "example": "node-1"}
    )
    images = fields.List(
        fields.String(),
        metadata={
            "description": "References of the container images",
            "example": ["registry.k8s.io/kube-apiserver:v1.35.6"],
        },
    )


class ImagePullRequestSchema(ResourceSchema):
    """Images to pull to nodes before an upgrade begins."""

    node_image_list = fields.List(
        fields.Nested(ImagePullNodeImageListSchema), metadata={"description": "The images to pull, by node"}
    )


class ImagePullStatusSchema(ResourceSchema):
    """Progress of the pull."""

    last_processed_node = fields.String(
        metadata={"description": "Kubernetes node that pulled, or tried to pull, an image last", "example": "node-1"}
    )
    last_processed_image = fields.String(
        metadata={
            "description": "The image that was pulled, or tried, last",
            "example": "registry.k8s.io/kube-apiserver:v1.35.6",
        }
    )
    last_processed_error = fields.String(
        metadata={"description": "Why the last pull failed; empty if it did not", "example": ""}
    )
    processed_count = wire.Integer(
        metadata={"description": "Number of images pulled so far, on all nodes", "example": 4}
    )
    total_count = wire.Integer(metadata={"description": "Number of images to pull, on all nodes", "example": 12})
    request_version = fields.String(
        metadata={"description": "`metadata.version` of the request that this status is about", "example": "1"}
    )
