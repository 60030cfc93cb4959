"""The fields of schemas, in Omni's forms of values."""

from omni_gateway.rest.fields import *  # noqa: F403
from omni_gateway.rest.machine_names import MachineId as MachineId
