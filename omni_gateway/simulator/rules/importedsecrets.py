"""Rules of ImportedClusterSecrets."""

from __future__ import annotations

from collections.abc import Iterator

from ..resource import Resource
from . import locks
from .base import RuleContext, Rules
from .documents import documents, keys

_BUNDLE_KEYS = ("cluster", "secrets", "certs")


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Check that the cluster is yet to come and that the data is a secrets bundle."""
    if ctx.find(locks.CLUSTER, new.id) is not None:
        yield f"the cluster {new.id!r} already exists"
    found = list(documents(new.spec.get("data") or ""))
    if len(found) != 1 or isinstance(found[0], str) or not set(_BUNDLE_KEYS) <= keys(found[0]):
        yield f"a secrets bundle is one mapping with {', '.join(_BUNDLE_KEYS)}"


RULES = Rules("ImportedClusterSecrets.omni.sidero.dev", create)
