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

from ..sound import INSPECT, RackAdapter, RackNoQuerySchema, RackSchema, inspect, plate, racks, visits
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


class RackLaxSchema(RackSchema):
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
    @plugin.blueprint.arguments(RackNoQuerySchema, location="query")
    def remove(query: Mapping[str, Any], id: str) -> None:
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
accepts_unknown_fields_in_a_patch = racks("accepts-unknown-fields-in-a-patch", schema=RackLaxSchema)
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
        found_by=("test_a_dry_run_of_a_create_makes_nothing",),
    ),
    Planted(
        action_ignores_the_dry_run,
        "an action takes no notice of `dry_run`",
        "a dry run changes nothing",
        found_by=("test_a_dry_run_of_an_action_changes_nothing",),
    ),
    Planted(
        dry_run_differs,
        "`create` completes the object, which `check` should do",
        "a dry run is answered with what the real run makes",
        found_by=("test_a_dry_run_of_a_create_answers_what_the_real_one_does",),
    ),
    Planted(
        lost_update,
        "`replace` writes over whatever version is there",
        "of changes that are made at once none is lost",
        found_by=("test_of_several_changes_at_once_none_is_lost",),
    ),
    Planted(
        double_create,
        "`create` looks whether the id is free and then writes over what has come meanwhile",
        "of those who create one id at once one has made it",
        found_by=("test_of_several_creates_of_an_id_at_once_one_succeeds",),
    ),
    Planted(
        put_merges,
        "`replace` writes the members that are given and leaves the others",
        "a PUT, and null in a PATCH, removes what is not there any more",
        found_by=("test_a_replace_removes_a_member_that_it_does_not_name", "test_null_in_a_patch_removes_a_member"),
    ),
    Planted(
        labels_stay,
        "`replace` adds labels and takes none away",
        "null in a PATCH removes a label",
        found_by=("test_a_patch_merges_labels_and_null_removes_one",),
    ),
    Planted(
        annotations_are_lost,
        "`replace` does not write annotations",
        "what a write was answered 200 for is there",
        found_by=("test_a_patch_keeps_the_members_that_it_does_not_name",),
    ),
    Planted(
        deleted_is_listed,
        "`delete` marks the object; `get` looks at the mark and `items` does not",
        "a deleted object is gone, and its id is free",
        found_by=("test_a_removed_object_is_gone_from_lists_at_once", "test_an_id_can_be_used_again_after_a_removal"),
    ),
    Planted(
        delete_of_nothing_succeeds,
        "a view of its own answers 204 for a missing object",
        "a DELETE of a missing object is answered 404",
        found_by=("test_a_further_route_of_a_missing_object_is_404",),
    ),
    Planted(
        accepts_unknown_fields_in_a_patch,
        "the schema has `unknown = EXCLUDE`, which a POST does not heed and a PATCH does",
        "a misspelt field is refused, not dropped",
        found_by=("test_an_unknown_field_of_a_body_is_refused_by_name[patch]",),
    ),
    Planted(
        accepts_unknown_fields,
        "a nested schema has `unknown = EXCLUDE`",
        "a misspelt field is refused, not dropped",
        found_by=("test_an_unknown_field_of_a_message_is_refused_by_name",),
    ),
    Planted(
        fails_on_an_id,
        "`get` encodes the id as ASCII",
        "no id makes a 500",
        found_by=("test_a_strange_id_that_is_not_there_is_no_failure",),
    ),
    Planted(
        alters_the_id,
        "`check` makes the id lower case; `get` does not",
        "an object has the id that it was created with",
        found_by=("test_a_strange_id_lives_like_any_other_or_is_refused[capitals]",),
    ),
    Planted(
        fails_on_a_missing_object,
        "`get` raises KeyError",
        "a missing object is answered 404",
        found_by=("test_a_strange_id_that_is_not_there_is_no_failure",),
    ),
    Planted(
        does_not_take_what_it_shows,
        "a field shows centimetres and takes units",
        "a document that was read can be sent back, and changes nothing",
        found_by=("test_a_document_that_was_read_can_be_sent_back",),
    ),
]
