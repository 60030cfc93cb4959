"""Schemas of the machine sets and patches in a POST of a cluster; they are no part of the Cluster object itself."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk import fields as wire

MAX_MACHINES = 1000
MAX_COUNT = 100_000
UNLIMITED = "unlimited"

_ID = validate.Length(min=1, max=1024)
_PRINTABLE = validate.Regexp(r"^[^\x00-\x1f\x7f]*$", error="Must not contain control characters.")
_NAME = validate.And(
    validate.Length(min=1, max=200),
    validate.Regexp(r"^[\w-]+$", error="Must consist of letters, digits, `-` and `_`."),
)
#: Of patches and manifests: a part of an id, which may contain spaces.
_TITLE = validate.And(validate.Length(min=1, max=200), _PRINTABLE)
_CONTENT = validate.Length(min=1, max=4 * 1024 * 1024)
#: As in a cluster template.
MANIFEST_MODES = ("full", "one-time")


def system_extensions(of: str, **options: Any) -> fields.List[Any]:
    """Return a field of names of system extensions; ``of`` says of which machines."""
    return fields.List(
        fields.String(validate=_ID),
        allow_none=True,
        validate=validate.Length(max=256),
        metadata={
            "description": f"Names of Talos system extensions {of}; an empty list: none, whatever the image has",
            "example": ["siderolabs/iscsi-tools"],
        },
        **options,
    )


def kernel_args(of: str, **options: Any) -> fields.List[Any]:
    """Return a field of kernel arguments; ``of`` says of which machines."""
    return fields.List(
        fields.String(validate=validate.Length(max=4096)),
        allow_none=True,
        validate=validate.Length(max=256),
        metadata={
            "description": f"Additional kernel arguments {of}; they replace those of the image",
            "example": ["console=ttyS0"],
        },
        **options,
    )


class UpdateStrategy(IntEnum):
    """``specs.MachineSetSpec.UpdateStrategy``."""

    Unset = 0
    Rolling = 1


class MachineCount(fields.Field[Any]):
    """The number of machines from a class, or ``"unlimited"`` for all that match."""

    default_error_messages = {"count": f'Must be a number from 0 to {MAX_COUNT}, or "{UNLIMITED}".'}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT
        if not number and value != UNLIMITED:
            raise self.make_error("count")
        return value


class NewConfigPatchSchema(SpecSchema):
    """A patch of the Talos configuration."""

    id = fields.String(
        validate=_ID,
        metadata={
            "description": "Id of the patch; unless given it is made of the name and of the place among its siblings",
            "example": "500-sysctls",
        },
    )
    name = fields.String(
        required=True,
        validate=_TITLE,
        metadata={"description": "Name of the patch; may contain spaces", "example": "sysctls"},
    )
    data = fields.String(
        required=True,
        validate=_CONTENT,
        metadata={
            "description": "The patch of the Talos configuration, as YAML or JSON text",
            "example": 'machine:\n  sysctls:\n    vm.swappiness: "10"\n',
        },
    )


class NewManifestSchema(SpecSchema):
    """Kubernetes manifests that Omni applies to the cluster."""

    name = fields.String(
        required=True,
        validate=_TITLE,
        metadata={"description": "Name of the manifests; a part of their id", "example": "namespaces"},
    )
    data = fields.String(
        required=True,
        validate=_CONTENT,
        metadata={
            "description": "The manifests, as YAML",
            "example": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: apps\n",
        },
    )
    mode = fields.String(
        load_default="full",
        validate=validate.OneOf(MANIFEST_MODES),
        metadata={
            "description": "`full`: Omni keeps them as they are here; `one-time`: it applies them once",
            "example": "full",
        },
    )


class NewHealthCheckSchema(SpecSchema):
    """A Kubernetes Job that has to succeed before Omni goes on with an upgrade."""

    name = fields.String(
        required=True,
        validate=_TITLE,
        metadata={"description": "Name of the check; a part of its id", "example": "databases"},
    )
    job = fields.String(
        required=True,
        validate=_CONTENT,
        metadata={
            "description": "The manifest of the Job, as YAML",
            "example": "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: databases\n  namespace: apps\nspec:\n"
            "  template:\n    spec:\n      restartPolicy: Never\n      containers:\n        - name: check\n"
            "          image: busybox\n",
        },
    )
    interval = wire.Duration(metadata={"description": "Time between two tries", "example": "30s"})


class NewMachineSchema(SpecSchema):
    """Options of a single machine of the new cluster."""

    id = wire.MachineId(
        required=True,
        validate=_ID,
        metadata={
            "description": "Id or host name of a machine that one of the sets names",
            "example": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
        },
    )
    locked = fields.Boolean(
        metadata={"description": "Lock the machine: changes do not reach it until it is unlocked", "example": False}
    )
    install_disk = fields.String(
        validate=_ID, metadata={"description": "Disk that Talos is installed on", "example": "/dev/nvme0n1"}
    )
    install_disk_selector = fields.String(
        validate=_ID,
        metadata={
            "description": "CEL expression that selects this disk, instead of its name",
            "example": "disk.size > 100u * GB",
        },
    )
    labels = fields.Dict(
        keys=fields.String(validate=[_ID, _PRINTABLE]),
        values=fields.String(validate=[validate.Length(max=16384), _PRINTABLE]),
        validate=validate.Length(max=200),
        metadata={"description": "Labels of the machine set node", "additionalProperties": {"type": "string"}},
    )
    config_patches = fields.List(
        fields.Nested(NewConfigPatchSchema),
        validate=validate.Length(max=64),
        metadata={"description": "Talos configuration patches for this machine"},
    )
    system_extensions = system_extensions("of this machine")
    kernel_args = kernel_args("of this machine")

    @ma.validates_schema
    def refuse_two_disks(self, data: Mapping[str, Any], **_: Any) -> None:
        """Raise for a disk that is both named and selected."""
        if data.get("install_disk") and data.get("install_disk_selector"):
            raise ma.ValidationError("Give either install_disk or install_disk_selector.", "install_disk_selector")


class EtcdRestoreSchema(SpecSchema):
    """The etcd backup that a control plane starts from."""

    cluster_uuid = fields.String(
        required=True,
        validate=_ID,
        metadata={
            "description": "UUID of the cluster that was backed up; it must still exist",
            "example": "e1bd8aea-5e5e-4c1e-8e0b-3c3b2c5a6f11",
        },
    )
    snapshot = fields.String(
        required=True,
        validate=_ID,
        metadata={
            "description": "Name of the backup, e.g. `FFFFFFFF94FB6C65.snapshot`",
            "example": "FFFFFFFF94FB6C65.snapshot",
        },
    )


class ClusterSetRollingSchema(SpecSchema):
    """Settings of a rolling update."""

    max_parallelism = wire.Integer(
        validate=validate.Range(min=1, max=2**32 - 1),
        metadata={"description": "Number of machines that are changed at the same time", "example": 1},
    )


class ClusterSetStrategySchema(SpecSchema):
    """Settings of an update strategy."""

    rolling = wire.Message(ClusterSetRollingSchema, metadata={"description": "Settings of the strategy `Rolling`"})


class NewMachineSetSchema(SpecSchema):
    """A machine set of the new cluster: either ``machines``, or ``machine_class`` with ``machine_count``."""

    machines = fields.List(
        wire.MachineId(validate=_ID),
        validate=validate.Length(max=MAX_MACHINES),
        metadata={
            "description": "Ids of free machines, or their host names; workers may have none yet: `[]`",
            "example": ["2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01"],
        },
    )
    machine_class = fields.String(
        validate=_ID, metadata={"description": "Id of a machine class; Omni takes machines from it", "example": "metal"}
    )
    machine_count = MachineCount(
        metadata={
            "description": "How many machines to take from the class; `unlimited`: all that match",
            "oneOf": [
                {"type": "integer", "minimum": 0, "maximum": MAX_COUNT},
                {"type": "string", "enum": [UNLIMITED]},
            ],
            "example": 2,
        },
    )
    labels = fields.Dict(
        keys=fields.String(validate=[_ID, _PRINTABLE]),
        values=fields.String(validate=[validate.Length(max=16384), _PRINTABLE]),
        validate=validate.Length(max=200),
        metadata={"description": "Labels of the machine set", "additionalProperties": {"type": "string"}},
    )
    update_strategy = wire.Enum(
        UpdateStrategy,
        metadata={
            "description": "How changes of the configuration reach the machines; `Rolling` unless given: some at a"
            " time",
            "example": "Rolling",
        },
    )
    update_strategy_config = wire.Message(
        ClusterSetStrategySchema,
        metadata={
            "description": "How many machines take a change of the configuration at the same time; one unless given"
        },
    )
    delete_strategy = wire.Enum(
        UpdateStrategy,
        metadata={
            "description": "How machines leave the set; `Rolling`: some at a time, else all at once",
            "example": "Unset",
        },
    )
    delete_strategy_config = wire.Message(
        ClusterSetStrategySchema,
        metadata={"description": "How many machines leave the set at the same time, with the strategy `Rolling`"},
    )
    upgrade_strategy = wire.Enum(
        UpdateStrategy,
        metadata={
            "description": "How upgrades of Talos reach the machines; `Rolling`: some at a time, else one",
            "example": "Rolling",
        },
    )
    upgrade_strategy_config = wire.Message(
        ClusterSetStrategySchema,
        metadata={"description": "How many machines are upgraded at the same time, with the strategy `Rolling`"},
    )
    config_patches = fields.List(
        fields.Nested(NewConfigPatchSchema),
        validate=validate.Length(max=64),
        metadata={"description": "Talos configuration patches for the machines of this set"},
    )
    system_extensions = system_extensions("of this set's machines")
    kernel_args = kernel_args("of the machines that this set names")

    @ma.validates_schema
    def refuse_two_sources(self, data: Mapping[str, Any], **_: Any) -> None:
        """Raise unless machines come either from a list or from a class."""
        if ("machines" in data) == ("machine_class" in data):
            raise ma.ValidationError("Give either machines or machine_class.", "machines")
        if "machine_class" in data and "machine_count" not in data:
            raise ma.ValidationError("Missing: how many machines to take from the class.", "machine_count")
        if "machines" in data and "machine_count" in data:
            raise ma.ValidationError("Goes with machine_class only.", "machine_count")


class NewControlPlaneSchema(NewMachineSetSchema):
    """The control plane of the new cluster; an odd number of machines keeps etcd's majority."""

    @ma.validates("machines")
    def refuse_none(self, value: Any, **_: Any) -> None:
        """Raise for an empty list: a control plane cannot start without a machine."""
        if not value:
            raise ma.ValidationError("A control plane needs a machine.")

    bootstrap_spec = wire.Message(
        EtcdRestoreSchema, metadata={"description": "Restore etcd from this backup instead of starting empty"}
    )


class NewWorkersSchema(NewMachineSetSchema):
    """A set of workers."""

    name = fields.String(
        validate=_NAME,
        metadata={
            "description": "The set's id becomes `<cluster>-workers-<name>`; without it `<cluster>-workers`",
            "example": "gpu",
        },
    )
