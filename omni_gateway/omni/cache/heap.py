"""Giving memory back that is not needed any more."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Return freed memory to the system, where the C library can be asked to (glibc's ``malloc_trim``).

    The first list of ten thousand objects and the beginning of their watch pass through many times what is kept.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
