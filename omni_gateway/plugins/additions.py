"""The check of a plugin's additions to the application: only routes, each with a declared role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask

from omni_gateway.http import route_access
from omni_gateway.sdk.actions import PluginError

_MOST_NAMED = 5

#: Hooks of the whole application: they would run before a role is checked, and for other plugins' routes.
_HOOKS = ("before_request_funcs", "after_request_funcs", "url_value_preprocessors")


class AddedByPlugin:
    """Compares an application with its state before a plugin was mounted; make it before, ``check`` after."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._rules = set(map(id, app.url_map.iter_rules()))
        self._views = dict(app.view_functions)
        self._hooks = _hooks(app)
        self._wsgi_app = app.wsgi_app

    def check(self) -> None:
        """Raise :class:`PluginError`, naming routes, where one declares no role or something else was added."""
        if faults := [*self._changes(), *self._undeclared()]:
            more = [f"and {len(faults) - _MOST_NAMED} more"] if len(faults) > _MOST_NAMED else []
            raise PluginError("; ".join([*faults[:_MOST_NAMED], *more]))

    def _changes(self) -> Iterator[str]:
        if self._app.wsgi_app != self._wsgi_app:
            yield "it wraps the whole application (wsgi_app), which answers requests before any role is checked"
        for name, before in self._hooks.items():
            if _hooks(self._app)[name] != before:
                yield f"it adds to the application's {name}, which act on routes that are not its own"
        for endpoint, view in self._views.items():
            if self._app.view_functions.get(endpoint) is not view:
                yield f"it replaces the view of the endpoint {endpoint!r}"

    def _undeclared(self) -> Iterator[str]:
        added = (rule for rule in self._app.url_map.iter_rules() if id(rule) not in self._rules)
        for rule, method in route_access.undeclared_routes(self._app, added):
            yield route_access.describe(rule, method)


def _hooks(app: Flask) -> Mapping[str, Any]:
    """Return a copy of the application-wide hooks; error handlers by status."""
    copies = {name: list(getattr(app, name).get(None, ())) for name in _HOOKS}
    handlers = {code: dict(by_class) for code, by_class in app.error_handler_spec[None].items() if by_class}
    return {**copies, "error_handler_spec": handlers}
