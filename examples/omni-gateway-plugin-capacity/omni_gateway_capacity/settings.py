"""The settings: variables of the gateway's environment, or lines of its configuration file."""

from dataclasses import dataclass

from marshmallow import validate
from omni_gateway.sdk.extensions import setting


@dataclass(frozen=True)
class CapacitySettings:
    """`OMNI_GATEWAY_CAPACITY_MACHINES`."""

    machines: int = setting("Number of machines that there should be", 0, validate=validate.Range(min=0))
