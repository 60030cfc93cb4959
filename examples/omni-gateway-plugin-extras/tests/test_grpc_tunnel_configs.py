"""The promises of the HTTP contract, for gRPC tunnel configs."""

from omni_gateway_extras.grpc_tunnel_configs import plugin

from omni_gateway.sdk.testing import ResourceConformance


class TestGRPCTunnelConfigs(ResourceConformance):
    plugin = plugin
    second = {"id": "00000000-0000-4000-8000-000000000002", "enabled": False}
    under_gunicorn = False  # the gateway's own code writes to Omni; that of runbooks is checked
