"""The gateway's own database: tokens' hashes, responses under idempotency keys, tickets, documents, audit entries.

One SQLAlchemy URL: SQLite in the state directory, or PostgreSQL for several replicas. No connection is opened before
the first use, and every process opens its own.
"""

from omni_gateway.store.audit import AuditEntry, AuditStore
from omni_gateway.store.documents import CollectionFull, Document, DocumentStore
from omni_gateway.store.errors import StoreMisconfigured, StoreRefused, StoreUnavailable
from omni_gateway.store.idempotency import IdempotencyStore, Recorded
from omni_gateway.store.plugin_tables import PluginTables, Tables, TablesError
from omni_gateway.store.store import Store
from omni_gateway.store.stream_tickets import StreamTicketStore
from omni_gateway.store.tokens import Token, TokenStore

__all__ = [
    "AuditEntry",
    "AuditStore",
    "CollectionFull",
    "Document",
    "DocumentStore",
    "IdempotencyStore",
    "PluginTables",
    "Recorded",
    "Store",
    "StoreMisconfigured",
    "StoreRefused",
    "StoreUnavailable",
    "StreamTicketStore",
    "Tables",
    "TablesError",
    "Token",
    "TokenStore",
]
