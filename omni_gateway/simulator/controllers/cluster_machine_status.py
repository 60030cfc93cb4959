"""How each machine of a cluster is doing: stage, readiness, identity, and the configuration that it runs."""

from __future__ import annotations

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, by_id
from omni_gateway.simulator.controllers.machine_config import members_of_cluster
from omni_gateway.simulator.controllers.membership import hardware, member_labels, membership
from omni_gateway.simulator.machines.hardware import (
    CONTROL_PLANE,
    STAGE_BEFORE_DESTROY,
    STAGE_DESTROYING,
    STAGE_RUNNING,
    Hardware,
)
from omni_gateway.simulator.network import DISCOVERY_ENDPOINT
from omni_gateway.simulator.state.resource import Resource

_PENDING, _APPLIED = 1, 2
#: A machine's identity shows so long after the machine is ready.
IDENTITY_SECONDS = 3.0


class ClusterMachineStatus(Controller):
    """Key: a machine's id."""

    name = "ClusterMachineStatusController"
    inputs = {
        kinds.CLUSTER_MACHINE: by_id,
        kinds.EMULATED_MACHINE: by_id,
        kinds.WANTED_CONFIG: by_id,
        kinds.MACHINE_SET_NODE: by_id,
        kinds.CLUSTER_BOOTSTRAP_STATUS: members_of_cluster,
        kinds.CLUSTER_MACHINE_TALOS_VERSION: by_id,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Write the status, the identity and the applied configuration of a machine that is in a cluster."""
        member, hw = ctx.find(kinds.CLUSTER_MACHINE, key), hardware(ctx, key)
        if member is None or hw is None:
            return
        self._status(ctx, member, hw)
        if hw.cluster:
            if self._is_known(ctx, member):
                self._identity(ctx, member, hw)
            self._config(ctx, member, hw)

    def _status(self, ctx: Context, member: Resource, hw: Hardware) -> None:
        wanted = ctx.find(kinds.WANTED_CONFIG, member.id)
        up_to_date = bool(hw.cluster) and wanted is not None and wanted.spec["sha"] == hw.config_sha
        stage = _stage(ctx, member, hw)
        own = member_labels(member)
        if hw.connected:
            own[labels.CONNECTED] = ""
        if hw.cluster:
            own |= {labels.HOSTNAME: hw.hostname, labels.NODE_NAME: hw.hostname}
        spec: Spec = {
            "ready": stage == STAGE_RUNNING and hw.connected and _etcd_is_up(ctx, member, hw),
            "stage": stage,
            "config_up_to_date": up_to_date,
            "management_address": hw.address,
            "config_apply_status": _APPLIED if up_to_date else _PENDING,
            "provision_status": {},
        }
        finalizers = ("ClusterWorkloadProxyStatusController", "SecretRotationStatusController")
        ctx.write(kinds.CLUSTER_MACHINE_STATUS, member.id, spec, own, finalizers=finalizers)

    def _is_known(self, ctx: Context, member: Resource) -> bool:
        """Whether Omni has asked the machine who it is, which it does some time after it joined; else look again."""
        if ctx.find(kinds.CLUSTER_MACHINE_IDENTITY, member.id) is not None:
            return True
        status = ctx.find(kinds.CLUSTER_MACHINE_STATUS, member.id)
        if status is None or not status.spec["ready"]:
            return False
        return ctx.passed(status.updated or status.created, IDENTITY_SECONDS)

    def _identity(self, ctx: Context, member: Resource, hw: Hardware) -> None:
        spec: Spec = {
            "node_identity": hw.node_identity,
            "nodename": hw.hostname,
            "node_ips": [hw.address],
            "discovery_service_endpoint": DISCOVERY_ENDPOINT,
            "discovery_service_endpoints": [DISCOVERY_ENDPOINT],
        }
        if hw.etcd_member_id:
            spec["etcd_member_id"] = hw.etcd_member_id
        own = Context(ctx.store, "ClusterMachineIdentityController")
        own.write(kinds.CLUSTER_MACHINE_IDENTITY, member.id, spec, member_labels(member))

    def _config(self, ctx: Context, member: Resource, hw: Hardware) -> None:
        with ctx.store.lock:  # text and digest are written in one step, and read in one
            wanted = ctx.find(kinds.WANTED_CONFIG, member.id)
            redacted = ctx.find(kinds.REDACTED_CLUSTER_MACHINE_CONFIG, member.id)
        target = ctx.find(kinds.CLUSTER_MACHINE_TALOS_VERSION, member.id)
        if wanted is None or redacted is None or target is None or wanted.spec["sha"] != hw.config_sha:
            return
        spec: Spec = {
            "cluster_machine_config_version": str(hw.config_version),
            "cluster_machine_config_sha256": hw.config_sha,
            "talos_version": hw.talos_version,
            "schematic_id": target.spec["schematic_id"],
            "redacted_current_machine_config": redacted.spec["data"],
        }
        own = Context(ctx.store, "ClusterMachineConfigStatusController")
        own.write(
            kinds.CLUSTER_MACHINE_CONFIG_STATUS,
            member.id,
            spec,
            member_labels(member),
            finalizers=("RedactedClusterMachineConfigController",),
        )


def _stage(ctx: Context, member: Resource, hw: Hardware) -> int:
    """Return Omni's stage: the machine's own, unless it is leaving the cluster."""
    if member.phase != "running":
        return STAGE_DESTROYING if hw.step == "reset" or not hw.cluster else STAGE_BEFORE_DESTROY
    if ctx.running(kinds.MACHINE_SET_NODE, member.id) is None and hw.stage == STAGE_RUNNING:
        return STAGE_BEFORE_DESTROY
    return hw.stage


def _etcd_is_up(ctx: Context, member: Resource, hw: Hardware) -> bool:
    if hw.role != CONTROL_PLANE:
        return bool(hw.cluster)
    bootstrap = ctx.find(kinds.CLUSTER_BOOTSTRAP_STATUS, membership(member).cluster)
    return bootstrap is not None and bool(bootstrap.spec.get("bootstrapped"))
