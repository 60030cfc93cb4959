"""Schemas of a cluster machine and of its sub-resources."""

from __future__ import annotations

from enum import IntEnum

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire


class ClusterMachineStage(IntEnum):
    """Values of ``ClusterMachineStage``."""

    UNKNOWN = 0
    BOOTING = 1
    INSTALLING = 2
    UPGRADING = 6
    CONFIGURING = 3
    RUNNING = 4
    REBOOTING = 7
    SHUTTING_DOWN = 8
    BEFORE_DESTROY = 9
    DESTROYING = 5
    POWERING_ON = 10
    POWERED_OFF = 11


class ClusterMachineConfigApplyStatus(IntEnum):
    """Values of ``ClusterMachineConfigApplyStatus``."""

    UNKNOWN = 0
    PENDING = 1
    APPLIED = 2
    FAILED = 3


class ClusterMachineSchema(ResourceSchema):
    """A machine as a member of a cluster; Omni makes it from a machine set node."""

    aliases = {"machine_id": "id"}
    request_only = frozenset({"machineset"})
    machine_id = fields.String(
        dump_only=True,
        metadata={
            "description": "Id of the machine; second name of the id, can be written too",
            "example": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
        },
    )
    machineset = fields.String(
        load_only=True,
        metadata={
            "description": "On POST: id of the machine set that the machine joins",
            "example": "my-cluster-workers",
        },
    )
    kubernetes_version = fields.String(
        metadata={
            "description": "Kubernetes version that the machine joined the cluster with; upgrades do not change it",
            "example": "1.35.6",
        }
    )


class ClusterMachineProvisionStatusSchema(SpecSchema):
    """The machine request that a machine was created for (``specs.ClusterMachineStatusSpec.ProvisionStatus``)."""

    provider_id = fields.String(
        metadata={"description": "Id of the infrastructure provider that created the machine", "example": "bare-metal"}
    )
    request_id = fields.String(
        metadata={"description": "Id of the machine request that the provider created it for", "example": "metal-1"}
    )


class ClusterMachineStatusSchema(ResourceSchema):
    """Status of a cluster machine."""

    ready = wire.Boolean(
        metadata={
            "description": "Whether the machine is connected and all of its services are healthy",
            "example": True,
        }
    )
    apid_available = wire.Boolean(
        dump_only=True,
        metadata={
            "description": "Whether Talos' API answers on a control plane; derived, since Omni 1.9 no longer"
            " reports it",
            "example": True,
        },
    )
    stage = wire.Enum(
        ClusterMachineStage,
        metadata={
            "description": "What the machine does, as Talos reports it; BEFORE_DESTROY and DESTROYING: it leaves the"
            " cluster",
            "example": "RUNNING",
        },
    )
    config_up_to_date = wire.Boolean(
        metadata={
            "description": "Whether the machine runs the configuration and the image that Omni wants",
            "example": True,
        }
    )
    last_config_error = fields.String(
        metadata={"description": "Why the machine refused its configuration last; empty if it did not", "example": ""}
    )
    management_address = fields.String(
        metadata={
            "description": "Address of the machine in SideroLink, Omni's WireGuard network",
            "example": "fdae:41e4:649b:9303:7396:c9b4:213a:2a86",
        }
    )
    config_apply_status = wire.Enum(
        ClusterMachineConfigApplyStatus,
        metadata={
            "description": "`APPLIED`: the configuration is up to date; `PENDING`: it is not yet; `FAILED`: the"
            " machine refused it",
            "example": "APPLIED",
        },
    )
    is_removed = wire.Boolean(
        metadata={"description": "Whether the machine has been removed from Omni", "example": False}
    )
    provision_status = wire.Message(
        ClusterMachineProvisionStatusSchema,
        metadata={"description": "Where the machine comes from, if an infrastructure provider created it; else null"},
    )


