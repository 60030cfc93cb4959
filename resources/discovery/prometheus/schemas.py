"""The query and the target groups of Prometheus' HTTP service discovery."""

from __future__ import annotations

from marshmallow import ValidationError, fields, validate

from omni_gateway.sdk import SpecSchema
from resources.discovery.machines import MachinesQuery

#: Endpoint → its port.
PORTS = {"talos": 50000, "kubelet": 10250, "kubernetes": 6443}
_MOST_PORTS = 16


def ports_of(text: str) -> list[int]:
    """Return comma-separated ports; raises ``ValidationError``."""
    words = text.split(",")
    if len(words) > _MOST_PORTS:
        raise ValidationError(f"At most {_MOST_PORTS} ports.")
    if not all(word.isascii() and word.isdecimal() and 1 <= int(word) <= 65535 for word in words):
        raise ValidationError("Ports are numbers from 1 to 65535, comma separated.")
    return [int(word) for word in words]


class PrometheusTargetsQuery(MachinesQuery):
    """Which targets are listed."""

    endpoint = fields.String(
        load_default="talos",
        validate=validate.OneOf(PORTS),
        metadata={
            "description": "`talos`: the Talos API of each machine (port 50000); `kubelet`: the kubelet of each member"
            " of a cluster (10250); `kubernetes`: the Kubernetes API of each control plane (6443)",
            "example": "kubelet",
        },
    )
    port = fields.String(
        validate=[validate.Length(max=128), ports_of],
        metadata={
            "description": "Port, or several that are comma separated, in the place of the endpoint's own",
            "example": "9100",
        },
    )
    address = fields.String(
        load_default="node",
        validate=validate.OneOf(("node", "management")),
        metadata={
            "description": "`node`: the machine's first address, other than loopback and link-local ones; `management`:"
            " its address in SideroLink, Omni's WireGuard network",
            "example": "node",
        },
    )


class PrometheusTargetGroupSchema(SpecSchema):
    """The targets of one machine. Prometheus drops labels that begin with `__` after relabelling."""

    targets = fields.List(
        fields.String(),
        metadata={"description": "Address and port, one for each port", "example": ["10.0.0.5:10250"]},
    )
    labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Labels for relabelling: `__meta_omni_machine_id`, `_hostname`, `_address`,"
            " `_management_address`, `_set`, `_role` (`controlplane`, `worker` or empty), `_connected`, `_maintenance`"
            " (`true` or `false`), `_talos_version`, `_platform`, `_region`, `_zone`, `_arch`; `__meta_omni_cluster`;"
            " of each label of the machine's users `__meta_omni_machine_label_<name>` and"
            " `__meta_omni_machine_labelpresent_<name>`, with `_` for each character that Prometheus does not allow in"
            " names",
            "additionalProperties": {"type": "string"},
            "example": {
                "__meta_omni_machine_id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
                "__meta_omni_cluster": "my-cluster",
                "__meta_omni_machine_role": "worker",
                "__meta_omni_machine_label_rack": "7",
                "__meta_omni_machine_labelpresent_rack": "true",
            },
        },
    )
