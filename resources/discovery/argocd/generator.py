"""The document: parameters, as Argo CD's manual describes the plugin generator (Generators-Plugin)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument
from resources.discovery.argocd.schemas import ArgocdParametersSchema, ArgocdRequestSchema
from resources.discovery.clusters import Cluster, KubernetesApi, kubernetes_api, list_clusters, with_kubernetes_api

_NOT_IN_NAMES = re.compile(r"[^a-z0-9.-]")


def parameters(adapter: ResourceAdapter, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of each cluster that the input selects."""
    clusters = list_clusters(adapter, (body["input"] or {}).get("parameters") or {})
    api = kubernetes_api(adapter.omni, with_kubernetes_api(adapter.omni, clusters))
    return {"output": {"parameters": [_parameters(cluster, api) for cluster in clusters]}}


def _parameters(cluster: Cluster, api: KubernetesApi) -> Mapping[str, Any]:
    return {
        "name": cluster.name,
        "nameNormalized": _NOT_IN_NAMES.sub("-", cluster.name.lower()).strip(".-"),
        "server": api.url_of(cluster.name),
        "metadata": {"labels": cluster.labels, "annotations": cluster.annotations},
        "kubernetesVersion": cluster.kubernetes_version,
        "talosVersion": cluster.talos_version,
        "ready": cluster.ready,
        "phase": cluster.phase,
        "machines": cluster.machines,
    }


PARAMETERS = ComputedDocument(
    "api/v1/getparams.execute",
    on_collection=True,
    scoped=True,
    role=Role.READER,
    summary="List clusters as parameters of an ApplicationSet",
    description="Argo CD's plugin generator sends this each `requeueAfterSeconds`. It reads only, and has no credential"
    " in its answer.",
    body=ArgocdRequestSchema,
    example={"applicationSetName": "addons", "input": {"parameters": {"label_selector": "env=prod", "ready": True}}},
    answers=ArgocdParametersSchema,
    run=parameters,
)
