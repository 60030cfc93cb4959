"""Past changes of a machine's configuration: one object each, named after the machine and the time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from omni_gateway.sdk import (
    Filter,
    Listing,
    ListQuery,
    OmniResourceAdapter,
    Resource,
)
from omni_gateway.sdk.adapters import Change, object_url, sort_and_cut
from omni_gateway.sdk.omni import types

OF_MACHINE = Filter("machine", "Only those of this machine")
NEWEST_FIRST = (("id", True),)
_TIME = re.compile(r"-\d{4}-\d{2}-\d{2}T.*$")


class ConfigDiffAdapter(OmniResourceAdapter):
    """The diffs of the machine in ``query.filters["machine"]``, newest first unless sorted otherwise.

    Omni sets no label on them, but their ids are ``<machine>-<time>``, so Omni's search by id finds them.
    """

    def __init__(self) -> None:
        super().__init__(types.MACHINE_CONFIG_DIFFS)

    def list(self, query: ListQuery) -> Listing:
        """Return a page of the machine's diffs."""
        found = [item for item in super().list(_search(query)).items if _belongs(query, item)]
        return Listing(sort_and_cut(found, replace(query, sort=query.sort or NEWEST_FIRST), frozenset()), len(found))

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        """Yield the changes of the machine's diffs."""
        with super().watch(_search(query), id) as changes:
            yield (change for change in changes if change.resource is None or _belongs(query, change.resource))


def _search(query: ListQuery) -> ListQuery:
    return replace(query, search=query.filters["machine"], sort=(), offset=0, limit=0)


def _belongs(query: ListQuery, diff: Resource) -> bool:
    """Return whether a diff is this machine's and its id contains the search text."""
    return diff.id.startswith(f"{query.filters['machine']}-") and query.search in diff.id


def self_url(diff: Resource) -> str:
    """Return the URL of the list that a diff is in: it has no route of its own."""
    return object_url("machines", _TIME.sub("", diff.id), "config-diff")
