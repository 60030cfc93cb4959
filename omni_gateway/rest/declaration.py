"""Checks of a declaration's arguments, before anything is made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from omni_gateway.auth import Role
from omni_gateway.http.paths import TICKET_PARAMETER
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.rest.errors import PluginError
from omni_gateway.rest.filters import Filter
from omni_gateway.rest.parameters import COMMON_PARAMETERS
from omni_gateway.rest.schema import ResourceSchema

VERBS = ("list", "get", "create", "replace", "patch", "delete")


def refuse_wrong_arguments(schema: Any, roles: Any, filters: Sequence[Filter], singleton: str) -> None:
    """Raise :class:`PluginError` for arguments of a :class:`ResourcePlugin` of which no routes can be made.

    The type annotations exclude most of them; authors who do not check types get the text.
    """
    _check_schema(schema)
    _check_roles(roles)
    if singleton and "list" in roles:
        raise PluginError("a singleton has no list; remove 'list' from roles")
    names = [each.name for each in filters]
    if taken := sorted(set(names) & (COMMON_PARAMETERS | {TICKET_PARAMETER})):
        raise PluginError(f"filters with names of common parameters: {_quoted(taken)}; give them another name")
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise PluginError(f"two filters of one name: {_quoted(twice)}; give one another name")


def check_role(role: Any, of: str) -> None:
    """Raise :class:`PluginError` for a role that is no :class:`Role`; ``of`` says what it is the role of."""
    if isinstance(role, Role):
        return
    known = isinstance(role, str) and role in {each.value for each in Role}
    mend = f"Role.{Role(role).name}" if known else f"one of {', '.join(f'Role.{each.name}' for each in Role)}"
    raise PluginError(f"the role of {of} is {role!r}; write {mend}")


def _check_schema(schema: Any) -> None:
    if isinstance(schema, ResourceSchema):
        name = type(schema).__name__
        raise PluginError(f"the schema is an instance, {name}(); give the class: schema={name}")
    if not (isinstance(schema, type) and issubclass(schema, ResourceSchema)):
        name = getattr(schema, "__name__", repr(schema))
        raise PluginError(f"the schema {name} is no ResourceSchema; make it a subclass of ResourceSchema")


def _check_roles(roles: Any) -> None:
    if not isinstance(roles, Mapping):
        raise PluginError(
            f"roles is {roles!r}, not a mapping of verbs; write READ, READ_WRITE or {{'list': Role.READER, ...}}"
        )
    for verb, role in roles.items():
        if verb not in VERBS:
            raise PluginError(
                f"unknown verb {verb!r} in roles{did_you_mean(str(verb), VERBS)} Verbs are {', '.join(VERBS)}"
            )
        check_role(role, f"the verb {verb!r}")


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
