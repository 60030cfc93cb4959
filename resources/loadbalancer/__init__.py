"""Status of the clusters' load balancers."""

from omni_gateway.sdk import OmniResourceAdapter, ResourcePlugin, SubResource
from omni_gateway.sdk.omni import types
from resources.loadbalancer.schemas import LoadBalancerStatusSchema

plugin = ResourcePlugin(
    name="loadbalancers",
    group="Clusters",
    example_id="my-cluster",
    singular="loadbalancer",
    title="load balancer",
    schema=LoadBalancerStatusSchema,
    adapter=OmniResourceAdapter(types.LOAD_BALANCER_STATUSES, id_is_of="cluster"),
    roles={},
    subresources=[
        SubResource(
            "status",
            OmniResourceAdapter(types.LOAD_BALANCER_STATUSES),
            LoadBalancerStatusSchema,
            "Status of the cluster's load balancer",
            comes_later=True,
        )
    ],
    description="Status of the load balancer that Omni runs in front of a cluster's Kubernetes API.",
    import_name=__name__,
)
