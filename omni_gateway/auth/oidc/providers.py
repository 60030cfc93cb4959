"""The enabled OIDC providers: documents of ``oidc/providers`` in the store, read at most once a second."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from omni_gateway.auth.principal import Role
from omni_gateway.store import Document, DocumentStore, StoreUnavailable

log = logging.getLogger(__name__)

COLLECTION = "oidc/providers"
LIFE_SECONDS = 1.0
#: How long the store may take, and a request waits for another's read, if there is a usable snapshot; and if not.
KNOWN_SECONDS = 1.0
UNKNOWN_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Provider:
    """The rules for one provider's tokens; ``audience`` must be in their ``aud``.

    ``role_mapping`` empty: the claim's values are the gateway's role names. ``clusters`` None: callers are not
    restricted, unless ``clusters_claim`` names a claim with patterns.
    """

    id: str
    issuer: str
    audience: str
    role_claim: str
    role_mapping: Mapping[str, Role]
    clusters: tuple[str, ...] | None = None
    clusters_claim: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The enabled providers by issuer; ``generation`` is counted up when any document changes."""

    generation: int = 0
    by_issuer: Mapping[str, Sequence[Provider]] = field(default_factory=dict)


class Providers:
    """Reads the store at most once a second, so a change is in effect in all workers and replicas after a second.

    The whole collection is read and compared. It has a handful of documents, and a sum of versions or a count could
    stay the same while they change.
    """

    def __init__(
        self, documents: DocumentStore, clock: Callable[[], float] = time.monotonic, *, grace: float = 0.0
    ) -> None:
        """``grace``: seconds for which the last snapshot is used while the store cannot be read."""
        self._documents = documents
        self._clock = clock
        self._grace = grace
        self._lock = Lock()
        self._documents_read: list[Document] = []
        self._snapshot = Snapshot()
        self._until = float("-inf")
        self._confirmed = float("-inf")

    def current(self) -> Snapshot:
        """Return a snapshot at most a second old; while the store is unavailable, at most the grace period old.

        :raises StoreUnavailable: the store cannot be read, and the last snapshot is too old.
        """
        if self._clock() < self._until:
            return self._snapshot
        known = self._clock() < self._confirmed + self._grace
        if not self._lock.acquire(timeout=KNOWN_SECONDS if known else UNKNOWN_SECONDS):
            if known:  # another request waits for the store
                return self._snapshot
            raise StoreUnavailable("The store does not answer in time.")
        try:
            if self._clock() >= self._until:
                self._read(known)
            return self._snapshot
        finally:
            self._lock.release()

    def _read(self, known: bool) -> None:
        try:
            documents = self._documents.list(COLLECTION, KNOWN_SECONDS if known else None)
        except StoreUnavailable:
            if not known:
                raise
            self._until = min(self._clock() + LIFE_SECONDS, self._confirmed + self._grace)
            return
        if documents != self._documents_read:
            self._snapshot = Snapshot(self._snapshot.generation + 1, _by_issuer(documents))
            self._documents_read = documents
        self._confirmed = self._clock()
        self._until = self._confirmed + LIFE_SECONDS


def _by_issuer(documents: Sequence[Document]) -> Mapping[str, Sequence[Provider]]:
    found: dict[str, list[Provider]] = {}
    for document in documents:
        if document.spec.get("enabled") is not True:
            continue
        try:
            provider = _provider(document.id, document.spec)
            found.setdefault(provider.issuer, []).append(provider)
        except (KeyError, TypeError, ValueError, AttributeError):
            log.error("the OIDC provider %r in the store is left out: it cannot be read", document.id)
    return found


def _provider(id: str, spec: Mapping[str, Any]) -> Provider:
    clusters = spec.get("clusters")
    return Provider(
        id=id,
        issuer=spec["issuer_url"],
        audience=spec["client_id"],
        role_claim=spec["role_claim"],
        role_mapping={value: Role(role) for value, role in spec["role_mapping"].items()},
        clusters=None if clusters is None else tuple(clusters),
        clusters_claim=spec.get("clusters_claim") or "",
    )
