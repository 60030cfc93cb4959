"""The store's errors as problems."""

from __future__ import annotations

import math

from omni_gateway.http.problems import Problem
from omni_gateway.http.readiness import CheckFailed
from omni_gateway.store import Store, StoreRefused, StoreUnavailable


def problem_for_store(error: StoreUnavailable | StoreRefused) -> Problem:
    """Return 503 `store-unavailable` with ``Retry-After``, or 422 for a value that the store cannot hold."""
    if isinstance(error, StoreRefused):
        return Problem(422, "validation", str(error))
    return Problem(503, "store-unavailable", error.reason, headers={"Retry-After": str(math.ceil(error.retry_after))})


def readiness_check(store: Store) -> None:
    """Check the store for `/readyz`; raise :class:`CheckFailed` if it cannot be used."""
    try:
        store.check()
    except StoreUnavailable as error:
        raise CheckFailed(error.reason) from error
