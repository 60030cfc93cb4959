"""How the load balancers of the clusters are."""

from omni_gateway.sdk import OmniResourceAdapter, ResourcePlugin, SubResource
from omni_gateway.sdk.omni import types
from resources.loadbalancer.schemas import LoadBalancerStatusSchema

plugin = ResourcePlugin(
    name="loadbalancers",
    singular="loadbalancer",
    schema=LoadBalancerStatusSchema,
    adapter=OmniResourceAdapter(types.LOAD_BALANCER_STATUSES, id_is_of="cluster"),
    roles={},
    subresources=[
        SubResource(
            "status",
            OmniResourceAdapter(types.LOAD_BALANCER_STATUSES),
            LoadBalancerStatusSchema,
            "How the load balancer of a cluster is",
            comes_later=True,
        )
    ],
    description="How the load balancers of the clusters are",
    import_name=__name__,
)
