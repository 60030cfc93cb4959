"""The document: Secrets of clusters, as Argo CD's manual describes them (Declarative Setup, Clusters).

Omni's Kubernetes proxy tells clusters apart by the token of the request, and ignores the URL. Argo CD tells them apart
by the URL, so each Secret has one of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson
import yaml

from omni_gateway.sdk import ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument, FileResponse, check_role
from omni_gateway.sdk.adapters import map_concurrently
from omni_gateway.sdk.fields import token_groups, token_ttl
from resources.discovery.argocd.manifests import metadata, object_list
from resources.discovery.argocd.secret_schemas import ArgocdClusterSecretsSchema, ArgocdSecretsQuery
from resources.discovery.clusters import (
    Cluster,
    KubernetesApi,
    kubernetes_api,
    list_clusters,
    with_kubernetes_api,
)

#: A file, for no cache keeps one.
_JSON = "application/json"
_LABELS = {"argocd.argoproj.io/secret-type": "cluster"}
#: So that no cluster is called as one of the Secrets that Argo CD itself has in its namespace.
_PREFIX = "omni-cluster-"
_EXEC_VERSION = "client.authentication.k8s.io/v1"
#: How many tokens Omni is asked for at a time.
_MOST_AT_ONCE = 8


def cluster_secrets(adapter: ResourceAdapter, query: Mapping[str, Any]) -> FileResponse:
    """Return a list of Secrets, with a token each if the query asks for that; 403 without the role for it."""
    with_tokens = query["service_account"]
    if with_tokens:
        check_role(Role.OPERATOR, authorized_by_omni=True)
    make = partial(_secrets, adapter, list_clusters(adapter, query), query)
    return FileResponse(make, _JSON, "cluster-secrets.json", credential=with_tokens)


def _secrets(adapter: ResourceAdapter, clusters: Sequence[Cluster], query: Mapping[str, Any]) -> bytes:
    clusters = with_kubernetes_api(adapter.omni, clusters)
    api = kubernetes_api(adapter.omni, clusters)
    if query["service_account"]:
        logins = map_concurrently(lambda cluster: _token(adapter, cluster, query), clusters, _MOST_AT_ONCE)
    else:
        logins = [_command(cluster, query) for cluster in clusters]
    return orjson.dumps(
        object_list([_secret(cluster, api, login, query) for cluster, login in zip(clusters, logins, strict=True)])
    )


def _token(adapter: ResourceAdapter, cluster: Cluster, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a token for a cluster; a call to Omni."""
    kubeconfig = adapter.omni.management.kubeconfig(
        cluster.name,
        service_account=True,
        user=query["user"],
        ttl=token_ttl(query["ttl"]),
        groups=token_groups(query["groups"]),
    )
    return {"bearerToken": yaml.safe_load(kubeconfig)["users"][0]["user"]["token"]}


def _command(cluster: Cluster, query: Mapping[str, Any]) -> Mapping[str, Any]:
    command = {"apiVersion": _EXEC_VERSION, "command": query["exec_command"], "args": [cluster.name]}
    return {"execProviderConfig": command}


def _secret(
    cluster: Cluster, api: KubernetesApi, login: Mapping[str, Any], query: Mapping[str, Any]
) -> Mapping[str, Any]:
    tls = {"insecure": False, **({"caData": api.ca_data} if api.ca_data else {})}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(cluster, query["namespace"], _LABELS, prefix=_PREFIX),
        "type": "Opaque",
        "stringData": {
            "name": cluster.name,
            "server": api.url_of(cluster.name),
            "project": query["project"],
            "config": orjson.dumps({"tlsClientConfig": tls, **login}).decode(),
        },
    }


CLUSTER_SECRETS = ComputedDocument(
    "cluster-secrets",
    on_collection=True,
    scoped=True,
    role=Role.READER,
    summary="List clusters as Secrets for Argo CD",
    description="A list for `kubectl apply -f -`: the Secrets by which Argo CD knows clusters. Without"
    " `service_account` they have no credential: Argo CD runs `exec_command` for one. With `service_account=true` each"
    " has a token, which takes the role operator. No cache keeps the response. Clusters that Omni has no kubeconfig for"
    " yet, and those that are being removed, are left out.",
    media_type=_JSON,
    query=ArgocdSecretsQuery,
    answers=ArgocdClusterSecretsSchema,
    run=cluster_secrets,
)
