"""Kubernetes Services that Omni exposes under URLs of its own."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin
from omni_gateway.sdk.adapters import label_filter, label_link
from omni_gateway.sdk.omni import label_names
from resources.exposedservice.adapter import ExposedServiceAdapter
from resources.exposedservice.operations import EXPOSING, HIDING
from resources.exposedservice.schemas import ExposedServiceSchema

EXAMPLE = {"cluster": "my-cluster", "service": "grafana", "service_namespace": "monitoring", "port": 8080}

plugin = ResourcePlugin(
    name="exposed-services",
    group="Clusters",
    singular="exposed-service",
    schema=ExposedServiceSchema,
    adapter=ExposedServiceAdapter(),
    roles=READ_WRITE,
    filters=(label_filter("cluster", label_names.LABEL_CLUSTER),),
    create_operation=EXPOSING,
    delete_operation=HIDING,
    links={"cluster": label_link("clusters", label_names.LABEL_CLUSTER)},
    example=EXAMPLE,
    description="Kubernetes Services that Omni exposes under URLs of its own. Omni finds them by annotations of"
    " the Services; since Omni 1.8 one Service may be exposed at several host ports, each mapped to a"
    " port of its own.",
    after_write="The annotations of the Service are written through Omni's Kubernetes proxy; Omni acts on them:"
    " follow `url` and `error`.",
    after_delete="The annotations are removed; the Service itself stays.",
    import_name=__name__,
)
