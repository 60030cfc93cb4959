"""Clusters: create, watch, patch, upgrade, lock, restore, destroy."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin
from omni_gateway.sdk.adapters import id_link
from resources.cluster import nodes
from resources.cluster.actions import abort_import, bootstrap, destroy, lock, manifest_sync, rotation, upgrade
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.create.operation import CREATE
from resources.cluster.disconnected_machines import ClusterDeleteQuery
from resources.cluster.documents import files, metrics
from resources.cluster.schemas.cluster import EXAMPLE, ClusterSchema
from resources.cluster.subresources import SUBRESOURCES

plugin = ResourcePlugin(
    name="clusters",
    group="Clusters",
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
    documents=[
        metrics.METRICS,
        nodes.KUBERNETES_NODE,
        files.KUBECONFIG,
        files.TALOSCONFIG,
        files.SUPPORT_BUNDLE,
    ],
    actions=[
        upgrade.KUBERNETES_UPGRADE,
        upgrade.TALOS_UPGRADE,
        manifest_sync.MANIFEST_SYNC,
        bootstrap.BOOTSTRAP,
        rotation.ROTATE_TALOS_CA,
        rotation.ROTATE_KUBERNETES_CA,
        destroy.DESTROY,
        abort_import.ABORT_IMPORT,
        lock.LOCK,
        lock.UNLOCK,
    ],
    follow_up_operation=CREATE,
    delete_operation=destroy.REMOVAL,
    delete_query=ClusterDeleteQuery,
    example=EXAMPLE,
    description="A cluster is Kubernetes on machines that run Talos: its versions, features and backups. Machine"
    " sets say which machines it has.",
    after_write="Omni's controllers carry a change of versions out machine by machine: follow `talos-upgrade`,"
    " `kubernetes-upgrade` and `status`.",
    after_delete="Omni removes its machine sets and resets their machines, which lose their data and become free:"
    " follow `destroy-status`. A locked cluster is refused (409).",
    import_name=__name__,
)
