"""The load balancers of the clusters, one each, as Omni sets them up."""

from omni_gateway.sdk import READ_WRITE, OmniResourceAdapter, ResourcePlugin
from omni_gateway.sdk.adapters import id_filter, id_link
from omni_gateway.sdk.omni import types
from resources.loadbalancerconfig.schemas import LoadBalancerConfigSchema

_HINT = "Omni manages one load balancer for each cluster; there is nothing to set."

EXAMPLE = {"id": "my-cluster", "bind_port": "10000"}

plugin = ResourcePlugin(
    name="loadbalancer-configs",
    group="Clusters",
    example_id="my-cluster",
    singular="loadbalancer-config",
    title="load balancer config",
    schema=LoadBalancerConfigSchema,
    adapter=OmniResourceAdapter(types.LOAD_BALANCER_CONFIGS, hint=_HINT, id_filter="cluster"),
    roles=READ_WRITE,
    filters=(id_filter("cluster"),),
    links={"cluster": id_link("clusters"), "status": id_link("loadbalancers", "status")},
    example=EXAMPLE,
    description="Port and endpoints of the load balancer that Omni runs in front of a cluster's Kubernetes API."
    " Its id is the cluster's.",
    after_write="Omni refuses every write (403): its controllers own these objects.",
    after_delete="Omni refuses every write (403): its controllers own these objects.",
    import_name=__name__,
)
