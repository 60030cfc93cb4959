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
    description="Backups of clusters' etcd. POST requests one: an operation that ends when Omni reports the result.",
    import_name=__name__,
)
