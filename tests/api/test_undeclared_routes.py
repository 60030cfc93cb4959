"""A plugin opens nothing by omission: a route that declares no role stops the start, however it was added."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, request
from flask.testing import FlaskClient
from flask.views import MethodView, View
from flask_smorest import Blueprint as Files

from omni_gateway.app import create_app
from omni_gateway.plugins.discovery import BrokenPlugin, Found
from omni_gateway.sdk import ResourceAdapter, Role, require_role
from omni_gateway.sdk.actions import ComputedDocument, Gateway, ServicePlugin, public
from omni_gateway.settings import Settings

Open = Callable[[ServicePlugin], None]
Start = Callable[..., FlaskClient]


def answer(**_: Any) -> Response:
    return Response("everything", mimetype="text/plain")


def document(path: str, run: Callable[..., Mapping[str, Any]] = lambda adapter, query: {}) -> ComputedDocument:
    return ComputedDocument(path, role=Role.READER, summary="Its name", on_collection=True, run=run)


class Half(MethodView):
    """GET is guarded, DELETE was forgotten."""

    @require_role(Role.READER)
    def get(self) -> Response:
        return answer()

    def delete(self) -> Response:
        return answer()


class Plain(View):
    """A view of the old kind."""

    def dispatch_request(self) -> Response:
        return answer()


def app_of(plugin: ServicePlugin, change: Callable[[Flask], object]) -> None:
    plugin.blueprint.record(lambda state: change(state.app))


def a_plain_view(plugin: ServicePlugin) -> None:
    plugin.blueprint.get("/open")(answer)


def the_guard_above_the_route(plugin: ServicePlugin) -> None:
    require_role(Role.ADMIN)(plugin.blueprint.get("/open")(answer))


def a_decorator_that_loses_the_guard(plugin: ServicePlugin) -> None:
    guarded = require_role(Role.ADMIN)(answer)
    plugin.blueprint.get("/open")(lambda **path: guarded(**path))


def a_method_of_a_class(plugin: ServicePlugin) -> None:
    plugin.blueprint.add_url_rule("/open", view_func=Half.as_view("half"))


def a_view_class(plugin: ServicePlugin) -> None:
    plugin.blueprint.add_url_rule("/open", view_func=Plain.as_view("plain"))


def a_class_routed_by_flask_smorest(plugin: ServicePlugin) -> None:
    plugin.blueprint.route("/open")(Half)


def no_role_at_all(plugin: ServicePlugin) -> None:
    none: Any = None
    plugin.blueprint.get("/open")(require_role(none)(answer))


def a_role_that_is_a_text(plugin: ServicePlugin) -> None:
    text: Any = "admin"
    plugin.blueprint.get("/open")(require_role(text)(answer))


def an_options_view(plugin: ServicePlugin) -> None:
    plugin.blueprint.add_url_rule("/open", view_func=answer, methods=["OPTIONS"])


def a_redirect(plugin: ServicePlugin) -> None:
    app_of(plugin, lambda app: app.add_url_rule("/open", endpoint="elsewhere", redirect_to="/api/v1"))


def static_files(plugin: ServicePlugin) -> None:
    plugin.blueprint.register_blueprint(Files("files", __name__, static_folder=".", static_url_path="/open"))


def a_rule_by_record(plugin: ServicePlugin) -> None:
    app_of(plugin, lambda app: app.add_url_rule("/open", endpoint="mine", view_func=answer))


def another_blueprint_by_record(plugin: ServicePlugin) -> None:
    other = Blueprint("other", __name__)
    other.get("/open")(answer)
    app_of(plugin, lambda app: app.register_blueprint(other))


def another_application_below_a_rule(plugin: ServicePlugin) -> None:
    other = Flask("other")
    other.get("/open")(answer)

    def call(rest: str) -> Any:
        return Response.from_app(other.wsgi_app, request.environ)

    plugin.blueprint.add_url_rule("/other/<path:rest>", view_func=call)


def another_application_around_ours(plugin: ServicePlugin) -> None:
    def wrap(app: Flask) -> None:
        inner: Any = app.wsgi_app
        app.wsgi_app = lambda environ, start: inner(environ, start)  # type: ignore[method-assign]

    app_of(plugin, wrap)


def a_hook_before_all(plugin: ServicePlugin) -> None:
    plugin.blueprint.before_app_request(answer)


def a_hook_after_all(plugin: ServicePlugin) -> None:
    plugin.blueprint.after_app_request(lambda response: answer())


def a_handler_of_all_that_is_not_found(plugin: ServicePlugin) -> None:
    plugin.blueprint.app_errorhandler(404)(lambda error: answer())


def a_preprocessor_of_all_urls(plugin: ServicePlugin) -> None:
    plugin.blueprint.app_url_value_preprocessor(lambda endpoint, values: None)


TRIES: Mapping[Open, str] = {
    a_plain_view: r"GET /api/v1/house/open \(endpoint 'house.answer'\) declares no role",
    the_guard_above_the_route: "'house.answer'",
    a_decorator_that_loses_the_guard: "declares no role",
    a_method_of_a_class: r"DELETE /api/v1/house/open \(endpoint 'house.half'\)",
    a_view_class: "'house.plain'",
    a_class_routed_by_flask_smorest: r"DELETE /api/v1/house/open \(endpoint 'house.Half'\)",
    no_role_at_all: "GET /api/v1/house/open",
    a_role_that_is_a_text: "declares no role",
    an_options_view: "OPTIONS /api/v1/house/open",
    a_redirect: "redirects before any role is checked",
    static_files: r"GET /api/v1/house/open/<path:filename> \(endpoint 'house.files.static'\)",
    a_rule_by_record: r"GET /open \(endpoint 'mine'\)",
    another_blueprint_by_record: r"GET /open \(endpoint 'other.answer'\)",
    another_application_below_a_rule: r"GET /api/v1/house/other/<path:rest>",
    another_application_around_ours: "wraps the whole application",
    a_hook_before_all: "before_request_funcs",
    a_hook_after_all: "after_request_funcs",
    a_handler_of_all_that_is_not_found: "error_handler_spec",
    a_preprocessor_of_all_urls: "url_value_preprocessors",
}


@pytest.fixture
def start(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start an application whose one plugin is ``house``, of a distribution ``acme-house`` 9.1."""

    def make(open_up: Open, *more: ComputedDocument, **changes: Any) -> FlaskClient:
        plugin = ServicePlugin(name="house", documents=[document("name"), *more])
        open_up(plugin)
        found = [Found("zz-house", "acme_house:plugin", "acme-house", "9.1", "loaded", plugin)]
        monkeypatch.setattr("omni_gateway.app.discover", lambda **_: found)
        return create_app(replace(settings, **changes)).test_client()

    yield make


