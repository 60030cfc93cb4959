"""Caching of an issuer's keys: fetched when first needed, and again when they are old or one is missing.

Each fetch runs in a thread of its own, one at a time for each issuer; requests wait for it for a bounded time only.
The minimum interval between fetches holds for forged tokens too, so they cannot cause more fetches than valid ones.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread

from omni_gateway.auth.authenticator import Rejected, Unverifiable
from omni_gateway.auth.oidc.fetcher import FetchError
from omni_gateway.auth.oidc.keys import KeySet, VerifyingKey

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. Ages of a key set, and bounds of fetches.

    Up to ``fresh``: used as it is. Up to ``good``: used while it is fetched in the background. Up to ``usable``: a
    request waits for a fetch, and uses the old keys if that fails. Beyond: not used.
    """

    fresh: float = 300.0
    good: float = 600.0
    usable: float = 3600.0
    between: float = 10.0
    """The least time from the start of one fetch to the next, whatever its result."""
    wait: float = 4.0
    """The longest time that a request waits for a fetch."""


class IssuerKeys:
    """The keys of one issuer; ``load`` fetches them and raises :class:`FetchError`."""

    def __init__(
        self,
        issuer: str,
        load: Callable[[], KeySet],
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = issuer
        self._load = load
        self._timing = timing or Timing()
        self._clock = clock
        self._lock = Lock()
        self._keys = KeySet()
        self._fetched = float("-inf")
        self._attempted = float("-inf")
        self._flight: Event | None = None

    def find(self, kid: str | None, algorithm: str) -> tuple[VerifyingKey, ...]:
        """Return the keys that may verify a token, at least one.

        :raises Rejected: the issuer has no such key.
        :raises Unverifiable: the issuer's keys cannot be fetched.
        """
        found, age = self._cached(kid, algorithm)
        if found and age <= self._timing.fresh:
            return found
        flight = self._fetch_if_due()
        if flight is not None and (not found or age > self._timing.good):
            flight.wait(self._timing.wait)
            found, age = self._cached(kid, algorithm)
        if found:
            return found
        if age > self._timing.usable:
            raise Unverifiable("The keys of the token's issuer cannot be fetched at present.")
        raise Rejected("The token's issuer has no such key.")

    def find_others(self, algorithm: str) -> tuple[VerifyingKey, ...]:
        """Return the keys for a token without a ``kid``, after none of the cached ones has verified it.

        They are fetched again if the interval allows: without a ``kid``, a new key of the issuer shows only by that.
        """
        flight = self._fetch_if_due()
        if flight is not None:
            flight.wait(self._timing.wait)
        return self._cached(None, algorithm)[0]

    def _cached(self, kid: str | None, algorithm: str) -> tuple[tuple[VerifyingKey, ...], float]:
        with self._lock:
            keys, age = self._keys, self._clock() - self._fetched
        return (keys.select(kid, algorithm) if age <= self._timing.usable else ()), age

    def _fetch_if_due(self) -> Event | None:
        """Return the event of the fetch in progress, started here if one is due; None if none is."""
        with self._lock:
            if self._flight is not None:
                return self._flight
            if self._clock() - self._attempted < self._timing.between:
                return None
            flight = Event()
            try:
                Thread(target=self._fetch, args=(flight,), name="oidc-keys", daemon=True).start()
            except RuntimeError:  # no more threads: the next caller tries again
                return None
            self._attempted, self._flight = self._clock(), flight
            return flight

    def _fetch(self, flight: Event) -> None:
        keys = None
        try:
            keys = self._load()
        except FetchError as error:
            log.warning("keys of the OIDC issuer %s cannot be fetched: %s", self.issuer, error)
        except Exception:
            log.exception("keys of the OIDC issuer %s cannot be fetched", self.issuer)
        finally:
            with self._lock:
                if keys is not None:
                    self._keys, self._fetched = keys, self._clock()
                self._flight = None
            flight.set()
