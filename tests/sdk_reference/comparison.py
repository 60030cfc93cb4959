"""What has changed between the surface of a release and another one: whatever breaks a plugin, in a sentence each.

griffe finds removals, and changes of parameters and kinds. Two rules are of the SDK's own: plugins subclass its
classes, so the engine may pass no new argument to a method that they override; and the default of an attribute stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

from tests.sdk_reference.surface import SDK

TAKES = "this takes a major version of the SDK"
#: What each version changes.
CHANGES_BY_NATURE = {f"{SDK}.SDK_VERSION"}


def load(stubs: Path) -> griffe.Module:
    """Return the surface that ``stubs.write`` has written to a folder."""
    found = griffe.GriffeLoader(search_paths=[stubs], allow_inspection=False).load(SDK)
    assert isinstance(found, griffe.Module)
    return found


def breaks(old: griffe.Module, new: griffe.Module) -> list[str]:
    """Return what breaks plugins that were written for ``old``."""
    found = [_sentence(breakage) for breakage in griffe.find_breaking_changes(old, new)]
    return [f"{each}; {TAKES}" for each in dict.fromkeys([*found, *_own_rules(old, new)])]


def _sentence(breakage: griffe.Breakage) -> str:
    kinds = griffe.BreakageKind
    path, old, new = breakage.obj.path, breakage.old_value, breakage.new_value
    match breakage.kind:
        case kinds.OBJECT_REMOVED:
            return f"{path} is gone"
        case kinds.OBJECT_CHANGED_KIND:
            return f"{path} was of the kind {_text(old)} and is of the kind {_text(new)}"
        case kinds.PARAMETER_REMOVED:
            return f"{path} has no parameter {old.name!r} any more"
        case kinds.PARAMETER_ADDED_REQUIRED:
            return f"{path} requires the new parameter {new.name!r}"
        case kinds.PARAMETER_CHANGED_REQUIRED:
            return f"{path} requires the parameter {new.name!r}, which was optional"
        case kinds.PARAMETER_CHANGED_DEFAULT:
            return f"{path} has another default of {new.name!r}: {new.default}, was {old.default}"
        case kinds.PARAMETER_CHANGED_KIND:
            return f"{path} takes {new.name!r} {_text(new.kind)}, was {_text(old.kind)}"
        case kinds.PARAMETER_MOVED:
            return f"{path} takes {new.name!r} at another position"
        case kinds.CLASS_REMOVED_BASE:
            return f"{path} has the bases {_texts(new)}, had {_texts(old)}"
        case _:
            return f"{path} returns {new or 'nothing'}, returned {old}"


def _text(kind: Any) -> str:
    return str(kind.value)


def _texts(bases: list[Any]) -> str:
    return ", ".join(map(str, bases)) or "none"


def _own_rules(old: griffe.Object, new: griffe.Object) -> Iterator[str]:
    for name, before in old.members.items():
        after = new.members.get(name)
        if before.is_alias or after is None or after.is_alias or before.kind is not after.kind:
            continue
        if isinstance(before, (griffe.Module, griffe.Class)) and isinstance(after, (griffe.Module, griffe.Class)):
            yield from _own_rules(before, after)
        if isinstance(before, griffe.Class) and isinstance(after, griffe.Class):
            yield from _new_duties(before, after)
        if isinstance(before, griffe.Attribute) and isinstance(after, griffe.Attribute) and _differ(before, after):
            yield f"{before.path} is {after.value}, was {before.value}"


def _differ(old: griffe.Attribute, new: griffe.Attribute) -> bool:
    """Return True if both have values that are made of constants, and not the same."""
    if old.path in CHANGES_BY_NATURE:
        return False
    values = [None if each.value is None or str(each.value) == "..." else str(each.value) for each in (old, new)]
    return None not in values and values[0] != values[1]


def _new_duties(old: griffe.Class, new: griffe.Class) -> Iterator[str]:
    """Yield what a subclass made for the old class does not do: take a new argument, give an abstract method."""
    for name, after in new.members.items():
        if not isinstance(after, griffe.Function) or name == "__init__":
            continue
        before = old.members.get(name)
        if before is None and any(str(each.value).endswith("abstractmethod") for each in after.decorators):
            yield f"{after.path} is abstract, so subclasses have to define it"
        if isinstance(before, griffe.Function):
            known = {each.name for each in before.parameters}
            for added in after.parameters:
                if added.name not in known and not added.required:
                    yield f"{after.path} has the new parameter {added.name!r}, which overrides of it do not take"
