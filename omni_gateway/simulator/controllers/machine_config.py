"""The configuration that each machine of a cluster should have, from its place, its image and the patches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id
from omni_gateway.simulator.controllers.machines import cluster_members
from omni_gateway.simulator.controllers.membership import member_labels, membership
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.machineconfig import render
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store


def patch_targets(store: Store, res: Resource) -> Iterable[str]:
    """Map a config patch to the machines that it may concern."""
    if labels.MACHINE in res.labels:
        return (res.labels[labels.MACHINE],)
    if labels.CLUSTER_MACHINE in res.labels and labels.MACHINE_SET not in res.labels:
        return (res.labels[labels.CLUSTER_MACHINE],)
    return cluster_members(store, res)


def members_of_cluster(store: Store, res: Resource) -> Iterable[str]:
    """Map a resource whose id is a cluster's to the cluster's machines."""
    found = store.view(namespace_of(kinds.CLUSTER_MACHINE), kinds.CLUSTER_MACHINE)
    return [member.id for member in found if member.labels.get(labels.CLUSTER) == res.id]


class MachineConfig(Controller):
    """Key: a machine's id. Writes the wanted configuration; `rollout` and `install` apply it to the machine."""

    name = "ClusterMachineConfigController"
    inputs = {
        kinds.CLUSTER_MACHINE: by_id,
        kinds.MACHINE_SET_NODE: by_id,
        kinds.CLUSTER_MACHINE_TALOS_VERSION: by_id,
        kinds.CONFIG_PATCH: patch_targets,
        kinds.LOAD_BALANCER_CONFIG: members_of_cluster,
        kinds.CLUSTER_UUID: members_of_cluster,
        kinds.MACHINE_INSTALL_DISK_STATUS: by_id,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Render the configuration once everything it depends on is there; keep the last one of a leaving machine."""
        member, node = ctx.running(kinds.CLUSTER_MACHINE, key), ctx.running(kinds.MACHINE_SET_NODE, key)
        # A node that names another cluster than its set belongs to gets no configuration.
        if member is None or node is None or node.labels.get(labels.CLUSTER) != member.labels[labels.CLUSTER]:
            return
        given = _inputs(ctx, member)
        if given is None:
            return
        patches = list(_patches(ctx, member))
        documents = render.render(given, patches)
        wanted: dict[str, Any] = {
            "sha": render.digest(documents),
            "components": render.components(documents, given.role),
        }
        current = ctx.find(kinds.WANTED_CONFIG, key)
        if current is not None and current.spec == wanted:
            return
        own_labels = member_labels(member)
        Context(ctx.store, "ClusterMachineConfigPatchesController").write(
            kinds.CLUSTER_MACHINE_CONFIG_PATCHES, key, {"patches": patches}, own_labels
        )
        redacted = {"data": render.to_yaml(documents)}
        # One transaction: with the new text but the old digest, the machine would count as up to date.
        with ctx.store.lock:
            Context(ctx.store, "RedactedClusterMachineConfigController").write(
                kinds.REDACTED_CLUSTER_MACHINE_CONFIG, key, redacted, own_labels
            )
            ctx.write(kinds.WANTED_CONFIG, key, wanted, own_labels)


def _inputs(ctx: Context, member: Resource) -> render.Inputs | None:
    place = membership(member)
    target = ctx.find(kinds.CLUSTER_MACHINE_TALOS_VERSION, member.id)
    uuid = ctx.find(kinds.CLUSTER_UUID, place.cluster)
    balancer = ctx.find(kinds.LOAD_BALANCER_CONFIG, place.cluster)
    disk = ctx.find(kinds.MACHINE_INSTALL_DISK_STATUS, member.id)
    if target is None or uuid is None or balancer is None or disk is None:
        return None
    return render.Inputs(
        cluster=place.cluster,
        cluster_uuid=uuid.spec["uuid"],
        port=balancer.spec["bind_port"],
        role=place.role,
        kubernetes_version=member.spec["kubernetes_version"],
        talos_version=target.spec["talos_version"],
        schematic_id=target.spec["schematic_id"],
        disk=disk.spec["disk"],
    )


def _patches(ctx: Context, member: Resource) -> Iterable[str]:
    """Yield the patches of a machine in the order they apply: cluster, set, cluster machine, machine; by id within."""
    found = []
    for res in ctx.all(kinds.CONFIG_PATCH):
        layer = _layer(res, member)
        if layer and res.phase == "running" and labels.DISABLED not in res.labels:
            found.append((layer, res.id, str(res.spec.get("data", ""))))
    return [data for _, _, data in sorted(found)]


def _layer(res: Resource, member: Resource) -> int:
    if labels.MACHINE in res.labels:
        return 4 if res.labels[labels.MACHINE] == member.id else 0
    if res.labels.get(labels.CLUSTER) != member.labels[labels.CLUSTER]:
        return 0
    # One that names a set and a machine is for the whole set, and for that machine where it is in another one.
    if res.labels.get(labels.MACHINE_SET) == member.labels[labels.MACHINE_SET]:
        return 2
    if res.labels.get(labels.CLUSTER_MACHINE) == member.id:
        return 3
    return 0 if labels.CLUSTER_MACHINE in res.labels or labels.MACHINE_SET in res.labels else 1
