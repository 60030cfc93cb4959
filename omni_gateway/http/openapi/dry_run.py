"""The member ``_dry_run`` of answers: what a write would change, beside the object that would result."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields

from omni_gateway.http.fixed_schema import FixedSchema
from omni_gateway.http.openapi.operations import operations
from omni_gateway.http.openapi.shapes import OPTIONAL

MEMBER = "_dry_run"
#: A member of an operation that only this module reads: true if its 200 answer may have the member.
MARK = "x-dry-run"


class JSONPatchOperationSchema(FixedSchema):
    """One operation of a JSON Patch (RFC 6902)."""

    class Meta:
        """Reject fields that are not declared."""

        unknown = ma.RAISE

    optional_in_answers = frozenset({"value"})

    op = fields.String(
        metadata={"description": "Whether the member is new, goes or changes", "enum": ["add", "remove", "replace"]}
    )
    path = fields.String(metadata={"description": "JSON Pointer (RFC 6901) of the member"})
    value = fields.Raw(metadata={"description": "The new value, any JSON; absent for `remove`"})


class PlannedObjectSchema(FixedSchema):
    """Another object that would be created or changed, in Omni's form."""

    class Meta:
        """Reject fields that are not declared."""

        unknown = ma.RAISE

    type = fields.String(metadata={"description": "Omni's resource type"})
    namespace = fields.String(metadata={"description": "Omni's namespace of the object"})
    id = fields.String(metadata={"description": "Id that the object would have"})
    labels = fields.Dict(
        keys=fields.String(), values=fields.String(), metadata={"description": "All labels that it would have"}
    )
    annotations = fields.Dict(
        keys=fields.String(), values=fields.String(), metadata={"description": "All annotations that it would have"}
    )
    spec = fields.Dict(metadata={"description": "By proto names", "additionalProperties": True})


class PlannedRemovalSchema(FixedSchema):
    """Another object that would be removed."""

    class Meta:
        """Reject fields that are not declared."""

        unknown = ma.RAISE

    type = fields.String(metadata={"description": "Omni's resource type"})
    id = fields.String(metadata={"description": "Id of the object that would go"})


class DryRunSchema(FixedSchema):
    """What a write would change (`?dry_run=true`)."""

    class Meta:
        """Reject fields that are not declared."""

        unknown = ma.RAISE

    diff = fields.List(
        fields.Nested(JSONPatchOperationSchema),
        metadata={"description": "RFC 6902 operations from the present object to the one that would result"},
    )
    also = fields.List(
        fields.Nested(PlannedObjectSchema), metadata={"description": "Other objects that would be created or changed"}
    )
    also_deleted = fields.List(
        fields.Nested(PlannedRemovalSchema), metadata={"description": "Other objects that would be removed with it"}
    )


def add_dry_runs(document: dict[str, Any]) -> None:
    """Give each schema that answers a dry run the optional member, and take the marks out of the document.

    Called before the schemas are split into their shapes.
    """
    schemas = document["components"]["schemas"]
    for _, operation in operations(document):
        if not operation.pop(MARK, False):
            continue
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
        schema = schemas[answer["$ref"].rpartition("/")[2]]
        schema["properties"][MEMBER] = {
            "$ref": "#/components/schemas/DryRun",
            "readOnly": True,
            "description": "Only in the answer to a dry run",
        }
        schema[OPTIONAL] = sorted({*schema[OPTIONAL], MEMBER})
