"""Access of each route: declared by its view, collected when the application is made, checked before any view runs.

A view is guarded by ``require_role(role)`` or opened by ``public``. A route whose view declares neither fails the
start; one that is added later is answered 403. The check runs before any hook of a plugin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask, Response, current_app, request
from werkzeug.routing import Rule

from omni_gateway.auth import Role
from omni_gateway.http.guard import check_role
from omni_gateway.http.problems import Problem

EXTENSION = "omni_gateway_route_access"


@dataclass(frozen=True, slots=True)
class Access:
    """The role that a route requires; None: the route is public."""

    role: Role | None
    authorized_by_omni: bool = False


def init_app(app: Flask) -> None:
    """Register the check; called after the gateway's other hooks and before any plugin's."""
    app.extensions[EXTENSION] = {}
    app.before_request(_enforce)


def declare(app: Flask) -> None:
    """Collect the access of all routes; raise :class:`LookupError` if a view declares none."""
    if undeclared := [describe(rule, method) for rule, method in undeclared_routes(app, app.url_map.iter_rules())]:
        raise LookupError("; ".join(undeclared))
    table: dict[tuple[str, str], Access] = {}
    for rule in app.url_map.iter_rules():
        for method in _methods(rule):
            table[rule.endpoint, method] = cast(Access, access_of(app, rule, method))
    app.extensions[EXTENSION] = table


def is_public() -> bool:
    """Return whether the current request's route is public; False if there is no such route."""
    rule = request.url_rule
    table: Mapping[tuple[str, str], Access] = current_app.extensions[EXTENSION]
    access = None if rule is None else table.get((rule.endpoint, request.method))
    return access is not None and access.role is None


def undeclared_routes(app: Flask, rules: Iterator[Rule]) -> list[tuple[Rule, str]]:
    """Return the rules and methods whose view declares neither a role nor that it is public."""
    return [(rule, method) for rule in rules for method in _methods(rule) if access_of(app, rule, method) is None]


def describe(rule: Rule, method: str) -> str:
    """Return the error message for a route that declares no access, with advice."""
    if rule.redirect_to is not None:
        return f"{method} {rule.rule} (endpoint {rule.endpoint!r}) redirects before any role is checked"
    return (
        f"{method} {rule.rule} (endpoint {rule.endpoint!r}) declares no role: put @require_role(Role...) directly on"
        " the view, below the route's own decorator, or @public if it needs no credential"
    )


def access_of(app: Flask, rule: Rule, method: str) -> Access | None:
    """Return a route's access by the marks of its view; None if there are none.

    A role takes precedence over a public mark, so that a guarded view stays guarded.
    """
    if rule.redirect_to is not None:
        return None
    view: Any = app.view_functions.get(rule.endpoint)
    return _declared(view) or _declared(_handler(view, method))


def _handler(view: Any, method: str) -> Any:
    """Return the function of a class-based view that answers a method, as ``MethodView`` finds it."""
    view_class = getattr(view, "view_class", None)
    if view_class is None:
        return None
    found = getattr(view_class, method.lower(), None)
    return getattr(view_class, "get", None) if found is None and method == "HEAD" else found


def _declared(view: Any) -> Access | None:
    role = getattr(view, "__required_role__", None)
    if isinstance(role, Role):
        return Access(role, bool(getattr(view, "__omni_decides__", False)))
    return Access(None) if getattr(view, "__public__", False) is True else None


def _methods(rule: Rule) -> Iterator[str]:
    """Return the methods that reach a view: an OPTIONS that Flask answers by itself does not."""
    automatic = getattr(rule, "provide_automatic_options", False)
    return (method for method in sorted(rule.methods or ()) if not (automatic and method == "OPTIONS"))


def _enforce() -> Response | None:
    rule = request.url_rule
    if rule is None:
        return None  # no such route or method; the routing's own error is the answer
    if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
        return current_app.make_default_options_response()
    table: Mapping[tuple[str, str], Access] = current_app.extensions[EXTENSION]
    access = table.get((rule.endpoint, request.method))
    if access is None:
        raise Problem(403, "forbidden", "This route declares no role, so it cannot be called.")
    if access.role is not None:
        check_role(access.role, authorized_by_omni=access.authorized_by_omni)
    return None
