"""Which checks apply to a plugin: conditions that a check names, and the reasons why one does not hold."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import marshmallow as ma

from omni_gateway.rest.adapters.omni import OmniResourceAdapter
from omni_gateway.rest.declaration import VERBS
from omni_gateway.rest.fields import Secret
from omni_gateway.testing.case import Case
from omni_gateway.testing.parameters import PARAMETERS

_MARK = "_conformance_conditions"
Check = TypeVar("Check", bound=Callable[..., Any])
Condition = Callable[[type[Case]], str]


def needs(*conditions: str) -> Callable[[Check], Check]:
    """Mark a check as one for plugins of which all ``conditions`` hold: verbs, and the names of :data:`CONDITIONS`."""
    unknown = set(conditions) - set(VERBS) - set(CONDITIONS)
    if unknown:
        raise ValueError(f"unknown conditions: {', '.join(sorted(unknown))}")

    def mark(check: Check) -> Check:
        setattr(check, _MARK, conditions)
        return check

    return mark


def reason_against(case: type[Case], check: Callable[..., Any]) -> str:
    """Return why a check does not apply to the plugin of a class; empty if it does."""
    if check.__name__ in case.unfit:
        return case.unfit[check.__name__]
    for condition in getattr(check, _MARK, ()):
        reason = _verb(case, condition) if condition in VERBS else CONDITIONS[condition](case)
        if reason:
            return reason
    for name in inspect.signature(check).parameters:
        if name in PARAMETERS and not PARAMETERS[name](case):
            return f"there is no {name.replace('_', ' ')}"
    return ""


def _verb(case: type[Case], verb: str) -> str:
    for excluded in (case.kept_by_back_end, case.not_tried):
        if verb in excluded:
            return excluded[verb]
    return "" if verb in case.plugin.roles else f"no role for `{verb}`"


def example_of(case: type[Case]) -> Mapping[str, Any]:
    """Return the body by which a class creates an object."""
    return case.example or case.plugin.example or {}


def _many(case: type[Case]) -> str:
    return f"there is one object only, {case.plugin.singleton!r}" if case.plugin.singleton else ""


def _changeable(case: type[Case]) -> str:
    """The kit can change an object: by a PATCH, or in Omni."""
    overridden = case.alter is not Case.alter
    omni_type = case.takes_labels and case.plugin.adapter.type.endswith(".sidero.dev")
    return "" if "patch" in case.verbs() or overridden or omni_type else "no `patch` role, and no `alter` hook"


def _own_id(case: type[Case]) -> str:
    """Bodies choose the id."""
    if refusal := _verb(case, "create"):
        return refusal
    return "" if "id" in example_of(case) and not case.plugin.singleton else "bodies do not choose the id"


def _required_id(case: type[Case]) -> str:
    field = case.plugin.schema.fields["id"]
    return _own_id(case) or ("" if field.required and not field.dump_only else "the id may be left out")


def _put_creates(case: type[Case]) -> str:
    if refusal := _verb(case, "create") or _verb(case, "replace"):
        return refusal
    fixed = case.plugin.schema.fields["id"].dump_only or case.plugin.schema.id_optional
    return "a PUT creates no object: the back end chooses ids" if fixed else ""


def _immediate(case: type[Case]) -> str:
    return "a POST starts an operation" if case.plugin.create_operation else ""


def _cluster(case: type[Case]) -> str:
    return "" if case.cluster else "the example belongs to no cluster (`cluster`)"


def _of_no_cluster(case: type[Case]) -> str:
    return "the example belongs to a cluster" if case.cluster else ""


def _secrets(case: type[Case]) -> str:
    return "" if secrets_of(case.plugin.schema) else "the schema has no `Secret` that a body sets"


def secrets_of(schema: ma.Schema) -> list[str]:
    """Return the names of writable ``Secret`` fields of a schema."""
    return [field.data_key or name for name, field in schema.load_fields.items() if isinstance(field, Secret)]


def _list_field(case: type[Case]) -> str:
    return "" if list_field_of(case) else "no field of the schema is a list of texts"


def list_field_of(case: type[Case]) -> str:
    """Return the name of a list that the example sets; empty if there is none."""
    example = example_of(case)
    return next((name for name, value in example.items() if isinstance(value, list) and value), "")


def _labels(case: type[Case]) -> str:
    return "" if case.takes_labels else "the objects take no labels (`takes_labels`)"


def _gunicorn(case: type[Case]) -> str:
    return "" if case.under_gunicorn else "not run under gunicorn (`under_gunicorn`)"


def _sortable(case: type[Case]) -> str:
    return "" if case.plugin.adapter.sortable else "the adapter names no sortable fields"


def _omni_type(case: type[Case]) -> str:
    return "" if isinstance(case.plugin.adapter, OmniResourceAdapter) else "objects are not those of an Omni type"


def _further_routes(case: type[Case]) -> str:
    added = len(case.plugin.blueprint.deferred_functions)
    return "" if added > len(case.plugin.roles) else "the plugin has no routes but its verbs"


def _readable(case: type[Case]) -> str:
    return "the back end does not let objects be read" if case.plugin.adapter.unreadable else ""


#: Name → function that returns why the condition does not hold; empty if it does.
CONDITIONS: Mapping[str, Condition] = {
    "many": _many,
    "changeable": _changeable,
    "own id": _own_id,
    "required id": _required_id,
    "put creates": _put_creates,
    "immediate": _immediate,
    "cluster": _cluster,
    "no cluster": _of_no_cluster,
    "secrets": _secrets,
    "list field": _list_field,
    "labels": _labels,
    "gunicorn": _gunicorn,
    "sortable": _sortable,
    "readable": _readable,
    "omni type": _omni_type,
    "further routes": _further_routes,
}


def checks_of(case: type[Case]) -> Iterator[tuple[str, str]]:
    """Yield the name of each check, and the reason why it does not apply, empty if it does."""
    for name in dir(case):
        check = getattr(case, name)
        if name.startswith("test_") and callable(check):
            yield name, reason_against(case, check)
