"""Faults on demand: rules by which calls are delayed, refused, left unanswered, cut off, answered out of the past."""

from .registry import Faults

__all__ = ["Faults"]
