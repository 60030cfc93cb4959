"""Calls about one cluster: upgrade pre-checks, bootstrap manifests, support bundle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from omni_gateway.omni import rpcs
from omni_gateway.omni.management.group import CallGroup, of_cluster
from omni_gateway.omni.streams import Stream
from omni_gateway.stubs import management_pb2 as pb

SyncKind = Literal["manifest", "rollout", "unknown"]

_SYNC_KINDS: dict[int, SyncKind] = {
    pb.KubernetesSyncManifestResponse.MANIFEST: "manifest",
    pb.KubernetesSyncManifestResponse.ROLLOUT: "rollout",
}


@dataclass(frozen=True, slots=True)
class PreCheck:
    """Whether Kubernetes may be upgraded, and if not, why."""

    ok: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ManifestSync:
    """What is done to one bootstrap manifest: its path, the object as YAML or JSON, the difference, or skipped."""

    kind: SyncKind
    path: str
    object: bytes
    diff: str
    skipped: bool


@dataclass(frozen=True, slots=True)
class BundleProgress:
    """How far one source of a support bundle is: ``value`` of ``total``; ``error`` is empty when all is well."""

    source: str
    state: str
    total: int
    value: int
    error: str


class ClusterCalls(CallGroup):
    """Calls that name a cluster."""

    def kubernetes_upgrade_pre_checks(self, cluster: str, version: str) -> PreCheck:
        """Ask whether the cluster's Kubernetes may go to ``version`` (no ``v``).

        ``Unknown`` while the cluster has no upgrade status yet, ``InvalidArgument`` for a path that is not supported.
        """
        answer = self._calls.unary(
            rpcs.KUBERNETES_UPGRADE_PRE_CHECKS,
            lambda: pb.KubernetesUpgradePreChecksRequest(new_version=version),
            metadata=of_cluster(cluster),
        )
        return PreCheck(answer.ok, answer.reason)

    def sync_manifests(
        self,
        cluster: str,
        *,
        dry_run: bool = True,
        inventory_policy: str = "MUST_MATCH",
        reconcile_timeout: timedelta | None = None,
        force_conflicts: bool = False,
        no_prune: bool = False,
        timeout: float | None = None,
    ) -> Stream[ManifestSync]:
        """Apply the cluster's bootstrap manifests again, or, with ``dry_run``, return what that would change.

        ``inventory_policy``: MUST_MATCH, ADOPT_IF_NO_INVENTORY or ADOPT_ALL.
        """

        def build() -> pb.KubernetesSyncManifestRequest:
            ssa = pb.KubernetesSSAOptions(
                inventory_policy=pb.KubernetesSSAOptions.InventoryPolicy.Value(inventory_policy),
                force_conflicts=force_conflicts,
                no_prune=no_prune,
            )
            if reconcile_timeout is not None:
                ssa.reconcile_timeout.FromTimedelta(reconcile_timeout)
            return pb.KubernetesSyncManifestRequest(dry_run=dry_run, ssa=ssa)

        return self._calls.stream(
            rpcs.KUBERNETES_SYNC_MANIFESTS, build, _sync, metadata=of_cluster(cluster), timeout=timeout
        )

    def support_bundle(
        self,
        cluster: str,
        *,
        encrypt: bool = False,
        recipients: Sequence[str] = (),
        default_recipients: bool = True,
        timeout: float | None = None,
    ) -> Stream[BundleProgress | bytes]:
        """Stream the progress of gathering a support bundle, and at last the zip file's bytes.

        ``encrypt`` seals it for ``recipients`` and, unless told otherwise, Omni's own. An unknown cluster is no error
        to Omni: the progress says so and the zip is empty.
        """
        return self._calls.stream(
            rpcs.GET_SUPPORT_BUNDLE,
            lambda: pb.GetSupportBundleRequest(
                cluster=cluster,
                encrypt=encrypt,
                encryption_recipients=recipients,
                encryption_no_default_recipients=not default_recipients,
            ),
            _bundle,
            timeout=timeout,
        )


def _sync(message: pb.KubernetesSyncManifestResponse) -> tuple[ManifestSync, ...]:
    kind = _SYNC_KINDS.get(message.response_type, "unknown")
    return (ManifestSync(kind, message.path, message.object, message.diff, message.skipped),)


def _bundle(message: pb.GetSupportBundleResponse) -> Iterator[BundleProgress | bytes]:
    if message.HasField("progress"):
        step = message.progress
        yield BundleProgress(step.source, step.state, step.total, step.value, step.error)
    if message.bundle_data:
        yield message.bundle_data
