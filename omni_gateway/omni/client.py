"""The client: one Omni, one identity, every service."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import grpc

from omni_gateway.omni import outcomes
from omni_gateway.omni.auth import AuthClient
from omni_gateway.omni.cache.cached import CachedResources
from omni_gateway.omni.cache.item import Item
from omni_gateway.omni.cache.reading import Reading
from omni_gateway.omni.cache.registry import ReadCache
from omni_gateway.omni.calls import Calls
from omni_gateway.omni.channel import ChannelHolder, Observer
from omni_gateway.omni.config import OmniConfig
from omni_gateway.omni.keys import KeyIdentity, parse_key
from omni_gateway.omni.machines import MachineClient
from omni_gateway.omni.management import ManagementClient
from omni_gateway.omni.oidc import OIDCClient
from omni_gateway.omni.resources import EmptyResources, ResourceClient
from omni_gateway.omni.signing import AnonymousSigner, KeySigner, Signer
from omni_gateway.omni.streams import Stream
from omni_gateway.omni.watch import RawEvent

#: How long what was written is awaited from a watch before Omni is asked; its events come within milliseconds.
WRITTEN_SECONDS = 0.1


class OmniClient:
    """Talk to one Omni as one identity; cheap to make, thread-safe, and safe to make before a fork.

    No connection is opened before the first call. A ``signer`` speaks for another identity than the configured key;
    see ``acting_as``. Raises ``ConfigError`` when the configuration cannot work.
    """

    def __init__(self, config: OmniConfig, *, signer: Signer | None = None) -> None:
        self._holder = ChannelHolder(config)
        self._owns_holder = True
        self._owns_cache = True
        self.cache = ReadCache(self._follow, self.ping)
        self._speak_as(config, signer or _configured_signer(config))

    def _speak_as(self, config: OmniConfig, signer: Signer) -> None:
        self.config = config
        self._signer = signer
        self._serve(Calls(self._holder, signer, config.timeout))

    def _serve(self, calls: Calls) -> None:
        self._calls = calls
        self.resources = ResourceClient(calls, self.cache)
        self._probing = ResourceClient(calls.probing(), self.cache)
        self.management = ManagementClient(calls)
        self.machines = MachineClient(calls)
        self.auth = AuthClient(calls)
        self.oidc = OIDCClient(calls)

    def _follow(self, type: str, namespace: str) -> Stream[RawEvent]:
        return self.resources.follow(type, namespace)

    @property
    def identity(self) -> KeyIdentity:
        """Who the calls are made as, read from the key; no call is made. Empty when there is no key."""
        return self._signer.identity

    def acting_as(self, signer: Signer) -> OmniClient:
        """Return a client that makes its calls as somebody else over this one's channel, for a pass-through mode.

        Closing it does nothing: the channel is this client's.
        """
        other = OmniClient.__new__(OmniClient)
        other._holder = self._holder
        other._owns_holder = False
        other.cache = self.cache
        other._owns_cache = False
        other._speak_as(self.config, signer)
        return other

    def reading(self, account: Callable[[], Reading]) -> OmniClient:
        """Return this client for requests that only read: from the cache, where that is the truth.

        ``account`` returns the account of the request in flight, which is told how it was answered.
        """
        other = copy.copy(self)
        other._owns_holder = False
        other._serve(self._calls.noted(lambda: account().note_call()).only_reads())
        other.resources = CachedResources(other._calls, self.cache, account)
        return other

    def only_reading(self) -> OmniClient:
        """Return this client without the calls that change something; each of them raises ``WriteRefused``."""
        other = copy.copy(self)
        other._owns_holder = False
        other._serve(self._calls.only_reads())
        return other

    def holding_nothing(self) -> OmniClient:
        """Return this client as one of an Omni without objects, which reads as ``NotFound`` and empty lists."""
        other = self.only_reading()
        other.resources = EmptyResources(other._calls)
        return other

    def written(self, type: str, id: str, namespace: str, asked: Mapping[str, Any]) -> Item | None:
        """Return an object that this process has just written, as its watch of the type tells it; no call is made.

        None where there is no watch that may be believed, where it does not tell within a moment, or where what was
        made cannot be told from an earlier object of its id by what was ``asked`` for: then Omni must be asked. Never
        for a caller with an identity of its own, for the watch is the gateway's.
        """
        cache, key = self.cache, (type, namespace)
        mark = cache.marks.find(key, id) if self._owns_cache else None
        feed = cache.feed(type, namespace) if mark is not None else None
        if mark is None or feed is None or mark.kind not in ("there", "since"):
            return None
        if not feed.wait_for(id, mark, time.monotonic() + WRITTEN_SECONDS):
            return None
        live, item = feed.find(id)
        if not live or item is None or (mark.kind == "there" and not outcomes.holds(asked, item.body())):
            return None
        return item

    def observe_calls(self, observer: Observer) -> None:
        """Have ``observer(method, code, seconds)`` told of every call over this channel; None seconds: a stream."""
        self._holder.observer = observer

    def ping(self, timeout: float = 2.0) -> None:
        """Make the cheapest signed read, within ``timeout`` seconds; raises ``OmniError`` unless Omni takes the key.

        It is made also when other calls fail at once because Omni has been silent, and ends that if it is answered.
        """
        self._probing.list("CurrentUsers.omni.sidero.dev", "virtual", timeout=timeout)

    def channel(self) -> grpc.Channel:
        """Return this process's channel, signing included, for stubs of services that this client does not know.

        Ask for it at each use: after a fork or ``close`` it is another one.
        """
        return self._calls.channel()

    def close(self) -> None:
        """Close the connection; calls under way end as ``Cancelled``. A later call opens a new one."""
        if self._owns_holder:
            self.cache.close()
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
