"""The system extensions of each Talos version."""

from omni_gateway.sdk import READ, OmniResourceAdapter, ResourcePlugin
from omni_gateway.sdk.adapters import id_link
from omni_gateway.sdk.omni import types
from resources.talosextension.schemas import TalosExtensionsSchema

plugin = ResourcePlugin(
    name="talos-extensions",
    group="Images and versions",
    example_id="1.11.2",
    singular="talos-extension",
    title="Talos extension",
    schema=TalosExtensionsSchema,
    adapter=OmniResourceAdapter(types.TALOS_EXTENSIONS),
    roles=READ,
    links={"version": id_link("talos-versions")},
    description="The system extensions that images of a Talos version can have. The id is the version.",
    import_name=__name__,
)
