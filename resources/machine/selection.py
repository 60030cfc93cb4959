"""Which machines a list or a watch is about; the join is made here, so the choice is too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from marshmallow import fields

from omni_gateway.sdk import Filter, ListQuery, Resource, label_filter, label_names
from resources.machine.join import Machine, with_address

FILTERS = (
    label_filter("cluster", label_names.LABEL_CLUSTER, "Only members of this cluster"),
    Filter("connected", "Only machines that are (not) connected to Omni now", field=fields.Boolean()),
)

SORTABLE = frozenset(
    {"hostname", "cluster", "machine_set", "connected", "role", "arch", "platform", "management_address"}
)

#: Operators that only an object with the label can fulfil.
_POSITIVE = ("=", "in", "exists")


def chosen(query: ListQuery, machine: Machine) -> bool:
    """Whether a machine is among those asked for."""
    if query.selector is not None and not query.selector.matches(_labels(query, machine)):
        return False
    connected = query.filters.get("connected")
    if connected is not None and connected != machine.derived("connected", lambda each: each.spec["connected"]):
        return False
    return not query.search or _mentions(machine, query.search.casefold())


def selectors_for_statuses(query: ListQuery) -> list[str]:
    """Return the label query that Omni may make on the statuses; none where a machine without one could be meant."""
    selector = query.selector
    if selector is None or not selector.sendable or not any(term.operator in _POSITIVE for term in selector.terms):
        return []
    if _names_address(query):
        return []
    return [selector.to_omni()]


def _names_address(query: ListQuery) -> bool:
    """Whether a query is about the one label that statuses do not have."""
    return query.selector is not None and any(term.key == label_names.LABEL_ADDRESS for term in query.selector.terms)


def _labels(query: ListQuery, machine: Machine) -> Mapping[str, str]:
    if not _names_address(query):
        return machine.labels
    return with_address(machine.labels, machine.spec["management_address"])


def _mentions(machine: Machine, text: str) -> bool:
    """Look for text in the id, the host name, the cluster and the addresses."""
    return any(text in place for place in machine.derived("places", _places))


def _places(machine: Resource) -> tuple[str, ...]:
    spec = machine.spec
    network = spec.get("network") or {}
    places = (
        machine.id,
        spec["hostname"],
        spec["management_address"],
        cast(Machine, machine).cluster,
        *(network.get("addresses") or ()),
    )
    return tuple(place.casefold() for place in places)
