"""Images that Omni pulls to nodes before an upgrade."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire


class ImagePullNodeImageListSchema(SpecSchema):
    """Image pull node image list (``specs.ImagePullRequestSpec.NodeImageList``)."""

    node = fields.String()
    images = fields.List(fields.String())


class ImagePullRequestSchema(ResourceSchema):
    """Images to pull to nodes before an upgrade begins."""

    node_image_list = fields.List(fields.Nested(ImagePullNodeImageListSchema))


class ImagePullStatusSchema(ResourceSchema):
    """Progress of the pull."""

    last_processed_node = fields.String()
    last_processed_image = fields.String()
    last_processed_error = fields.String()
    processed_count = wire.Integer()
    total_count = wire.Integer()
    request_version = fields.String()
