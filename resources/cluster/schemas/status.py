"""Schemas of the statuses that Omni's controllers write for a cluster; all fields are read-only."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import enums, label_names


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


#: Label of a ClusterStatus → the taint's name here.
TAINTS = {
    label_names.LABEL_TAINTED_BY_BREAK_GLASS: "break-glass",
    label_names.LABEL_TAINTED_BY_EXPORTING: "exporting",
    label_names.LABEL_TAINTED_BY_IMPORTING: "importing",
}


class ClusterMachineCountsSchema(SpecSchema):
    """Counts of a cluster's machines by state."""

    total = wire.Integer(metadata={"description": "Machines that are members", "example": 3})
    healthy = wire.Integer(
        metadata={"description": "Members in the stage RUNNING that report all services ready", "example": 3}
    )
    connected = wire.Integer(metadata={"description": "Members that are connected to Omni", "example": 3})
    requested = wire.Integer(metadata={"description": "Machines that the machine sets ask for", "example": 3})


class ClusterStatusSchema(ResourceSchema):
    """Status of a cluster. ``phase`` RUNNING does not imply health: see ``ready`` and ``kubernetes_api_ready``."""

    available = wire.Boolean(metadata={"description": "Whether the control plane has a machine", "example": True})
    machines = wire.Message(
        ClusterMachineCountsSchema,
        metadata={"description": "Numbers of machines, of all machine sets together; null before Omni has counted"},
    )
    phase = wire.Enum(
        enums.ClusterPhase,
        metadata={
            "description": "What the machine sets do: scale, run or go; DESTROYING while the cluster is being removed",
            "example": "RUNNING",
        },
    )
    ready = wire.Boolean(metadata={"description": "Whether all machine sets are running and ready", "example": True})
    kubernetes_api_ready = wire.Boolean(
        attribute="kubernetesAPIReady",
        metadata={
            "description": "Whether the load balancer reaches the Kubernetes API of a control plane",
            "example": True,
        },
    )
    controlplane_ready = wire.Boolean(
        attribute="controlplaneReady",
        metadata={
            "description": "Whether the control plane's machine set is ready and all its conditions"
            " (`controlplane-status`) are",
            "example": True,
        },
    )
    has_connected_control_planes = wire.Boolean(
        metadata={"description": "Whether a machine of the control plane is connected to Omni", "example": True}
    )
    use_embedded_discovery_service = wire.Boolean(
        metadata={
            "description": "Whether the cluster uses Omni's own discovery service: its feature, if this Omni has the"
            " service",
            "example": False,
        }
    )
    talos_version = fields.String(
        metadata={"description": "Talos version in the cluster's spec, without a leading `v`", "example": "1.13.7"}
    )
    kubernetes_version = fields.String(
        metadata={"description": "Kubernetes version in the cluster's spec, without a leading `v`", "example": "1.35.6"}
    )
    disable_public_discovery_service = wire.Boolean(
        metadata={"description": "Whether the public discovery service is off for this cluster", "example": False}
    )
    initial_talos_version = fields.String(
        metadata={
            "description": "Talos version at creation; no upgrade may go to an older minor version than this",
            "example": "1.13.7",
        }
    )
    taints = fields.List(
        fields.String(metadata={"enum": [*TAINTS.values()]}),
        dump_only=True,
        metadata={
            "description": "Why others than Omni may hold secrets of the cluster: `break-glass`: a file that bypasses"
            " Omni was given out; `importing`: its secrets were imported; `exporting`: it is being exported. New"
            " authorities of Talos and Kubernetes (`rotate-talos-ca`, `rotate-kubernetes-ca`) end the first two",
            "example": ["break-glass"],
        },
    )
    total = wire.Integer(dump_only=True, metadata={"description": "Second name of `machines.total`", "example": 3})
    healthy = wire.Integer(dump_only=True, metadata={"description": "Second name of `machines.healthy`", "example": 3})
    connected = wire.Integer(
        dump_only=True, metadata={"description": "Second name of `machines.connected`", "example": 3}
    )
    requested = wire.Integer(
        dump_only=True, metadata={"description": "Second name of `machines.requested`", "example": 3}
    )

    aliases: ClassVar[dict[str, str]] = {
        name: f"machines.{name}" for name in ("total", "healthy", "connected", "requested")
    }


