"""Version numbers as rules compare them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from omni_gateway.simulator import labels

_SEMVER = re.compile(r"(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")

DEFAULT_TALOS_VERSION = "1.13.7"
"""The version of Talos that is meant where none is given."""

Minor = tuple[int, int]

#: Since this version Omni installs Talos itself, whatever minor the machine was booted from.
_INSTALLABLE_SINCE: Minor = (1, 13)


def is_semver(text: str) -> bool:
    """Return whether a text is a semantic version, without a ``v``."""
    return _SEMVER.fullmatch(text) is not None


def minor(text: str) -> Minor:
    """Return major and minor of a version, with or without a ``v``; (0, 0) if it is no version."""
    found = _SEMVER.fullmatch(text.removeprefix("v"))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def misfit(machine: Mapping[str, str], wants: str) -> str:
    """Return why a machine, by the labels of its status, cannot join a cluster of a Talos version; empty if it can."""
    has = machine.get(labels.TALOS_VERSION, "").removeprefix("v")
    if not is_semver(has):
        return "the machine's Talos version is not known"
    if minor(has) > minor(wants):
        return f"the machine runs Talos {has}, a later minor than the cluster's {wants}"
    if labels.INSTALLED in machine or minor(has) == minor(wants) or minor(has) >= _INSTALLABLE_SINCE:
        return ""
    return f"the machine runs Talos {has} without being installed and cannot join a cluster of another minor, {wants}"
