"""Timing: medians of interleaved calls, so that a machine whose speed drifts drifts for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: median and 95th percentile."""

    p50: float
    p95: float


def interleaved(calls: Mapping[str, Callable[[], object]], rounds: int, warmup: int = 5) -> dict[str, Timing]:
    """Call each in turn, ``rounds`` times, after ``warmup`` rounds that do not count."""
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for round_ in range(rounds + warmup):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            took = time.perf_counter() - start
            if round_ >= warmup:
                samples[name].append(took)
    return {name: Timing(median(taken), quantiles(taken, n=20)[-1]) for name, taken in samples.items()}
