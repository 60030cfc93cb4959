"""Filters, label selectors and search of machines.

The gateway joins the machines itself, so it also filters them itself; Omni can only narrow the statuses by label.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from marshmallow import fields

from omni_gateway.sdk import ListQuery, Resource
from omni_gateway.sdk.adapters import label_filter, member_filter
from omni_gateway.sdk.omni import label_names
from resources.machine.join import Machine, with_address

#: Of lists, watches and bulk requests. A label filter where all machines with the value have a label of it; else a
#: filter by a member of the document, as callers read it (``platform``, for example).
FILTERS = (
    label_filter("cluster", label_names.LABEL_CLUSTER, "Only members of this cluster"),
    member_filter("connected", "Only machines that are (not) connected to Omni now", fields.Boolean()),
)

SORTABLE = frozenset(
    {"hostname", "cluster", "machine_set", "connected", "role", "arch", "platform", "management_address"}
)

#: Operators that match only objects with the label.
_NEED_LABEL = ("=", "in", "exists")


def pages_by_omni(query: ListQuery) -> bool:
    """Return whether Omni can make the page: a query of all machines, ordered by id.

    With filters that have ``matches`` the engine asks for one page of all, and cuts it afterwards.
    """
    by_id = not query.sort or (len(query.sort) == 1 and query.sort[0][0] == "id")
    return by_id and query.selector is None and not query.search


def chosen(query: ListQuery, machine: Machine) -> bool:
    """Return whether a query selects a machine by labels and search text."""
    if query.selector is not None and not query.selector.matches(_labels(query, machine)):
        return False
    return not query.search or _mentions(machine, query.search.casefold())


def selectors_for_statuses(query: ListQuery) -> list[str]:
    """Return the label selectors for Omni's list of statuses; empty if a machine without a status could match."""
    selector = query.selector
    if selector is None or not selector.sendable or not any(term.operator in _NEED_LABEL for term in selector.terms):
        return []
    if _names_address(query):
        return []
    return [selector.to_omni()]


def _names_address(query: ListQuery) -> bool:
    """Return whether a query selects by the address, the one label that statuses do not have."""
    return query.selector is not None and any(term.key == label_names.LABEL_ADDRESS for term in query.selector.terms)


def _labels(query: ListQuery, machine: Machine) -> Mapping[str, str]:
    if not _names_address(query):
        return machine.labels
    return with_address(machine.labels, machine.spec["management_address"])


def _mentions(machine: Machine, text: str) -> bool:
    """Return whether the id, host name, cluster or an address contains the (casefolded) text."""
    return any(text in item for item in machine.derived("texts", _searched_texts))


def _searched_texts(machine: Resource) -> tuple[str, ...]:
    spec = machine.spec
    network = spec.get("network") or {}
    texts = (
        machine.id,
        spec["hostname"],
        spec["management_address"],
        cast(Machine, machine).cluster,
        *(network.get("addresses") or ()),
    )
    return tuple(item.casefold() for item in texts)
