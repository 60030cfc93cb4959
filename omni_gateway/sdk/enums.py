"""Enums of Omni's that specs of several types share (for ``fields.Enum``)."""

from __future__ import annotations

from enum import IntEnum


class Architecture(IntEnum):
    """Values of ``specs.PlatformConfigSpec.Arch``."""

    UNKNOWN_ARCH = 0
    AMD64 = 1
    ARM64 = 2


class GrpcTunnelMode(IntEnum):
    """Values of ``specs.GrpcTunnelMode``."""

    UNSET = 0
    ENABLED = 1
    DISABLED = 2
