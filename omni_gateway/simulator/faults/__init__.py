"""Faults on demand: rules by which calls are delayed, refused, left unanswered, cut off, answered out of the past."""

from omni_gateway.simulator.faults.registry import Faults

__all__ = ["Faults"]
