"""Schemas of ongoing tasks."""

from __future__ import annotations

from enum import IntEnum

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import enums


class RotationPhase(IntEnum):
    """``specs.SecretRotationSpec.Phase``."""

    OK = 0
    PRE_ROTATE = 1
    ROTATE = 2
    POST_ROTATE = 3


class RotationComponent(IntEnum):
    """``specs.SecretRotationSpec.Component``."""

    NONE = 0
    TALOS_CA = 1
    KUBERNETES_CA = 2


class OngoingTaskTalosUpgradeStatusSchema(SpecSchema):
    """Ongoing task talos upgrade status (``specs.TalosUpgradeStatusSpec``)."""

    phase = wire.Enum(enums.TalosUpgradePhase)
    error = fields.String()
    step = fields.String()
    status = fields.String()
    last_upgrade_version = fields.String()
    current_upgrade_version = fields.String()
    upgrade_versions = fields.List(fields.String())


class OngoingTaskKubernetesUpgradeStatusSchema(SpecSchema):
    """Ongoing task kubernetes upgrade status (``specs.KubernetesUpgradeStatusSpec``)."""

    phase = wire.Enum(enums.KubernetesUpgradePhase)
    error = fields.String()
    step = fields.String()
    status = fields.String()
    last_upgrade_version = fields.String()
    current_upgrade_version = fields.String()
    upgrade_versions = fields.List(fields.String())


class OngoingTaskDestroyStatusSchema(SpecSchema):
    """Ongoing task destroy status (``specs.DestroyStatusSpec``)."""

    phase = fields.String()


class OngoingTaskMachineUpgradeStatusSchema(SpecSchema):
    """Ongoing task machine upgrade status (``specs.MachineUpgradeStatusSpec``)."""

    schematic_id = fields.String()
    talos_version = fields.String()
    current_schematic_id = fields.String()
    current_talos_version = fields.String()
    phase = wire.Enum(enums.MachineUpgradePhase)
    status = fields.String()
    error = fields.String()
    is_maintenance = wire.Boolean()


class OngoingTaskClusterSecretsRotationStatusSchema(SpecSchema):
    """Ongoing task cluster secrets rotation status (``specs.ClusterSecretsRotationStatusSpec``)."""

    phase = wire.Enum(RotationPhase)
    component = wire.Enum(RotationComponent)
    error = fields.String()
    step = fields.String()
    status = fields.String()


class OngoingTaskSchema(ResourceSchema):
    """An ongoing task of Omni; `task_type` names the member with its details."""

    title = fields.String()
    task_type = fields.String(dump_only=True, metadata={"description": "Which of the next members is set"})
    talos_upgrade = wire.Message(OngoingTaskTalosUpgradeStatusSchema)
    kubernetes_upgrade = wire.Message(OngoingTaskKubernetesUpgradeStatusSchema)
    destroy = wire.Message(OngoingTaskDestroyStatusSchema)
    machine_upgrade = wire.Message(OngoingTaskMachineUpgradeStatusSchema)
    secrets_rotation = wire.Message(OngoingTaskClusterSecretsRotationStatusSchema)
    resource_id = fields.String()
