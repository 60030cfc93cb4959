"""Query parameters of lists, reads and writes; unknown parameters are rejected (422)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.http.fixed_schema import FixedSchema
from omni_gateway.http.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from omni_gateway.http.problems import Problem
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.model.id_pattern import MAX_LENGTH, IdPattern, IdPatternError
from omni_gateway.model.query import ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import selectors
from omni_gateway.rest.filters import Filter, filter_fields
from omni_gateway.rest.representation import FULL, VIEWS

MAX_SORT_KEYS = 5
MAX_FIELDS = 50


class FieldsQuery(FixedSchema):
    """Query of a read whose caller selects fields."""

    fields_ = fields.String(
        data_key="fields",
        attribute="fields",
        metadata={
            "description": "Only these fields, comma separated, dotted for nested ones: `fields=labels,metadata.phase`."
            " Required ones that are not named are left out too"
        },
    )


class ReadQuery(FieldsQuery):
    """Query of a read of objects."""

    view = fields.String(
        load_default=FULL,
        validate=validate.OneOf(VIEWS),
        metadata={
            "description": "`summary` leaves out `_links`, `metadata.finalizers` and the `annotations` of Omni's own"
            " (`omni.sidero.dev/…`) except locks, also where the schema requires them; `fields` then selects from the"
            " rest. A PUT of a summary would remove those annotations; use PATCH"
        },
    )
    resume_point = fields.String(
        validate=validate.Length(max=256),
        metadata={
            "description": "Of a watch: go on after this point, as with `Last-Event-ID`, which goes before it; for"
            " clients that cannot set a header, such as a browser's `EventSource` with a new ticket"
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


class SelectionQuery(FixedSchema):
    """Query by which objects of a collection are selected."""

    label_selector = fields.String(
        metadata={
            "description": "As Omni and machine classes have it: `a=b,a!=b,a in (x,y),a notin (x),a,!a`, and `<`, `<=`,"
            " `>`, `>=` for numbers (`omni.sidero.dev/mem>=64Gi`); values with special characters in double quotes"
        }
    )
    search = fields.String(validate=validate.Length(min=1, max=256), metadata={"description": "Text to look for"})
    id_matches = fields.String(
        validate=validate.Length(min=1, max=MAX_LENGTH),
        metadata={
            "description": "Only those whose id has a match of this regular expression, in the syntax of RE2 (and of"
            " `omnictl get --id-match-regexp`): `^web-[0-9]+$`",
        },
    )


class ListQuerySchema(SelectionQuery, ReadQuery):
    """Query of a list."""

    page = fields.Integer(
        load_default=1,
        validate=validate.Range(min=1, max=1_000_000),
        metadata={"description": "Number of the page, from 1"},
    )
    page_size = fields.Integer(
        load_default=DEFAULT_PAGE_SIZE,
        validate=validate.Range(min=1, max=MAX_PAGE_SIZE),
        metadata={"description": "Objects on a page, at most"},
    )
    sort = fields.String(metadata={"description": "Fields to sort by, `-` for descending: `sort=-created,id`"})


#: Parameters that every list has; a resource's own filters have other names.
COMMON_PARAMETERS = frozenset(field.data_key or name for name, field in ListQuerySchema().fields.items())


def list_query_schema(name: str, filters: Sequence[Filter]) -> ma.Schema:
    """Return the query schema of one resource's list: the common parameters and the resource's own filters."""
    return cast(ma.Schema, type(f"{name}ListQuery", (ListQuerySchema,), filter_fields(filters))())


def parse_fields(text: str | None, known: Collection[str]) -> tuple[str, ...]:
    """Split ``fields=a,b.c``. Raises a 422 problem that names the first unknown field and the most similar known one.

    Also raises it for more than 50 fields.
    """
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
    """Split ``sort=-created,id`` into (field, descending) pairs. Raises a 422 problem for more than 5 keys."""
    keys = [key.strip() for key in (text or "").split(",") if key.strip()]
    if len(keys) > MAX_SORT_KEYS:
        raise Problem(422, "validation", errors={"sort": [f"At most {MAX_SORT_KEYS} keys."]})
    return tuple((key.lstrip("+-"), key.startswith("-")) for key in keys)


def to_list_query(
    arguments: Mapping[str, Any], filters: Sequence[Filter], forced: Mapping[str, Any] | None = None
) -> ListQuery:
    """Return the adapter's query for validated parameters; ``forced`` filters come from the URL's path.

    Raises a 422 problem for an invalid label selector (``bad-selector``) or pattern of ids.
    """
    given = {**arguments, **(forced or {})}
    text = arguments.get("label_selector", "")
    terms = [*_parse_selector(text).terms] if text.strip() else []
    own: dict[str, Any] = {}
    conditions: list[tuple[Callable[[Resource, Any], bool], Any]] = []
    for item in filters:
        if item.name not in given:
            continue
        value = given[item.name]
        if item.selector is None:
            own[item.name] = value
        elif term := item.selector(value):
            terms.extend(_parse_selector(term).terms)
        if item.matches is not None:
            conditions.append((item.matches, value))
    size = arguments.get("page_size", 0)
    return ListQuery(
        selector=_parse_selector(selectors.Selector(tuple(terms)).to_omni()) if terms else None,
        search=arguments.get("search", ""),
        id_matches=_parse_pattern(arguments.get("id_matches")),
        sort=parse_sort(arguments.get("sort")),
        offset=(arguments.get("page", 1) - 1) * size,
        limit=size,
        filters=own,
        conditions=tuple(conditions),
    )


def _parse_pattern(text: str | None) -> IdPattern | None:
    try:
        return IdPattern(text) if text else None
    except IdPatternError as error:
        wrong = f"No regular expression of RE2, at character {error.position}: {error}."
        raise Problem(422, "validation", errors={"id_matches": [wrong]}) from error


def _parse_selector(text: str) -> selectors.Selector:
    try:
        return selectors.parse(text)
    except selectors.SelectorError as error:
        raise Problem(
            422,
            "bad-selector",
            f"The label selector cannot be parsed at character {error.position}: {error}",
            errors={"label_selector": [str(error)]},
        ) from error
