"""Addresses of the pretended installation: its SideroLink subnet, its endpoints, its image factory.

192.0.2.0/24 and the like are reserved for documentation: nothing listens there.
"""

from __future__ import annotations

import hashlib

SIDEROLINK_PREFIX = "fdae:41e4:649b:9303"
SERVER_ADDRESS = SIDEROLINK_PREFIX + "::1"
MACHINE_API = "grpc://192.0.2.1:8090"
FACTORY_HOST = "192.0.2.1:5050"
FACTORY_URL = "http://" + FACTORY_HOST
FACTORY_PXE_URL = "http://pxe." + FACTORY_HOST
WIREGUARD_ENDPOINT = "192.0.2.1:50180"
OMNI_URL = "https://omni.example.org"
KUBERNETES_PROXY_URL = "https://omni.example.org:8100"
DISCOVERY_ENDPOINT = f"http://[{SERVER_ADDRESS}]:8093"
INSTANCE_NAME = "simulator"
ACCOUNT_ID = "11111111-2222-3333-4444-555555555555"
EVENTS_PORT, LOGS_PORT = 8090, 8092


def siderolink_address(machine_id: str) -> str:
    """Return a machine's address inside the SideroLink subnet, always the same for the same machine."""
    digest = hashlib.sha256(machine_id.encode()).hexdigest()
    return f"{SIDEROLINK_PREFIX}:" + ":".join(f"{int(digest[i : i + 4], 16):x}" for i in range(0, 16, 4))


def join_url(join_token: str, tunnel: bool = False) -> str:
    """Return where a machine joins; with ``tunnel`` it speaks WireGuard inside gRPC."""
    return f"{MACHINE_API}?{'grpc_tunnel=true&' if tunnel else ''}jointoken={join_token}"


def join_kernel_args(join_token: str, tunnel: bool = False) -> list[str]:
    """Return the kernel arguments that make a machine join; they hold the join token in clear, as the real ones do."""
    return [
        f"siderolink.api={join_url(join_token, tunnel)}",
        f"talos.events.sink=[{SERVER_ADDRESS}]:{EVENTS_PORT}",
        f"talos.logging.kernel=tcp://[{SERVER_ADDRESS}]:{LOGS_PORT}",
    ]
