"""Kubernetes versions that Omni offers."""

from omni_gateway.sdk import READ, OmniResourceAdapter, ResourcePlugin
from omni_gateway.sdk.omni import types
from resources.kubernetesversion.schemas import KubernetesVersionSchema

plugin = ResourcePlugin(
    name="kubernetes-versions",
    group="Images and versions",
    example_id="1.34.1",
    singular="kubernetes-version",
    title="Kubernetes version",
    schema=KubernetesVersionSchema,
    adapter=OmniResourceAdapter(types.KUBERNETES_VERSIONS),
    roles=READ,
    description="Kubernetes versions that Omni offers for clusters.",
    import_name=__name__,
)
