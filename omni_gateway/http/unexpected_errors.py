"""The problem of an unexpected exception: ``plugin-error`` where a third-party plugin is behind it, else ``internal``.

``internal`` is a defect of the gateway, its built-in plugins included. The exception and its text go to the log, under
the request id; the caller gets neither.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from traceback import walk_tb
from typing import cast

from flask import Flask, current_app, has_app_context, has_request_context, request

from omni_gateway.http.problems import Problem
from omni_gateway.http.request_id import request_id

log = logging.getLogger(__name__)

_EXTENSION = "omni_gateway_plugin_origins"


@dataclass(frozen=True, slots=True)
class PluginOrigin:
    """Where a third party's plugin comes from; ``module`` is that of its entry point."""

    plugin: str
    distribution: str
    version: str
    module: str

    def __str__(self) -> str:
        return f"plugin {self.plugin!r} of {self.distribution} {self.version}".rstrip()

    def shared_names(self, module: str) -> int:
        """Return how many leading names ``module`` shares with the plugin's own: 0 for one of another package."""
        count = 0
        for own, other in zip(self.module.split("."), module.split("."), strict=False):
            if own != other:
                break
            count += 1
        return count


class PluginOrigins:
    """The third parties' plugins of one application."""

    def __init__(self) -> None:
        self._origins: dict[str, PluginOrigin] = {}

    def add(self, origin: PluginOrigin) -> None:
        """Add a plugin."""
        self._origins[origin.plugin] = origin

    def described(self, plugin: str) -> str:
        """Return the words for a plugin, with the distribution where it is a third party's."""
        return str(self._origins.get(plugin) or f"plugin {plugin!r}")

    def behind(self, error: Exception, blueprints: Collection[str]) -> PluginOrigin | None:
        """Return the plugin behind an exception: the one whose code was called last, else that of the route.

        The second, since the engine fails later on what a plugin has returned, with no call of its code in between.

        :param blueprints: the names of the blueprints of the request's route.
        """
        modules = [str(frame.f_globals.get("__name__", "")) for frame, _ in walk_tb(error.__traceback__)]
        for module in reversed(modules):
            shared = {origin: origin.shared_names(module) for origin in self._origins.values()}
            if most := max(shared.values(), default=0):
                nearest = [origin for origin in shared if shared[origin] == most]
                return next((origin for origin in nearest if origin.plugin in blueprints), nearest[0])
        return next((self._origins[name] for name in blueprints if name in self._origins), None)


def origins_of(app: Flask) -> PluginOrigins:
    """Return the third parties' plugins of an application."""
    return cast(PluginOrigins, app.extensions.setdefault(_EXTENSION, PluginOrigins()))


def unexpected_problems() -> Callable[[Exception], Problem]:
    """Return a function that logs an exception and returns its problem, for the request in flight.

    The function may be called in another thread and after the request.
    """
    origins = origins_of(current_app) if has_app_context() else PluginOrigins()
    blueprints, id = (tuple(request.blueprints), request_id()) if has_request_context() else ((), "")

    def problem_of(error: Exception) -> Problem:
        origin = origins.behind(error, blueprints)
        source = origin or "the gateway"
        log.error("unexpected error of %s in request %s", source, id or "-", exc_info=error)
        return plugin_problem(origin) if origin else Problem(500, "internal")

    return problem_of


def plugin_problem(origin: PluginOrigin) -> Problem:
    """Return the problem that names a plugin."""
    return Problem(
        500,
        "plugin-error",
        f"The plugin {origin.plugin!r} of {origin.distribution} failed; the gateway's log has the request id.",
        extra={"plugin": origin.plugin, "distribution": origin.distribution},
    )
