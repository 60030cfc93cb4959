"""How far this machine's clock is from Omni's, by the ``Date`` of an answer over HTTP.

Omni refuses a call that was signed more than five minutes before or after its own time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from email.utils import parsedate_to_datetime

from omni_gateway.omni.config import OmniConfig
from omni_gateway.omni.errors import OmniError
from omni_gateway.omni.http_connection import BROKEN, Connections

#: Difference from which Omni refuses signatures.
REFUSED_SECONDS = 300
SECONDS = 2.0


class OmniClock:
    """Omni's clock, as its answers show it. Nothing is opened before the first measurement."""

    def __init__(self, config: OmniConfig, now: Callable[[], float] = time.time) -> None:
        self._config = config
        self._now = now
        self._connections: Connections | None = None

    def skew(self) -> int | None:
        """Return how many seconds this machine's clock is ahead of Omni's (negative: behind); None if that is unknown.

        Unknown is it where Omni cannot be reached, or what answers at its endpoint speaks HTTP/2 only or sends no
        ``Date``. That header counts whole seconds, so the result may be off by one, and by half of the answer's time.
        """
        try:
            # Once: with OMNI_INSECURE it fetches the certificate that is trusted from then on, and warns of it.
            self._connections = self._connections or Connections(self._config, self._config.trust_roots())
            with closing(self._connections.open_http(SECONDS)) as http:
                before = self._now()
                http.request("HEAD", "/")
                date = parsedate_to_datetime(http.getresponse().headers["Date"] or "")
                return round((before + self._now()) / 2 - date.timestamp() - 0.5)
        except (*BROKEN, OmniError, ValueError, TypeError):
            return None
