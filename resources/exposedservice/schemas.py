"""An exposed service as callers read and write it (``specs.ExposedServiceSpec``)."""

from __future__ import annotations

from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire

_KUBERNETES_NAME = validate.Regexp(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", error="Must be a DNS label (RFC 1123).")
_SERVICE_PORT = validate.Regexp(
    r"^([0-9]{1,5}|[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?)$", error="Must be a number or the name of a port."
)
#: The first label of a host name, to which Omni adds its own.
_PREFIX = validate.Regexp(r"^([a-z0-9][a-z0-9-]{0,61})?$", error="Must be at most 62 of a-z, 0-9 and -.")


class _HostPort(wire.Integer, wire.Rendered):
    """A host port; null where Omni shows none."""

    def render(self, value: int | None) -> int | None:
        """Return the port; 0, which Omni has where there is none, as null."""
        return value or None


class ExposedServiceSchema(ResourceSchema):
    """A Kubernetes Service that Omni exposes under a URL of its own."""

    request_only = frozenset({"service_port"})

    id = fields.String(
        dump_only=True,
        metadata={
            "description": "Made of its parts: `<cluster>/<service>.<service_namespace>/<port>`",
            "example": "my-cluster/grafana.monitoring/8080",
        },
    )
    cluster = fields.String(
        required=True, metadata={"description": "Id of the cluster that runs the Service", "example": "my-cluster"}
    )
    service = fields.String(
        required=True,
        validate=_KUBERNETES_NAME,
        metadata={"description": "Name of the Kubernetes Service", "example": "grafana"},
    )
    service_namespace = fields.String(
        load_default="default",
        validate=_KUBERNETES_NAME,
        metadata={"description": "Kubernetes namespace of the Service", "example": "monitoring"},
    )
    port = _HostPort(
        required=True,
        allow_none=True,
        validate=validate.Range(1, 65535),
        metadata={
            "description": "A port of the cluster's nodes that nothing else uses; part of the id. Null where an Omni"
            " before 1.8 could not expose the Service: it shows none then",
            "example": 8080,
        },
    )
    service_port = fields.String(
        load_only=True,
        validate=_SERVICE_PORT,
        metadata={
            "description": "A port of the Service that the host port leads to, by number or name; else its first."
            " On POST, with Omni 1.8 or later; Omni does not show it",
            "example": "http",
        },
    )
    label = fields.String(
        validate=validate.Length(max=256),
        metadata={"description": "Name that Omni's console shows; by default the Service's name", "example": "Grafana"},
    )
    icon_base64 = fields.String(
        validate=validate.Length(max=65536),
        metadata={"description": "Icon that Omni's console shows: an SVG, gzip'ed or plain, in base64", "example": ""},
    )
    prefix = fields.String(
        validate=_PREFIX,
        metadata={
            "description": "First part of the URL's host name; Omni chooses one unless it is given",
            "example": "grafana",
        },
    )
    url = fields.String(
        dump_only=True,
        metadata={
            "description": "URL under which Omni exposes the Service",
            "example": "https://grafana-my-org.proxy-us.omni.siderolabs.io",
        },
    )
    error = fields.String(
        dump_only=True,
        metadata={"description": "Why Omni does not expose the Service; empty when it does", "example": ""},
    )
    has_explicit_alias = wire.Boolean(
        dump_only=True, metadata={"description": "Whether `prefix` was given", "example": True}
    )
