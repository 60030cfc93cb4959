"""Omni's Kubernetes proxy, as far as Services go; the server of service-account kubeconfigs.

A token names its cluster. The API answers once the cluster's load balancer is healthy; Services can be read, made,
changed by merge patches and removed. They are kept in the store, so controllers see their annotations.
"""

from __future__ import annotations

import json
import logging
import re
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.kubernetes import tokens
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from omni_gateway.simulator.transport.http_server import HttpServer

log = logging.getLogger(__name__)

LARGEST_BODY = 1024 * 1024
_ROUTE = re.compile(r"/api/v1/namespaces/([a-z0-9-]+)/services(?:/([a-z0-9-]+))?")
_MASTERS = "system:masters"
_PATCHES = ("application/merge-patch+json", "application/strategic-merge-patch+json")


class Refused(Exception):
    """An answer that is no success: a status and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class KubernetesProxy(HttpServer):
    """An HTTP server on a free loopback port."""

    def __init__(self, store: Store) -> None:
        super().__init__("kubernetes-proxy", _Handler, {"store": store})
        self.url = f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    store: Store
    timeout = 30

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PATCH(self) -> None:
        self._answer("PATCH")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def _answer(self, method: str) -> None:
        try:
            status, document = self._serve(method)
        except Refused as error:
            status = error.status
            document = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}
            document["message"] = str(error)
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _serve(self, method: str) -> tuple[int, dict[str, Any]]:
        body = self._body()
        cluster = self._cluster()
        route = _ROUTE.fullmatch(urlsplit(self.path).path)
        if route is None:
            raise Refused(404, "this simulated Kubernetes has Services only")
        namespace, name = route[1], route[2]
        if name is None:
            return self._collection(method, cluster, namespace, body)
        id_ = f"{cluster}/{namespace}/{name}"
        found = self.store.find("simulator", kinds.KUBERNETES_SERVICE, id_)
        if found is None:
            raise Refused(404, f'services "{name}" not found')
        if method == "PATCH":
            self._patch(id_, json.loads(body or b"{}"))
        elif method == "DELETE":
            self.store.destroy("simulator", kinds.KUBERNETES_SERVICE, id_)
            return 200, _document(found)
        elif method != "GET":
            raise Refused(405, f"{method} is not supported here")
        return 200, _document(self.store.get("simulator", kinds.KUBERNETES_SERVICE, id_))

    def _collection(self, method: str, cluster: str, namespace: str, body: bytes) -> tuple[int, dict[str, Any]]:
        prefix = f"{cluster}/{namespace}/"
        if method == "GET":
            found = self.store.list("simulator", kinds.KUBERNETES_SERVICE, lambda res: res.id.startswith(prefix))
            return 200, {"kind": "ServiceList", "apiVersion": "v1", "items": [_document(res) for res in found]}
        if method != "POST":
            raise Refused(405, f"{method} is not supported here")
        said = json.loads(body or b"{}")
        metadata = said.get("metadata") or {}
        name = metadata.get("name", "")
        if self.store.peek("simulator", kinds.KUBERNETES_SERVICE, prefix + name) is not None:
            raise Refused(409, f'services "{name}" already exists')
        made = service(cluster, namespace, name, said.get("spec") or {}, metadata.get("annotations") or {})
        return 201, _document(self.store.create(made))

    def _patch(self, id_: str, said: dict[str, Any]) -> None:
        if self.headers.get_content_type() not in _PATCHES:
            raise Refused(415, f"patches are {' or '.join(_PATCHES)}")
        changes = (said.get("metadata") or {}).get("annotations") or {}

        def change(res: Resource) -> None:
            merged = {**res.annotations, **changes}
            res.annotations = {key: value for key, value in merged.items() if value is not None}

        self.store.modify("simulator", kinds.KUBERNETES_SERVICE, id_, change)

    def _body(self) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            raise Refused(413, "the body is too large")
        return self.rfile.read(length)

    def _cluster(self) -> str:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        claims = tokens.verify(self.store, token)
        if claims is None:
            raise Refused(401, "Unauthorized")
        if _MASTERS not in claims["groups"]:
            raise Refused(403, f"services is forbidden: User {claims['sub']!r} cannot do this")
        status = self.store.peek("default", kinds.LOAD_BALANCER_STATUS, claims["cluster"])
        if status is None or not status.spec.get("healthy"):
            raise Refused(502, "the cluster's Kubernetes API does not answer")
        return str(claims["cluster"])


def service(cluster: str, namespace: str, name: str, spec: dict[str, Any], notes: dict[str, str]) -> Resource:
    """Return a Service as the store keeps it."""
    id_ = f"{cluster}/{namespace}/{name}"
    return Resource(
        "simulator", kinds.KUBERNETES_SERVICE, id_, spec, labels={labels.CLUSTER: cluster}, annotations=dict(notes)
    )


def _document(res: Resource) -> dict[str, Any]:
    _, namespace, name = res.id.split("/")
    metadata = {
        "name": name,
        "namespace": namespace,
        "resourceVersion": str(res.version),
        "annotations": res.annotations,
        "creationTimestamp": res.created.strftime("%Y-%m-%dT%H:%M:%SZ") if res.created else None,
    }
    return {"kind": "Service", "apiVersion": "v1", "metadata": metadata, "spec": res.spec}
