"""Objects that are joined of two Omni types: an adapter and a watch source of their own, an operation, lists below."""

from collections.abc import Iterable, Mapping
from typing import Any

import marshmallow as ma

from omni_gateway.sdk import (
    READ,
    Filter,
    Listing,
    ListQuery,
    NotFound,
    OmniClient,
    Operation,
    OperationKind,
    Resource,
    ResourceAdapter,
    ResourcePlugin,
    ResourceSchema,
    Role,
    SpecSchema,
)
from omni_gateway.sdk.actions import Action, DryRunResult, SubCollection, stages_in_order
from omni_gateway.sdk.adapters import (
    View,
    WatchedType,
    WatchSource,
    find,
    label_link,
    object_url,
    read,
    resources_of,
    select,
)
from omni_gateway.sdk.omni import label_names, types


class FrozenSlotSchema(ResourceSchema):
    """A machine's place, by its link and its status."""

    hostname = ma.fields.String(dump_only=True)
    rack = ma.fields.String(dump_only=True)


class FrozenBlinkSchema(SpecSchema):
    """How often a light blinks."""

    times = ma.fields.Integer(required=True, validate=ma.validate.Range(1, 10))


def slot(link: Resource, status: Resource | None) -> Resource:
    """Join the two; the version changes with either."""
    network = (status.spec.get("network") or {}) if status else {}
    hostname = network.get("hostname", "")
    version = link.version * 4096 + (status.version if status else 0) % 4096
    labels = dict(status.labels) if status else {}
    spec = {"hostname": hostname, "rack": hostname[:1]}
    return Resource(link.id, spec, labels=labels, version=version, created=link.created, type="Slots.example.org")


def wanted(query: ListQuery, resource: Resource) -> bool:
    """Return True if the filter selects the object."""
    rack = query.filters.get("rack")
    return rack is None or resource.spec["rack"] == rack


class SlotSource(WatchSource):
    """Slots follow from links and machine statuses."""

    triggers = (WatchedType(types.LINKS), WatchedType(types.MACHINE_STATUSES))

    def __init__(self, query: ListQuery, id: str) -> None:
        """Keep the question."""
        self._query, self._id = query, id

    def affected(self, type: str, old: Resource | None, new: Resource | None) -> Iterable[str]:
        """Return the slot of the object's own id."""
        ids = {part.id for part in (old, new) if part is not None}
        return [id for id in ids if not self._id or id == self._id]

    def ids(self, view: View) -> Iterable[str]:
        """Return all slots."""
        return [self._id] if self._id else [link.id for link in view.all(types.LINKS)]

    def build(self, view: View, id: str) -> Resource | None:
        """Join it."""
        link = view.get(types.LINKS, id)
        return slot(link, view.get(types.MACHINE_STATUSES, id)) if link else None

    def matches(self, resource: Resource) -> bool:
        """Select as the list does."""
        selector = self._query.selector
        by_labels = selector is None or selector.matches(resource.labels)
        return by_labels and self._query.search in resource.id and wanted(self._query, resource)

    def owner(self, view: View, resource: Resource) -> str | None:
        """Return the cluster of the machine."""
        status = view.get(types.MACHINE_STATUSES, resource.id)
        return (status.spec.get("cluster") or None) if status else None


class SlotAdapter(ResourceAdapter):
    """Read and join."""

    type = "Slots.example.org"
    ids_are_machines = True
    other_types = (types.LINKS,)

    def list(self, query: ListQuery) -> Listing:
        """Join all."""
        statuses = {status.id: status for status in resources_of(self.omni.resources.list(types.MACHINE_STATUSES))}
        links = resources_of(self.omni.resources.list(types.LINKS))
        slots = [slot(link, statuses.get(link.id)) for link in links]
        return select([each for each in slots if wanted(query, each)], query, frozenset({"hostname"}))

    def get(self, id: str) -> Resource:
        """Join one."""
        return slot(read(self.omni, types.LINKS, id), find(self.omni, types.MACHINE_STATUSES, id))

    def watch_source(self, query: ListQuery, id: str = "") -> WatchSource:
        """Follow both types."""
        return SlotSource(query, id)


def read_blink(omni: OmniClient, id: str) -> Operation:
    """Return how far it is; the id has what was asked for."""
    machine, _, times = id.rpartition("~")
    if find(omni, types.LINKS, machine) is None:
        raise NotFound(id)
    return blinking(machine, int(times), "succeeded")


def blinking(machine: str, times: int, state: Any) -> Operation:
    """Return the operation."""
    return Operation(
        "frozen-blink",
        machine,
        state,
        f"blinks {times} times",
        target=object_url("frozen-racks", machine),
        stages=stages_in_order([("begun", True), ("ended", state == "succeeded")], state),
        mark=f"~{times}",
    )


BLINK = OperationKind("frozen-blink", read_blink, "Blink", subject=lambda id: id.rpartition("~")[0])


def blink(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Operation | DryRunResult:
    """Begin it."""
    existing = adapter.get(id)
    return DryRunResult(existing, existing) if dry_run else blinking(existing.id, body["times"], "running")


plugin = ResourcePlugin(
    name="frozen-racks",
    singular="frozen-rack-slot",
    schema=FrozenSlotSchema,
    adapter=SlotAdapter(),
    roles=READ,
    filters=[Filter("rack", "The first letter of the host name")],
    links={"cluster": label_link("clusters", label_names.LABEL_CLUSTER)},
    subresources=[SubCollection("patches", "configpatches", "machine", "Patches of the machine")],
    actions=[
        Action(
            "blink",
            role=Role.OPERATOR,
            summary="Blink",
            body=FrozenBlinkSchema,
            example={"times": 3},
            operation=BLINK,
            run=blink,
        )
    ],
    sdk=">=2.0,<3",
)
