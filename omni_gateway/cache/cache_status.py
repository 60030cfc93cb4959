"""The header ``Cache-Status`` (RFC 9211): whether the cache answered a read, and why not.

Each reason is recorded by ``ReadRecord.forward`` where it is decided: most of them in ``CachedResources.informer_for``,
those of lists in ``CachedResources._list`` (:mod:`omni_gateway.cache.client`). ``CALL`` is not recorded, but follows
from the record (``ReadRecord.cache_status``). ``docs/caching.md`` has them for callers.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class ForwardReason(NamedTuple):
    """Why a read was forwarded to Omni: ``fwd`` (RFC 9211 §2.2) and ``detail`` (§2.8)."""

    fwd: Literal["uri-miss", "stale", "request", "bypass"]
    detail: str

    @property
    def header(self) -> str:
        """The header of a response for which a read was forwarded."""
        return f"omni-gateway; fwd={self.fwd}; detail={self.detail}"


HIT = "omni-gateway; hit"
#: No read was recorded: a write, a document that reads no object, or a caller with an Omni key of its own.
UNCACHED = "omni-gateway; fwd=uri-miss"

#: The type has no informer: this read is its first one, Omni does not let it be watched, or it was evicted.
NO_INFORMER = ForwardReason("uri-miss", "no-informer")
#: Its informer has not received all objects yet.
SYNCING = ForwardReason("uri-miss", "syncing")

#: The informer's watch ended, or was opened anew for a lost event, and the new one has not sent all objects yet.
WATCH_INTERRUPTED = ForwardReason("stale", "watch-interrupted")
#: For ten seconds there was neither an event of the type nor an answer to a probe.
NO_SIGN_OF_LIFE = ForwardReason("stale", "no-sign-of-life")
#: The informer does not show yet some object of the type as this process last wrote it, or last read it from Omni. All
#: reads of the type are forwarded until then.
PENDING_WRITE = ForwardReason("stale", "pending-write")

#: ``Cache-Control: no-cache``, ``no-store`` or ``max-age=0``.
NO_CACHE = ForwardReason("request", "no-cache")
#: ``Cache-Control: max-age=N``, and the informer's age is greater.
MAX_AGE = ForwardReason("request", "max-age")

#: A list with ``search``, whose rules only Omni knows.
SEARCH = ForwardReason("bypass", "search")
#: A list that Omni sorts by a field.
SORT = ForwardReason("bypass", "sort")
#: A label selector that the gateway cannot read.
SELECTOR = ForwardReason("bypass", "selector")
#: Omni computes the objects of this type for each caller.
COMPUTED = ForwardReason("bypass", "computed")
#: Informers answered all reads, but Omni was called too: by the adapter, or by the cache, which reads an object from
#: Omni when the event of a write does not come (``CachedResources._read_back``).
CALL = ForwardReason("bypass", "call")
