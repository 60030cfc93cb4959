"""Omni's resources about a machine, each a pure function of the machine's state.

`ALL` lists them. The fleet's seeding and the machine controller both write exactly these, so a machine that was seeded
and one that was reconciled cannot differ.
"""

from __future__ import annotations

from omni_gateway.simulator.machines.projections import images, links, status
from omni_gateway.simulator.machines.projections.view import MachineView, Projection, Said

ALL: tuple[Projection, ...] = (*links.PROJECTIONS, *status.PROJECTIONS, *images.PROJECTIONS)

__all__ = ["ALL", "MachineView", "Projection", "Said"]
