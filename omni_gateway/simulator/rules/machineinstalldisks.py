"""Rules of MachineInstallDiskConfigs."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.selectors.disk_selector import SelectorError, check
from omni_gateway.simulator.state.resource import Resource


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check that there is either a disk, whatever its path, or a selector that compiles to true or false."""
    disk, selector = new.spec.get("disk"), new.spec.get("disk_selector")
    if bool(disk) is bool(selector):
        yield "either a disk or a disk selector is needed, not both"
    if selector:
        try:
            check(selector)
        except SelectorError as error:
            yield f"the disk selector does not compile: {error}"


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


RULES = Rules("MachineInstallDiskConfigs.omni.sidero.dev", create, update)
