"""The tables as they are now; ``migrations`` tells how a database gets there, a test that the two agree."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, DateTime, Integer, LargeBinary, MetaData, String, Table

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
