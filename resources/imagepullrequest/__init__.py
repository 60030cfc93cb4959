"""Images that Omni pulls to nodes before an upgrade."""

from omni_gateway.sdk import (
    READ_WRITE,
    OmniResourceAdapter,
    ResourcePlugin,
    SubResource,
)
from omni_gateway.sdk.adapters import label_filter, label_link
from omni_gateway.sdk.omni import label_names, types
from resources.imagepullrequest.schemas import ImagePullRequestSchema, ImagePullStatusSchema

_HINT = "Omni pulls images by itself during an upgrade: POST /api/v1/clusters/{id}/actions/kubernetes-upgrade."

EXAMPLE = {
    "id": "my-cluster",
    "node_image_list": [{"node": "node-1", "images": ["registry.k8s.io/kube-apiserver:v1.33.0"]}],
}

plugin = ResourcePlugin(
    name="image-pull-requests",
    group="Clusters",
    example_id="my-cluster",
    singular="image-pull-request",
    schema=ImagePullRequestSchema,
    adapter=OmniResourceAdapter(types.IMAGE_PULL_REQUESTS, hint=_HINT),
    roles=READ_WRITE,
    filters=(label_filter("cluster", label_names.LABEL_CLUSTER),),
    subresources=[
        SubResource(
            "status",
            OmniResourceAdapter(types.IMAGE_PULL_STATUSES),
            ImagePullStatusSchema,
            "Progress of the pull",
            comes_later=True,
        )
    ],
    links={"cluster": label_link("clusters", label_names.LABEL_CLUSTER)},
    example=EXAMPLE,
    description="Images that Omni pulls to the nodes of a cluster before a Kubernetes upgrade changes them.",
    after_write="Omni refuses every write (403): it makes these requests itself during an upgrade.",
    after_delete="Omni refuses every write (403): it removes these requests itself.",
    import_name=__name__,
)
