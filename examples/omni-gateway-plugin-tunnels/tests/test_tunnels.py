"""The plugin, held to the gateway's whole HTTP contract by the SDK's test kit."""

from omni_gateway.sdk.testing import ResourceConformance

from omni_gateway_tunnels import plugin


class TestTunnels(ResourceConformance):
    plugin = plugin
    under_gunicorn = False  # the gateway's own code writes to Omni; of racks, that of the package is checked
    change = {"enabled": False}
