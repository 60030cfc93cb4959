"""Mistakes in writes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import marshmallow as ma

from omni_gateway.sdk import (
    READ_WRITE,
    NotFound,
    Problem,
    Resource,
    ResourceAdapter,
    ResourcePlugin,
    Role,
    SpecSchema,
    fields,
    require_role,
)
from omni_gateway.sdk.actions import current_gateway
from omni_gateway.sdk.adapters import MISSING

from ..sound import INSPECT, RackAdapter, RackSchema, inspect, plate, racks, visits
from .entry import Planted


class Reserving(RackAdapter):
    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        super().check(resource, existing, extras)
        if existing is None:  # takes the id, so that nobody else does until `create`
            self.store.documents.create(self.collection, resource.id, resource.spec, resource.labels, {})

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> None:
        super().replace(replace(resource, version=self.get(resource.id).version))


def inspect_at_once(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Any:
    return inspect(adapter, id, body, dry_run=False)


class CompletedLate(RackAdapter):
    def create(self, resource: Resource, extras: Mapping[str, Any]) -> None:
        resource.spec.setdefault("inspected_by", "nobody yet")  # `check` is where a dry run would see it
        super().create(resource, extras)


class LastWriteWins(RackAdapter):
    def replace(self, resource: Resource) -> None:
        super().replace(replace(resource, version=self.get(resource.id).version))


class Upserting(RackAdapter):
    def create(self, resource: Resource, extras: Mapping[str, Any]) -> None:
        try:
            stored = self.get(resource.id)
        except NotFound:
            stored = None
        if stored is not None:
            raise Problem(409, "exists", f"Object {resource.id!r} exists already.")
        # INSERT OR REPLACE: whoever comes second writes over the first.
        if not self.store.documents.create(
            self.collection, resource.id, resource.spec, resource.labels, resource.annotations
        ):
            super().replace(replace(resource, version=self.get(resource.id).version))


class Merging(RackAdapter):
    def replace(self, resource: Resource) -> None:
        stored = self.get(resource.id)
        super().replace(replace(resource, spec={**stored.spec, **resource.spec}))


class KeepingLabels(RackAdapter):
    def replace(self, resource: Resource) -> None:
        stored = self.get(resource.id)
        super().replace(replace(resource, labels={**stored.labels, **resource.labels}))


class DroppingAnnotations(RackAdapter):
    def replace(self, resource: Resource) -> None:
        super().replace(replace(resource, annotations={}))  # they are no columns of its table


DELETED = "example.org/deleted"


class MarkedAsDeleted(RackAdapter):
    """A deleted rack stays, with an annotation; it cannot be got, and ``items`` has forgotten about it."""

    def get(self, id: str) -> Resource:
        found = super().get(id)
        if DELETED in found.annotations:
            raise NotFound(id)
        return found

    def delete(self, resource: Resource) -> None:
        self.replace(replace(resource, annotations={**resource.annotations, DELETED: "true"}))


class RackContactLaxSchema(SpecSchema):
    """Who to call about a rack."""

    class Meta:
        unknown = ma.EXCLUDE

    name = ma.fields.String()
    phone = ma.fields.String()


class RackSchemaWithLaxContact(RackSchema):
    contact = fields.Message(RackContactLaxSchema)


class RackSchemaThatIsLax(RackSchema):
    class Meta:
        unknown = ma.EXCLUDE


class AsciiOnly(RackAdapter):
    def get(self, id: str) -> Resource:
        id.encode("ascii")  # as its back end's protocol has it
        return super().get(id)


class LowerCase(RackAdapter):
    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        resource.id = resource.id.lower()
        super().check(resource, existing, extras)


class Centimetres(fields.Integer, fields.Rendered):
    """Units in, centimetres out."""

    zero = 0

    def render(self, value: Any) -> int:
        return round(value * 4.445)


class RackSchemaWithHeight(RackSchema):
    units = Centimetres()


class Upright(RackAdapter):
    def get(self, id: str) -> Resource:
        return {item.id: item for item in self.items({})}[id]  # a KeyError is no NotFound


def removal(plugin: ResourcePlugin) -> None:
    """Remove a rack, whether it is there or not: "idempotent"."""

    @plugin.blueprint.delete("/<id>")
    @require_role(Role.OPERATOR)
    @plugin.blueprint.doc(operationId=f"delete_{plugin.singular_id}")
    @plugin.blueprint.response(204)
    def remove(id: str) -> None:
        adapter = current_gateway().bound(plugin.adapter)
        with suppress(MISSING):
            adapter.delete(adapter.get(id))


WITHOUT_DELETE = {verb: role for verb, role in READ_WRITE.items() if verb != "delete"}

check_writes = racks("check-writes", Reserving)
action_ignores_the_dry_run = racks("action-ignores-the-dry-run", actions=[replace(INSPECT, run=inspect_at_once)])
dry_run_differs = racks("dry-run-differs", CompletedLate)
lost_update = racks("lost-update", LastWriteWins)
double_create = racks("double-create", Upserting)
put_merges = racks("put-merges", Merging)
labels_stay = racks("labels-stay", KeepingLabels)
annotations_are_lost = racks("annotations-are-lost", DroppingAnnotations)
deleted_is_listed = racks("deleted-is-listed", MarkedAsDeleted)
delete_of_nothing_succeeds = racks("delete-of-nothing-succeeds", roles=WITHOUT_DELETE, views=[plate, visits, removal])
accepts_unknown_fields = racks("accepts-unknown-fields", schema=RackSchemaWithLaxContact)
fails_on_an_id = racks("fails-on-an-id", AsciiOnly)
alters_the_id = racks("alters-the-id", LowerCase)
fails_on_a_missing_object = racks("fails-on-a-missing-object", Upright)
does_not_take_what_it_shows = racks("does-not-take-what-it-shows", schema=RackSchemaWithHeight)

PLANTED = [
    Planted(
        check_writes,
        "`check` reserves the id in the store; dry runs call it too",
        "a dry run changes nothing",
    ),
    Planted(
        action_ignores_the_dry_run,
        "an action takes no notice of `dry_run`",
        "a dry run changes nothing",
    ),
    Planted(
        dry_run_differs,
        "`create` completes the object, which `check` should do",
        "a dry run is answered with what the real run makes",
    ),
    Planted(
        lost_update,
        "`replace` writes over whatever version is there",
        "of changes that are made at once none is lost",
    ),
    Planted(
        double_create,
        "`create` looks whether the id is free and then writes over what has come meanwhile",
        "of those who create one id at once one has made it",
    ),
    Planted(
        put_merges,
        "`replace` writes the members that are given and leaves the others",
        "a PUT, and null in a PATCH, removes what is not there any more",
    ),
    Planted(
        labels_stay,
        "`replace` adds labels and takes none away",
        "null in a PATCH removes a label",
    ),
    Planted(
        annotations_are_lost,
        "`replace` does not write annotations",
        "what a write was answered 200 for is there",
    ),
    Planted(
        deleted_is_listed,
        "`delete` marks the object; `get` looks at the mark and `items` does not",
        "a deleted object is gone, and its id is free",
    ),
    Planted(
        delete_of_nothing_succeeds,
        "a view of its own answers 204 for a missing object",
        "a DELETE of a missing object is answered 404",
    ),
    Planted(
        accepts_unknown_fields,
        "a nested schema has `unknown = EXCLUDE`",
        "a misspelt field is refused, not dropped",
    ),
    Planted(
        fails_on_an_id,
        "`get` encodes the id as ASCII",
        "no id makes a 500",
    ),
    Planted(
        alters_the_id,
        "`check` makes the id lower case; `get` does not",
        "an object has the id that it was created with",
    ),
    Planted(
        fails_on_a_missing_object,
        "`get` raises KeyError",
        "a missing object is answered 404",
    ),
    Planted(
        does_not_take_what_it_shows,
        "a field shows centimetres and takes units",
        "a document that was read can be sent back, and changes nothing",
    ),
]
