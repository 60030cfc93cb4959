"""Tuning of glibc's allocator: number of arenas, and return of freed memory."""

from __future__ import annotations

import ctypes

_ARENA_MAX = -8  # a parameter of glibc's ``mallopt``


def limit_arenas() -> None:
    """Limit glibc to two arenas for all threads; called before threads are started.

    By default glibc gives each thread an arena, which retains freed blocks of the size of a body: sixteen threads that
    had parsed a body of 4 MB each retained 360 MB.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 2)


def give_back() -> None:
    """Return freed memory to the system, if the C library can (glibc's ``malloc_trim``).

    Called after an informer has listed its type, and after refused bodies: loading ten thousand objects takes many
    times the memory that they need afterwards.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
