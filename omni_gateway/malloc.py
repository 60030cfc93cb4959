"""Giving memory back that is not needed any more."""

from __future__ import annotations

import ctypes

_ARENA_MAX = -8  # a parameter of glibc's ``mallopt``


def keep_together() -> None:
    """Have all threads share two heaps (glibc); called before threads are started.

    By itself glibc gives each thread a heap, and each keeps blocks of the size of a body once one was freed: sixteen
    threads that had parsed a body of 4 MB each kept 360 MB.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 2)


def give_back() -> None:
    """Return freed memory to the system, where the C library can be asked to (glibc's ``malloc_trim``).

    The first list of ten thousand objects and the beginning of their watch pass through many times what is kept.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
