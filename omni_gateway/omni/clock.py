"""How far this machine's clock is from Omni's, by the ``Date`` of an answer over HTTP.

Omni refuses a call that was signed more than five minutes before or after its own time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from email.utils import parsedate_to_datetime

from omni_gateway.omni.config import OmniConfig
from omni_gateway.omni.http_connection import BROKEN, Connections

#: Difference from which Omni refuses signatures.
REFUSED_SECONDS = 300
SECONDS = 2.0


def clock_skew(config: OmniConfig, now: Callable[[], float] = time.time) -> int | None:
    """Return how many seconds this machine's clock is ahead of Omni's (negative: behind); None if that is not known.

    Not known is it where Omni cannot be reached, or what answers at its endpoint speaks HTTP/2 only or sends no
    ``Date``. That header counts whole seconds, so the result may be off by one, and by half of the answer's time.
    """
    connections = Connections(config, config.trust_roots())
    try:
        with closing(connections.open_http(SECONDS)) as http:
            before = now()
            http.request("HEAD", "/")
            date = parsedate_to_datetime(http.getresponse().headers["Date"] or "")
            return round((before + now()) / 2 - date.timestamp() - 0.5)
    except (*BROKEN, ValueError, TypeError):
        return None
