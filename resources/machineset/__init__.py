"""Sets of machines of one role in a cluster: its control plane, and its workers."""

from omni_gateway.sdk import (
    READ_WRITE,
    OmniResourceAdapter,
    ResourcePlugin,
    SubResource,
)
from omni_gateway.sdk.actions import SubCollection
from omni_gateway.sdk.adapters import label_filter, label_link
from omni_gateway.sdk.omni import label_names, types
from resources.machineset.adapter import MachineSetAdapter, patches_link
from resources.machineset.destroy import DESTROY, REMOVAL
from resources.machineset.schemas import MachineSetDestroyStatusSchema, MachineSetSchema, MachineSetStatusSchema

EXAMPLE = {
    "id": "my-cluster-workers",
    "labels": {label_names.LABEL_CLUSTER: "my-cluster", label_names.LABEL_WORKER: ""},
    "update_strategy": "Rolling",
}

plugin = ResourcePlugin(
    name="machinesets",
    group="Clusters",
    singular="machineset",
    title="machine set",
    schema=MachineSetSchema,
    adapter=MachineSetAdapter(),
    roles=READ_WRITE,
    filters=(label_filter("cluster", label_names.LABEL_CLUSTER),),
    subresources=[
        SubResource(
            "status",
            OmniResourceAdapter(types.MACHINE_SET_STATUSES),
            MachineSetStatusSchema,
            "Machine set status",
            comes_later=True,
        ),
        SubResource(
            "destroy-status",
            OmniResourceAdapter(types.MACHINE_SET_DESTROY_STATUSES),
            MachineSetDestroyStatusSchema,
            "Progress of the machine set's removal",
        ),
        SubCollection("nodes", "machinesetnodes", "machineset", "The machines that the set's nodes name"),
    ],
    links={"configpatches": patches_link, "cluster": label_link("clusters", label_names.LABEL_CLUSTER)},
    actions=[DESTROY],
    delete_operation=REMOVAL,
    example=EXAMPLE,
    description="A machine set is the machines of one role in a cluster: its control plane, or a set of its"
    " workers. Omni draws the machines from a class (`machine_allocation`), or `machinesetnodes` name"
    " them.",
    after_write="Omni's controllers add, update or reset machines until the set is as wanted: follow `status`.",
    after_delete="Omni resets its machines, which lose their data and become free: follow `destroy-status`.",
    import_name=__name__,
)