class ClusterSecretsRotationStatusSchema(ResourceSchema):
    """Where the replacement of a cluster's certificate authority stands, one authority at a time."""

    phase = wire.Enum(
        enums.SecretRotationPhase,
        metadata={
            "description": "`OK` at rest; `PRE_ROTATE`: machines come to trust the new authority too; `ROTATE`: they"
            " get certificates of the new one; `POST_ROTATE`: they trust the old one no more",
            "example": "ROTATE",
        },
    )
    component = wire.Enum(
        enums.SecretRotationComponent,
        metadata={"description": "The certificate authority that is being replaced", "example": "TALOS_CA"},
    )
    error = fields.String(metadata={"description": "Why the rotation does not go on; empty if it does", "example": ""})
    step = fields.String(
        metadata={
            "description": "The current step in Omni's words; for people, do not parse",
            "example": "rotating secret for machines: [node-1]",
        }
    )
    status = fields.String(
        metadata={
            "description": "Progress of the phase in Omni's words; for people, do not parse",
            "example": "rotation phase ROTATE 1/3",
        }
    )


class ClusterBootstrapSchema(ResourceSchema):
    """Whether etcd was started; Omni does that by itself, once."""

    bootstrapped = wire.Boolean(metadata={"description": "Whether etcd has been started", "example": True})


class ClusterEndpointSchema(ResourceSchema):
    """Addresses by which Omni reaches the control plane."""

    management_addresses = fields.List(
        fields.String(),
        metadata={
            "description": "Addresses of the control plane's machines in SideroLink, Omni's WireGuard network",
            "example": ["fdae:41e4:649b:9303:7396:c9b4:213a:2a86"],
        },
    )


class ControlPlaneConditionSchema(SpecSchema):
    """One condition of a control plane."""

    type = wire.Enum(
        ConditionType,
        metadata={
            "description": "What the condition is about: etcd's members, or the machines' connection to Omni",
            "example": "Etcd",
        },
    )
    reason = fields.String(
        metadata={"description": "Why the condition is not ready; for people, empty when it is", "example": ""}
    )
    status = wire.Enum(
        ConditionStatus,
        metadata={
            "description": "Whether the condition is met; `Unknown` where a check that comes before it failed",
            "example": "Ready",
        },
    )
    severity = wire.Enum(
        ConditionSeverity, metadata={"description": "How bad it is that the condition is not met", "example": "Info"}
    )


class ControlPlaneStatusSchema(ResourceSchema):
    """Conditions of the control plane; the id is the machine set's, ``<cluster>-control-planes``."""

    conditions = fields.List(
        fields.Nested(ControlPlaneConditionSchema), metadata={"description": "One entry for each kind of check"}
    )


class NodeDiagnosticsSchema(SpecSchema):
    """A machine with Talos diagnostics."""

    id = fields.String(metadata={"description": "Id of the machine", "example": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01"})
    num_diagnostics = wire.Integer(
        metadata={"description": "Number of warnings, which the machine's `diagnostics` has", "example": 1}
    )


class ClusterDiagnosticsSchema(ResourceSchema):
    """Machines with Talos diagnostics; empty if there are none."""

    nodes = fields.List(fields.Nested(NodeDiagnosticsSchema), metadata={"description": "Machines that have warnings"})


class ClusterDestroyStatusSchema(ResourceSchema):
    """Progress of a cluster's removal; exists only during the removal."""

    phase = fields.String(
        metadata={
            "description": "What remains to be removed, in Omni's words; for people, do not parse",
            "example": "Destroying: 2 machine sets, 3 machines",
        }
    )


class ClusterWorkloadProxyStatusSchema(ResourceSchema):
    """Services of a cluster exposed by Omni's workload proxy."""

    num_exposed_services = wire.Integer(
        metadata={"description": "Number of Kubernetes Services that Omni exposes", "example": 1}
    )
