"""Requests for a backup of a cluster's etcd; POST to etcdbackups is the easier way."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin
from omni_gateway.sdk.adapters import id_filter, id_link
from resources.etcdmanualbackup.adapter import EtcdManualBackupAdapter
from resources.etcdmanualbackup.schemas import EtcdManualBackupSchema

EXAMPLE = {"id": "my-cluster"}

plugin = ResourcePlugin(
    name="etcd-manual-backups",
    group="Clusters",
    singular="etcd-manual-backup",
    title="manual etcd backup",
    schema=EtcdManualBackupSchema,
    adapter=EtcdManualBackupAdapter(),
    roles={verb: role for verb, role in READ_WRITE.items() if verb not in ("replace", "patch")},
    filters=(id_filter("cluster"),),
    links={"cluster": id_link("clusters")},
    example=EXAMPLE,
    description="A request for a backup of a cluster's etcd: one for each cluster, by its id. A POST to"
    " `etcdbackups` is the easier way.",
    after_write="Omni makes the backup at that time: follow `etcdbackups`.",
    after_delete="Removes the request; backups that were made stay.",
    import_name=__name__,
)
