"""The nodes of machine sets: machines assigned one by one."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin
from omni_gateway.sdk.adapters import id_link, label_filter, label_link
from omni_gateway.sdk.clusters import quorum
from omni_gateway.sdk.omni import label_names
from resources.machinesetnode.adapter import MachineSetNodeAdapter
from resources.machinesetnode.schemas import MachineSetNodeSchema

EXAMPLE = {"id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01", "machineset": "my-cluster-workers"}

plugin = ResourcePlugin(
    name="machinesetnodes",
    group="Clusters",
    singular="machinesetnode",
    title="machine set node",
    schema=MachineSetNodeSchema,
    adapter=MachineSetNodeAdapter(),
    roles=READ_WRITE,
    filters=(
        label_filter("cluster", label_names.LABEL_CLUSTER),
        label_filter("machineset", label_names.LABEL_MACHINE_SET),
    ),
    links={
        "machine": id_link("machines"),
        "cluster": label_link("clusters", label_names.LABEL_CLUSTER),
        "machineset": label_link("machinesets", label_names.LABEL_MACHINE_SET),
    },
    delete_query=quorum.ForceQuery,
    example=EXAMPLE,
    description="A machine set node puts one machine into a machine set. Its id is the machine's.",
    after_write="Omni installs Talos on the machine, configures it and lets it join the cluster: follow"
    " `clustermachines/{id}/status`.",
    after_delete="Omni takes the machine out of its cluster and resets it. A control plane takes `force=true`.",
    import_name=__name__,
)
