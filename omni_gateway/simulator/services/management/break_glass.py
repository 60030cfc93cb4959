"""Configurations that lead to a cluster's machines and bypass Omni; their certificates and keys are made up."""

from __future__ import annotations

import base64
from typing import Any

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.state.store import Store


def kubeconfig(store: Store, cluster: str) -> dict[str, Any]:
    """Return a kubeconfig of an admin: its server is the first control plane, or the address that Omni balances."""
    addresses = _addresses(store, cluster)
    balancer = store.peek("default", kinds.LOAD_BALANCER_CONFIG, cluster)
    inside = str(balancer.spec["siderolink_endpoint"]) if balancer else ""
    server = f"https://{addresses[0]}:6443" if addresses else inside
    user = {"client-certificate-data": _made_up(cluster, "crt"), "client-key-data": _made_up(cluster, "key")}
    authority = {"server": server, "certificate-authority-data": _made_up(cluster, "ca")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": authority}],
        "contexts": [{"name": f"admin@{cluster}", "context": {"cluster": cluster, "user": f"admin@{cluster}"}}],
        "current-context": f"admin@{cluster}",
        "users": [{"name": f"admin@{cluster}", "user": user}],
    }


def talosconfig(store: Store, cluster: str) -> dict[str, Any]:
    """Return a talosconfig of an operator: its endpoints are the control planes."""
    secrets = {name: _made_up(cluster, name) for name in ("ca", "crt", "key")}
    return {"context": cluster, "contexts": {cluster: {"endpoints": _addresses(store, cluster), **secrets}}}


def _addresses(store: Store, cluster: str) -> list[str]:
    """Return the addresses of the control planes in their own network."""
    members = store.labelled("default", kinds.CLUSTER_MACHINE_IDENTITY, labels.CLUSTER, cluster)
    planes = (member for member in members if labels.ROLE_CONTROL_PLANE in member.labels)
    return [str(address) for plane in planes for address in plane.spec.get("node_ips") or ()]


def _made_up(cluster: str, what: str) -> str:
    return base64.b64encode(f"{what} of {cluster}, made up".encode()).decode()