class ClusterMachineConfigStatusSchema(ResourceSchema):
    """The configuration that a cluster machine has applied; secrets are redacted by Omni."""

    cluster_machine_config_version = fields.String(
        metadata={"description": "`metadata.version` of the configuration that was applied last", "example": "3"}
    )
    cluster_machine_config_sha256 = fields.String(
        metadata={
            "description": "SHA-256 of the configuration that was applied last",
            "example": "5f3c8a1d9b7e4c2f6a0d8e1b3c5f7a9d2e4b6c8f0a1d3e5b7c9f2a4d6e8b0c1d",
        }
    )
    last_config_error = fields.String(
        metadata={"description": "Why the machine refused its configuration last; empty if it did not", "example": ""}
    )
    talos_version = fields.String(
        metadata={"description": "Talos version that Omni installed last", "example": "1.13.7"}
    )
    schematic_id = fields.String(
        metadata={
            "description": "Id of the schematic whose image Omni installed last",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    redacted_current_machine_config = fields.String(
        metadata={
            "description": "The configuration that was applied last, as YAML; Omni redacts its secrets",
            "example": "version: v1alpha1\nmachine:\n  type: worker\n",
        }
    )
    compressed_redacted_machine_config = fields.String(
        metadata={
            "description": "Omni's compressed form of `redacted_current_machine_config`; empty, since Omni answers"
            " the text",
            "example": "",
        }
    )
    pre_reboot_boot_id = fields.String(
        metadata={
            "description": "Boot id of the machine when Omni last had it reboot, until it has; empty when none is"
            " awaited",
            "example": "",
        }
    )
    applied_high_priority_config_hash = fields.String(
        metadata={
            "description": "Hash of the documents that are applied before an installation: registry credentials,"
            " trusted roots",
            "example": "",
        }
    )
    image_factory_host = fields.String(
        metadata={
            "description": "Host of the image factory that the installed image came from",
            "example": "factory.talos.dev",
        }
    )


class ClusterMachineTalosVersionSchema(ResourceSchema):
    """The wanted Talos version of a cluster machine."""

    talos_version = fields.String(
        metadata={
            "description": "Talos version that Omni wants on the machine, without a leading `v`",
            "example": "1.13.7",
        }
    )
    schematic_id = fields.String(
        metadata={
            "description": "Id of the schematic whose image Omni wants on the machine",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )


class ClusterMachineConfigSchema(ResourceSchema):
    """The configuration of a cluster machine, its secrets redacted by Omni."""

    data = fields.String(
        metadata={
            "description": "The Talos configuration that Omni generates for the machine, as YAML; Omni redacts its"
            " secrets",
            "example": "version: v1alpha1\nmachine:\n  type: worker\n",
        }
    )
    compressed_data = fields.String(
        metadata={"description": "Omni's compressed form of `data`; empty, since Omni answers the text", "example": ""}
    )


class ClusterMachineIdentitySchema(ResourceSchema):
    """Identity of a cluster machine inside its cluster."""

    node_identity = fields.String(
        metadata={
            "description": "Identity of the Talos node, by which members of a cluster discover each other",
            "example": "8gjS2pXnQKq4d7RkVh0bTzL5wYc1mEoU3aFiN6sPvJ9",
        }
    )
    etcd_member_id = wire.Int64(
        metadata={"description": "Id of the machine's etcd member, a 64-bit number; 0 for workers", "example": 0}
    )
    nodename = fields.String(metadata={"description": "Name of the Kubernetes node", "example": "node-1"})
    node_ips = fields.List(
        fields.String(), metadata={"description": "Addresses of the Kubernetes node", "example": ["10.0.0.5"]}
    )
    discovery_service_endpoint = fields.String(
        metadata={
            "description": "URL of the first discovery service that the node registers with; empty without one",
            "example": "https://discovery.talos.dev:443",
        }
    )
    discovery_service_endpoints = fields.List(
        fields.String(),
        metadata={
            "description": "URLs of all discovery services that the node registers with",
            "example": ["https://discovery.talos.dev:443"],
        },
    )


class ClusterMachineUpgradeSchema(SpecSchema):
    """A pending change of Talos version or image (``specs.MachinePendingUpdatesSpec.Upgrade``)."""

    from_schematic = fields.String(
        metadata={
            "description": "Id of the schematic that the machine runs",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    to_schematic = fields.String(
        metadata={
            "description": "Id of the schematic that the machine will run",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    from_version = fields.String(metadata={"description": "Talos version that the machine runs", "example": "1.13.6"})
    to_version = fields.String(metadata={"description": "Talos version that the machine will run", "example": "1.13.7"})


class ClusterMachinePendingUpdatesSchema(ResourceSchema):
    """Pending updates of a cluster machine."""

    upgrade = wire.Message(
        ClusterMachineUpgradeSchema,
        metadata={"description": "The pending change of Talos version or image; null if there is none"},
    )
    config_diff = fields.String(
        metadata={
            "description": "Unified diff of the pending change of the Talos configuration; Omni redacts its secrets",
            "example": "",
        }
    )
    compressed_config_diff = fields.String(
        metadata={
            "description": "Omni's compressed form of `config_diff`; empty, since Omni answers the text",
            "example": "",
        }
    )
