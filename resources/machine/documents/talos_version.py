"""The wanted and the current Talos version of a machine."""

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


class MachineTalosVersionSchema(SpecSchema):
    """A machine's Talos version and image. Versions are without a leading `v`, as in clusters."""

    id = fields.String(metadata={"description": "Id of the machine", "example": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01"})
    talos_version = fields.String(
        metadata={
            "description": "The wanted version: its cluster's; for a free machine, the one it runs",
            "example": "1.13.7",
        }
    )
    schematic_id = fields.String(
        metadata={
            "description": "Id of the schematic that Omni wants on the machine",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    current_talos_version = fields.String(
        metadata={
            "description": "Talos version that the machine runs; empty before its first report",
            "example": "1.13.7",
        }
    )
    current_schematic_id = fields.String(
        metadata={
            "description": "Id of the schematic that the machine runs; empty before its first report",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    up_to_date = wire.Boolean(metadata={"description": "Whether it runs the wanted version and image", "example": True})
    links = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="_links",
        metadata={
            "description": "Relative URLs of this document and of the machine",
            "additionalProperties": {"type": "string"},
        },
    )


def talos_version(adapter: MachineAdapter, id: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the version that Omni wants (ClusterMachineTalosVersions) and the one that the machine reports."""
    machine = adapter.get(id)
    current = {
        "talos_version": str(machine.spec.get("talos_version", "")).removeprefix("v"),
        "schematic_id": (machine.spec.get("schematic") or {}).get("full_id", ""),
    }
    asked = find(adapter.omni, types.CLUSTER_MACHINE_TALOS_VERSIONS, id)
    wanted = {name: (asked.spec.get(name) if asked else None) or now for name, now in current.items()}
    return {
        "id": id,
        **wanted,
        **{f"current_{name}": now for name, now in current.items()},
        "up_to_date": wanted == current,
        "_links": {"self": object_url("machines", id, "talos-version"), "machine": object_url("machines", id)},
    }


TALOS_VERSION = ComputedDocument(
    "talos-version",
    role=Role.READER,
    summary="The Talos version that the machine should run, and the one that it runs",
    description="The wanted version and image are its cluster's; a free machine should run what it runs.",
    answers=MachineTalosVersionSchema,
    run=talos_version,
)
