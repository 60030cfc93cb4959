"""Nobody gets in without a credential: every route declares its role, or is open on purpose and on this list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from omni_gateway.auth import Role

OPEN = {
    "/livez",
    "/readyz",
    "/health",
    "/",
    "/openapi.json",
    "/docs",
    "/favicon.ico",
    "/assets/<digest>/<name>",
    "/problems",
    "/problems/<code>",
    "/openapi.yaml",
    "/openapi-<release>.json",
    "/openapi-<release>.yaml",
}
#: Questions whose answer needs a body, and tickets, which open what their caller may read: Omni is not written to.
READS_BY_POST = (
    "/actions/validate",
    "/actions/match",
    "/stream-tickets",
    "/getparams.execute",
    "/actions/render",
    "/cluster-templates/actions/status",
)
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def operations(app: Flask) -> Iterator[tuple[str, str, object]]:
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        view_class = getattr(view, "view_class", None)
        for method in sorted((rule.methods or set()) & METHODS):
            yield rule.rule, method, getattr(view_class, method.lower()) if view_class else view


def test_every_route_declares_its_role_or_is_on_the_list_of_open_ones(app: Flask) -> None:
    undeclared = [
        f"{method} {rule}"
        for rule, method, view in operations(app)
        if rule not in OPEN and not isinstance(getattr(view, "__required_role__", None), Role)
    ]
    assert undeclared == []


def test_what_is_open_says_so_in_the_code(app: Flask) -> None:
    silent = [rule for rule, _, view in operations(app) if rule in OPEN and not getattr(view, "__public__", False)]
    assert silent == []


def test_every_guarded_route_refuses_a_caller_without_a_credential(app: Flask) -> None:
    client = app.test_client()
    let_in = []
    for rule, method, _ in operations(app):
        if rule in OPEN:
            continue
        path = rule.replace("<id>", "x").replace("<kind>", "x").replace("<node>", "x")
        answer = client.open(path, method=method)
        if answer.status_code != 401 or "Bearer" not in answer.headers.get("WWW-Authenticate", ""):
            let_in.append(f"{method} {rule}: {answer.status_code}")
    assert let_in == []


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer nonsense", "Basic eDp5", "bearer", "nonsense"])
def test_a_credential_that_is_none_is_refused(app: Flask, header: str) -> None:
    answer = app.test_client().get("/api/v1/clusters", headers={"Authorization": header})
    assert answer.status_code == 401


def test_no_write_is_open_to_a_reader(app: Flask) -> None:
    readable = [
        f"{method} {rule}"
        for rule, method, view in operations(app)
        if method != "GET"
        and rule not in OPEN
        and getattr(view, "__required_role__", None) == Role.READER
        and not rule.endswith(READS_BY_POST)
    ]
    assert readable == []
