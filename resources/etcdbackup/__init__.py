"""Backups of clusters' etcd."""

from omni_gateway.sdk import (
    OmniResourceAdapter,
    ResourcePlugin,
    Role,
    SubResource,
)
from omni_gateway.sdk.adapters import label_link
from omni_gateway.sdk.omni import label_names, types
from resources.etcdbackup.adapter import OF_CLUSTER, EtcdBackupAdapter, cluster_of
from resources.etcdbackup.operation import BACKUP
from resources.etcdbackup.schemas import EtcdBackupSchema, EtcdBackupStatusSchema

EXAMPLE = {"cluster": "my-cluster"}

plugin = ResourcePlugin(
    name="etcdbackups",
    group="Clusters",
    singular="etcdbackup",
    title="etcd backup",
    schema=EtcdBackupSchema,
    adapter=EtcdBackupAdapter(),
    roles={"list": Role.READER, "get": Role.READER, "create": Role.OPERATOR},
    filters=(OF_CLUSTER,),
    subresources=[
        SubResource(
            "status",
            OmniResourceAdapter(types.ETCD_BACKUP_STATUSES),
            EtcdBackupStatusSchema,
            "Result of the cluster's last backup",
            id=cluster_of,
        )
    ],
    links={"cluster": label_link("clusters", label_names.LABEL_CLUSTER)},
    create_operation=BACKUP,
    example=EXAMPLE,
    description="A backup of a cluster's etcd in the store that Omni is configured with. A POST requests one.",
    after_write="A restore is `clusters/{id}/actions/bootstrap`, or `control_plane.bootstrap_spec` of a new cluster.",
    import_name=__name__,
)
