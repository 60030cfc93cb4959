"""What the document and the action send and take."""

from marshmallow import validate
from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk import fields as wire


class CapacityCountsSchema(SpecSchema):
    """Counts of what Omni has."""

    clusters = wire.Integer(metadata={"description": "Number of clusters", "example": 2})
    machines = wire.Integer(metadata={"description": "Number of machines that have joined", "example": 24})
    wanted = wire.Integer(metadata={"description": "Number of machines that there should be", "example": 30})


class CapacityCheckSchema(SpecSchema):
    """What is needed."""

    machines = wire.Integer(
        required=True,
        validate=validate.Range(min=0),
        metadata={"description": "Number of machines that are needed", "example": 3},
    )


class CapacityCheckResultSchema(SpecSchema):
    """Whether it is there."""

    enough = wire.Boolean(metadata={"description": "Whether so many machines have joined", "example": True})
    machines = wire.Integer(metadata={"description": "Number of machines that have joined", "example": 24})
