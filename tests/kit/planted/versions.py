"""Mistakes with entity tags and versions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import marshmallow as ma

from omni_gateway.sdk import Resource, fields
from omni_gateway.sdk.adapters import Created

from ..sound import RackAdapter, RackSchema, racks
from .entry import Planted


class RackSchemaWithAge(RackSchema):
    age_ms = fields.Integer(dump_only=True)


class Aging(RackAdapter):
    def items(self, filters: Mapping[str, Any]) -> list[Resource]:
        return [self._aged(item) for item in super().items(filters)]

    def get(self, id: str) -> Resource:
        return self._aged(super().get(id))

    def _aged(self, item: Resource) -> Resource:
        made = datetime.fromisoformat(item.created or "").timestamp()
        return replace(item, spec={**item.spec, "age_ms": int((time.time() - made) * 1000)})


#: The titles by the id of a rack: a table beside the objects.
TITLES: dict[str, str] = {}


class Title(ma.fields.String, fields.Rendered):
    zero = ""

    def render(self, value: Any) -> str:
        return TITLES.get(value, value)


class RackSchemaWithTitle(RackSchema):
    title = Title(required=True)


class TitlesBeside(RackAdapter):
    """The object has the key of its title, the table has the title."""

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> None:
        super().create(self._put_aside(resource), extras)

    def replace(self, resource: Resource) -> None:
        wanted, stored = self._put_aside(resource), self.get(resource.id)
        if (wanted.spec, wanted.labels, wanted.annotations) != (stored.spec, stored.labels, stored.annotations):
            super().replace(wanted)

    def _put_aside(self, resource: Resource) -> Resource:
        TITLES[resource.id] = resource.spec["title"]
        return replace(resource, spec={**resource.spec, "title": resource.id})


class AnswersWhatWasAsked(RackAdapter):
    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        super().create(resource, extras)
        return resource


etag_from_a_clock = racks("etag-from-a-clock", Aging, schema=RackSchemaWithAge)
etag_stays = racks("etag-stays", TitlesBeside, schema=RackSchemaWithTitle)
answers_what_was_asked = racks("answers-what-was-asked", AnswersWhatWasAsked)

PLANTED = [
    Planted(
        etag_from_a_clock,
        "a member is made of the time at each read, and the entity tag is made of the members",
        "an object that nobody writes keeps its entity tag",
        found_by=("test_the_tag_stays_while_the_object_does", "test_an_object_that_has_not_changed_is_304"),
    ),
    Planted(
        etag_stays,
        "a field is rendered from a table beside the object, which does not change with it",
        "a change changes the entity tag",
        found_by=("test_a_change_of_one_member_changes_the_tag",),
    ),
    Planted(
        answers_what_was_asked,
        "`create` returns the object that it was given, not the one that is stored",
        "a create is answered with the object, and with the entity tag, that a read has",
        found_by=("test_a_create_answers_with_the_times_that_are_read_afterwards",),
    ),
]
