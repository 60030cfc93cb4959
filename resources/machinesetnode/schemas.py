"""A machine set node as callers read and write it; all of its data is in its labels."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema


class MachineSetNodeSchema(ResourceSchema):
    """A machine that belongs to a machine set. Its id is the machine's, its labels name cluster, machine set and role.

    The machine set is enough: cluster and role are completed from it.
    """

    request_only = frozenset({"machineset"})
    machineset = fields.String(
        load_only=True,
        metadata={
            "description": "On POST: id of the machine set that the machine joins, instead of the label"
            " `omni.sidero.dev/machine-set`",
            "example": "my-cluster-workers",
        },
    )
