"""The plugin, held to the gateway's whole HTTP contract by the SDK's test kit."""

from omni_gateway.sdk.testing import ResourceConformance

from omni_gateway_racks import plugin


class TestRacks(ResourceConformance):
    plugin = plugin
    change = {"room": "another example"}
