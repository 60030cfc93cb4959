"""Patches in JSON: apply RFC 7396 merge patches, and describe a change as an RFC 6902 patch."""

from __future__ import annotations

from typing import Any

import jsonpatch


def apply(target: Any, patch: Any) -> Any:
    """Return ``target`` with an RFC 7396 merge patch applied; neither is changed."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = apply(result.get(name), value)
    return result


def diff(before: Any, after: Any) -> list[dict[str, Any]]:
    """Return the RFC 6902 operations that lead from ``before`` to ``after``: ``add``, ``remove`` and ``replace`` only.

    ``move`` and ``copy`` are not used: they would relate two annotations only because their values are equal.
    """
    operations: list[dict[str, Any]] = jsonpatch.JsonPatch.from_diff(before, after, optimization=False).patch
    return operations
