"""What the gateway keeps for itself: tokens' hashes, answers to idempotent requests, objects of plugins, the audit.

One SQLAlchemy URL: SQLite in the state directory, or PostgreSQL for several replicas. Nothing is opened before the
first use, and every process opens its own.
"""

from omni_gateway.store.audit import AuditEntry, AuditStore
from omni_gateway.store.documents import Document, DocumentStore
from omni_gateway.store.errors import StoreMisconfigured, StoreRefused, StoreUnavailable
from omni_gateway.store.idempotency import IdempotencyStore, Recorded
from omni_gateway.store.store import Store
from omni_gateway.store.tokens import Token, TokenStore

__all__ = [
    "AuditEntry",
    "AuditStore",
    "Document",
    "DocumentStore",
    "IdempotencyStore",
    "Recorded",
    "Store",
    "StoreMisconfigured",
    "StoreRefused",
    "StoreUnavailable",
    "Token",
    "TokenStore",
]
