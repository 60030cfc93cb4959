"""Schemas of the statuses that Omni's controllers write for a cluster; all fields are read-only."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import enums


class ConditionType(IntEnum):
    """``specs.ConditionType``."""

    UnknownCondition = 0
    Etcd = 1
    WireguardConnection = 2


class ConditionStatus(IntEnum):
    """``specs.ControlPlaneStatusSpec.Condition.Status``."""

    Unknown = 0
    Ready = 1
    NotReady = 2


class ConditionSeverity(IntEnum):
    """``specs.ControlPlaneStatusSpec.Condition.Severity``."""

    Info = 0
    Warning = 1
    Error = 2


class ClusterMachineCountsSchema(SpecSchema):
    """Counts of a cluster's machines by state."""

    total = wire.Integer(metadata={"description": "Machines that are members"})
    healthy = wire.Integer()
    connected = wire.Integer()
    requested = wire.Integer(metadata={"description": "Machines that the machine sets ask for"})


class ClusterStatusSchema(ResourceSchema):
    """Status of a cluster. ``phase`` RUNNING does not imply health: see ``ready`` and ``kubernetes_api_ready``."""

    available = wire.Boolean(metadata={"description": "The control plane has a machine"})
    machines = wire.Message(ClusterMachineCountsSchema)
    phase = wire.Enum(enums.ClusterPhase)
    ready = wire.Boolean(metadata={"description": "All machine sets are running and ready"})
    kubernetes_api_ready = wire.Boolean(attribute="kubernetesAPIReady")
    controlplane_ready = wire.Boolean(attribute="controlplaneReady")
    has_connected_control_planes = wire.Boolean()
    use_embedded_discovery_service = wire.Boolean()
    talos_version = fields.String()
    kubernetes_version = fields.String()
    disable_public_discovery_service = wire.Boolean()
    initial_talos_version = fields.String(
        metadata={"description": "Talos version at creation; no upgrade may go to an older minor version than this"}
    )
    total = wire.Integer(dump_only=True, metadata={"description": "Second name of `machines.total`"})
    healthy = wire.Integer(dump_only=True, metadata={"description": "Second name of `machines.healthy`"})
    connected = wire.Integer(dump_only=True, metadata={"description": "Second name of `machines.connected`"})
    requested = wire.Integer(dump_only=True, metadata={"description": "Second name of `machines.requested`"})

    aliases: ClassVar[dict[str, str]] = {
        name: f"machines.{name}" for name in ("total", "healthy", "connected", "requested")
    }


class ClusterBootstrapSchema(ResourceSchema):
    """Whether etcd was started; Omni does that by itself, once."""

    bootstrapped = wire.Boolean()


class ClusterEndpointSchema(ResourceSchema):
    """Addresses by which Omni reaches the control plane."""

    management_addresses = fields.List(fields.String(), metadata={"description": "Addresses inside Omni's own network"})


class ControlPlaneConditionSchema(SpecSchema):
    """One condition of a control plane."""

    type = wire.Enum(ConditionType)
    reason = fields.String()
    status = wire.Enum(ConditionStatus)
    severity = wire.Enum(ConditionSeverity)


class ControlPlaneStatusSchema(ResourceSchema):
    """Conditions of the control plane; the id is the machine set's, ``<cluster>-control-planes``."""

    conditions = fields.List(fields.Nested(ControlPlaneConditionSchema))


class NodeDiagnosticsSchema(SpecSchema):
    """A machine with Talos diagnostics."""

    id = fields.String(metadata={"description": "Machine id"})
    num_diagnostics = wire.Integer(metadata={"description": "How many warnings"})


class ClusterDiagnosticsSchema(ResourceSchema):
    """Machines with Talos diagnostics; empty if there are none."""

    nodes = fields.List(fields.Nested(NodeDiagnosticsSchema))


class ClusterDestroyStatusSchema(ResourceSchema):
    """Progress of a cluster's removal; exists only during the removal."""

    phase = fields.String(
        metadata={"description": "What remains to be removed, in Omni's words; for people, do not parse"}
    )


class ClusterWorkloadProxyStatusSchema(ResourceSchema):
    """Services of a cluster exposed by Omni's workload proxy."""

    num_exposed_services = wire.Integer()
