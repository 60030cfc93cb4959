"""Services that a cluster exposes through Omni, by their annotations (facts: cluster-side 12, machine-auth-side 5)."""

from __future__ import annotations

import hashlib

from .. import kinds, labels
from ..context import Context, Controller, by_id, by_label
from ..kubernetes_proxy import service
from ..network import INSTANCE_NAME
from ..resource import Resource

PREFIX = "omni-kube-service-exposer.sidero.dev/"
_OF_CLUSTER = by_label(labels.CLUSTER)
_ALIAS = "omni.sidero.dev/exposed-service-alias"
#: What every Kubernetes has.
_BUILT_IN = (("default", "kubernetes", 443), ("kube-system", "kube-dns", 53))


class ExposedServices(Controller):
    """Key: a cluster's id."""

    name = "ClusterWorkloadProxyStatusController"
    inputs = {
        kinds.CLUSTER: by_id,
        kinds.LOAD_BALANCER_STATUS: by_id,
        kinds.KUBERNETES_SERVICE: _OF_CLUSTER,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Show one exposed service for each annotated Service; the first of two that want one port has it."""
        cluster = ctx.find(kinds.CLUSTER, key)
        services = ctx.all(kinds.KUBERNETES_SERVICE, cluster=key)
        wanted: dict[str, Resource] = {}
        if cluster is None:
            for res in services:
                ctx.destroy(kinds.KUBERNETES_SERVICE, res.id, owner="")
        elif (cluster.spec.get("features") or {}).get("enable_workload_proxy"):
            wanted = {_id(key, res): res for res in services if _port(res)}
        self._make_built_in(ctx, key, services)
        self._show(ctx, key, wanted)
        if ctx.find(kinds.CLUSTER_WORKLOAD_PROXY_STATUS, key) is not None and cluster is not None:
            ctx.write(
                kinds.CLUSTER_WORKLOAD_PROXY_STATUS,
                key,
                {"num_exposed_services": len(wanted)} if wanted else {},
            )

    def _make_built_in(self, ctx: Context, key: str, services: list[Resource]) -> None:
        status = ctx.find(kinds.LOAD_BALANCER_STATUS, key)
        if services or status is None or not status.spec.get("healthy"):
            return
        for namespace, name, port in _BUILT_IN:
            ctx.store.create(service(key, namespace, name, {"type": "ClusterIP", "ports": [{"port": port}]}, {}))

    def _show(self, ctx: Context, key: str, wanted: dict[str, Resource]) -> None:
        for res in ctx.all(kinds.EXPOSED_SERVICE, cluster=key):
            if res.id not in wanted:
                ctx.destroy(kinds.EXPOSED_SERVICE, res.id)
        taken: set[int] = set()
        for id_, res in sorted(wanted.items()):
            port = _port(res)
            alias = res.annotations.get(PREFIX + "prefix") or hashlib.sha256(id_.encode()).hexdigest()[:6]
            spec = {
                "port": port,
                "label": res.annotations.get(PREFIX + "label") or id_.split("/")[1],
                "icon_base64": res.annotations.get(PREFIX + "icon", ""),
                "url": f"https://{alias}-{INSTANCE_NAME}.proxy-us.example.org",
                "error": f"the port {port} is exposed already" if port in taken else "",
                "has_explicit_alias": PREFIX + "prefix" in res.annotations,
            }
            taken.add(port)
            ctx.write(kinds.EXPOSED_SERVICE, id_, spec, {labels.CLUSTER: key, _ALIAS: alias})


def _id(cluster: str, res: Resource) -> str:
    _, namespace, name = res.id.split("/")
    return f"{cluster}/{name}.{namespace}/{_port(res)}"


def _port(res: Resource) -> int:
    text = res.annotations.get(PREFIX + "port", "")
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65536 else 0
