"""An issuer's keys as time goes by: fetched when they are needed, again when they are old or one is missing.

All fetching is done by a thread of its own, one at a time for each issuer, and no caller waits long for it. Callers
with made-up tokens can cause a fetch as seldom as anybody else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread

from omni_gateway.auth.authenticator import Rejected, Unverifiable
from omni_gateway.auth.oidc.fetching import FetchError
from omni_gateway.auth.oidc.keys import KeySet, VerifyingKey

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. Keys are fresh; then good while they are fetched again; then only if that fails; then not at all."""

    fresh: float = 300.0
    good: float = 600.0
    usable: float = 3600.0
    between: float = 10.0
    """From the start of one fetch to the next, whether it failed, succeeded or missed the wanted key."""
    wait: float = 4.0
    """The longest that a request waits for a fetch."""


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

        :raises Rejected: the issuer has no such key, or its keys cannot be had.
        """
        found, age = self._held(kid, algorithm)
        if found and age <= self._timing.fresh:
            return found
        flight = self._fetch_if_due()
        if flight is not None and (not found or age > self._timing.good):
            flight.wait(self._timing.wait)
            found, age = self._held(kid, algorithm)
        if found:
            return found
        if age > self._timing.usable:
            raise Unverifiable("The keys of the token's issuer cannot be fetched at present.")
        raise Rejected("The token's issuer has no such key.")

    def find_others(self, algorithm: str) -> tuple[VerifyingKey, ...]:
        """Return the keys that a token without a ``kid`` may be of, after none of those that were there has fitted.

        They are fetched again if it is time for that: such a token cannot tell that the issuer has a new key.
        """
        flight = self._fetch_if_due()
        if flight is not None:
            flight.wait(self._timing.wait)
        return self._held(None, algorithm)[0]

    def _held(self, kid: str | None, algorithm: str) -> tuple[tuple[VerifyingKey, ...], float]:
        with self._lock:
            keys, age = self._keys, self._clock() - self._fetched
        return (keys.select(kid, algorithm) if age <= self._timing.usable else ()), age

    def _fetch_if_due(self) -> Event | None:
        """Return the fetch under way, begun here if there was none and it is time for one."""
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
