"""How many machines there are, and whether that is enough."""

from omni_gateway.sdk.actions import ServicePlugin

from omni_gateway_capacity.actions import CHECK
from omni_gateway_capacity.documents import COUNTS
from omni_gateway_capacity.page import PAGE
from omni_gateway_capacity.settings import CapacitySettings
from omni_gateway_capacity.tasks import WARN

plugin = ServicePlugin(
    name="capacity",
    description="How many machines there are, and whether that is enough.",
    group="Machines",
    documents=[COUNTS],
    actions=[CHECK],
    settings=CapacitySettings,
    tasks=[WARN],
    pages=[PAGE],
    sdk=">=2.1,<3",
)
