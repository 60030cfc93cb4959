"""Exposed services: read from Omni, written as annotations of the cluster's Services (facts: machine-auth-side 5)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import (
    Created,
    OmniResourceAdapter,
    Operation,
    Problem,
    Refusals,
    Resource,
    find,
    find_labelled,
    names,
    object_url,
    types,
)
from resources.exposedservice.kubernetes_services import annotate, exposed_by
from resources.exposedservice.operations import COLLECTION, MAKE

_NOTES = {"port": "port", "label": "label", "icon_base64": "icon", "prefix": "prefix"}
#: How long a change waits until Omni shows it.
SHOWN_SECONDS = 8.0
_ALIAS = "omni.sidero.dev/exposed-service-alias"


class ExposedServiceAdapter(OmniResourceAdapter):
    """Exposed services; their ids hold slashes."""

    def __init__(self) -> None:
        super().__init__(types.EXPOSED_SERVICES, sortable=("port", "label", "url"))

    def shown(self, resource: Resource) -> Resource:
        """Add to the spec what id and labels say."""
        return _named(resource)

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the cluster that the spec names, or else the id."""
        return resource.spec.get("cluster") or resource.id.partition("/")[0] or None

    def refuse_owned(self, existing: Resource) -> None:
        """Refuse nothing: Omni's controller owns the object, and what is written is the Service that it follows."""

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse what Omni or the cluster would not do: 404, 409 and 422 problems that say what to do instead."""
        if resource.labels not in ({}, existing.labels if existing else {}) or resource.annotations:
            refusals = Refusals()
            refusals.add("labels", "Omni makes these objects; they take no labels and annotations of yours.")
            refusals.raise_any()
        spec = resource.spec
        cluster = find(self.omni, types.CLUSTERS, spec["cluster"])
        if cluster is None:
            raise Problem(404, "not-found", f"There is no cluster {spec['cluster']!r}.")
        resource.id = _id(spec)
        if existing is not None:
            if resource.id != existing.id:
                refusals = Refusals()
                refusals.add("port", "Cluster, service and port make the id, which never changes.")
                refusals.raise_any()
            return
        if not (cluster.spec.get("features") or {}).get("enable_workload_proxy"):
            hint = f'PATCH /api/v1/clusters/{cluster.id} with {{"features": {{"enable_workload_proxy": true}}}}'
            raise Problem(409, "conflict", "The cluster does not expose services.", hint=hint)
        self._refuse_taken(spec, resource.id)

    def _refuse_taken(self, spec: Mapping[str, Any], id: str) -> None:
        for other in map(
            _named, find_labelled(self.omni, types.EXPOSED_SERVICES, names.LABEL_CLUSTER, spec["cluster"])
        ):
            if other.id == id:
                raise Problem(409, "exists", f"{id!r} is exposed already.")
            if other.spec["port"] == spec["port"]:
                raise Problem(409, "conflict", f"The port {spec['port']} is taken by {other.id!r}.")
        before = exposed_by(self.omni, spec["cluster"], spec["service_namespace"], spec["service"])
        if before.get("port", str(spec["port"])) != str(spec["port"]):
            text = f"The Service is exposed at port {before['port']} already, and can have but one."
            raise Problem(409, "conflict", text)

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Annotate the Service; Omni shows it a moment later."""
        self._annotate(resource.spec, _notes(resource.spec))
        return Operation(MAKE, resource.id, "running", target=object_url(COLLECTION, resource.id))

    def replace(self, resource: Resource) -> None:
        """Annotate the Service anew and wait until Omni shows the change; a 504 problem when it does not."""
        before = self.get(resource.id)
        self._annotate(resource.spec, _notes(resource.spec))
        wanted = _shown(resource.spec)
        if wanted == _shown(before.spec):
            return
        ends = time.monotonic() + SHOWN_SECONDS
        while self.get(resource.id).version == before.version:
            if time.monotonic() > ends:
                raise Problem(504, "omni-timeout", "The Service is annotated; Omni does not show the change yet.")
            time.sleep(0.1)

    def delete(self, resource: Resource) -> None:
        """Take the annotations away; a Service that is gone has none."""
        try:
            self._annotate(resource.spec, dict.fromkeys(_NOTES.values()))
        except Problem as problem:
            if problem.status != 404:
                raise

    def _annotate(self, spec: Mapping[str, Any], notes: Mapping[str, str | None]) -> None:
        annotate(self.omni, spec["cluster"], spec["service_namespace"], spec["service"], notes)


def _id(spec: Mapping[str, Any]) -> str:
    return f"{spec['cluster']}/{spec['service']}.{spec['service_namespace']}/{spec['port']}"


def _notes(spec: Mapping[str, Any]) -> dict[str, str | None]:
    """Return all annotations that make this spec; None for those that are not to be there."""
    return {note: str(spec[name]) if spec.get(name) else None for name, note in _NOTES.items()}


def _shown(spec: Mapping[str, Any]) -> tuple[Any, ...]:
    label = spec.get("label") or f"{spec['service']}.{spec['service_namespace']}"
    return label, spec.get("icon_base64") or "", spec.get("prefix") or ""


def _named(resource: Resource) -> Resource:
    """Add to the spec what id and labels say: ``<cluster>/<service>.<namespace>/<port>`` (older: without the port)."""
    cluster, _, rest = resource.id.partition("/")
    service, _, namespace = rest.partition("/")[0].partition(".")
    alias = resource.labels.get(_ALIAS, "") if resource.spec.get("has_explicit_alias") else ""
    said = {"cluster": cluster, "service": service, "service_namespace": namespace or "default"}
    if alias:
        said["prefix"] = alias
    return replace(resource, spec={**resource.spec, **said})
