"""Rules of MachineClasses."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator import labels
from omni_gateway.simulator.errors import Internal
from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.infraproviders import known_provider
from omni_gateway.simulator.rules.kernelargs import arguments
from omni_gateway.simulator.rules.machinesets import MACHINE_CLASS as TYPE
from omni_gateway.simulator.rules.machinesets import TYPE as MACHINE_SET
from omni_gateway.simulator.rules.machinesets import allocation
from omni_gateway.simulator.selectors import label_selector
from omni_gateway.simulator.state.resource import Resource

_NO_MANUAL_ALLOCATION = labels.PREFIX + "no-manual-allocation"


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """A class either picks machines by their labels or has them provisioned."""
    yield from _kind(new)
    provision = new.spec.get("auto_provision")
    if provision is not None:
        yield from known_provider(ctx, provision.get("provider_id", ""))


def update(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    """Check the kind of the class; the provider only when its data changes.

    A class that picks cannot become one that provisions: Omni's own handler breaks on it.
    """
    before, after = old.spec.get("auto_provision"), new.spec.get("auto_provision")
    problems = list(_kind(new))
    if before is None and after is not None and not problems:
        raise Internal("the kind of a machine class cannot be changed")
    yield from problems
    if before and after and before.get("provider_data") != after.get("provider_data"):
        yield from known_provider(ctx, after.get("provider_id", ""))


def destroy(ctx: RuleContext, old: Resource) -> Iterator[str]:
    """A class stays while a set takes machines from it."""
    users = [res.id for res in ctx.all(MACHINE_SET) if (allocation(res) or {}).get("name") == old.id]
    if users:
        yield f"the class is used by {', '.join(users[:10])}"


RULES = Rules(TYPE, create, update, destroy)


def _kind(new: Resource) -> Iterator[str]:
    texts, provision = new.spec.get("match_labels") or [], new.spec.get("auto_provision")
    if bool(texts) is (provision is not None):
        yield "either match_labels or auto_provision is needed, not both"
    for text in texts:
        yield from _selector(text)
    if provision is not None:
        if not provision.get("provider_id"):
            yield "the id of an infra provider is needed"
        yield from arguments(provision.get("kernel_args") or [])


def _selector(text: str) -> Iterator[str]:
    try:
        parsed = label_selector.parse(text)
    except label_selector.SelectorError as error:
        yield str(error)
        return
    if any(term.key == _NO_MANUAL_ALLOCATION for term in parsed.terms):
        yield f"the label {_NO_MANUAL_ALLOCATION} cannot be selected by"
