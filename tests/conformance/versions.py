"""Which versions of Talos and Kubernetes an Omni knows, and pairs of them that are some step apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

Numbers = tuple[int, ...]


def numbers(version: str) -> Numbers:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


Step = Callable[[Numbers, Numbers], bool]
STEPS: Mapping[str, Step] = {
    "patch up": lambda a, b: a[:2] == b[:2] and b > a,
    "patch down": lambda a, b: a[:2] == b[:2] and b < a,
    "minor up": lambda a, b: b[:2] == (a[0], a[1] + 1),
    "minors up": lambda a, b: b[:2] >= (a[0], a[1] + 2),
    "minor down": lambda a, b: b[:2] < a[:2],
}


@dataclass(frozen=True)
class Versions:
    """Talos versions that can be used, each with the Kubernetes versions that it can run."""

    compatible: Mapping[str, frozenset[str]]
    kubernetes: frozenset[str]

    @property
    def talos(self) -> str:
        """The one that clusters are made with."""
        return max(self.compatible, key=numbers)

    @property
    def newest_kubernetes(self) -> str:
        return max(self.compatible[self.talos], key=numbers)

    @property
    def pair(self) -> dict[str, str]:
        """What a cluster's spec needs at the least."""
        return {"talos_version": self.talos, "kubernetes_version": self.newest_kubernetes}

    def talos_step(self, step: str) -> tuple[dict[str, str], str]:
        """Return versions to make a cluster with, and a Talos version that many steps away."""
        for old, new in self._apart(sorted(self.compatible, key=numbers), step):
            for common in sorted(self.compatible[old] & self.compatible[new], key=numbers, reverse=True):
                return {"talos_version": old, "kubernetes_version": common}, new
        pytest.skip(f"this Omni knows no two Talos versions that are a {step} apart")

    def kubernetes_step(self, step: str) -> tuple[dict[str, str], str]:
        """Return versions to make a cluster with, and a Kubernetes version that many steps away."""
        for talos in sorted(self.compatible, key=numbers, reverse=True):
            for old, new in self._apart(sorted(self.compatible[talos], key=numbers), step):
                return {"talos_version": talos, "kubernetes_version": old}, new
        pytest.skip(f"this Omni knows no two Kubernetes versions that are a {step} apart")

    def both_up(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return versions to make a cluster with and a later one of both, of which only the later ones go together.

        The later Kubernetes is a minor above the first, and the first Talos cannot run it.
        """
        for old, new in self._apart(sorted(self.compatible, key=numbers), "minors up"):
            for later in sorted(self.compatible[new] - self.compatible[old], key=numbers):
                for first in sorted(self.compatible[old], key=numbers):
                    if STEPS["minor up"](numbers(first), numbers(later)):
                        pair = {"talos_version": old, "kubernetes_version": first}
                        return pair, {"talos_version": new, "kubernetes_version": later}
        pytest.skip("this Omni knows no two Talos versions, each with a Kubernetes that are a minor apart")

    def incompatible(self) -> dict[str, str]:
        """Return two versions, each known, that do not go together."""
        for talos, runs in self.compatible.items():
            for kubernetes in sorted(self.kubernetes - runs, key=numbers):
                return {"talos_version": talos, "kubernetes_version": kubernetes}
        pytest.skip("every Kubernetes version that this Omni knows runs on every Talos version")

    def _apart(self, known: list[str], step: str) -> Iterator[tuple[str, str]]:
        yield from ((a, b) for a in reversed(known) for b in known if STEPS[step](numbers(a), numbers(b)))
