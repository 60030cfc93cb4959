"""The Kubernetes nodes of a cluster, one object each: Omni has them as lists in three other objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omni_gateway.sdk import (
    Filter,
    Listing,
    ListQuery,
    NotFound,
    Resource,
    ResourceAdapter,
    Role,
)
from omni_gateway.sdk.actions import ComputedDocument
from omni_gateway.sdk.adapters import (
    find,
    find_labelled,
    object_url,
    select,
)
from omni_gateway.sdk.omni import label_names, types
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.schemas.kubernetes import KubernetesNodeSchema

OF_CLUSTER = Filter("cluster", "Only nodes of the cluster of this id")
_SORTABLE = frozenset({"name", "kubelet_version", "ready", "machine"})
_METADATA = ("type", "version", "phase", "owner", "created", "updated", "finalizers")
_schema = KubernetesNodeSchema()


class KubernetesNodeAdapter(ResourceAdapter):
    """Nodes of the cluster in ``query.filters["cluster"]``: those expected by Omni and those reported by Kubernetes."""

    type = "KubernetesNodes"
    authorized_by_omni = True

    def list(self, query: ListQuery) -> Listing:
        """Return a page of the nodes; always 3 calls to Omni."""
        return select(self._nodes(query.filters["cluster"]), query, _SORTABLE)

    def _nodes(self, cluster: str) -> Iterator[Resource]:
        expected = find(self.omni, types.CLUSTER_KUBERNETES_NODES, cluster)
        reported = find(self.omni, types.KUBERNETES_STATUSES, cluster)
        nodes = {node["nodename"]: node for node in _listed(reported, "nodes")}
        pods = {node["nodename"]: node.get("static_pods") or [] for node in _listed(reported, "static_pods")}
        machines = self._machines(cluster)
        version = sum(item.version for item in (expected, reported) if item)
        for name in sorted({*_listed(expected, "nodes"), *nodes}):
            labels = {label_names.LABEL_CLUSTER: cluster}
            spec = {
                **nodes.get(name, {}),
                "name": name,
                "cluster": cluster,
                "machine": machines.get(name, ""),
                "static_pods": pods.get(name, []),
            }
            yield Resource(name, spec, labels, type=self.type, version=version)

    def _machines(self, cluster: str) -> dict[str, str]:
        """Return node name → machine id."""
        identities = find_labelled(self.omni, types.CLUSTER_MACHINE_IDENTITIES, label_names.LABEL_CLUSTER, cluster)
        return {item.spec.get("nodename", ""): item.id for item in identities}


def _listed(resource: Resource | None, member: str) -> list[Any]:
    return (resource.spec.get(member) or []) if resource else []


def node_url(node: Resource) -> str:
    """Return a node's URL, below its cluster's."""
    cluster = object_url("clusters", node.spec["cluster"], "kubernetes-nodes")
    return f"{cluster}/{object_url('', node.id).rpartition('/')[2]}"


def machine_url(node: Resource) -> str | None:
    """Return the URL of the machine that a node runs on; None while unknown."""
    machine = node.spec.get("machine")
    return object_url("machines", machine) if machine else None


LINKS = {
    "self": node_url,
    "cluster": lambda node: object_url("clusters", node.spec["cluster"]),
    "machine": machine_url,
}


def kubernetes_node(adapter: ClusterAdapter, id: str, name: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return one node of a cluster; ``NotFound`` if there is none of this name."""
    adapter.get(id)
    nodes = KubernetesNodeAdapter().bind(adapter.omni).list(ListQuery(filters={"cluster": id})).items
    node = next((node for node in nodes if node.id == name), None)
    if node is None:
        raise NotFound(name)
    links = {key: url for key, make in LINKS.items() if (url := make(node))}
    return {
        "id": node.id,
        "namespace": node.namespace,
        **_schema.render_spec(node.spec),
        "labels": node.labels,
        "annotations": node.annotations,
        "metadata": {name: getattr(node, name) for name in _METADATA},
        "_links": links,
    }


KUBERNETES_NODE = ComputedDocument(
    "kubernetes-nodes/<node>",
    role=Role.READER,
    summary="A Kubernetes node",
    description="Joined from Omni's list of the nodes that it expects, and what Kubernetes reports of them.",
    answers=KubernetesNodeSchema,
    run=kubernetes_node,
)
