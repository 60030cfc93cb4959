"""The secrets of a cluster, as far as others can tell: imported or made here, when replaced, when given away.

They are made once the cluster's control plane set is there, and not changed by a later import.
"""

from __future__ import annotations

from datetime import UTC, datetime

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id, by_label
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

#: Members of the spec, each a time in Unix seconds: the authorities' last replacement, the last break-glass file.
TALOS_CA_AT, KUBERNETES_CA_AT, BREAK_GLASS_AT = "talos_ca_at", "kubernetes_ca_at", "break_glass_at"


class ClusterSecrets(Controller):
    """Key: a cluster's id."""

    name = "SecretsController"
    inputs = {
        kinds.CLUSTER: by_id,
        kinds.MACHINE_SET: by_label(labels.CLUSTER),
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Make them once; they go with the cluster."""
        cluster = ctx.find(kinds.CLUSTER, key)
        if cluster is None:
            ctx.destroy(kinds.EMULATED_SECRETS, key)
        elif ctx.find(kinds.EMULATED_SECRETS, key) is None and ctx.find(kinds.MACHINE_SET, f"{key}-control-planes"):
            imported = ctx.find(kinds.IMPORTED_CLUSTER_SECRETS, key) is not None
            ctx.write(kinds.EMULATED_SECRETS, key, {"imported": imported})


def note_time(store: Store, cluster: str, member: str) -> bool:
    """Note that something was done to a cluster's secrets now; return False where there are none."""

    def note(res: Resource) -> None:
        res.spec = {**res.spec, member: datetime.now(UTC).timestamp()}

    kind = kinds.EMULATED_SECRETS
    return store.modify(namespace_of(kind), kind, cluster, note, owner=ClusterSecrets.name) is not None
