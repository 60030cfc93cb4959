"""The wanted image of each machine, set by Omni."""

from omni_gateway.sdk import READ_WRITE, OmniResourceAdapter, ResourcePlugin
from omni_gateway.sdk.adapters import id_link, label_filter, label_link
from omni_gateway.sdk.omni import label_names, types
from resources.schematicconfiguration.schemas import SchematicConfigurationSchema

_HINT = "Change the sources: /api/v1/extensions-configurations, /api/v1/kernel-args, or the cluster's Talos version."

EXAMPLE = {"id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01", "talos_version": "1.13.7"}

plugin = ResourcePlugin(
    name="schematic-configurations",
    group="Machines",
    example_id="2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
    singular="schematic-configuration",
    schema=SchematicConfigurationSchema,
    adapter=OmniResourceAdapter(types.SCHEMATIC_CONFIGURATIONS, hint=_HINT),
    roles=READ_WRITE,
    filters=(label_filter("cluster", label_names.LABEL_CLUSTER),),
    links={"machine": id_link("machines"), "cluster": label_link("clusters", label_names.LABEL_CLUSTER)},
    example=EXAMPLE,
    description="The image that Omni wants on each machine: schematic and Talos version. Its id is the machine's.",
    after_write="Omni refuses every write (403): change the sources, `extensions-configurations`, `kernel-args`"
    " or the cluster's Talos version.",
    after_delete="Omni refuses every write (403): its controllers own these objects.",
    import_name=__name__,
)
