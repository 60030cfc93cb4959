"""The check whether a machine's Talos version lets it join a cluster.

Omni checks this when the machine set node is created, after the cluster and its machine sets were written, so the
gateway checks it before the first write. The rule depends on Omni's version: until 1.9 a machine that runs Talos
without being installed (from an ISO or by PXE) can only join clusters of its own minor version; since 1.10 Omni
installs Talos 1.13 and later on it by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from omni_gateway.http.problems import Problem
from omni_gateway.model.label_names import LABEL_INSTALLED
from omni_gateway.model.lookup import find
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, types
from omni_gateway.omni import errors as omni_errors

#: Major and minor of a Talos version.
Series = tuple[int, int]

_SERIES = re.compile(r"v?(\d{1,9})\.(\d{1,9})\.")
_OMNI_INSTALLS_SINCE: Series = (1, 10)
_INSTALLABLE_SINCE: Series = (1, 13)


def series(version: str) -> Series | None:
    """Return major and minor of a version, with or without ``v``; None for an invalid one."""
    match = _SERIES.match(version)
    return (int(match[1]), int(match[2])) if match else None


@dataclass(frozen=True, slots=True)
class TalosFit:
    """The rule of one Omni for clusters of one Talos version.

    :param talos: the Talos version of the cluster.
    :param installs: whether this Omni installs Talos on machines that run it without being installed.
    """

    talos: str
    installs: bool = True

    @classmethod
    def of(cls, omni: OmniClient, talos: str) -> Self:
        """Return the rule of this Omni; one call, for its version.

        If the version cannot be read, Omni is taken for a new one, which rejects less.
        """
        try:
            found = find(omni, types.SYS_VERSIONS, "current")
        except omni_errors.PermissionDenied:
            found = None
        known = series(str(found.spec.get("backend_version", ""))) if found else None
        return cls(talos, known is None or known >= _OMNI_INSTALLS_SINCE)

    def refusal(self, status: Resource) -> str | None:
        """Return why the machine of a MachineStatus cannot join such a cluster; None if it can."""
        runs, wanted = series(str(status.spec.get("talos_version", ""))), series(self.talos)
        if runs is None or wanted is None or (status.spec.get("schematic") or {}).get("in_agent_mode"):
            return None
        subject = f"Machine {status.id!r} runs Talos {status.spec['talos_version']}"
        if runs > wanted:
            return f"{subject}, newer than the cluster's {self.talos}."
        if LABEL_INSTALLED in status.labels or runs == wanted:
            return None
        if self.installs and min(runs, wanted) >= _INSTALLABLE_SINCE:
            return None
        minor = f"{runs[0]}.{runs[1]}"
        return f"{subject} without being installed: it can join clusters of Talos {minor} only, not of {self.talos}."


def refuse_misfit(omni: OmniClient, machine: str, cluster: str) -> None:
    """Raise 422 if a machine's Talos version does not let it join a cluster; does nothing if either is missing."""
    found, status = find(omni, types.CLUSTERS, cluster), find(omni, types.MACHINE_STATUSES, machine)
    if found is None or status is None:
        return
    if text := TalosFit.of(omni, str(found.spec.get("talos_version", ""))).refusal(status):
        raise Problem(422, "validation", errors={"id": [text]})
