"""Schemas of ongoing tasks."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import enums

#: Members of the spec; each task has exactly one.
TASK_TYPES = ("talos_upgrade", "kubernetes_upgrade", "destroy", "machine_upgrade", "secrets_rotation")


class OngoingTaskTalosUpgradeStatusSchema(SpecSchema):
    """Progress of a cluster's Talos upgrade (``specs.TalosUpgradeStatusSpec``)."""

    phase = wire.Enum(
        enums.TalosUpgradePhase,
        metadata={
            "description": "Where the upgrade stands; `UpdatingMachineSchematics`: only the image changes, e.g. its"
            " extensions",
            "example": "Upgrading",
        },
    )
    error = fields.String(
        metadata={"description": "Why the upgrade failed; empty unless `phase` is `Failed`", "example": ""}
    )
    step = fields.String(
        metadata={"description": "The current step in Omni's words; for people, do not parse", "example": ""}
    )
    status = fields.String(
        metadata={"description": "Progress of the step in Omni's words; for people, do not parse", "example": ""}
    )
    last_upgrade_version = fields.String(
        metadata={"description": "The version of the last upgrade that has ended", "example": "1.13.6"}
    )
    current_upgrade_version = fields.String(
        metadata={"description": "The version that the cluster is being moved to; empty at rest", "example": "1.13.7"}
    )
    upgrade_versions = fields.List(
        fields.String(),
        metadata={"description": "Versions that an upgrade could go to now; empty during an upgrade", "example": []},
    )


class OngoingTaskKubernetesUpgradeStatusSchema(SpecSchema):
    """Progress of a cluster's Kubernetes upgrade (``specs.KubernetesUpgradeStatusSpec``)."""

    phase = wire.Enum(
        enums.KubernetesUpgradePhase,
        metadata={
            "description": "Where the upgrade stands; `Reverting`: on the way back to the former version",
            "example": "Upgrading",
        },
    )
    error = fields.String(
        metadata={"description": "Why the upgrade failed; empty unless `phase` is `Failed`", "example": ""}
    )
    step = fields.String(
        metadata={"description": "The current step in Omni's words; for people, do not parse", "example": ""}
    )
    status = fields.String(
        metadata={"description": "Progress of the step in Omni's words; for people, do not parse", "example": ""}
    )
    last_upgrade_version = fields.String(
        metadata={"description": "The version of the last upgrade that has ended", "example": "1.35.6"}
    )
    current_upgrade_version = fields.String(
        metadata={"description": "The version that the cluster is being moved to; empty at rest", "example": "1.36.0"}
    )
    upgrade_versions = fields.List(
        fields.String(),
        metadata={"description": "Versions that an upgrade could go to now; empty during an upgrade", "example": []},
    )


class OngoingTaskDestroyStatusSchema(SpecSchema):
    """Progress of a cluster's removal (``specs.DestroyStatusSpec``)."""

    phase = fields.String(
        metadata={
            "description": "What remains to be removed, in Omni's words; for people, do not parse",
            "example": "Destroying: 2 machine sets, 3 machines",
        }
    )


class OngoingTaskMachineUpgradeStatusSchema(SpecSchema):
    """Progress of the change of one machine's image (``specs.MachineUpgradeStatusSpec``)."""

    schematic_id = fields.String(
        metadata={
            "description": "Id of the schematic that Omni wants on the machine",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    talos_version = fields.String(
        metadata={"description": "Talos version of the wanted image, with a leading `v`", "example": "v1.13.7"}
    )
    current_schematic_id = fields.String(
        metadata={
            "description": "Id of the schematic that the machine runs",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    current_talos_version = fields.String(
        metadata={"description": "Talos version that the machine runs, with a leading `v`", "example": "v1.13.7"}
    )
    phase = wire.Enum(
        enums.MachineUpgradePhase,
        metadata={"description": "`Pending`: the upgrade has to come; `Upgrading`: it runs", "example": "Upgrading"},
    )
    status = fields.String(
        metadata={
            "description": "Present step, or what the upgrade waits for, in Omni's words; for people, do not parse",
            "example": "Talos upgrade initiated",
        }
    )
    error = fields.String(metadata={"description": "Why the last attempt failed; empty if none did", "example": ""})
    is_maintenance = wire.Boolean(
        metadata={
            "description": "Whether the machine is in maintenance mode, where Omni upgrades it without a cluster",
            "example": False,
        }
    )


class OngoingTaskClusterSecretsRotationStatusSchema(SpecSchema):
    """Progress of the replacement of a certificate authority (``specs.ClusterSecretsRotationStatusSpec``)."""

    phase = wire.Enum(
        enums.SecretRotationPhase,
        metadata={
            "description": "Step of the rotation: `PRE_ROTATE` trusts the new CA too, `ROTATE` issues by it,"
            " `POST_ROTATE` ends trust in the old one",
            "example": "ROTATE",
        },
    )
    component = wire.Enum(
        enums.SecretRotationComponent,
        metadata={"description": "The certificate authority that is being replaced", "example": "TALOS_CA"},
    )
    error = fields.String(metadata={"description": "Why the rotation failed; empty if it did not", "example": ""})
    step = fields.String(
        metadata={"description": "The current step in Omni's words; for people, do not parse", "example": ""}
    )
    status = fields.String(
        metadata={
            "description": "Progress of the step in Omni's words; for people, do not parse",
            "example": "rotation phase ROTATE 1/3",
        }
    )


class OngoingTaskSchema(ResourceSchema):
    """An ongoing task of Omni; `task_type` names the member with its details."""

    title = fields.String(
        metadata={
            "description": "What is being done, and to which object; for people",
            "example": "Destroying Cluster my-cluster",
        }
    )
    task_type = fields.String(
        dump_only=True,
        metadata={
            "enum": [*TASK_TYPES, ""],
            "description": "Name of the member with the details, the only one of the next five that is set; empty: a"
            " kind of task that this gateway does not know",
            "example": "destroy",
        },
    )
    talos_upgrade = wire.Message(
        OngoingTaskTalosUpgradeStatusSchema,
        metadata={"description": "Progress of a cluster's Talos upgrade; null for other tasks"},
    )
    kubernetes_upgrade = wire.Message(
        OngoingTaskKubernetesUpgradeStatusSchema,
        metadata={"description": "Progress of a cluster's Kubernetes upgrade; null for other tasks"},
    )
    destroy = wire.Message(
        OngoingTaskDestroyStatusSchema,
        metadata={"description": "Progress of a cluster's removal; null for other tasks"},
    )
    machine_upgrade = wire.Message(
        OngoingTaskMachineUpgradeStatusSchema,
        metadata={"description": "Progress of the change of one machine's image; null for other tasks"},
    )
    secrets_rotation = wire.Message(
        OngoingTaskClusterSecretsRotationStatusSchema,
        metadata={
            "description": "Progress of the replacement of a cluster's certificate authority; null for other tasks"
        },
    )
    resource_id = fields.String(
        metadata={"description": "Id of the cluster or machine that the task is about", "example": "my-cluster"}
    )
