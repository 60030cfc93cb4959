"""Giving memory back that is not needed any more."""

from __future__ import annotations

import ctypes

#: Parameters of glibc's ``mallopt``.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
#: Bytes; larger blocks are mapped alone, and so returned when they are freed.
MAPPED_ALONE = 1024 * 1024


def keep_together() -> None:
    """Have all threads share two heaps, and large blocks mapped alone (glibc); called before threads are started.

    By itself glibc gives each thread a heap, and once a large block was freed keeps others of its size in them: sixteen
    threads that had parsed a body of 4 MB each kept 360 MB.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 2)
        mallopt(_MMAP_THRESHOLD, MAPPED_ALONE)


def give_back() -> None:
    """Return freed memory to the system, where the C library can be asked to (glibc's ``malloc_trim``).

    The first list of ten thousand objects and the beginning of their watch pass through many times what is kept.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
