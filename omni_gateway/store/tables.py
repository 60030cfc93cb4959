"""The current tables; ``migrations`` creates them step by step, and a test compares the results."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

METADATA = MetaData()

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("expires", DateTime(timezone=True)),
    Column("revoked", Boolean, nullable=False, default=False),
    Column("clusters", JSON),
    Column("last_used", DateTime(timezone=True)),
)

IDEMPOTENCY = Table(
    "idempotency_keys",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("status", Integer),
    Column("headers", LargeBinary),
    Column("body", LargeBinary),
)

STREAM_TICKETS = Table(
    "stream_tickets",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("caller", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("used", Boolean, nullable=False),
    Column("expires", DateTime(timezone=True), nullable=False),
    Index("stream_tickets_caller", "caller"),
)

LEASES = Table(
    "leases",
    METADATA,
    Column("name", String(300), primary_key=True),
    Column("holder", String(100), nullable=False),
    Column("turn", Integer, nullable=False),
)

DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("collection", String(100), primary_key=True),
    Column("id", String(1024), primary_key=True),
    Column("spec", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("annotations", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("updated", DateTime(timezone=True), nullable=False),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", String(28), primary_key=True),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("who", String(200), nullable=False),
    Column("caller_id", String(200), nullable=False),
    Column("auth", String(20), nullable=False),
    Column("role", String(20), nullable=False),
    Column("method", String(20), nullable=False),
    Column("route", String(300), nullable=False),
    Column("path", String(500), nullable=False),
    Column("resource", String(300), nullable=False),
    Column("object_id", String(300), nullable=False),
    Column("cluster", String(300), nullable=False),
    Column("status", Integer, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("code", String(100), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("replayed", Boolean, nullable=False),
    Column("request_id", String(128), nullable=False),
    Column("remote", String(100), nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("changed", JSON, nullable=False),
    Column("documents", JSON, nullable=False),
    Column("times", Integer, nullable=False),
    Index("audit_caller_id", "caller_id", "id"),
    Index("audit_who", "who", "id"),
    Index("audit_object_id", "object_id", "id"),
    Index("audit_request_id", "request_id", "id"),
)
