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

    connected = wire.Boolean(metadata={"description": "Whether the machine is connected to Omni now", "example": True})
    management_address = fields.String(
        metadata={
            "description": "Address of the machine in SideroLink, Omni's WireGuard network",
            "example": "fdae:41e4:649b:9303:7396:c9b4:213a:2a86",
        }
    )
    bytes_received = wire.Integer(
        metadata={
            "description": "Bytes that Omni has received from the machine through SideroLink, since Omni began to"
            " count",
            "example": 1048576,
        }
    )
    bytes_sent = wire.Integer(
        metadata={
            "description": "Bytes that Omni has sent to the machine through SideroLink, since Omni began to count",
            "example": 524288,
        }
    )
    last_alive = wire.Timestamp(
        metadata={
            "description": "Time of the last WireGuard handshake that Omni saw; null: none yet",
            "example": "2026-08-21T10:00:00Z",
        }
    )


class MachineResourcesSchema(SpecSchema):
    """The machine's hardware resources."""

    processors = wire.Integer(metadata={"description": "Number of processors (sockets)", "example": 1})
    cores = wire.Integer(metadata={"description": "Number of cores, of all processors together", "example": 8})
    memory_bytes = wire.Integer(
        metadata={"description": "Memory in bytes, of all modules together", "example": 17179869184}
    )
    disks = wire.Integer(metadata={"description": "Number of disks; CD-ROM drives are not counted", "example": 1})
    disk_bytes = wire.Integer(
        metadata={"description": "Capacity in bytes, of all disks together", "example": 480103981056}
    )


class MachineMetricsSchema(SpecSchema):
    """Metrics of one machine; those of the whole fleet are at `machine-metrics`."""

    id = fields.String(metadata={"description": "Id of the machine", "example": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01"})
    connection = fields.Nested(
        MachineConnectionSchema, metadata={"description": "The machine's connection to Omni and its traffic"}
    )
    power_state = fields.String(
        metadata={
            "description": "Whether the machine is on, as in the machine's own `power_state`",
            "example": "POWER_STATE_ON",
        }
    )
    maintenance = wire.Boolean(
        metadata={
            "description": "Whether Talos runs in maintenance mode: without a configuration, waiting for one",
            "example": False,
        }
    )
    diagnostics = wire.Integer(
        metadata={"description": "Number of warnings that Talos has about the machine", "example": 0}
    )
    resources = fields.Nested(
        MachineResourcesSchema,
        metadata={"description": "Processors, memory and disks; zeros before the machine's first report"},
    )
    links = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="_links",
        metadata={
            "description": "Relative URLs of this document and of the machine",
            "additionalProperties": {"type": "string"},
        },
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
    description="From Omni's own status of the machine; zeros before its first report.",
    answers=MachineMetricsSchema,
    run=metrics,
)
