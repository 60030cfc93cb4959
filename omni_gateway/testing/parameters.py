"""The parameters of checks, by the plugin of a class: a test for each verb that it has, and the like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from omni_gateway.rest.declaration import VERBS
from omni_gateway.testing.case import Case

WRITES = ("create", "replace", "patch", "delete")


def _verbs(case: type[Case]) -> Sequence[str]:
    return case.verbs()


def _kept_verbs(case: type[Case]) -> Sequence[str]:
    return [verb for verb in VERBS if verb in case.kept_by_back_end]


def _missing_verbs(case: type[Case]) -> Sequence[str]:
    return [verb for verb in VERBS if verb not in case.plugin.roles]


def _writes(case: type[Case]) -> Sequence[str]:
    return [verb for verb in case.verbs() if verb in WRITES]


def _reads(case: type[Case]) -> Sequence[str]:
    return [verb for verb in case.verbs() if verb not in WRITES]


def _writes_of_existing(case: type[Case]) -> Sequence[str]:
    return [verb for verb in _writes(case) if verb != "create"]


def _bodies(case: type[Case]) -> Sequence[str]:
    return [verb for verb in _writes(case) if verb != "delete"]


def _verbs_of_object(case: type[Case]) -> Sequence[str]:
    return [verb for verb in case.verbs() if verb not in ("list", "create")]


def _sort_keys(case: type[Case]) -> Sequence[str]:
    return sorted(case.plugin.adapter.sortable or ())


#: Name of a parameter → function that returns its values for a class.
PARAMETERS: Mapping[str, Callable[[type[Case]], Sequence[Any]]] = {
    "verb": _verbs,
    "object_verb": _verbs_of_object,
    "kept_verb": _kept_verbs,
    "missing_verb": _missing_verbs,
    "write": _writes,
    "read": _reads,
    "write_of_existing": _writes_of_existing,
    "write_with_body": _bodies,
    "sort_key": _sort_keys,
}
