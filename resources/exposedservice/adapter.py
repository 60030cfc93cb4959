"""Exposed services: read from Omni, written as annotations of the cluster's Services."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import (
    FieldErrors,
    OmniResourceAdapter,
    Problem,
    Resource,
)
from omni_gateway.sdk.adapters import Created, find, find_labelled
from omni_gateway.sdk.omni import label_names, types
from resources.exposedservice.annotations import Changes, adding, host_ports, port_of, removing, shown
from resources.exposedservice.kubernetes_services import annotate, exposed_by
from resources.exposedservice.operations import operation_id, read_exposing

#: The Omni version since which a Service can have several host ports; their ids end in the port.
_SEVERAL_PORTS_SINCE = (1, 8)
#: How long a change waits until Omni shows it, in seconds.
SHOWN_SECONDS = 8.0
_ALIAS = "omni.sidero.dev/exposed-service-alias"


class ExposedServiceAdapter(OmniResourceAdapter):
    """Exposed services; their ids hold slashes."""

    def __init__(self) -> None:
        super().__init__(types.EXPOSED_SERVICES, sortable=("port", "label", "url"))

    def shown(self, resource: Resource) -> Resource:
        """Add the fields encoded in id and labels to the spec."""
        return _with_decoded_id(resource)

    def named_cluster(self, resource: Resource) -> str | None:
        """Return the cluster in the spec, else the one in the id."""
        return resource.spec.get("cluster") or resource.id.partition("/")[0] or None

    def refuse_owned(self, existing: Resource) -> None:
        """Refuse nothing: Omni's controller owns the object, but writes go to the Kubernetes Service behind it."""

    def predict(self, resource: Resource | None, existing: Resource | None) -> None:
        """Predict nothing: writes go to annotations of Kubernetes Services."""

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Check what Omni and the cluster allow; raises 404, 409 and 422, with hints."""
        if resource.labels not in ({}, existing.labels if existing else {}) or resource.annotations:
            _refuse("labels", "Omni creates these objects; callers cannot set their labels or annotations.")
        spec = resource.spec
        cluster = find(self.omni, types.CLUSTERS, spec["cluster"])
        if cluster is None:
            raise Problem(404, "not-found", f"There is no cluster {spec['cluster']!r}.")
        several = self._several_ports()
        if extras.get("service_port") and not several:
            _refuse("service_port", "This Omni is older than 1.8 and takes a host port only.")
        if existing is not None:
            resource.id = existing.id
            if _key(spec) != _key(_with_decoded_id(existing).spec):
                _refuse("port", "Cluster, service and port are part of the id, which never changes.")
            return
        if spec.get("port") is None:
            _refuse("port", "A new exposed service needs a port.")
        resource.id = _id(spec, several)
        if not (cluster.spec.get("features") or {}).get("enable_workload_proxy"):
            hint = f'PATCH /api/v1/clusters/{cluster.id} with {{"features": {{"enable_workload_proxy": true}}}}'
            raise Problem(409, "conflict", "The cluster does not expose services.", hint=hint)
        self._refuse_taken(spec, several)

    def _several_ports(self) -> bool:
        """Return whether this Omni allows several host ports per Service; an unknown version counts as new."""
        found = find(self.omni, types.SYS_VERSIONS, "current")
        numbers = re.findall(r"\d+", str(found.spec.get("backend_version"))) if found is not None else []
        return len(numbers) < 2 or (int(numbers[0]), int(numbers[1])) >= _SEVERAL_PORTS_SINCE

    def _refuse_taken(self, spec: Mapping[str, Any], several: bool) -> None:
        for other in map(
            _with_decoded_id,
            find_labelled(self.omni, types.EXPOSED_SERVICES, label_names.LABEL_CLUSTER, spec["cluster"]),
        ):
            if _key(other.spec) == _key(spec):
                raise Problem(409, "exists", f"{other.id!r} is exposed already.")
            if other.spec.get("port") == spec["port"]:
                raise Problem(409, "conflict", f"The port {spec['port']} is taken by {other.id!r}.")
        taken = [port for port in host_ports(self._annotations_of(spec)) if port != spec["port"]]
        if taken and not several:
            text = f"The Service is exposed at port {taken[0]} already, and can have only one."
            raise Problem(409, "conflict", text, hint="Omni 1.8 and later allow several.")

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Annotate the Service; the operation ends when Omni exposes it."""
        spec = {**resource.spec, **extras}
        self._annotate(spec, adding(self._annotations_of(spec), spec, self._several_ports()))
        return read_exposing(self.omni, operation_id(resource.id))

    def replace(self, resource: Resource) -> None:
        """Update the Service's annotations and wait until Omni shows the change; 504 after ``SHOWN_SECONDS``."""
        before, annotations = self.get(resource.id), self._annotations_of(resource.spec)
        spec = {**resource.spec, "port": port_of(resource.spec, annotations)}
        changes = adding(annotations, spec, self._several_ports())
        if not changes:
            return
        self._annotate(spec, changes)
        # Omni's object changes only if the effective label, icon or prefix does: otherwise there is nothing to await.
        if shown(annotations, changes, spec["port"]) == shown(annotations, {}, spec["port"]):
            return
        ends = time.monotonic() + SHOWN_SECONDS
        while self.get(resource.id).version == before.version:
            if time.monotonic() > ends:
                raise Problem(504, "omni-timeout", "The Service is annotated; Omni does not show the change yet.")
            time.sleep(0.1)

    def delete(self, resource: Resource) -> None:
        """Remove the port's annotations; a Service that does not exist has none."""
        spec = resource.spec
        try:
            annotations = self._annotations_of(spec)
            self._annotate(spec, removing(annotations, port_of(spec, annotations)))
        except Problem as problem:
            if problem.status != 404:
                raise

    def _annotations_of(self, spec: Mapping[str, Any]) -> Mapping[str, str]:
        return exposed_by(self.omni, spec["cluster"], spec["service_namespace"], spec["service"])

    def _annotate(self, spec: Mapping[str, Any], changes: Changes) -> None:
        if changes:
            annotate(self.omni, spec["cluster"], spec["service_namespace"], spec["service"], changes)


def _refuse(field: str, message: str) -> None:
    """Raise 422 with one message."""
    refusals = FieldErrors()
    refusals.add(field, message)
    refusals.raise_if_any()


def _id(spec: Mapping[str, Any], several: bool) -> str:
    name = f"{spec['cluster']}/{spec['service']}.{spec['service_namespace']}"
    return f"{name}/{spec['port']}" if several else name


def _key(spec: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the key of an exposed service, which is the same for both forms of ids."""
    return spec["cluster"], spec["service_namespace"], spec["service"], spec.get("port")


def _with_decoded_id(resource: Resource) -> Resource:
    """Add the fields of id (``<cluster>/<service>.<namespace>[/<port>]``) and labels to the spec."""
    cluster, _, rest = resource.id.partition("/")
    name, _, port = rest.partition("/")
    service, _, namespace = name.partition(".")
    alias = resource.labels.get(_ALIAS, "") if resource.spec.get("has_explicit_alias") else ""
    decoded: dict[str, Any] = {"cluster": cluster, "service": service, "service_namespace": namespace or "default"}
    if alias:
        decoded["prefix"] = alias
    if not resource.spec.get("port"):  # Omni omits it while the object has an error
        decoded["port"] = int(port) if port.isdigit() else None
    return replace(resource, spec={**resource.spec, **decoded})
