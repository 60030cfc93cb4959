"""A route opens only what its view declares: it is collected once, and checked before any view runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from flask import Flask, request
from flask.views import MethodView
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from omni_gateway.auth import Authenticator, FailedLogins, Principal, Role
from omni_gateway.auth.principal import MethodName
from omni_gateway.http import guard, route_access
from omni_gateway.http.guard import public, require_role
from omni_gateway.http.problems import Problem
from omni_gateway.http.stream_tickets import StreamTickets


def plain() -> str:
    return "in"


guarded = require_role(Role.OPERATOR)(plain)
opened = public(plain)


class Both(MethodView):
    """One method is guarded, another public."""

    @require_role(Role.ADMIN, authorized_by_omni=True)
    def get(self) -> str:
        return "in"

    @public
    def post(self) -> str:
        return "in"


class OnlyPost(MethodView):
    """There is no GET that could answer a HEAD."""

    @public
    def post(self) -> str:
        return "in"


class HeadOfItsOwn(MethodView):
    @require_role(Role.ADMIN)
    def get(self) -> str:
        return "in"

    @public
    def head(self) -> str:
        return ""


class RoleNames:
    """An authentication method whose credentials are the names of roles."""

    name: MethodName = "token"

    def recognises(self, credential: str) -> bool:
        return True

    def authenticate(self, credential: str) -> Principal:
        return Principal(credential, Role(credential), credential)


@pytest.fixture
def app() -> Flask:
    made = Flask("routes", static_folder=None)
    guard.init_app(made, Authenticator([RoleNames()]), FailedLogins((), ()), cast(StreamTickets, None))
    made.register_error_handler(Problem, lambda problem: problem.response())
    route_access.init_app(made)
    return made


def add(app: Flask, view: Callable[..., Any], **options: Any) -> None:
    app.add_url_rule("/view", endpoint="view", view_func=view, **options)


def declared(app: Flask, method: str) -> route_access.Access | None:
    rule = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == "view")
    return route_access.access_of(app, rule, method)


def ask(app: Flask, method: str = "GET", token: str = "") -> TestResponse:
    return app.test_client().open("/view", method=method, headers={"Authorization": f"Bearer {token}"} if token else {})


@pytest.mark.parametrize(
    ("view", "method", "access"),
    [
        (plain, "GET", None),
        (guarded, "GET", route_access.Access(Role.OPERATOR)),
        (guarded, "HEAD", route_access.Access(Role.OPERATOR)),
        (opened, "GET", route_access.Access(None)),
        (public(guarded), "GET", route_access.Access(Role.OPERATOR)),
        (require_role(Role.READER, authorized_by_omni=True)(plain), "GET", route_access.Access(Role.READER, True)),
        (Both.as_view("both"), "GET", route_access.Access(Role.ADMIN, True)),
        (Both.as_view("both"), "HEAD", route_access.Access(Role.ADMIN, True)),
        (Both.as_view("both"), "POST", route_access.Access(None)),
        (Both.as_view("both"), "DELETE", None),
        (OnlyPost.as_view("post"), "HEAD", None),
        (HeadOfItsOwn.as_view("own"), "HEAD", route_access.Access(None)),
        (HeadOfItsOwn.as_view("own"), "POST", None),
    ],
)
def test_a_route_takes_what_its_view_declares(
    app: Flask, view: Callable[..., Any], method: str, access: route_access.Access | None
) -> None:
    add(app, view)
    assert declared(app, method) == access


@pytest.mark.parametrize("mark", ["admin", None, 3])
def test_a_mark_that_is_no_role_declares_none(app: Flask, mark: object) -> None:
    def view() -> str:
        return "in"

    view.__required_role__ = mark  # type: ignore[attr-defined]
    view.__public__ = "yes"  # type: ignore[attr-defined]
    add(app, view)
    assert declared(app, "GET") is None


def test_omni_decides_only_where_a_view_says_so(app: Flask) -> None:
    def view() -> str:
        return "in"

    view.__required_role__ = Role.ADMIN  # type: ignore[attr-defined]
    add(app, view)
    assert declared(app, "GET") == route_access.Access(Role.ADMIN, authorized_by_omni=False)


def test_a_rule_that_redirects_declares_nothing_whatever_its_view_does(app: Flask) -> None:
    add(app, guarded, redirect_to="/elsewhere")
    assert declared(app, "GET") is None


def test_a_rule_without_a_view_declares_nothing(app: Flask) -> None:
    app.add_url_rule("/view", endpoint="view")
    assert declared(app, "GET") is None


@pytest.mark.parametrize(
    ("view", "options", "text"),
    [
        (
            plain,
            {"methods": ["POST", "GET"]},
            "; ".join(
                f"{method} /view (endpoint 'view') declares no role: put @require_role(Role...) directly on the view,"
                " below the route's own decorator, or @public if it needs no credential"
                for method in ("GET", "HEAD", "POST")
            ),
        ),
        (
            guarded,
            {"methods": ["POST"], "redirect_to": "/x"},
            "POST /view (endpoint 'view') redirects before any role is checked",
        ),
        (
            plain,
            {"methods": ["OPTIONS"]},
            "OPTIONS /view (endpoint 'view') declares no role: put @require_role(Role...) directly on the view,"
            " below the route's own decorator, or @public if it needs no credential",
        ),
    ],
)
def test_a_route_that_declares_nothing_ends_the_start_with_advice(
    app: Flask, view: Callable[..., Any], options: dict[str, Any], text: str
) -> None:
    app.add_url_rule("/open", view_func=opened)
    add(app, view, **options)
    with pytest.raises(LookupError) as refused:
        route_access.declare(app)
    assert str(refused.value) == text


@pytest.fixture
def started(app: Flask) -> Callable[..., Flask]:
    """Add a view at ``/view`` and declare the access of all routes."""

    def start(view: Callable[..., Any], **options: Any) -> Flask:
        add(app, view, **options)
        route_access.declare(app)
        return app

    return start


Start = Callable[..., Flask]


def test_a_public_view_is_called_without_a_credential(started: Start) -> None:
    assert ask(started(opened)).text == "in"


def test_a_guarded_view_is_called_for_callers_of_its_role(started: Start) -> None:
    app = started(guarded)
    answers = {role: ask(app, token=role.value).status_code for role in Role}
    assert answers == {Role.READER: 403, Role.OPERATOR: 200, Role.ADMIN: 200}
    assert ask(app).status_code == 401


def test_the_check_needs_no_guard_of_the_views_own(started: Start) -> None:
    """The table is what counts: a view that has been replaced since is guarded as well."""
    app = started(guarded)
    app.view_functions["view"] = plain
    assert [ask(app).status_code, ask(app, token="operator").status_code] == [
        401,
        200,
    ]


def test_a_view_that_omni_decides_on_is_not_checked_for_callers_with_a_key(started: Start) -> None:
    app = started(require_role(Role.ADMIN, authorized_by_omni=True)(plain))
    checked: list[tuple[Role, bool]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            route_access, "check_role", lambda role, *, authorized_by_omni: checked.append((role, authorized_by_omni))
        )
        ask(app)
    assert checked == [(Role.ADMIN, True)]


def test_a_route_of_which_nothing_was_declared_at_the_start_is_closed_to_all(started: Start) -> None:
    app = started(guarded)
    app.add_url_rule("/late", view_func=public(lambda: "in"), endpoint="late")
    answer = app.test_client().get("/late", headers={"Authorization": "Bearer admin"})
    assert (answer.status_code, answer.get_json()["code"], answer.get_json()["detail"]) == (
        403,
        "forbidden",
        "This route declares no role, so it cannot be called.",
    )


def test_before_the_declarations_every_route_is_closed(app: Flask) -> None:
    add(app, opened)
    assert ask(app).status_code == 403


def test_options_are_answered_without_a_credential_unless_a_view_does(started: Start) -> None:
    app = started(guarded)
    answer = ask(app, "OPTIONS")
    assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (200, {"GET", "HEAD", "OPTIONS"})


def test_a_view_of_options_is_guarded_like_any(started: Start) -> None:
    assert ask(started(guarded, methods=["OPTIONS"]), "OPTIONS").status_code == 401


def test_other_methods_are_guarded_though_options_are_not(started: Start) -> None:
    app = started(guarded, methods=["GET", "POST"])
    assert [ask(app, method).status_code for method in ("GET", "HEAD", "POST")] == [401, 401, 401]


def test_a_url_without_a_route_is_404_and_a_wrong_method_405_for_all(started: Start) -> None:
    app = started(guarded)
    assert ask(app, "DELETE").status_code == 405
    with app.test_request_context("/nothing"):
        assert app.preprocess_request() is None


@pytest.mark.parametrize(("view", "expected"), [(opened, True), (guarded, False)])
def test_a_request_knows_whether_its_route_is_public(started: Start, view: Callable[..., Any], expected: bool) -> None:
    with started(view).test_request_context("/view"):
        assert route_access.is_public() is expected


def test_where_there_is_no_route_nothing_is_public(started: Start) -> None:
    app = started(opened)
    with app.test_request_context("/nothing"):
        assert route_access.is_public() is False
    with app.test_request_context("/view", method="HEAD"):
        assert route_access.is_public() is True
    app.add_url_rule("/late", view_func=public(lambda: "in"), endpoint="late")
    with app.test_request_context("/late"):
        assert request.url_rule is not None
        assert route_access.is_public() is False


def test_a_rule_that_was_added_without_flask_is_guarded_with_its_options(app: Flask) -> None:
    """Only Flask's own rules say whether it answers their OPTIONS."""
    app.url_map.add(Rule("/view", endpoint="view", methods=["GET", "OPTIONS"]))
    app.view_functions["view"] = guarded
    route_access.declare(app)
    assert [ask(app, "OPTIONS").status_code, ask(app).status_code] == [401, 401]
    app.view_functions["view"] = plain
    with pytest.raises(LookupError, match="OPTIONS /view"):
        route_access.declare(app)


def test_of_a_class_each_method_declares_its_own(app: Flask) -> None:
    class Half(Both):
        def delete(self) -> str:
            return "in"

    add(app, Half.as_view("half"), methods=["GET", "POST", "DELETE"])
    with pytest.raises(LookupError) as refused:
        route_access.declare(app)
    assert str(refused.value).startswith("DELETE /view (endpoint 'view') declares no role")
    assert ";" not in str(refused.value)
