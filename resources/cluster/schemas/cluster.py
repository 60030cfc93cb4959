"""A cluster as callers read and write it (``specs.ClusterSpec``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.adapters import alike
from resources.cluster.schemas.create import (
    MAX_MACHINES,
    NewConfigPatchSchema,
    NewControlPlaneSchema,
    NewHealthCheckSchema,
    NewMachineSchema,
    NewManifestSchema,
    NewWorkersSchema,
    kernel_args,
    system_extensions,
)
from resources.cluster.versions import Version

MAX_WORKER_SETS = 64
MAX_PATCHES = 64


class ClusterFeaturesSchema(SpecSchema):
    """Features of a cluster."""

    enable_workload_proxy = wire.Boolean(
        metadata={"description": "Expose annotated Kubernetes Services through Omni's workload proxy", "example": True}
    )
    disk_encryption = wire.Boolean(
        metadata={
            "description": "Encrypt the machines' disks with keys stored by Omni; fixed once the cluster exists",
            "example": False,
        }
    )
    use_embedded_discovery_service = wire.Boolean(
        metadata={"description": "Let members find each other through Omni's own discovery service", "example": False}
    )
    enable_node_audit_skip = wire.Boolean(
        metadata={
            "description": "Whether the annotation `omni.sidero.dev/node-audit-skip` of a Kubernetes node keeps Omni"
            " from removing it as a stray one",
            "example": False,
        }
    )
    disable_public_discovery_service = wire.Boolean(
        metadata={
            "description": "Do not use the public discovery service; needs the embedded one, and a cluster"
            " created with Talos 1.14 or later",
            "example": False,
        }
    )
    workload_proxy = wire.Boolean(
        dump_only=True,
        attribute="enable_workload_proxy",
        metadata={"description": "Second name of `enable_workload_proxy`; can be written too", "example": True},
    )

    @ma.pre_load
    def take_second_name(self, data: Any, **_: Any) -> Any:
        """Rename ``workload_proxy`` to ``enable_workload_proxy``; raise for both if they disagree."""
        if not isinstance(data, Mapping) or "workload_proxy" not in data:
            return data
        renamed = {key: value for key, value in data.items() if key != "workload_proxy"}
        second = data["workload_proxy"]
        first = renamed.setdefault("enable_workload_proxy", second)
        if second is not None and not alike(first, second):
            raise ma.ValidationError(
                {
                    "workload_proxy": ["Another name of 'enable_workload_proxy', which has another value."],
                    "enable_workload_proxy": ["Another name of 'workload_proxy', which has another value."],
                }
            )
        return renamed


class ClusterBackupsSchema(SpecSchema):
    """Settings of etcd's backups."""

    interval = wire.Duration(
        metadata={
            "description": "Time between two backups, e.g. `1h30m`; Omni sets the limits, answers are in seconds",
            "example": "3600s",
        }
    )
    enabled = wire.Boolean(metadata={"description": "Whether backups are made at that interval", "example": True})


def _version(what: str) -> Version:
    return Version(
        metadata={
            "description": f"{what} version without a leading `v` (a leading `v` is removed). Left out on POST:"
            " the newest that Omni offers and that is compatible with the other version",
            "example": "1.13.7" if what == "Talos" else "1.35.6",
        }
    )


class ClusterSchema(ResourceSchema):
    """A Kubernetes cluster that Omni runs.

    A POST may contain what a cluster template has, too (``control_plane``, ``workers``, ``config_patches`` …): one call
    then creates a working cluster, or nothing.
    """

    kubernetes_version = _version("Kubernetes")
    talos_version = _version("Talos")
    features = wire.Message(
        ClusterFeaturesSchema, metadata={"description": "Features of the cluster, each off unless set"}
    )
    backup_configuration = wire.Message(
        ClusterBackupsSchema, metadata={"description": "Automatic backups of etcd; null: none are made"}
    )

    workload_proxy = wire.Boolean(
        dump_only=True,
        metadata={
            "description": "Second name of `features.enable_workload_proxy`; can be written too",
            "example": True,
        },
    )
    disk_encryption = wire.Boolean(
        dump_only=True,
        metadata={"description": "Second name of `features.disk_encryption`; can be written too", "example": False},
    )

    control_plane = wire.Message(
        NewControlPlaneSchema,
        load_only=True,
        metadata={
            "description": "On POST only: the control plane's machines",
            "example": {"machines": ["10001802-c798-4da7-a410-f09abb48c8d8"]},
        },
    )
    workers = fields.List(
        fields.Nested(NewWorkersSchema),
        load_only=True,
        allow_none=True,
        validate=validate.Length(max=MAX_WORKER_SETS),
        metadata={
            "description": "On POST only: sets of workers",
            "example": [{"machine_class": "small", "machine_count": 2}],
        },
    )
    config_patches = fields.List(
        fields.Nested(NewConfigPatchSchema),
        load_only=True,
        allow_none=True,
        validate=validate.Length(max=MAX_PATCHES),
        metadata={
            "description": "On POST only: Talos configuration patches for all of the cluster's machines",
            "example": [{"name": "sysctls", "data": 'machine:\n  sysctls:\n    vm.swappiness: "10"\n'}],
        },
    )

    machines = fields.List(
        fields.Nested(NewMachineSchema),
        load_only=True,
        allow_none=True,
        validate=validate.Length(max=MAX_MACHINES),
        metadata={
            "description": "On POST only: options of single machines, which the sets name",
            "example": [{"id": "10001802-c798-4da7-a410-f09abb48c8d8", "install_disk": "/dev/nvme0n1"}],
        },
    )
    manifests = fields.List(
        fields.Nested(NewManifestSchema),
        load_only=True,
        allow_none=True,
        validate=validate.Length(max=MAX_PATCHES),
        metadata={"description": "On POST only: Kubernetes manifests that Omni applies to the cluster, in order"},
    )
    health_checks = fields.List(
        fields.Nested(NewHealthCheckSchema),
        load_only=True,
        allow_none=True,
        validate=validate.Length(max=MAX_PATCHES),
        metadata={"description": "On POST only: Kubernetes Jobs that have to succeed before an upgrade goes on"},
    )
    system_extensions = system_extensions("of all machines, on POST only", load_only=True)
    kernel_args = kernel_args("of all machines that the sets name, on POST only", load_only=True)

    aliases: ClassVar[dict[str, str]] = {
        "workload_proxy": "features.enable_workload_proxy",
        "disk_encryption": "features.disk_encryption",
    }
    request_only: ClassVar[frozenset[str]] = frozenset(
        {
            "config_patches",
            "control_plane",
            "health_checks",
            "kernel_args",
            "machines",
            "manifests",
            "system_extensions",
            "workers",
        }
    )

    def without_aliases(self, document: Mapping[str, Any], *, null_counts: bool = True) -> dict[str, Any]:
        """Move second names to their first, also inside ``features``, for a merge patch may use them there."""
        result = super().without_aliases(document, null_counts=null_counts)
        features = result.get("features")
        if isinstance(features, Mapping) and "workload_proxy" in features and "enable_workload_proxy" not in features:
            renamed = {"workload_proxy": "enable_workload_proxy"}
            result["features"] = {renamed.get(key, key): value for key, value in features.items()}
        return result


EXAMPLE: dict[str, Any] = {
    "id": "my-cluster",
    "talos_version": "1.13.7",
    "kubernetes_version": "1.35.6",
    "features": {"enable_workload_proxy": True},
    "labels": {"env": "staging"},
}
