"""The providers whose tokens count: the enabled documents of ``oidc/providers``, read again each second."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from omni_gateway.auth.principal import Role
from omni_gateway.store import Document, DocumentStore

log = logging.getLogger(__name__)

COLLECTION = "oidc/providers"
LIFE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider as far as its tokens are concerned; ``audience`` is what their ``aud`` must hold.

    ``role_mapping`` empty: the claim's values are the roles themselves. ``clusters`` None: no pattern restricts its
    callers, unless ``clusters_claim`` names a claim that does.
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
    """The enabled providers by issuer; another ``generation`` means that some document has changed."""

    generation: int = 0
    by_issuer: Mapping[str, Sequence[Provider]] = field(default_factory=dict)


class Providers:
    """Reads the store at most once a second: a change counts in every worker and replica a second later.

    The collection is read whole. It holds a handful of documents, and a sum of versions or a count could stay the
    same while they change.
    """

    def __init__(self, documents: DocumentStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._documents = documents
        self._clock = clock
        self._lock = Lock()
        self._seen: list[Document] = []
        self._snapshot = Snapshot()
        self._until = float("-inf")

    def current(self) -> Snapshot:
        """Return the providers; nobody is told of a state that is older than a second."""
        if self._clock() < self._until:
            return self._snapshot
        with self._lock:
            now = self._clock()
            if now >= self._until:
                documents = self._documents.list(COLLECTION)
                if documents != self._seen:
                    self._snapshot = Snapshot(self._snapshot.generation + 1, _by_issuer(documents))
                    self._seen = documents
                self._until = now + LIFE_SECONDS
            return self._snapshot


def _by_issuer(documents: Sequence[Document]) -> Mapping[str, Sequence[Provider]]:
    found: dict[str, list[Provider]] = {}
    for document in documents:
        if document.spec.get("enabled") is not True:
            continue
        try:
            provider = _provider(document.id, document.spec)
        except (KeyError, TypeError, ValueError, AttributeError):
            log.error("the OIDC provider %r in the store is left out: it cannot be read", document.id)
            continue
        found.setdefault(provider.issuer, []).append(provider)
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
