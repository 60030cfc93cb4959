"""A configuration patch as callers read and write it (``specs.ConfigPatchSpec``)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import label_names

MAX_DATA_BYTES = 2 * 1024 * 1024


def _data() -> fields.String:
    return fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAX_DATA_BYTES),
        metadata={
            "description": "A Talos configuration patch as plain text: YAML (one or more documents) or a JSON object",
            "example": 'machine:\n  sysctls:\n    vm.swappiness: "10"\n',
        },
    )


class ConfigPatchSchema(ResourceSchema):
    """A patch of the Talos configuration of a cluster's machines.

    Its labels name the target: `omni.sidero.dev/cluster` alone means every machine of that cluster; together with
    `omni.sidero.dev/machine-set` or `omni.sidero.dev/cluster-machine` (a machine's id), only those. The label
    `omni.sidero.dev/machine` alone means one machine, in whatever cluster it is. Patches apply in that order, and
    within one of these layers in the order of their ids.
    """

    data = _data()

    aliases = {
        "cluster": f"labels:{label_names.LABEL_CLUSTER}",
        "machineset": f"labels:{label_names.LABEL_MACHINE_SET}",
        "machine": f"labels:{label_names.LABEL_CLUSTER_MACHINE}",
    }
    cluster = fields.String(
        dump_only=True,
        metadata={
            "description": "Id of the cluster; second name of the label `omni.sidero.dev/cluster`, can be written too",
            "example": "my-cluster",
        },
    )
    machineset = fields.String(
        dump_only=True,
        metadata={
            "description": "Id of the machine set; second name of the label `omni.sidero.dev/machine-set`, can be"
            " written too",
            "example": "my-cluster-workers",
        },
    )
    machine = fields.String(
        dump_only=True,
        metadata={
            "description": "Id of the machine; second name of the label `omni.sidero.dev/cluster-machine`, can be"
            " written too",
            "example": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
        },
    )


class ConfigPatchValidateActionSchema(SpecSchema):
    """A patch to validate."""

    data = _data()


class ConfigPatchValiditySchema(SpecSchema):
    """Omni's result; a patch that it would refuse is a 422 with its reason."""

    valid = wire.Boolean(
        metadata={
            "description": "Always true: a patch that Omni would refuse is a 422 with its reason",
            "example": True,
        }
    )


EXAMPLE: dict[str, Any] = {
    "id": "500-my-cluster-sysctls",
    "data": 'machine:\n  sysctls:\n    vm.swappiness: "10"\n',
    "labels": {label_names.LABEL_CLUSTER: "my-cluster"},
    "annotations": {"name": "sysctls"},
}
