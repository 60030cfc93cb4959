"""The query of a bulk request: which objects, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.http.problems import Problem
from omni_gateway.rest.errors import PluginError
from omni_gateway.rest.filters import Filter, filter_fields
from omni_gateway.rest.parameters import SelectionQuery, WriteQuery

MOST_PARALLEL, USUAL_PARALLEL = 32, 16


class BulkQuery(SelectionQuery, WriteQuery):
    """Query of a bulk request, without the filters of its resource."""

    all_ = fields.Boolean(
        data_key="all",
        attribute="all",
        load_default=False,
        metadata={"description": "All objects that you may read; instead of a filter"},
    )
    atomic = fields.Boolean(
        load_default=False,
        metadata={"description": "All or nothing; only a PATCH can keep that, anything else is refused with it"},
    )
    parallelism = fields.Integer(
        load_default=USUAL_PARALLEL,
        validate=validate.Range(min=1, max=MOST_PARALLEL),
        metadata={"description": "Objects at a time, at most"},
    )
    max_failures = fields.Integer(
        validate=validate.Range(min=1, max=1_000_000),
        metadata={
            "description": "Stop after so many failures; objects that are not begun then are `not-written`."
            " By default all are tried"
        },
    )


def bulk_query_schema(name: str, filters: Sequence[Filter], own: type[WriteQuery]) -> ma.Schema:
    """Return the query schema of a bulk route: common parameters, the list's filters, those of the verb itself.

    Raises :class:`PluginError` if one name would have two meanings.
    """
    known = {*BulkQuery().fields, "all"}
    taken = {each.name for each in filters} & ({*own().fields} | known)
    taken |= ({*own().fields} - {"dry_run"}) & known
    if taken:
        raise PluginError(f"parameters of bulk requests have the names {sorted(taken)}; give the plugin's others")
    return cast(ma.Schema, type(f"{name}BulkQuery", (BulkQuery, own), filter_fields(filters))())


def check_selection(arguments: Mapping[str, Any], filters: Sequence[Filter], method: str) -> None:
    """Raise a 422 problem for a request that selects nothing by a filter, or by one and ``all`` too."""
    names = ["label_selector", "search", "id_matches", *(each.name for each in filters)]
    given = [name for name in names if _selects(arguments.get(name))]
    if not given and not arguments["all"]:
        text = f"Say which objects: {', '.join(names)}; or all=true for every one."
        hint = f"The same filters on a GET of this URL show which objects this {method} would reach."
        raise Problem(422, "validation", text, errors={"label_selector": [text]}, hint=hint)
    if given and arguments["all"]:
        raise Problem(422, "validation", errors={"all": [f"Not together with {', '.join(given)}."]})


def _selects(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None
