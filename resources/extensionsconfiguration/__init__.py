"""The system extensions of clusters, machine sets and machines; labels name the target."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin
from omni_gateway.sdk.adapters import label_filter, label_link
from omni_gateway.sdk.omni import label_names
from resources.extensionsconfiguration.adapter import ExtensionsConfigurationAdapter
from resources.extensionsconfiguration.schemas import ExtensionsConfigurationSchema

EXAMPLE = {
    "id": "my-cluster-extensions",
    "extensions": ["siderolabs/iscsi-tools"],
    "labels": {label_names.LABEL_CLUSTER: "my-cluster"},
}

plugin = ResourcePlugin(
    name="extensions-configurations",
    group="Clusters",
    singular="extensions-configuration",
    schema=ExtensionsConfigurationSchema,
    adapter=ExtensionsConfigurationAdapter(),
    roles=READ_WRITE,
    filters=(
        label_filter("cluster", label_names.LABEL_CLUSTER),
        label_filter("machineset", label_names.LABEL_MACHINE_SET),
        label_filter("machine", label_names.LABEL_CLUSTER_MACHINE, names_machine=True),
    ),
    links={
        "cluster": label_link("clusters", label_names.LABEL_CLUSTER),
        "machineset": label_link("machinesets", label_names.LABEL_MACHINE_SET),
        "machine": label_link("machines", label_names.LABEL_CLUSTER_MACHINE),
    },
    example=EXAMPLE,
    description="The system extensions of a cluster, a machine set or one machine, which its labels name. The"
    " most specific list counts.",
    after_write="Omni puts an image with these extensions on the machines, which reboot: follow"
    " `machines/{id}/extensions`.",
    after_delete="A less specific list counts again, if there is one; the machines get an image to match.",
    import_name=__name__,
)
