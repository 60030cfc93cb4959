"""Read, change, write: the one loop by which an existing object is written over."""

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
#: Seconds between looks for what was just written.
_LOOKS = (0.005, 0.02, 0.05, 0.1, 0.2)


def change(
    adapter: ResourceAdapter, id: str, by: Callable[[Resource], Resource], *, dry_run: bool = False
) -> Resource | DryRunResult:
    """Write ``by(existing)`` over an object and return it as the back end then holds it.

    ``by`` returns a changed copy (``dataclasses.replace``), or the very object it was given when nothing is to be
    done; a copy that says the same is not written either. A dry run does every check and returns what would change.
    Raises the back end's not-found error, and 409 problems for an object that is tearing down or that others keep
    changing.

    Omni's controllers raise a new object's version many times a second (facts: cluster-side 1.4), so a stale version
    is read again and tried again; ``by`` then sees the newer object.
    """
    for attempt in range(WRITE_ATTEMPTS):
        existing = adapter.get(id)
        wanted = by(existing)
        if existing.tearing_down:
            raise Problem(409, "tearing-down", f"{id!r} is being removed and takes no writes.")
        if wanted is not existing:
            adapter.refuse_owned(existing)
            wanted = checked(adapter, existing, wanted)
        if dry_run:
            if wanted is not existing:
                adapter.foresee(wanted, existing)
            return DryRunResult(existing, wanted)
        if wanted is existing:
            return existing
        try:
            adapter.replace(wanted)
        except STALE:
            time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
            continue
        return _written(adapter, existing, wanted)
    text = f"{id!r} was changed by others {WRITE_ATTEMPTS} times while this write was tried."
    raise Problem(409, "changed-meanwhile", text, hint="Try again.")


def checked(adapter: ResourceAdapter, existing: Resource, wanted: Resource) -> Resource:
    """Return what is to be written over ``existing``: itself where ``wanted`` says the same.

    Raises what the adapter's checks raise of a change. They may complete it (put masked secrets back), so it is
    compared before them, since no change needs to pass them, and after.
    """
    if same_content(existing, wanted):
        return existing
    adapter.refuse_owned(existing)
    adapter.check(wanted, existing, {})
    return existing if same_content(existing, wanted) else wanted


def _written(adapter: ResourceAdapter, before: Resource, wanted: Resource) -> Resource:
    """Read an object that was just written over; for a moment a real Omni may still tell how it was before."""
    for pause in _LOOKS:
        now = adapter.get_written(wanted)
        if (now.created, now.version) != (before.created, before.version):
            return now
        time.sleep(pause)
    return adapter.get(before.id)
