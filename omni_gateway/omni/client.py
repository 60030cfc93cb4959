"""The client: one Omni, one identity, every service."""

from __future__ import annotations

import copy
from types import TracebackType
from typing import Self

import grpc

from omni_gateway.omni.auth import AuthClient
from omni_gateway.omni.calls import Calls
from omni_gateway.omni.channel import ChannelHolder, Observer, OneTransport
from omni_gateway.omni.config import OmniConfig
from omni_gateway.omni.errors import CredentialRefused, OmniError
from omni_gateway.omni.keys import KeyIdentity, parse_key
from omni_gateway.omni.machines import MachineClient
from omni_gateway.omni.management import ManagementClient
from omni_gateway.omni.oidc import OIDCClient
from omni_gateway.omni.resources import EmptyResources, NoObserver, ResourceClient, ResourceObserver
from omni_gateway.omni.signing import AnonymousSigner, KeySigner, Signer


class OmniClient:
    """A client of one Omni with one identity; cheap to make, thread-safe, and safe to make before a fork.

    No connection is opened before the first call. ``signer`` signs with another identity than the configured key; see
    ``acting_as``. Raises ``ConfigError`` for an invalid configuration.
    """

    #: Omni's objects: get, list, watch, create, update, remove.
    resources: ResourceClient
    #: Omni's management calls: configurations, accounts, schematics, support bundles.
    management: ManagementClient
    #: Talos calls to machines, by way of Omni.
    machines: MachineClient
    #: Notified of all that is read and written by this client.
    _observer: ResourceObserver = NoObserver()

    def __init__(self, config: OmniConfig, *, signer: Signer | None = None) -> None:
        self._holder = ChannelHolder(config)
        self._owns_holder = True
        self._set_signer(config, signer or _configured_signer(config))

    def _set_signer(self, config: OmniConfig, signer: Signer) -> None:
        self.config = config
        self._signer = signer
        self._serve(Calls(self._holder, signer, config.timeout))

    def _serve(self, calls: Calls) -> None:
        self._calls = calls
        self.resources = ResourceClient(calls, self._observer)
        self._probing = ResourceClient(calls.probing(), self._observer)
        self.management = ManagementClient(calls)
        self.machines = MachineClient(calls)
        self.auth = AuthClient(calls)
        self.oidc = OIDCClient(calls)

    @property
    def identity(self) -> KeyIdentity:
        """Return the identity that signs the calls, read from the key (without a call); empty without a key."""
        return self._signer.identity

    def acting_as(self, signer: Signer) -> Self:
        """Return a client with another identity over this one's channel, for pass-through authentication.

        Closing it does nothing: the channel belongs to this client.
        """
        other = copy.copy(self)
        other._owns_holder = False
        other._set_signer(self.config, signer)
        return other

    def only_reading(self) -> Self:
        """Return a read-only copy of this client: calls that change something raise ``WriteRefused``."""
        other = copy.copy(self)
        other._owns_holder = False
        other._serve(self._calls.only_reads())
        return other

    def without_objects(self) -> Self:
        """Return a copy of this client that has no objects: reads raise ``NotFound``, lists are empty."""
        other = self.only_reading()
        other.resources = EmptyResources(other._calls)
        return other

    def observe_calls(self, observer: Observer) -> None:
        """Call ``observer(method, code, seconds)`` for every call over this channel; None seconds: a stream."""
        self._holder.observer = observer

    def ping(self, timeout: float = 2.0) -> None:
        """Make the cheapest signed read, within ``timeout`` seconds; raises ``OmniError`` unless Omni accepts the key.

        It is sent even while the circuit is open, and an answer closes the circuit. Until Omni has answered, a failure
        makes it look for another transport.
        """
        try:
            self._ping(timeout)
        except OmniError as error:
            if isinstance(error, CredentialRefused) or not self.find_transport():
                raise
            self._ping(timeout)

    def _ping(self, timeout: float) -> None:
        self._probing.list("CurrentUsers.omni.sidero.dev", "virtual", timeout=timeout)

    @property
    def transport(self) -> OneTransport:
        """Return the transport in use: ``grpc``, or ``http`` for Omni's HTTP gateway."""
        return self._holder.transport

    def find_transport(self) -> bool:
        """Probe gRPC, then HTTP, unless Omni has answered already or the configuration names one.

        Returns whether the transport has changed. ``ping`` does it where it fails.
        """
        return self._holder.find_transport()

    def channel(self) -> grpc.Channel:
        """Return this process's channel, signing included, for stubs of services that this client does not know.

        Ask for it at each use: after a fork or ``close`` it is another one.
        """
        return self._calls.channel()

    def close(self) -> None:
        """Close the connection; calls in progress end as ``Cancelled``. A later call opens a new one."""
        if self._owns_holder:
            self._holder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"OmniClient({self.config.address.authority}, as {self.identity.name!r})"


def _configured_signer(config: OmniConfig) -> Signer:
    if not config.service_account_key:
        return AnonymousSigner()
    return KeySigner(parse_key(config.service_account_key, variable="the service account's key"))
