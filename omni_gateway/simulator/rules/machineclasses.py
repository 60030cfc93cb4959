"""Rules of MachineClasses."""

from __future__ import annotations

from collections.abc import Iterator

from .. import labels, selectors
from ..errors import Internal
from ..resource import Resource
from .base import RuleContext, Rules
from .infraproviders import known_provider
from .machinesets import MACHINE_CLASS as TYPE
from .machinesets import TYPE as MACHINE_SET
from .machinesets import allocation

_NO_MANUAL_ALLOCATION = labels.PREFIX + "no-manual-allocation"


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """A class either picks machines by their labels or has them provisioned."""
    texts, provision = new.spec.get("match_labels") or [], new.spec.get("auto_provision")
    if bool(texts) is (provision is not None):
        yield "either match_labels or auto_provision is needed, not both"
    for text in texts:
        yield from _selector(text)
    if provision is not None:
        yield from known_provider(ctx, provision.get("provider_id", ""))


def update(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start. A class that picks cannot become one that provisions: Omni's own handler breaks on it."""
    if old.spec.get("match_labels") and new.spec.get("auto_provision") is not None:
        raise Internal("the kind of a machine class cannot be changed")
    yield from create(ctx, new)


def destroy(ctx: RuleContext, old: Resource) -> Iterator[str]:
    """A class stays while a set takes machines from it."""
    users = [res.id for res in ctx.all(MACHINE_SET) if (allocation(res) or {}).get("name") == old.id]
    if users:
        yield f"the class is used by {', '.join(users[:10])}"


RULES = Rules(TYPE, create, update, destroy)


def _selector(text: str) -> Iterator[str]:
    try:
        parsed = selectors.parse(text)
    except selectors.SelectorError as error:
        yield str(error)
        return
    if any(term.key == _NO_MANUAL_ALLOCATION for term in parsed.terms):
        yield f"the label {_NO_MANUAL_ALLOCATION} cannot be selected by"
