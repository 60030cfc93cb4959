"""A plugin's check in ``/readyz``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from omni_gateway.http.readiness import HUNG_SECONDS
from omni_gateway.tasks.context import PluginContext


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A check of a plugin's dependency, shown in ``/readyz`` and ``/health`` as ``<plugin>/<name>``.

    Each worker calls it every few seconds in a thread of its own. Its failure makes the gateway ``degraded``, and
    unready only where ``OMNI_GATEWAY_READINESS_REQUIRES`` names it.

    :param name: its name, unique among those of its plugin.
    :param run: may return members to add to its entry; raises :class:`CheckFailed` with a reason, which is shown
        without authentication. Of another exception only the type is shown; it is logged with the plugin's name.
    :param seconds: a call that takes longer counts as failed.
    """

    name: str
    run: Callable[[PluginContext], Mapping[str, Any] | None]
    seconds: float = HUNG_SECONDS
