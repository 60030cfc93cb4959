"""The read-modify-write loop: every change of an existing object goes through it."""

from __future__ import annotations

import time
from collections.abc import Callable

from omni_gateway.http.problems import Problem
from omni_gateway.model.equality import same_content
from omni_gateway.model.resource import Resource
from omni_gateway.rest.actions import DryRunResult
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.errors import STALE

WRITE_ATTEMPTS = 6
_FIRST_PAUSE_SECONDS = 0.01
#: Seconds between the reads of an object that was just written.
_READ_DELAYS = (0.005, 0.02, 0.05, 0.1, 0.2)


def update(
    adapter: ResourceAdapter,
    id: str,
    mutate: Callable[[Resource], Resource],
    *,
    dry_run: bool = False,
    known: Resource | None = None,
) -> Resource | DryRunResult:
    """Replace an object with ``mutate(existing)`` and return the stored object.

    :param mutate: returns a changed copy of the object it gets (``dataclasses.replace``), or the same object for no
        change; an equal copy is not written either. It may be called several times, each time with a newer version.
    :param dry_run: run every check, write nothing and return a :class:`DryRunResult`.
    :param known: the object as it was read just now: it is not read again, neither before the write nor after it, and
        the returned object is the one that was sent.

    Raises the back end's not-found error, the problems of the adapter's checks, and 409 for an object that is tearing
    down or that other writers changed at each of 6 attempts.

    Omni's controllers increase a new object's version many times a second, so a stale version is read and tried again,
    after 10 ms, 20 ms, 40 ms and so on.
    """
    for attempt in range(WRITE_ATTEMPTS):
        existing = adapter.get(id) if known is None or attempt else known
        wanted = mutate(existing)
        if existing.tearing_down:
            raise Problem(409, "tearing-down", f"{id!r} is being removed and takes no writes.")
        if wanted is not existing:
            # An equal copy too: a PUT or PATCH of an owned object is refused, whatever it contains.
            adapter.refuse_owned(existing)
            wanted = checked(adapter, existing, wanted)
        if dry_run:
            if wanted is not existing:
                adapter.predict(wanted, existing)
            return DryRunResult(existing, wanted)
        if wanted is existing:
            return existing
        try:
            adapter.replace(wanted)
        except STALE:
            time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
            continue
        return wanted if known is not None else _written(adapter, existing, wanted)
    text = f"{id!r} was changed by others {WRITE_ATTEMPTS} times while this write was tried."
    raise Problem(409, "changed-meanwhile", text, hint="Try again.")


def checked(adapter: ResourceAdapter, existing: Resource, wanted: Resource) -> Resource:
    """Return the object to write: ``wanted`` after the adapter's checks, or ``existing`` if both are equal.

    Raises the problems of the adapter's checks.
    """
    # Compared before the checks, which an unchanged object need not pass, and after them, since they may complete
    # `wanted` (put masked secrets back).
    if same_content(existing, wanted):
        return existing
    adapter.refuse_owned(existing)
    adapter.check(wanted, existing, {})
    return existing if same_content(existing, wanted) else wanted


def _written(adapter: ResourceAdapter, before: Resource, wanted: Resource) -> Resource:
    """Return the stored object after a replace; Omni may still return the previous version for a moment."""
    for delay in _READ_DELAYS:
        now = adapter.get_written(wanted)
        if (now.created, now.version) != (before.created, before.version):
            return now
        time.sleep(delay)
    return adapter.get(before.id)
