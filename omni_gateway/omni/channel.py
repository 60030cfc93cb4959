"""The process's channel to Omni: opened on first use, and again after a fork.

Every call to Omni goes through it, so this module alone knows the transport: gRPC, or Omni's HTTP gateway.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable
from typing import Literal

import grpc
import orjson

from omni_gateway.omni.circuit import Circuit
from omni_gateway.omni.config import OmniConfig
from omni_gateway.omni.endpoint import Endpoint
from omni_gateway.omni.errors import OmniError
from omni_gateway.omni.http_channel import HttpChannel
from omni_gateway.omni.large_lists import LargeLists
from omni_gateway.omni.rpcs import GET, REPEATABLE
from omni_gateway.omni.tls import Trust, trust_on_sight
from omni_gateway.stubs import resources_pb2

log = logging.getLogger(__name__)

OneTransport = Literal["grpc", "http"]
#: An object that Omni shows without a key, before its EULA is accepted too; its web interface reads it first.
_PUBLIC = resources_pb2.GetRequest(namespace="default", type="AuthConfigs.omni.sidero.dev", id="auth-config")
_PROBE_SECONDS = 2.0
_KEEPALIVE_MS = 60_000
_KEEPALIVE_TIMEOUT_MS = 20_000
_FIRST_RECONNECT_MS = 250
_SLOWEST_RECONNECT_MS = 5_000
_RETRY = {
    "maxAttempts": 4,
    "initialBackoff": "0.1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}

_holders: weakref.WeakSet[ChannelHolder] = weakref.WeakSet()
# Channels of a parent process. Closing one in a child would shut sockets that the parent still uses, and a garbage
# collected channel closes itself, so a child keeps them for as long as it lives.
_inherited: list[grpc.Channel] = []


Observer = Callable[[str, str, "float | None"], None]


def _no_observer(method: str, code: str, seconds: float | None) -> None:
    """Do nothing."""


class Unawaited:
    """Counts the calls in progress that no thread waits for, up to ``MOST``; thread-safe."""

    MOST = 64

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(self.MOST)

    def enter(self) -> bool:
        """Count one more; return False if there are ``MOST`` already."""
        return self._free.acquire(blocking=False)

    def leave(self) -> None:
        """Count one less."""
        self._free.release()


class ChannelHolder:
    """Holds the channel of the current process; thread-safe.

    Nothing is opened before the first ``get``, so a holder may be made before gunicorn forks. After a fork the child
    opens a channel of its own.
    """

    def __init__(self, config: OmniConfig, connect: Callable[[OmniConfig, bytes | None], grpc.Channel] | None = None):
        self._config = config
        self._roots = config.trust_roots()
        address = config.address
        #: Of the spans of calls.
        self.span_attributes = {
            "rpc.system.name": "grpc",
            "server.address": address.host,
            "server.port": address.port,
        }
        self._connect = connect
        self._transport: OneTransport = "http" if config.transport == "http" else "grpc"
        # Whether the transport is the configured one, or Omni has answered over it.
        self._settled = config.transport != "auto"
        self._lock = threading.Lock()
        self._probing = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._pid = os.getpid()
        #: Called with every call's name, status code and seconds (None for a stream, when it is opened).
        self.observer: Observer = _no_observer
        # Calls that wait for a silent Omni cannot be ended one by one. Closing the channel ends all of them, and drops
        # a connection that may be dead.
        self.circuit = Circuit(config.timeout, self.close)
        self.unawaited = Unawaited()
        self.large_lists = LargeLists(config.max_message_bytes, config.max_list_bytes)
        _holders.add(self)

    def get(self) -> grpc.Channel:
        """Return the channel, opened if necessary; raise ``Unavailable`` if ``insecure`` is set and there is no TLS."""
        channel = self._channel
        if channel is not None and self._pid == os.getpid():
            return channel
        with self._lock:
            if self._pid != os.getpid():
                self._abandon()
            if self._channel is None:
                self._channel = self._open(self._transport)
            return self._channel

    @property
    def transport(self) -> OneTransport:
        """Return the transport in use; ``grpc`` before :meth:`find_transport`."""
        return self._transport

    def settle(self) -> None:
        """Keep the transport: Omni has answered over it."""
        self._settled = True

    def find_transport(self) -> bool:
        """Probe gRPC, then HTTP, unless Omni has answered already; return whether the transport has changed.

        HTTP is chosen only if gRPC fails before and after it answers: an Omni that is starting may answer the second
        probe because it is later, not because it is another.
        """
        with self._probing:
            if self._settled:
                return False
            if self._answers("grpc"):
                self._settled = True
            elif self._answers("http") and not self._answers("grpc"):
                log.warning("Omni answers over HTTP, but not over gRPC: HTTP is used (OMNI_TRANSPORT)")
                self._settled, self._transport = True, "http"
                self.close()
                return True
            return False

    def _answers(self, transport: OneTransport) -> bool:
        """Return whether Omni answers a call that needs no key, over a channel of its own."""
        try:
            with self._open(transport) as channel:
                call = channel.unary_unary(GET.path, GET.request.SerializeToString, GET.response.FromString)
                call(_PUBLIC, timeout=_PROBE_SECONDS, metadata=(("runtime", "Omni"),))
        except (grpc.RpcError, OmniError) as error:
            log.debug("Omni does not answer over %s: %s", transport, error)
            return False
        return True

    def _open(self, transport: OneTransport) -> grpc.Channel:
        if self._connect is not None:
            return self._connect(self._config, self._roots)
        if transport == "http":
            return HttpChannel(self._config, self._roots)
        return open_channel(self._config, self._roots)

    def close(self) -> None:
        """Close the channel; calls in progress end as ``Cancelled``, and a later call opens a new one."""
        with self._lock:
            channel, self._channel = self._channel, None
            if channel is not None and self._pid == os.getpid():
                channel.close()

    def start_over(self) -> None:
        """Reset all state after a fork, the lock included: another thread of the parent may have held it."""
        self._lock = threading.Lock()
        self._probing = threading.Lock()
        self.unawaited = Unawaited()
        self.large_lists.start_over()
        self.circuit.start_over()
        self._abandon()

    def _abandon(self) -> None:
        if self._channel is not None:
            _inherited.append(self._channel)
            self._channel = None
        self._pid = os.getpid()


def _after_fork_in_child() -> None:
    for holder in list(_holders):
        holder.start_over()


os.register_at_fork(after_in_child=_after_fork_in_child)


def open_channel(config: OmniConfig, roots: bytes | None) -> grpc.Channel:
    """Open a channel; ``roots`` are PEM authorities, or None for the system's."""
    endpoint = config.address
    if not endpoint.tls:
        if not endpoint.loopback:
            log.warning("calls to %s go over the network unencrypted: use an https endpoint", endpoint.authority)
        return grpc.insecure_channel(endpoint.target, _options(config, endpoint), grpc.Compression.Gzip)
    trust = trust_on_sight(endpoint) if config.insecure else Trust(roots)
    options = _options(config, endpoint, trust.expected_name)
    return grpc.secure_channel(endpoint.target, trust.credentials(), options, grpc.Compression.Gzip)


