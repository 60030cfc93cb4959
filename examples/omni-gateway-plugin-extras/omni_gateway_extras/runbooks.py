"""Runbooks: what to do when a cluster is in trouble. Kept in the gateway's own store; Omni knows nothing of them.

The gateway runs this code in several worker processes, each with several threads, and perhaps in several replicas. The
store is what they share: it makes an id once, and writes only over the version that was read, whoever else writes.
"""

from marshmallow import fields

from omni_gateway.sdk import READ_WRITE, ResourcePlugin, ResourceSchema
from omni_gateway.sdk.adapters import StoredResourceAdapter


class RunbookSchema(ResourceSchema):
    """Steps to take."""

    title = fields.String(required=True, metadata={"description": "The trouble", "example": "etcd is full"})
    steps = fields.List(
        fields.String(), metadata={"description": "What to do, in order", "example": ["defragment", "raise the quota"]}
    )


plugin = ResourcePlugin(
    name="runbooks",
    singular="runbook",
    group="Clusters",
    description="What to do when a cluster is in trouble.",
    after_write="Every worker and replica shows it at once.",
    after_delete="It is gone at once.",
    schema=RunbookSchema,
    # The collection's name is shared by all plugins of a gateway, so it begins with the distribution's.
    adapter=StoredResourceAdapter("omni-gateway-plugin-extras/runbooks", sortable=frozenset({"title"})),
    roles=READ_WRITE,
    example={"id": "etcd-full", "title": "etcd is full", "steps": ["defragment", "raise the quota"]},
    sdk=">=2.0,<3",
)
