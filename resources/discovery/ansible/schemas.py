"""The query and the inventory."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk import fields as wire
from resources.discovery.machines import MachinesQuery


class AnsibleInventoryQuery(MachinesQuery):
    """Which hosts are listed, and what they are called."""

    names = fields.String(
        load_default="hostname",
        validate=validate.OneOf(("hostname", "id")),
        metadata={
            "description": "What hosts are called: by the machine's host name, or by its id. A machine is called by its"
            " id too where it has no host name, or where another one in the list has the same",
            "example": "id",
        },
    )


class AnsibleHostSchema(SpecSchema):
    """The variables of one host."""

    ansible_host = fields.String(
        metadata={
            "description": "Address: the machine's first one, other than loopback and link-local ones; its address in"
            " SideroLink where none is known",
            "example": "10.0.0.5",
        }
    )
    omni_id = fields.String(
        metadata={"description": "Id of the machine", "example": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01"}
    )
    omni_hostname = fields.String(metadata={"description": "Host name, as Talos has it now", "example": "node-1"})
    omni_cluster = fields.String(
        metadata={"description": "Cluster that it is a member of; empty for a free machine", "example": "my-cluster"}
    )
    omni_machine_set = fields.String(
        metadata={"description": "Machine set that it is in; empty for a free machine", "example": "my-cluster-workers"}
    )
    omni_role = fields.String(
        metadata={"description": "`controlplane`, `worker`, or empty for a free machine", "example": "worker"}
    )
    omni_connected = wire.Boolean(
        metadata={"description": "Whether the machine is connected to Omni now", "example": True}
    )
    omni_maintenance = wire.Boolean(
        metadata={"description": "Whether Talos runs in maintenance mode: without a configuration", "example": False}
    )
    omni_talos_version = fields.String(
        metadata={"description": "Talos version that the machine runs, with a leading `v`", "example": "v1.13.7"}
    )
    omni_addresses = fields.List(
        fields.String(), metadata={"description": "All addresses, without prefix lengths", "example": ["10.0.0.5"]}
    )
    omni_management_address = fields.String(
        metadata={
            "description": "Address in SideroLink, Omni's WireGuard network",
            "example": "fdae:41e4:649b:9303:7396:c9b4:213a:2a86",
        }
    )
    omni_platform = fields.String(metadata={"description": "Talos platform, e.g. `metal`, `aws`", "example": "metal"})
    omni_arch = fields.String(metadata={"description": "Architecture", "example": "amd64"})
    omni_labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Labels that users gave the machine; Omni's own are not among them, nor those with template"
            " syntax of Jinja, which Ansible would evaluate",
            "additionalProperties": {"type": "string"},
            "example": {"rack": "7"},
        },
    )


_HOST = {name: field.metadata["example"] for name, field in AnsibleHostSchema().fields.items()}


class AnsibleMetaSchema(SpecSchema):
    """The variables of all hosts, so that Ansible does not ask for each (`--host`)."""

    hostvars = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(AnsibleHostSchema),
        metadata={"description": "Host → its variables", "example": {"node-1": _HOST}},
    )


class AnsibleGroupSchema(SpecSchema):
    """The group of all groups."""

    children = fields.List(
        fields.String(),
        metadata={
            "description": "Names of all groups",
            "example": ["cluster_my_cluster", "label_rack_7", "machine_set_my_cluster_workers", "role_worker"],
        },
    )


class AnsibleInventorySchema(SpecSchema):
    """The inventory. Each further member is a group by its name, with its `hosts`."""

    class Meta:
        """Groups are named by clusters, machine sets and labels."""

        unknown = ma.INCLUDE

    meta = fields.Nested(AnsibleMetaSchema, data_key="_meta", metadata={"description": "The hosts and their variables"})
    all = fields.Nested(AnsibleGroupSchema, metadata={"description": "The group `all`"})
