"""Mistakes with a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import marshmallow as ma

from omni_gateway.sdk import Problem, Resource, ResourceAdapter

from ..sound import POWER, RackAdapter, RackSchema, racks
from .entry import Planted


class RackSchemaWithPassword(RackSchema):
    password = ma.fields.String()


class QuotesTheBody(RackAdapter):
    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        super().check(resource, existing, extras)
        if "/" in resource.id:
            raise Problem(422, "validation", f"Cannot store {resource}: its id has a slash.")


def whole_spec(adapter: ResourceAdapter, id: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**adapter.get(id).spec, **POWER.run(adapter, id, query)}


shows_a_secret = racks("shows-a-secret", schema=RackSchemaWithPassword)
shows_a_secret_in_a_document = racks("shows-a-secret-in-a-document", documents=[replace(POWER, run=whole_spec)])
quotes_a_secret_in_an_error = racks("quotes-a-secret-in-an-error", QuotesTheBody)

PLANTED = [
    Planted(
        shows_a_secret,
        "the password is a `String`, not a `Secret`",
        "no answer has a secret",
        found_by=("test_a_member_that_is_named_like_a_secret_is_not_shown",),
    ),
    Planted(
        shows_a_secret_in_a_document,
        "a document returns the whole spec; what it returns is not completed or cut by the schema",
        "no answer has a secret, documents neither",
        found_by=("test_a_secret_is_not_in_the_answer_of_a_further_route",),
    ),
    Planted(
        quotes_a_secret_in_an_error,
        "the text of a problem has the object's `repr`",
        "no answer has a secret, problems neither",
        found_by=("test_a_secret_is_not_in_a_refusal",),
    ),
]
