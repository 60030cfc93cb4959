"""Clusters: create, watch, patch, upgrade, lock, restore, destroy."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin, Role
from omni_gateway.sdk.adapters import id_link
from resources.cluster import bootstrap, files, lock, metrics, nodes, operations, upgrade_operations, upgrades
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.destroy import ClusterDestroyActionSchema, destroy
from resources.cluster.disconnected_machines import ClusterDeleteQuery
from resources.cluster.kubernetes_schemas import KubernetesNodeSchema
from resources.cluster.schemas import EXAMPLE, ClusterSchema
from resources.cluster.subresources import SUBRESOURCES

plugin = ResourcePlugin(
    name="clusters",
    singular="cluster",
    schema=ClusterSchema,
    adapter=ClusterAdapter(),
    roles=READ_WRITE,
    subresources=SUBRESOURCES,
    links={
        "metrics": id_link("clusters", "metrics"),
        "kubeconfig": id_link("clusters", "kubeconfig"),
        "talosconfig": id_link("clusters", "talosconfig"),
        "support_bundle": id_link("clusters", "support-bundle"),
    },
    operations=(
        operations.BOOTSTRAP,
        upgrade_operations.KUBERNETES_UPGRADE,
        upgrade_operations.TALOS_UPGRADE,
    ),
    follow_up_operation=operations.CREATE,
    delete_operation=operations.DESTROY,
    delete_query=ClusterDeleteQuery,
    example=EXAMPLE,
    description="Kubernetes clusters that Omni runs on Talos machines",
    import_name=__name__,
)

plugin.computed(
    "metrics", role=Role.READER, summary="Counts of the cluster's machines", answers=metrics.ClusterMetricsSchema
)(metrics.metrics)
plugin.computed("kubernetes-nodes/<node>", role=Role.READER, summary="A Kubernetes node", answers=KubernetesNodeSchema)(
    nodes.kubernetes_node
)
plugin.computed(
    "kubeconfig",
    role=Role.READER,
    summary="A kubeconfig for the cluster",
    media_type=files.YAML,
    query=files.KubeconfigQuery,
    description="With `service_account=true` the role operator is needed.",
)(files.kubeconfig)
plugin.computed("talosconfig", role=Role.READER, summary="A talosconfig for the cluster", media_type=files.YAML)(
    files.talosconfig
)
plugin.computed(
    "support-bundle",
    role=Role.OPERATOR,
    summary="A zip file with the cluster's state and logs for support",
    media_type=files.ZIP,
)(files.support_bundle)

plugin.action(
    "kubernetes-upgrade",
    role=Role.OPERATOR,
    summary="Move the cluster to another Kubernetes version",
    body=upgrades.KubernetesUpgradeActionSchema,
    example={"version": "1.35.7"},
    operation=True,
    description="Omni's own checks run first; where they advise against it the answer is 409 with their reason."
    " To reverse a running upgrade, name the version that it came from.",
)(upgrades.upgrade_kubernetes)
plugin.action(
    "talos-upgrade",
    role=Role.OPERATOR,
    summary="Move the cluster's machines to another Talos version",
    body=upgrades.TalosUpgradeActionSchema,
    example={"version": "1.13.8"},
    operation=True,
    description="The Kubernetes version must be compatible with the new Talos: if it is not, name another one in"
    " `kubernetes_version`.",
)(upgrades.upgrade_talos)
plugin.action(
    "bootstrap",
    role=Role.OPERATOR,
    summary="Start etcd from a backup, or show the state of the bootstrap",
    body=bootstrap.ClusterBootstrapActionSchema,
    example={"backup": {"snapshot": "FFFFFFFF94FB6C65.snapshot"}},
    operation=True,
    description="Omni starts etcd by itself. With `backup`, the control plane's machine set is made to start from it,"
    " which Omni allows only while that set does not exist yet. Without it, nothing changes.",
)(bootstrap.bootstrap)
plugin.action(
    "destroy",
    role=Role.OPERATOR,
    summary="Remove the cluster and everything in it; the same as DELETE",
    body=ClusterDestroyActionSchema,
    example={"force": "disconnected"},
    operation=True,
)(destroy)
plugin.action(
    "lock", role=Role.OPERATOR, summary="Lock the cluster against changes until it is unlocked", description=lock.ABOUT
)(lock.lock)
plugin.action(
    "unlock",
    role=Role.OPERATOR,
    summary="Remove the lock, and end an import that locks the cluster",
    description=lock.ABOUT,
)(lock.unlock)
