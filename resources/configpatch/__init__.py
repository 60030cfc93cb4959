"""Configuration patches: changes to the Talos configuration that Omni generates for a cluster's machines."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin
from omni_gateway.sdk.adapters import label_link
from omni_gateway.sdk.omni import label_names
from resources.configpatch import targets
from resources.configpatch.adapter import ConfigPatchAdapter
from resources.configpatch.schemas import EXAMPLE, ConfigPatchSchema
from resources.configpatch.validation import VALIDATE

plugin = ResourcePlugin(
    name="configpatches",
    group="Clusters",
    singular="configpatch",
    title="config patch",
    schema=ConfigPatchSchema,
    adapter=ConfigPatchAdapter(),
    roles=READ_WRITE,
    filters=targets.FILTERS,
    links={
        "cluster": label_link("clusters", label_names.LABEL_CLUSTER),
        "machineset": label_link("machinesets", label_names.LABEL_MACHINE_SET),
        "machine": targets.machine_link,
    },
    actions=[VALIDATE],
    example=EXAMPLE,
    description="A config patch changes the Talos configuration that Omni generates for the machines of a"
    " cluster, a machine set or one machine. Its labels name the target.",
    after_write="Omni applies the new configuration to the target's machines, some at a time; some changes reboot"
    " them. Follow `machines/{id}/pending-updates`.",
    after_delete="Omni generates the configuration without it and applies that to the target's machines.",
    import_name=__name__,
)
