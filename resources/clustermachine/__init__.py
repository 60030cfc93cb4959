"""Machines as members of their clusters; a machine set node makes one."""

from omni_gateway.sdk import (
    READ_WRITE,
    OmniResourceAdapter,
    ResourcePlugin,
    SubResource,
)
from omni_gateway.sdk.adapters import id_link, label_filter, label_link
from omni_gateway.sdk.clusters import quorum
from omni_gateway.sdk.omni import label_names, types
from resources.clustermachine.adapter import ClusterMachineAdapter, ClusterMachineStatusAdapter
from resources.clustermachine.join_operation import JOINING
from resources.clustermachine.leave_operation import LEAVING
from resources.clustermachine.schemas import (
    ClusterMachineConfigSchema,
    ClusterMachineConfigStatusSchema,
    ClusterMachineIdentitySchema,
    ClusterMachinePendingUpdatesSchema,
    ClusterMachineSchema,
    ClusterMachineStatusSchema,
    ClusterMachineTalosVersionSchema,
)

EXAMPLE = {"id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01", "machineset": "my-cluster-workers"}

plugin = ResourcePlugin(
    name="clustermachines",
    group="Clusters",
    example_id="2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
    singular="clustermachine",
    title="cluster machine",
    schema=ClusterMachineSchema,
    adapter=ClusterMachineAdapter(),
    roles=READ_WRITE,
    filters=(
        label_filter("cluster", label_names.LABEL_CLUSTER),
        label_filter("machineset", label_names.LABEL_MACHINE_SET),
    ),
    subresources=[
        SubResource(
            "status",
            ClusterMachineStatusAdapter(),
            ClusterMachineStatusSchema,
            "Status of the cluster machine",
            comes_later=True,
        ),
        SubResource(
            "config-status",
            OmniResourceAdapter(types.CLUSTER_MACHINE_CONFIG_STATUSES),
            ClusterMachineConfigStatusSchema,
            "The configuration that the cluster machine has applied",
            comes_later=True,
        ),
        SubResource(
            "talos-version",
            OmniResourceAdapter(types.CLUSTER_MACHINE_TALOS_VERSIONS),
            ClusterMachineTalosVersionSchema,
            "Wanted Talos version of the cluster machine",
            comes_later=True,
        ),
        SubResource(
            "config",
            OmniResourceAdapter(types.REDACTED_CLUSTER_MACHINE_CONFIGS),
            ClusterMachineConfigSchema,
            "Configuration of the cluster machine, secrets redacted",
            comes_later=True,
        ),
        SubResource(
            "identity",
            OmniResourceAdapter(types.CLUSTER_MACHINE_IDENTITIES),
            ClusterMachineIdentitySchema,
            "Identity of the machine inside its cluster",
            comes_later=True,
        ),
        SubResource(
            "pending-updates",
            OmniResourceAdapter(types.MACHINE_PENDING_UPDATES),
            ClusterMachinePendingUpdatesSchema,
            "Pending updates of the cluster machine",
        ),
    ],
    links={
        "machine": id_link("machines"),
        "cluster": label_link("clusters", label_names.LABEL_CLUSTER),
        "machineset": label_link("machinesets", label_names.LABEL_MACHINE_SET),
    },
    example=EXAMPLE,
    description="A cluster machine is a machine as a member of its cluster, with the configuration that Omni"
    " generates for it. Omni makes one for each machine set node.",
    after_write="POST writes a machine set node. A PUT or PATCH is refused (403): Omni's controllers own the object.",
    after_delete="Removes the machine set node: Omni takes the machine out of its cluster and resets it. A control"
    " plane takes `force=true`.",
    import_name=__name__,
    create_operation=JOINING,
    delete_operation=LEAVING,
    delete_query=quorum.ForceQuery,
)
