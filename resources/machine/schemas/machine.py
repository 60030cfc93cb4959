"""A machine as callers read it, and the few fields that they may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validate

from omni_gateway.sdk import fields as wire
from resources.machine.join import with_address
from resources.machine.schemas.status import MachineStatusSchema

MAX_EXTENSIONS = 256


class KnownOrNull(wire.Boolean, wire.Rendered):
    """A boolean that is ``null`` where it does not apply."""

    def render(self, value: Any) -> bool:
        """Return the value as a plain boolean."""
        return bool(value)


class ListOrNull(fields.List[Any], wire.Rendered):
    """A list that distinguishes empty from absent (``null``)."""

    def render(self, value: Any) -> list[Any]:
        """Return the value as a plain list."""
        return list(value)


class MachineSchema(MachineStatusSchema):
    """A machine: Omni's Machine and MachineStatus of the same id in one, with the settings of its users.

    A PATCH takes `labels`, `extensions` and `maintenance`; the other fields are read-only. `labels` are all labels of
    the machine, Omni's own (`omni.sidero.dev/…`) included: yours can be changed, those cannot.
    """

    use_grpc_tunnel = wire.Boolean(
        dump_only=True,
        metadata={
            "description": "Whether the machine connects to Omni through a gRPC tunnel instead of plain WireGuard"
            " (UDP)",
            "example": False,
        },
    )
    machine_set = fields.String(
        dump_only=True,
        metadata={
            "description": "Id of the machine set that the machine is in; empty for a free machine",
            "example": "my-cluster-workers",
        },
    )
    maintenance = wire.Boolean(
        dump_only=True,
        metadata={
            "description": "A free machine: whether Talos waits for a configuration. A cluster's machine: whether it is"
            " locked, so that its updates are held back; can be written (workers only)",
            "example": False,
        },
    )
    locked = KnownOrNull(
        allow_none=True,
        metadata={
            "description": "Whether updates of this member are held back; `null` for a free machine. Written as"
            " `maintenance`",
            "example": False,
        },
    )
    extensions = ListOrNull(
        fields.String(validate=validate.Length(min=1, max=256)),
        allow_none=True,
        validate=validate.Length(max=MAX_EXTENSIONS),
        metadata={
            "description": "System extensions set for this one machine, e.g. `siderolabs/iscsi-tools`; `null` when no"
            " list is for it alone (its machine set, its cluster or its image decide). The installed ones are in"
            " `schematic.extensions`, pending ones at `…/extensions`",
            "example": ["siderolabs/iscsi-tools"],
        },
    )

    aliases: ClassVar[dict[str, str]] = {**MachineStatusSchema.aliases, "maintenance": "locked"}

    def without_aliases(self, document: Mapping[str, Any], *, null_counts: bool = True) -> dict[str, Any]:
        """Move ``maintenance`` to ``locked``; beside ``locked: null`` it is a free machine's, which is read-only."""
        if "locked" in document and document["locked"] is None:
            document = {name: value for name, value in document.items() if name != "maintenance"}
        return super().without_aliases(document, null_counts=null_counts)

    def name_again(self, document: dict[str, Any]) -> dict[str, Any]:
        """Add second names, and the label with the machine's address."""
        named = super().name_again(document)
        named["labels"] = with_address(named["labels"], named["management_address"])
        return named
