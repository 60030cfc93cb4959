"""Kubernetes: may a cluster be upgraded, and are its manifests in place."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context as State
from omni_gateway.simulator.controllers.versions import kubernetes_candidates
from omni_gateway.simulator.errors import FailedPrecondition, InvalidArgument, Unknown
from omni_gateway.simulator.identity import access
from omni_gateway.simulator.kubernetes import bootstrap_manifests
from omni_gateway.simulator.services.management.base import Calls, Context, cluster_of
from omni_gateway.stubs import management_pb2 as pb


class KubernetesCalls(Calls):
    """The calls about a cluster's Kubernetes; the cluster is named by the call's metadata."""

    def KubernetesUpgradePreChecks(
        self, request: pb.KubernetesUpgradePreChecksRequest, context: Context
    ) -> pb.KubernetesUpgradePreChecksResponse:
        """Return whether an upgrade may begin; a refusal is an answer, not an error."""
        access.require("Operator")
        cluster = cluster_of(context)
        found = self._store.peek("default", kinds.CLUSTER, cluster)
        status = self._store.peek("default", kinds.KUBERNETES_UPGRADE_STATUS, cluster)
        if found is None or status is None:
            raise Unknown(f"nothing is known of the Kubernetes of a cluster {cluster!r}")
        current = status.spec.get("last_upgrade_version", "")
        if not current:
            raise FailedPrecondition("current version is not known yet")
        target = request.new_version.removeprefix("v")
        state = State(self._store, "")
        if target != current and target not in kubernetes_candidates(state, found.spec["talos_version"], current):
            raise InvalidArgument(f"Kubernetes {current} cannot be taken to {target!r}")
        reason = self._obstacle(cluster)
        return pb.KubernetesUpgradePreChecksResponse(ok=not reason, reason=reason)

    def KubernetesSyncManifests(
        self, request: pb.KubernetesSyncManifestRequest, context: Context
    ) -> Iterator[pb.KubernetesSyncManifestResponse]:
        """Stream Talos's own manifests, and apply them unless it is a dry run; what was applied runs at once."""
        access.require("Operator")
        cluster = cluster_of(context)
        if self._store.peek("default", kinds.KUBERNETES_STATUS, cluster) is None:
            raise Unknown(f"the Kubernetes of a cluster {cluster!r} cannot be reached")
        kind = pb.KubernetesSyncManifestResponse
        found = list(bootstrap_manifests.compare(self._store, cluster))
        for manifest in found:
            yield kind(
                response_type=kind.MANIFEST,
                path=manifest.path,
                object=manifest.text.encode(),
                diff=manifest.diff,
                skipped=not manifest.diff and not request.dry_run,
            )
        if request.dry_run:
            return
        bootstrap_manifests.note_applied(self._store, cluster)
        for manifest in found:
            if manifest.diff:
                yield kind(response_type=kind.ROLLOUT, path=manifest.path, object=manifest.text.encode())

    def _obstacle(self, cluster: str) -> str:
        """Return why Omni would not begin: it reads the versions of each control plane from the machine's own Talos.

        Whether the cluster is ready is no question of these checks; an upgrade waits until it is.
        """
        for member in self._store.view("default", kinds.CLUSTER_MACHINE):
            if member.labels.get(labels.CLUSTER) == cluster and labels.ROLE_CONTROL_PLANE in member.labels:
                machine = self._store.peek("default", kinds.MACHINE_STATUS, member.id)
                if machine is None or labels.CONNECTED not in machine.labels:
                    return f"pre-checks failed: machine {member.id} cannot be reached"
        return ""
