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
    machine_id = fields.String(dump_only=True, metadata={"description": "Second name of the id; can be written too"})
    machineset = fields.String(load_only=True, metadata={"description": "On POST: the machine set that it joins"})
    kubernetes_version = fields.String()


class ClusterMachineProvisionStatusSchema(SpecSchema):
    """Cluster machine provision status (``specs.ClusterMachineStatusSpec.ProvisionStatus``)."""

    provider_id = fields.String()
    request_id = fields.String()


class ClusterMachineStatusSchema(ResourceSchema):
    """Status of a cluster machine."""

    ready = wire.Boolean()
    apid_available = wire.Boolean(
        dump_only=True,
        metadata={
            "description": "Whether Talos' API answers on a control plane; derived, since Omni 1.9 no longer reports it"
        },
    )
    stage = wire.Enum(ClusterMachineStage)
    config_up_to_date = wire.Boolean()
    last_config_error = fields.String()
    management_address = fields.String()
    config_apply_status = wire.Enum(ClusterMachineConfigApplyStatus)
    is_removed = wire.Boolean()
    provision_status = wire.Message(ClusterMachineProvisionStatusSchema)


class ClusterMachineConfigStatusSchema(ResourceSchema):
    """The configuration that a cluster machine has applied; secrets are redacted by Omni."""

    cluster_machine_config_version = fields.String()
    cluster_machine_config_sha256 = fields.String()
    last_config_error = fields.String()
    talos_version = fields.String()
    schematic_id = fields.String()
    redacted_current_machine_config = fields.String()
    compressed_redacted_machine_config = fields.String()
    pre_reboot_boot_id = fields.String()
    applied_high_priority_config_hash = fields.String()
    image_factory_host = fields.String()


class ClusterMachineTalosVersionSchema(ResourceSchema):
    """The wanted Talos version of a cluster machine."""

    talos_version = fields.String()
    schematic_id = fields.String()


class ClusterMachineConfigSchema(ResourceSchema):
    """The configuration of a cluster machine, its secrets redacted by Omni."""

    data = fields.String()
    compressed_data = fields.String()


class ClusterMachineIdentitySchema(ResourceSchema):
    """Identity of a cluster machine inside its cluster."""

    node_identity = fields.String()
    etcd_member_id = wire.Int64()
    nodename = fields.String()
    node_ips = fields.List(fields.String())
    discovery_service_endpoint = fields.String()
    discovery_service_endpoints = fields.List(fields.String())


class ClusterMachineUpgradeSchema(SpecSchema):
    """Cluster machine upgrade (``specs.MachinePendingUpdatesSpec.Upgrade``)."""

    from_schematic = fields.String()
    to_schematic = fields.String()
    from_version = fields.String()
    to_version = fields.String()


class ClusterMachinePendingUpdatesSchema(ResourceSchema):
    """Pending updates of a cluster machine."""

    upgrade = wire.Message(ClusterMachineUpgradeSchema)
    config_diff = fields.String()
    compressed_config_diff = fields.String()