@pytest.mark.parametrize("open_up", TRIES, ids=lambda open_up: open_up.__name__)
def test_a_plugin_that_opens_a_route_does_not_start_and_is_named(start: Start, open_up: Open) -> None:
    with pytest.raises(BrokenPlugin, match=TRIES[open_up]) as stopped:
        start(open_up)
    named = ("'zz-house'", "acme_house:plugin", "acme-house 9.1")
    assert [part for part in named if part not in str(stopped.value)] == []


def test_the_view_of_another_plugin_is_not_replaced(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    other = ServicePlugin(name="garden", documents=[document("name")])
    first = Found("aa-garden", "acme_garden:plugin", "acme-garden", "1.0", "loaded", other)
    house = ServicePlugin(name="house")
    app_of(house, lambda app: app.view_functions.update({"garden.get_garden_name": answer}))
    second = Found("zz-house", "acme_house:plugin", "acme-house", "9.1", "loaded", house)
    monkeypatch.setattr("omni_gateway.app.discover", lambda **_: [first, second])
    with pytest.raises(BrokenPlugin, match="replaces the view of the endpoint 'garden"):
        create_app(settings)


def test_with_skip_nothing_of_it_is_served_and_the_rest_is(start: Start) -> None:
    client = start(a_plain_view, plugin_errors="skip")
    assert client.get("/api/v1/house/open").status_code == 404
    assert client.get("/api/v1/house/name").status_code == 404
    assert not any(path.startswith("/api/v1/house") for path in client.get("/openapi.json").json["paths"])
    assert "declares no role" in client.get("/readyz").json["checks"]["plugins"]["broken"][0]["reason"]
    assert client.get("/api/v1/operations").status_code == 401


def test_a_view_that_says_it_is_public_is(start: Start) -> None:
    client = start(lambda plugin: plugin.blueprint.get("/open")(public(answer)))
    assert client.get("/api/v1/house/open").text == "everything"
    assert client.get("/api/v1/house/name").status_code == 401
    paths = client.get("/openapi.json").json["paths"]
    assert paths["/api/v1/house/open"]["get"]["security"] == []
    assert "security" not in paths["/api/v1/house/name"]["get"]


def test_a_guarded_view_is_guarded_however_it_is_marked_besides(start: Start) -> None:
    client = start(lambda plugin: plugin.blueprint.get("/open")(public(require_role(Role.ADMIN)(answer))))
    assert client.get("/api/v1/house/open").status_code == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_plugins_own_hook_answers_nobody_whose_role_has_not_been_asked(start: Start, method: str) -> None:
    client = start(lambda plugin: plugin.blueprint.before_request(answer))
    told = client.open("/api/v1/house/name", method=method)
    assert told.status_code == (200 if method == "OPTIONS" else 401)
    assert "everything" not in told.text


def test_a_handler_of_errors_of_its_own_does_not_let_anybody_in(start: Start) -> None:
    called = []

    def keep(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Mapping[str, Any]:
        called.append(1)
        return {}

    def open_up(plugin: ServicePlugin) -> None:
        plugin.blueprint.errorhandler(Exception)(lambda error: answer())

    start(open_up, document("kept", keep)).get("/api/v1/house/kept")
    assert called == []


def test_a_route_that_is_added_after_the_start_is_closed(start: Start) -> None:
    client = start(lambda plugin: None)
    client.application.add_url_rule("/open", endpoint="late", view_func=answer)
    told = client.get("/open")
    assert (told.status_code, told.json["code"]) == (403, "forbidden")


def test_a_plugin_with_a_register_of_its_own_is_looked_at_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(ServicePlugin):
        def register(self, api: Any, gateway: Gateway) -> None:
            api.app.add_url_rule("/open", endpoint="mine", view_func=answer)

    found = [Found("zz-own", "acme:plugin", "acme", "1", "loaded", Own(name="own"))]
    monkeypatch.setattr("omni_gateway.app.discover", lambda **_: found)
    with pytest.raises(BrokenPlugin, match="GET /open"):
        create_app(settings)
