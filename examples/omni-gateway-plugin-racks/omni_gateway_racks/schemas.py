"""Objects as callers read and write them."""

from marshmallow import fields
from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class RackSchema(ResourceSchema):
    """Rack."""

    room = fields.String(metadata={"description": "Room", "example": "example"})
    units = wire.Integer(metadata={"description": "Units", "example": 1})
    pdu_password = wire.Secret(metadata={"description": "Pdu password", "example": "not shown"})
