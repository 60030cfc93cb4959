"""Config patches: what machines get on top of the configuration that Omni makes."""

from omni_gateway.sdk import READ_WRITE, Filter, ResourcePlugin, Role, label_filter, label_link
from resources.configpatch.adapter import ConfigPatchAdapter
from resources.configpatch.labels import CLUSTER, CLUSTER_MACHINE, MACHINE, MACHINE_SET
from resources.configpatch.schemas import EXAMPLE, ConfigPatchSchema, ValidateSchema, ValiditySchema
from resources.configpatch.validating import validate

plugin = ResourcePlugin(
    name="configpatches",
    singular="configpatch",
    schema=ConfigPatchSchema,
    adapter=ConfigPatchAdapter(),
    roles=READ_WRITE,
    filters=(
        label_filter("cluster", CLUSTER, "Only those of this cluster"),
        label_filter("machineset", MACHINE_SET, "Only those of this machine set"),
        Filter("machine", "Only those of this machine, in its cluster or wherever it is"),
    ),
    links={
        "cluster": label_link("clusters", CLUSTER),
        "machineset": label_link("machinesets", MACHINE_SET),
        "cluster_machine": label_link("machines", CLUSTER_MACHINE),
        "machine": label_link("machines", MACHINE),
    },
    example=EXAMPLE,
    description=(
        "Talos configuration patches. Labels say what a patch is for: `omni.sidero.dev/cluster` alone means every"
        " machine of the cluster; with `omni.sidero.dev/machine-set` or `omni.sidero.dev/cluster-machine`, a part; and"
        " `omni.sidero.dev/machine` alone a machine wherever it is. They apply in this order, and by id within each."
    ),
    import_name=__name__,
)

plugin.action(
    "validate",
    role=Role.READER,
    summary="Ask Omni whether it would take a patch, without making one",
    body=ValidateSchema,
    example={"data": EXAMPLE["data"]},
    answers=ValiditySchema,
    on_collection=True,
    description="422 with Omni's reason when it would not.",
)(validate)
