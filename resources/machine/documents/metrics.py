"""Metrics of one machine, from its status: Omni has metrics of the whole fleet only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from omni_gateway.sdk import Role, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import ComputedDocument
from omni_gateway.sdk.adapters import find, object_url
from omni_gateway.sdk.omni import types
from resources.machine.adapter import MachineAdapter
from resources.machine.schemas.machine import MachineSchema

_MIB = 1024 * 1024
_schema = MachineSchema()


class MachineConnectionSchema(SpecSchema):
    """The machine's connection to Omni."""

    connected = wire.Boolean()
    management_address = fields.String()
    bytes_received = wire.Integer(metadata={"description": "Through Omni's own network, since Omni began to count"})
    bytes_sent = wire.Integer()
    last_alive = wire.Timestamp()


class MachineResourcesSchema(SpecSchema):
    """The machine's hardware resources."""

    processors = wire.Integer()
    cores = wire.Integer(metadata={"description": "Of all processors together"})
    memory_bytes = wire.Integer()
    disks = wire.Integer(metadata={"description": "CD drives not counted"})
    disk_bytes = wire.Integer(metadata={"description": "Of all disks together"})


class MachineMetricsSchema(SpecSchema):
    """Metrics of one machine; those of the whole fleet are at `machine-metrics`."""

    id = fields.String()
    connection = fields.Nested(MachineConnectionSchema)
    power_state = fields.String()
    maintenance = wire.Boolean()
    diagnostics = wire.Integer(metadata={"description": "Warnings that Talos has"})
    resources = fields.Nested(MachineResourcesSchema)
    links = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="_links",
        metadata={"additionalProperties": {"type": "string"}},
    )


def metrics(adapter: MachineAdapter, id: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a machine's connection, power and resources; zeros before its first report."""
    spec = _schema.render_spec(adapter.get(id).spec)
    link = find(adapter.omni, types.MACHINE_STATUS_LINKS, id)
    counter = (link.spec.get("siderolink_counter") or {}) if link else {}
    return {
        "id": id,
        "connection": {
            "connected": spec["connected"],
            "management_address": spec["management_address"],
            "bytes_received": int(counter.get("bytes_received", 0)),
            "bytes_sent": int(counter.get("bytes_sent", 0)),
            "last_alive": counter.get("last_alive"),
        },
        "power_state": spec["power_state"],
        "maintenance": spec["maintenance"],
        "diagnostics": len(spec["diagnostics"]),
        "resources": _resources(spec["hardware"] or {}),
        "_links": {"self": object_url("machines", id, "metrics"), "machine": object_url("machines", id)},
    }


def _resources(hardware: Mapping[str, Any]) -> dict[str, int]:
    processors = hardware.get("processors", ())
    disks = [disk for disk in hardware.get("blockdevices", ()) if not disk["cdrom"]]
    return {
        "processors": len(processors),
        "cores": sum(processor["core_count"] for processor in processors),
        "memory_bytes": sum(module["size_mb"] for module in hardware.get("memory_modules", ())) * _MIB,
        "disks": len(disks),
        "disk_bytes": sum(disk["size"] for disk in disks),
    }


METRICS = ComputedDocument(
    "metrics",
    role=Role.READER,
    summary="The machine's connection, power and resources",
    answers=MachineMetricsSchema,
    run=metrics,
)
