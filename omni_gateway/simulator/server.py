"""The simulator put together: store, controllers, fleet, services and the gRPC server in front of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from omni_gateway.stubs import (
    auth_pb2_grpc,
    machine_pb2_grpc,
    management_pb2_grpc,
    oidc_pb2_grpc,
    resources_pb2_grpc,
)

from .accounts import IDENTITY, refresh_status
from .admin import ensure_admin
from .catalog import seed_catalog
from .controllers import all_controllers
from .fleet import seed_fleet
from .interceptor import Gatekeeper
from .kubernetes_proxy import KubernetesProxy
from .login import seed_login
from .runtime import Runtime
from .services.auth import AuthService
from .services.machine import MachineService
from .services.management import ManagementService
from .services.oidc import OIDCService
from .services.resources import ResourceService
from .signing import Verifier
from .store import Store
from .virtual import Virtual
from .watchers import Watchers

log = logging.getLogger(__name__)

LARGEST_MESSAGE = 32 * 1024 * 1024
THREADS = 512
"""Calls served at a time. A watch holds a thread for as long as it lasts, but an idle thread costs next to nothing."""

_STOP_SECONDS = 2.0
_OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", -1),
    # Omni's own server minds no client's pings, however frequent.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 500),
    ("grpc.http2.max_ping_strikes", 0),
    # A second simulator on the same port must fail, not share it.
    ("grpc.so_reuseport", 0),
)


class Simulator:
    """A running simulator. ``speed`` is how many seconds of a machine's life pass in a real one."""

    def __init__(self, *, fleet: int = 0, db: str | None = None, speed: float = 1.0, key_file: Path | None = None):
        self.store = Store(db)
        seed_login(self.store)
        self.key = ensure_admin(self.store, key_file)
        for identity in self.store.view("default", IDENTITY):
            refresh_status(self.store, identity.id)
        self.address = ""
        seed_catalog(self.store)
        seed_fleet(self.store, fleet)
        self._runtime = Runtime(self.store, all_controllers(), speed)
        self._watchers = Watchers(self.store)
        self._kubernetes = KubernetesProxy(self.store)
        self._server = build_server(
            self.store, self._watchers, lambda: f"http://{self.address}", lambda: self._kubernetes.url
        )

    def start(self, listen: str = "127.0.0.1:0") -> str:
        """Serve, and return host and port; OSError when the address cannot be had."""
        host = listen.rpartition(":")[0]
        try:
            port = self._server.add_insecure_port(listen)
        except RuntimeError:
            raise OSError(f"cannot listen on {listen}") from None
        self.address = f"{host}:{port}"
        self._runtime.start()
        self._kubernetes.start()
        self._server.start()
        return self.address

    def stop(self) -> None:
        """End every call, then the controllers, then close the database."""
        stopped = self._server.stop(_STOP_SECONDS)
        self._watchers.close()
        if not stopped.wait(2 * _STOP_SECONDS):
            log.warning("some calls did not end within %g s of being cancelled; left behind", _STOP_SECONDS)
        self._kubernetes.stop()
        self._runtime.stop()
        self.store.close()


def build_server(
    store: Store, watchers: Watchers, advertised_url: Callable[[], str], kubernetes_url: Callable[[], str]
) -> grpc.Server:
    """Return a gRPC server with every service of Omni's registered, not yet listening."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="grpc"),
        interceptors=[Gatekeeper(Verifier(store), store)],
        options=_OPTIONS,
    )
    resources = ResourceService(store, watchers, Virtual(store, advertised_url))
    resources_pb2_grpc.add_ResourceServiceServicer_to_server(resources, server)
    auth_pb2_grpc.add_AuthServiceServicer_to_server(AuthService(store), server)
    oidc_pb2_grpc.add_OIDCServiceServicer_to_server(OIDCService(), server)
    management = ManagementService(store, advertised_url, kubernetes_url)
    management_pb2_grpc.add_ManagementServiceServicer_to_server(management, server)
    machine_pb2_grpc.add_MachineServiceServicer_to_server(MachineService(store), server)
    return server
