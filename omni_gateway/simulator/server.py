"""The simulator put together: store, controllers, fleet, services and the gRPC server in front of them."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from omni_gateway.simulator.controller_runtime.runtime import Runtime
from omni_gateway.simulator.controllers import all_controllers
from omni_gateway.simulator.faults import Faults
from omni_gateway.simulator.faults.injector import FaultInjector
from omni_gateway.simulator.faults.service import serve_faults
from omni_gateway.simulator.identity.accounts import IDENTITY, refresh_status
from omni_gateway.simulator.identity.signing import Verifier
from omni_gateway.simulator.image_factory import ImageFactory
from omni_gateway.simulator.kubernetes.proxy import KubernetesProxy
from omni_gateway.simulator.seed.admin import ensure_admin
from omni_gateway.simulator.seed.catalog import seed_catalog
from omni_gateway.simulator.seed.fleet import seed_fleet
from omni_gateway.simulator.seed.login import seed_login
from omni_gateway.simulator.services.auth import AuthService
from omni_gateway.simulator.services.machine import MachineService
from omni_gateway.simulator.services.management.service import ManagementService
from omni_gateway.simulator.services.oidc import OIDCService
from omni_gateway.simulator.services.resources import ResourceService
from omni_gateway.simulator.services.virtual import Virtual
from omni_gateway.simulator.state.store import Store
from omni_gateway.simulator.state.watchers import Watchers
from omni_gateway.simulator.transport.http_gateway import HttpGateway
from omni_gateway.simulator.transport.interceptor import CallerInterceptor
from omni_gateway.simulator.transport.port import GrpcPort
from omni_gateway.stubs import (
    auth_pb2_grpc,
    machine_pb2_grpc,
    management_pb2_grpc,
    oidc_pb2_grpc,
    resources_pb2_grpc,
)

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
    """A running simulator. ``speed`` is how many seconds of a machine's life pass in a real one.

    Without ``boot_ids`` machines that join report no boot id, as on Omni 1.7. With ``break_glass`` admins get
    configurations that bypass Omni.
    With ``faults``, calls can be made to fail on demand: by :attr:`faults`, or from outside by ``admin_listen``.
    """

    def __init__(
        self,
        *,
        fleet: int = 0,
        db: str | None = None,
        speed: float = 1.0,
        key_file: Path | None = None,
        faults: bool = False,
        boot_ids: bool = True,
        break_glass: bool = False,
    ) -> None:
        self.store = Store(db)
        seed_login(self.store)
        self.key = ensure_admin(self.store, key_file)
        for identity in self.store.view("default", IDENTITY):
            refresh_status(self.store, identity.id)
        self.address = ""
        self.admin_address = ""
        self.http_address = ""
        seed_catalog(self.store)
        seed_fleet(self.store, fleet, boot_ids=boot_ids)
        self._runtime = Runtime(self.store, all_controllers(), speed)
        self._watchers = Watchers(self.store)
        self._kubernetes = KubernetesProxy(self.store)
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="grpc")
        self._verifier = Verifier(self.store)
        self._resources = ResourceService(self.store, self._watchers, Virtual(self.store, self._url))
        self.factory = ImageFactory()
        self._management = ManagementService(
            self.store,
            self._url,
            lambda: self._kubernetes.url,
            lambda: self.factory.url,
            break_glass=break_glass,
        )
        self._port = GrpcPort(self._build_server)
        self.faults = Faults(self.store, self._port) if faults else None
        self._admin: grpc.Server | None = None
        self._http: HttpGateway | None = None

    def start(self, listen: str = "127.0.0.1:0", admin_listen: str = "", http_listen: str = "") -> str:
        """Serve, and return host and port; OSError when an address cannot be had."""
        self.address = self._port.open(listen)
        if http_listen:
            self._http = HttpGateway(self.address, http_listen)
            self.http_address = self._http.address
        if admin_listen and self.faults is not None:
            self._admin, self.admin_address = serve_faults(self.faults, admin_listen)
        self._runtime.start()
        self._kubernetes.start()
        self.factory.start()
        self._port.serve()
        if self._http is not None:
            self._http.start()
        return self.address

    def stop(self) -> None:
        """End every call, then the controllers, then close the database."""
        if self._admin is not None:
            self._admin.stop(0).wait()
        if self._http is not None:
            self._http.stop()
        if self.faults is not None:
            self.faults.clear()
        stopped = self._port.close(_STOP_SECONDS)
        self._watchers.close()
        if not stopped.wait(2 * _STOP_SECONDS):
            log.warning("some calls did not end within %g s of being cancelled; left behind", _STOP_SECONDS)
        self.factory.stop()
        self._kubernetes.stop()
        self._runtime.stop()
        self.store.close()

    def _url(self) -> str:
        return f"http://{self.address}"

    def _build_server(self) -> grpc.Server:
        """Make a server of all services, not yet listening."""
        trouble = [FaultInjector(self.faults)] if self.faults is not None else []
        server = grpc.server(
            self._threads, interceptors=[*trouble, CallerInterceptor(self._verifier, self.store)], options=_OPTIONS
        )
        resources_pb2_grpc.add_ResourceServiceServicer_to_server(self._resources, server)
        auth_pb2_grpc.add_AuthServiceServicer_to_server(AuthService(self.store), server)
        oidc_pb2_grpc.add_OIDCServiceServicer_to_server(OIDCService(), server)
        management_pb2_grpc.add_ManagementServiceServicer_to_server(self._management, server)
        machine_pb2_grpc.add_MachineServiceServicer_to_server(MachineService(self.store), server)
        return server
