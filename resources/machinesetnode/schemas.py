"""A machine set node as callers read and write it; all it says is in its labels."""

from __future__ import annotations

from omni_gateway.sdk import ResourceSchema


class MachineSetNodeSchema(ResourceSchema):
    """A machine that belongs to a machine set. Its id is the machine's, its labels name cluster and machine set."""
