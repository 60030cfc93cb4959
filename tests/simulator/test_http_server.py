"""What the simulator serves beside gRPC."""

from __future__ import annotations

import socket

from omni_gateway.simulator.transport.http_gateway import HttpGateway


def test_a_server_that_never_started_gives_its_port_back() -> None:
    gateway = HttpGateway("127.0.0.1:1", "127.0.0.1:0")
    gateway.stop()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", gateway.port))
