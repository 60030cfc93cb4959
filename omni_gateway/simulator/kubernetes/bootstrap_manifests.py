"""The manifests that Talos starts Kubernetes with: as the control planes have them, and as they were applied last.

Talos applies them once; what changes later is applied when somebody asks for it. Here that is all that a version of
Kubernetes changes: the image of kube-proxy, and, so that a change of a secret is met, the token.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from omni_gateway.simulator import kinds
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

_NAMESPACE = "kube-system"
#: Version, kind and name of each.
_MANIFESTS = (
    ("apps/v1", "DaemonSet", "kube-flannel"),
    ("apps/v1", "DaemonSet", "kube-proxy"),
    ("apps/v1", "Deployment", "coredns"),
    ("v1", "ConfigMap", "kubeconfig-in-cluster"),
    ("v1", "Secret", "bootstrap-token-talos1"),
    ("v1", "ServiceAccount", "coredns"),
)


@dataclass(frozen=True)
class Manifest:
    """One of them: its path, its text, and how that differs from what was applied."""

    path: str
    text: str
    diff: str


def compare(store: Store, cluster: str) -> Iterator[Manifest]:
    """Yield the manifests of a cluster whose Kubernetes has come up."""
    versions = _applied(store, cluster), _wanted(store, cluster)
    for version, kind, name in _MANIFESTS:
        path = f"{version}/{kind}/{_NAMESPACE}/{name}"
        before, after = (_text(version, kind, name, kubernetes) for kubernetes in versions)
        lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), f"a/{path}", f"b/{path}")
        yield Manifest(path, after, "".join(lines))


def count_changed(store: Store, cluster: str) -> int:
    """Return how many manifests are not applied as the control planes have them."""
    if _applied(store, cluster) == _wanted(store, cluster):
        return 0  # as most of the time: no text has to be made
    return sum(bool(manifest.diff) for manifest in compare(store, cluster))


def note_applied(store: Store, cluster: str) -> None:
    """Note that the manifests were applied as the control planes have them now."""

    def note(res: Resource) -> None:
        res.spec = {"kubernetes_version": _wanted(store, cluster)}

    store.modify(namespace_of(kinds.BOOTSTRAP_MANIFESTS), kinds.BOOTSTRAP_MANIFESTS, cluster, note, create=True)


def _applied(store: Store, cluster: str) -> str:
    found = store.peek(namespace_of(kinds.BOOTSTRAP_MANIFESTS), kinds.BOOTSTRAP_MANIFESTS, cluster)
    return str(found.spec["kubernetes_version"]) if found else _wanted(store, cluster)


def _wanted(store: Store, cluster: str) -> str:
    found = store.peek("default", kinds.CLUSTER, cluster)
    return str(found.spec["kubernetes_version"]) if found else ""


def _text(version: str, kind: str, name: str, kubernetes: str) -> str:
    manifest: dict[str, Any] = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": _NAMESPACE},
    }
    if name == "kube-proxy":
        image = f"registry.k8s.io/kube-proxy:v{kubernetes}"
        manifest["spec"] = {"template": {"spec": {"containers": [{"name": name, "image": image}]}}}
    if kind == "Secret":
        manifest["stringData"] = {"token-id": "talos1", "token-secret": f"made-up-for-{kubernetes}"}
    return yaml.dump(manifest, Dumper=yaml.CSafeDumper, sort_keys=False)
