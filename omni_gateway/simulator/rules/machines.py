"""Rules of what is set per machine: kernel arguments, install disk, acceptance, forced removal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..resource import Resource
from .base import RuleContext, Rules

_CLUSTER_MACHINE = "ClusterMachines.omni.sidero.dev"
_LINK = "Links.omni.sidero.dev"
_MOST_ARGS = 64
_LONGEST_ARG = 256
_LONGEST_ARG_TEXT = 4096
_LONGEST_REQUEST_ID = 128
_ACCEPTED = 1


def kernel_args(args: Sequence[str]) -> Iterator[str]:
    """Yield the problems of kernel arguments; empty ones and those of Omni itself are fine."""
    if len(args) > _MOST_ARGS:
        yield f"more than {_MOST_ARGS} kernel arguments"
    for arg in args:
        if len(arg.encode()) > _LONGEST_ARG:
            yield f"a kernel argument is longer than {_LONGEST_ARG} bytes"
        if _has_control(arg):
            yield "a kernel argument has control characters"


def _kernel_args(_: RuleContext, new: Resource) -> Iterator[str]:
    yield from kernel_args(new.spec.get("args") or [])


def _install_disk(_: RuleContext, new: Resource) -> Iterator[str]:
    if bool(new.spec.get("disk")) is bool(new.spec.get("disk_selector")):
        yield "either a disk or a disk selector is needed, not both"


def _force_destroy(ctx: RuleContext, new: Resource) -> Iterator[str]:
    if ctx.find(_CLUSTER_MACHINE, new.id) is None:
        yield f"the machine {new.id!r} is in no cluster"


def _infra_config(_: RuleContext, new: Resource) -> Iterator[str]:
    limits = {
        "extra_kernel_args": _LONGEST_ARG_TEXT,
        "requested_reboot_id": _LONGEST_REQUEST_ID,
        "power_off_request_id": _LONGEST_REQUEST_ID,
    }
    for field, longest in limits.items():
        text = new.spec.get(field) or ""
        if len(text.encode()) > longest:
            yield f"{field} is longer than {longest} bytes"
        if _has_control(text):
            yield f"{field} has control characters"


def _infra_config_update(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    yield from _infra_config(ctx, new)
    if _accepted(old) and not _accepted(new):
        yield "a machine that was accepted stays accepted"


def _infra_config_destroy(ctx: RuleContext, old: Resource) -> Iterator[str]:
    link = ctx.find(_LINK, old.id)
    if _accepted(old) and link is not None and link.phase == "running":
        yield "the machine is accepted and linked: remove the machine itself"


def _accepted(res: Resource) -> bool:
    return bool(res.spec.get("acceptance_status") == _ACCEPTED)


def _has_control(text: str) -> bool:
    return any(ord(char) < 0x20 or ord(char) == 0x7F for char in text)


KERNEL_ARGS = Rules("KernelArgs.omni.sidero.dev", _kernel_args, lambda ctx, _, new: _kernel_args(ctx, new))
INSTALL_DISK = Rules(
    "MachineInstallDiskConfigs.omni.sidero.dev", _install_disk, lambda ctx, _, new: _install_disk(ctx, new)
)
FORCE_DESTROY = Rules("NodeForceDestroyRequests.omni.sidero.dev", _force_destroy)
INFRA_CONFIG = Rules("InfraMachineConfigs.omni.sidero.dev", _infra_config, _infra_config_update, _infra_config_destroy)
