"""Query parameters: what lists, reads and writes take; whatever else is sent is refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.http.fixed_schema import FixedSchema
from omni_gateway.http.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from omni_gateway.http.problems import Problem
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.model.query import ListQuery
from omni_gateway.omni import selectors

MAX_SORT_KEYS = 5
MAX_FIELDS = 50

#: A filter's value goes into a label query, where these characters would mean something.
_PLAIN = [
    validate.Length(min=1, max=1024),
    validate.Regexp(r"[^\s,()=!<>]*\Z", error="Must not hold spaces or any of , ( ) = ! < >."),
]


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter of one resource's list.

    With ``selector`` the value becomes label-selector text (Omni selects); without it the adapter finds the value in
    ``ListQuery.filters`` and selects by itself.
    """

    name: str
    description: str
    selector: Callable[[Any], str] | None = None
    field: fields.Field[Any] = field(default_factory=lambda: fields.String(validate=_PLAIN))


def label_filter(name: str, label: str, description: str = "") -> Filter:
    """Select the objects whose ``label`` has the value given: ``?cluster=c1``."""
    return Filter(name, description or f"Only those of this {name}", lambda value: f"{label}={selectors.quoted(value)}")


def id_filter(name: str, description: str = "") -> Filter:
    """Select the one object that shares its id with a ``name``; the adapter must be told (``id_filter=name``)."""
    return Filter(name, description or f"Only that of this {name}")


class ReadQuery(FixedSchema):
    """Query of a read."""

    fields_ = fields.String(
        data_key="fields",
        attribute="fields",
        metadata={
            "description": "Only these fields, comma separated, dotted for nested ones: `fields=labels,metadata.phase`."
            " Required ones that are not named are left out too"
        },
    )


class WriteQuery(FixedSchema):
    """Query of a write."""

    dry_run = fields.Boolean(
        load_default=False,
        metadata={"description": "Do every check, send nothing; answers the object that would result and a JSON diff"},
    )


class NoQuery(FixedSchema):
    """A route without query parameters."""


class ListQuerySchema(ReadQuery):
    """Query of a list."""

    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=1_000_000))
    page_size = fields.Integer(load_default=DEFAULT_PAGE_SIZE, validate=validate.Range(min=1, max=MAX_PAGE_SIZE))
    label_selector = fields.String(
        metadata={
            "description": "As Omni and machine classes have it: `a=b,a!=b,a in (x,y),a notin (x),a,!a`, and `<`, `<=`,"
            " `>`, `>=` for numbers (`omni.sidero.dev/mem>=64Gi`); values with special characters in double quotes"
        }
    )
    search = fields.String(validate=validate.Length(min=1, max=256), metadata={"description": "Text to look for"})
    sort = fields.String(metadata={"description": "Fields to sort by, `-` for descending: `sort=-created,id`"})


def list_query_schema(name: str, filters: Sequence[Filter]) -> ma.Schema:
    """Return the query schema of one resource's list: the common parameters and the resource's own filters."""
    own = {
        item.name: type(item.field)(**_field_arguments(item.field), metadata={"description": item.description})
        for item in filters
    }
    return cast(ma.Schema, type(f"{name}ListQuery", (ListQuerySchema,), own)())


def _field_arguments(template: fields.Field[Any]) -> dict[str, Any]:
    return {"validate": template.validate} if template.validate else {}


def parse_fields(text: str | None, known: Collection[str]) -> tuple[str, ...]:
    """Split ``fields=a,b.c``; a ``validation`` problem names the first unknown one and its nearest neighbour."""
    names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    if len(names) > MAX_FIELDS:
        raise Problem(422, "validation", errors={"fields": [f"At most {MAX_FIELDS} fields."]})
    for name in names:
        if name.split(".")[0] not in known:
            raise Problem(
                422, "validation", errors={"fields": [f"No field {name!r}{did_you_mean(name.split('.')[0], known)}"]}
            )
    return names


def parse_sort(text: str | None) -> tuple[tuple[str, bool], ...]:
    """Split ``sort=-created,id`` into (field, descending) pairs."""
    keys = [key.strip() for key in (text or "").split(",") if key.strip()]
    if len(keys) > MAX_SORT_KEYS:
        raise Problem(422, "validation", errors={"sort": [f"At most {MAX_SORT_KEYS} keys."]})
    return tuple((key.lstrip("+-"), key.startswith("-")) for key in keys)


def to_list_query(
    arguments: Mapping[str, Any], filters: Sequence[Filter], forced: Mapping[str, Any] | None = None
) -> ListQuery:
    """Turn validated parameters into what an adapter understands; ``forced`` filters come from the URL's path."""
    given = {**arguments, **(forced or {})}
    text = arguments.get("label_selector", "")
    terms = [*_parse_selector(text).terms] if text.strip() else []
    own: dict[str, Any] = {}
    for item in filters:
        if item.name not in given:
            continue
        if item.selector is None:
            own[item.name] = given[item.name]
        elif term := item.selector(given[item.name]):
            terms.extend(_parse_selector(term).terms)
    size = arguments.get("page_size", 0)
    return ListQuery(
        selector=_parse_selector(selectors.Selector(tuple(terms)).to_omni()) if terms else None,
        search=arguments.get("search", ""),
        sort=parse_sort(arguments.get("sort")),
        offset=(arguments.get("page", 1) - 1) * size,
        limit=size,
        filters=own,
    )


def _parse_selector(text: str) -> selectors.Selector:
    try:
        return selectors.parse(text)
    except selectors.SelectorError as error:
        raise Problem(
            422,
            "bad-selector",
            f"The label selector cannot be read at character {error.position}: {error}",
            errors={"label_selector": [str(error)]},
        ) from error