def _options(config: OmniConfig, endpoint: Endpoint, expected_name: str | None = None) -> list[tuple[str, object]]:
    options: list[tuple[str, object]] = [
        ("grpc.max_receive_message_length", config.max_message_bytes),
        ("grpc.max_send_message_length", config.max_message_bytes),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # Calls fail at once while gRPC waits to reconnect; by default that is up to two minutes after Omni is back.
        ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", _SLOWEST_RECONNECT_MS),
        ("grpc.service_config", service_config()),
        ("grpc.enable_http_proxy", 0 if endpoint.loopback else 1),
        # Two clients of one address in one process must not share a connection, for each of them closes its own.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if expected_name is not None:
        options.append(("grpc.ssl_target_name_override", expected_name))
        # A proxy in front of Omni routes by the real host. With a port, gRPC would not recognise it as the target.
        options.append(("grpc.default_authority", endpoint.authority.rpartition(":")[0]))
    return options


def service_config() -> str:
    """Return gRPC's retry policy: calls that change nothing, if Omni was unreachable, at most 4 attempts."""
    names = [dict(zip(("service", "method"), rpc.name.split("/"), strict=True)) for rpc in REPEATABLE]
    return orjson.dumps({"methodConfig": [{"name": names, "retryPolicy": _RETRY}]}).decode()
