"""Everything that the projections of one machine are made from, read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from omni_gateway.simulator.machines import schematic
from omni_gateway.simulator.machines.hardware import Hardware
from omni_gateway.simulator.network import join_kernel_args
from omni_gateway.simulator.state.resource import Resource


@dataclass(frozen=True)
class Membership:
    """The place of a machine in a cluster; `role` is 1 for a control plane, 2 for a worker."""

    cluster: str
    machine_set: str
    role: int


@dataclass
class MachineView:
    """One machine, as far as Omni knows it.

    The `wanted_…` fields are None when no change is wanted.
    """

    id: str
    link: Resource
    hardware: Hardware
    user_labels: Mapping[str, str] = field(default_factory=dict)
    member: Membership | None = None
    node: Membership | None = None
    wanted_extensions: Sequence[str] | None = None
    wanted_kernel_args: Sequence[str] | None = None
    wanted_talos: str | None = None
    wanted_disk: str = ""

    @property
    def relation(self) -> Membership | None:
        """The place in a cluster that Omni shows: as a member, or before that as its node's labels name it."""
        return self.member or self.node

    @property
    def extensions_after(self) -> Sequence[str]:
        """The system extensions that the machine has once everything wanted is done."""
        return self.hardware.extensions if self.wanted_extensions is None else self.wanted_extensions

    @cached_property
    def kernel_args(self) -> list[str]:
        """The kernel arguments of the image that it runs now."""
        return join_kernel_args(self.hardware.join_token) + self.hardware.extra_kernel_args

    @cached_property
    def schematic_text(self) -> str:
        """The schematic of the image that it runs now."""
        return schematic.text(self.kernel_args, self.hardware.extensions)

    @cached_property
    def schematic_id(self) -> str:
        """The id of that schematic."""
        return schematic.schematic_id(self.kernel_args, self.hardware.extensions)

    @cached_property
    def schematic_after(self) -> str:
        """The id of the schematic that it is meant to run."""
        args = self.kernel_args
        if self.wanted_kernel_args is not None:
            args = join_kernel_args(self.hardware.join_token) + list(self.wanted_kernel_args)
        return schematic.schematic_id(args, self.extensions_after)

    @property
    def talos_after(self) -> str:
        """The Talos version that it is meant to run, without `v`."""
        return self.wanted_talos or self.hardware.talos_version


@dataclass(frozen=True)
class Said:
    """The content of one resource."""

    spec: dict[str, Any]
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Projection:
    """One resource type that follows from a machine's state: who writes it, and how it is made.

    `build` returns None when the machine has no such resource at present.
    """

    kind: str
    owner: str
    build: Callable[[MachineView], Said | None]
    finalizers: tuple[str, ...] = ()
    id_suffix: str = ""
