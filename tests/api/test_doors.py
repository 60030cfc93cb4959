"""Who gets to the routes at all: hosts, web pages of other sites, URLs that lead nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import create_environ, run_wsgi_app

from omni_gateway.app import create_app
from omni_gateway.settings import Settings

from .routes import routes, url

Make = Callable[..., FlaskClient]
NO_OBJECT = "/api/v1/resources/MachineClasses/there-is-none"
PORTAL = "https://portal.example"
PAGE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


@pytest.fixture(scope="module")
def make(settings: Settings) -> Iterator[Make]:
    """Applications with settings of their own and no plugins, each made once."""
    made: dict[str, FlaskClient] = {}

    def client(**changes: Any) -> FlaskClient:
        name = repr(changes)
        if name not in made:
            made[name] = create_app(replace(settings, **changes)).test_client()
        return made[name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("omni_gateway.app.discover", lambda **_: [])
        yield client


def test_a_page_of_another_site_changes_nothing_by_any_route(app: Flask) -> None:
    """No body is sent and no header that a form could not send."""
    client = app.test_client()
    let_in = []
    for method, path, _ in routes(client.get("/openapi.json").json):
        answer = client.open(url(path), method=method, headers=PAGE, buffered=False)
        if method != "get" and (answer.status_code, answer.json["code"]) != (403, "cross-site"):
            let_in.append(f"{method} {path}: {answer.status_code}")
        answer.close()
    assert let_in == []


@pytest.mark.parametrize(
    "headers", [PAGE, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OTHER"])
def test_without_authentication_it_changes_nothing_however_it_asks(
    make: Make, headers: dict[str, str], method: str
) -> None:
    answer = make(auth=("off",)).open(NO_OBJECT, method=method, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "cross-site")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
        {"Origin": "http://LOCALHOST:80"},
        {"Origin": PORTAL, "Sec-Fetch-Site": "cross-site"},
        {"Origin": PORTAL},
    ],
    ids=["no browser", "the page of the document", "typed by hand", "old browser", "same port", "portal", "old portal"],
)
@pytest.mark.parametrize("auth", ["off", "token"])
def test_others_and_pages_of_this_gateway_and_of_origins_that_are_set_are_let_in(
    make: Make, tokens: dict[str, str], auth: str, headers: dict[str, str]
) -> None:
    client = make(auth=(auth,), cors_origins=(PORTAL,))
    bearer = {"Authorization": f"Bearer {tokens['admin']}"} if auth == "token" else {}
    answer = client.delete(NO_OBJECT, headers={**bearer, **headers})
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    "origin",
    [
        "https://portal.example.evil.example",
        "https://portal.example:444",
        "http://portal.example",
        "http://localhost:8081",
        "https://localhost",
        "http://localhost.evil.example",
        "localhost",
        "http://[::1",
        "",
    ],
)
def test_an_origin_that_only_resembles_one_is_another(make: Make, origin: str) -> None:
    client = make(auth=("off",), cors_origins=(PORTAL,))
    answer = client.delete(NO_OBJECT, headers={"Origin": origin})
    assert (answer.status_code, answer.json["code"]) == (403, "cross-site")


def test_a_token_does_not_make_a_page_of_another_site_welcome(make: Make, tokens: dict[str, str]) -> None:
    """A proxy that knows its callers by a cookie may have added it."""
    head = {"Authorization": f"Bearer {tokens['admin']}", **PAGE}
    answer = make().delete(NO_OBJECT, headers=head)
    assert (answer.status_code, answer.json["code"]) == (403, "cross-site")


def test_a_page_of_another_site_may_read_what_its_browser_lets_it_read(make: Make) -> None:
    answer = make(auth=("off",)).get("/api/v1/operations", headers=PAGE)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


ANSWERED = ["api.example", "API.Example", "api.example.", "api.example:8443", "api.example.:80", "x.y.INTERNAL.example"]
ANSWERED += ["[::1]", "[0:0::1]:9", "one.example:8443", "münchen.example".encode("idna").decode()]
REFUSED = ["evil.example", "api.example.evil.example", "xapi.example", "internal.example.evil", "one.example"]
REFUSED += ["one.example:8444", "[::2]", "api.example:port", "api.example, evil.example", "api example", "", "."]


class TestAllowedHosts:
    @pytest.fixture
    def client(self, make: Make) -> FlaskClient:
        hosts = ("api.example", ".internal.example", "[::1]", "One.example:8443", "münchen.example")
        return make(allowed_hosts=hosts)

    @pytest.mark.parametrize("host", ANSWERED)
    def test_a_name_that_is_set_is_answered_however_it_is_written(self, client: FlaskClient, host: str) -> None:
        assert client.get("/livez", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize("host", REFUSED)
    @pytest.mark.parametrize("path", ["/livez", "/api/v1/operations", "/nowhere"])
    def test_any_other_is_refused_on_every_path(self, client: FlaskClient, host: str, path: str) -> None:
        answer = client.get(path, headers={"Host": host})
        assert (answer.status_code, answer.json["code"]) == (400, "bad-request")

    def test_so_is_a_request_that_names_none(self, client: FlaskClient) -> None:
        environ = create_environ("/livez")
        del environ["HTTP_HOST"]
        _, status, _ = run_wsgi_app(client.application.wsgi_app, environ)
        assert status == "400 BAD REQUEST"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8080", 200),
        ("gateway.localhost", 200),
        ("127.0.0.1:8080", 200),
        ("127.9.9.9", 200),
        ("[::1]:8080", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("192.0.2.1", 400),
        ("0.0.0.0", 400),
        ("", 400),
    ],
)
def test_without_authentication_only_names_of_this_machine_are_answered(make: Make, host: str, status: int) -> None:
    """A page whose name was made to lead here is of our origin, and would be an admin."""
    assert make(auth=("off",)).get("/api/v1/operations", headers={"Host": host}).status_code == status


def test_a_name_that_is_set_is_answered_without_authentication_too(make: Make) -> None:
    client = make(auth=("off",), allowed_hosts=("gateway.example",))
    told = [client.get("/livez", headers={"Host": host}).status_code for host in ("gateway.example", "localhost")]
    assert told == [200, 400]


def test_beyond_loopback_the_operator_has_said_that_everybody_may(make: Make) -> None:
    client = make(auth=("off",), unsafe_no_auth_beyond_loopback=True)
    assert client.get("/livez", headers={"Host": "gateway.example"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("//", 200), ("///livez", 200)]  # slashes at the beginning are one to WSGI
    + [
        (path, 404)
        for path in ("//evil.example", "//evil.example/api/v1", "/api//v1/clusters", "/api/v1//clusters",
                     "/api/v1/clusters//x", "/api/v1/clusters/x//status", "/openapi.json//", "/assets//", "/docs//")
    ],
)  # fmt: skip
def test_slashes_too_many_lead_to_no_other_host(app: Flask, tokens: dict[str, str], path: str, status: int) -> None:
    head = {"Host": "evil.example", "Authorization": f"Bearer {tokens['admin']}"}
    answer = app.test_client().get("/", headers=head, environ_overrides={"PATH_INFO": path, "RAW_URI": path})
    assert answer.status_code == status
    assert "Location" not in answer.headers


def test_no_route_redirects_whatever_slash_is_at_its_end(app: Flask, tokens: dict[str, str]) -> None:
    client = app.test_client()
    head = {"Host": "evil.example", "Authorization": f"Bearer {tokens['reader']}"}
    named = []
    for path in client.get("/openapi.json").json["paths"]:
        for place in (f"{url(path)}/", f"{url(path)}//"):
            answer = client.open(place, method="PUT", headers=head)
            if 300 <= answer.status_code < 400 or "evil.example" in str(answer.headers):
                named.append(f"{place}: {answer.status_code}")
    assert named == []


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/api/v1//resources"])
def test_a_url_that_leads_nowhere_counts_as_any_other(make: Make, path: str) -> None:
    client = make(rate_limit="2/hour")
    place = {"REMOTE_ADDR": f"192.0.2.{len(path)}", "PATH_INFO": path, "RAW_URI": path}
    told = [client.get("/", environ_overrides=place).status_code for _ in range(3)]
    assert told == [404, 404, 429]
    assert client.post("/openapi.json", environ_base={"REMOTE_ADDR": place["REMOTE_ADDR"]}).status_code == 429
    assert client.get("/livez", environ_base={"REMOTE_ADDR": place["REMOTE_ADDR"]}).status_code == 200
