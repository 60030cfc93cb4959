"""Manifests that Omni keeps in a cluster: those of the workload proxy, and the groups that users ask for."""

from __future__ import annotations

import yaml

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, by_id, by_label
from omni_gateway.simulator.documents import safe_yaml
from omni_gateway.simulator.errors import InvalidArgument
from omni_gateway.simulator.kubernetes import bootstrap_manifests

_APPLIED, _GROUP_APPLIED, _MODE_FULL = 2, 3, 1
_PROXY = "omni-kube-service-exposer"
_PROXY_MANIFESTS = (
    {"kind": "ClusterRole", "name": _PROXY, "group": "rbac.authorization.k8s.io"},
    {"kind": "ClusterRoleBinding", "name": _PROXY, "group": "rbac.authorization.k8s.io"},
    {"kind": "DaemonSet", "name": _PROXY, "namespace": "kube-system", "group": "apps"},
    {"kind": "ServiceAccount", "name": _PROXY, "namespace": "kube-system"},
)


class KubernetesManifests(Controller):
    """Key: a cluster's id."""

    name = "ClusterKubernetesManifestsStatusController"
    inputs = {
        kinds.CLUSTER: by_id,
        kinds.KUBERNETES_STATUS: by_id,
        kinds.KUBERNETES_MANIFEST_GROUP: by_label(labels.CLUSTER),
        kinds.BOOTSTRAP_MANIFESTS: by_id,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Show every wanted manifest as applied, once the cluster has a Kubernetes."""
        cluster = ctx.running(kinds.CLUSTER, key)
        if cluster is None:
            ctx.destroy(kinds.CLUSTER_KUBERNETES_MANIFESTS_STATUS, key)
            ctx.destroy(kinds.BOOTSTRAP_MANIFESTS, key, owner="")
            return
        if ctx.find(kinds.KUBERNETES_STATUS, key) is None:
            return
        self._compare_with_talos(ctx, key)
        groups: dict[str, Spec] = {}
        if (cluster.spec.get("features") or {}).get("enable_workload_proxy"):
            groups[f"cluster-{key}-workload-proxy"] = _group(list(_PROXY_MANIFESTS), _MODE_FULL)
        for res in ctx.all(kinds.KUBERNETES_MANIFEST_GROUP, cluster=key):
            if res.phase == "running":
                groups[res.id] = _group(_manifests(str(res.spec.get("data", ""))), int(res.spec.get("mode", 0)))
        total = sum(len(group["manifests"]) for group in groups.values())
        ctx.write(kinds.CLUSTER_KUBERNETES_MANIFESTS_STATUS, key, {"groups": groups, "total": total})

    def _compare_with_talos(self, ctx: Context, key: str) -> None:
        """Count the manifests of Talos that are not applied as they are; the first ones Talos has applied itself."""
        if ctx.find(kinds.BOOTSTRAP_MANIFESTS, key) is None:
            bootstrap_manifests.note_applied(ctx.store, key)
        behind = bootstrap_manifests.count_changed(ctx.store, key)
        own = Context(ctx.store, "KubernetesUpgradeManifestStatusController")
        own.write(kinds.KUBERNETES_UPGRADE_MANIFEST_STATUS, key, {"out_of_sync": behind} if behind else {})


def _group(manifests: list[dict[str, str]], mode: int) -> Spec:
    entries = {}
    for manifest in manifests:
        path = "/".join(manifest[part] for part in ("kind", "namespace", "name") if manifest.get(part))
        entries[path] = {"phase": _APPLIED, **manifest}
    return {"phase": _GROUP_APPLIED, "mode": mode, "manifests": entries}


def _manifests(text: str) -> list[dict[str, str]]:
    """Read kind, name, namespace and group of each manifest; nothing of a text that is no YAML to work with."""
    found: list[dict[str, str]] = []
    try:
        safe_yaml.documents(text)
    except InvalidArgument:
        return found
    for doc in yaml.load_all(text, Loader=yaml.CSafeLoader):
        if isinstance(doc, dict):
            metadata = doc.get("metadata") or {}
            group = str(doc.get("apiVersion", "")).rpartition("/")[0]
            entry = {"kind": doc.get("kind"), "name": metadata.get("name"), "group": group}
            entry["namespace"] = metadata.get("namespace")
            found.append({name: str(value) for name, value in entry.items() if value})
    return found
