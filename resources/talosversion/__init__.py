"""Talos versions that Omni offers, with the Kubernetes versions that each runs."""

from omni_gateway.sdk import READ, OmniResourceAdapter, ResourcePlugin
from omni_gateway.sdk.adapters import id_link
from omni_gateway.sdk.omni import types
from resources.talosversion.schemas import TalosVersionSchema

plugin = ResourcePlugin(
    name="talos-versions",
    group="Images and versions",
    example_id="1.11.2",
    singular="talos-version",
    title="Talos version",
    schema=TalosVersionSchema,
    adapter=OmniResourceAdapter(types.TALOS_VERSIONS),
    roles=READ,
    links={"extensions": id_link("talos-extensions")},
    description="Talos versions that Omni offers, with the Kubernetes versions that each runs.",
    import_name=__name__,
)
