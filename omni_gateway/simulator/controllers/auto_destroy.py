"""Auto-destroy: removes an unowned object that is tearing down and has no finalizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controller_runtime.context import Context, Controller, KeyMap
from omni_gateway.simulator.controllers.finalizers import type_and_id
from omni_gateway.simulator.kinds import namespace_of

_USER_MANAGED = (
    kinds.CLUSTER,
    kinds.MACHINE_SET,
    kinds.MACHINE_SET_NODE,
    kinds.CONFIG_PATCH,
    kinds.ETCD_MANUAL_BACKUP,
    kinds.MACHINE_CLASS,
    kinds.EXTENSIONS_CONFIGURATION,
    kinds.KERNEL_ARGS,
    kinds.KUBERNETES_MANIFEST_GROUP,
    kinds.KUBERNETES_HEALTH_CHECK,
    kinds.NODE_FORCE_DESTROY_REQUEST,
    kinds.ROTATE_TALOS_CA,
    kinds.ROTATE_KUBERNETES_CA,
    kinds.MACHINE_LABELS,
    kinds.MACHINE_REQUEST_SET,
    kinds.INFRA_MACHINE_CONFIG,
    kinds.INFRA_MACHINE_BMC_CONFIG,
    kinds.INSTALLATION_MEDIA_CONFIG,
    kinds.MACHINE_INSTALL_DISK_CONFIG,
    kinds.IMPORTED_CLUSTER_SECRETS,
    kinds.LINK,
    kinds.GRPC_TUNNEL_CONFIG,
    kinds.ACCESS_POLICY,
    kinds.SAML_LABEL_RULE,
    kinds.ETCD_BACKUP_S3_CONFIG,
)


class AutoDestroy(Controller):
    """Key: type and id. Join tokens are not on the list: a torn-down one stays until it is destroyed."""

    name = ""
    inputs: ClassVar[Mapping[str, KeyMap]] = dict.fromkeys(_USER_MANAGED, type_and_id)

    def reconcile(self, ctx: Context, key: str) -> None:
        """Destroy the object when nothing holds it any more."""
        kind, _, id_ = key.partition("/")
        # In one step: a caller may destroy the object, too, and create one of its id, which is to stay.
        with ctx.store.lock:
            res = ctx.find(kind, id_)
            if res is not None and res.phase != "running" and not res.owner and not res.finalizers:
                ctx.store.destroy(namespace_of(kind), kind, id_, owner="")
