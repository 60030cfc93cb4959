"""Ids in URLs: what a caller encodes is what a resource is asked for."""

from urllib.parse import quote

import pytest
from flask import Flask, url_for
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.http import paths


@pytest.fixture(scope="module")
def app() -> Flask:
    app = Flask("paths")
    paths.init_app(app)
    app.add_url_rule("/things/<id>", view_func=lambda id: {"id": id, "path": paths.request_path()}, endpoint="thing")
    app.add_url_rule("/things/<id>/status", view_func=lambda id: {"status": id}, endpoint="status")
    return app


IDS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=60)


@given(IDS.filter(lambda text: text not in (".", "..")))
def test_any_id_that_is_percent_encoded_arrives_whole(id: str) -> None:
    app = Flask("any")
    paths.init_app(app)
    app.add_url_rule("/things/<id>", view_func=lambda id: {"id": id}, endpoint="thing")
    answer = app.test_client().get(f"/things/{quote(id, safe='')}")
    assert (answer.status_code, answer.json) == (200, {"id": id})


@pytest.mark.parametrize("id", ["a/b", "a%2Fb", "100%", "%25", "c1/svc.default", "a//b", "ü/é"])
def test_slashes_and_percent_signs_are_part_of_an_id(app: Flask, id: str) -> None:
    answer = app.test_client().get(f"/things/{quote(id, safe='')}/status")
    assert answer.json == {"status": id}


def test_a_plain_slash_still_ends_an_id(app: Flask) -> None:
    assert app.test_client().get("/things/a/b").status_code == 404


def test_the_path_is_told_as_it_stands_in_a_url(app: Flask) -> None:
    answer = app.test_client().get("/things/a%2Fb%20c%25")
    assert answer.json["path"] == "/things/a%2Fb%20c%25"


def test_a_url_is_built_of_a_routes_variables_and_others_are_its_query(app: Flask) -> None:
    with app.test_request_context():
        assert url_for("status", id="a b", wait="30s") == "/things/a%20b/status?wait=30s"
        assert url_for("status", id="c") == "/things/c/status"


def test_a_server_without_raw_urls_serves_ids_without_slashes() -> None:
    environ = {"PATH_INFO": "/things/50%"}
    assert paths.protected_path(environ) == "/things/50%25"


def test_a_raw_url_that_is_not_the_path_that_was_decoded_is_not_believed() -> None:
    environ = {"PATH_INFO": "/things/a", "RAW_URI": "/other/%2F"}
    assert paths.protected_path(environ) == "/things/a"


def test_a_prefix_that_a_proxy_cut_off_stays_off() -> None:
    environ = {"PATH_INFO": "/things/a/b", "RAW_URI": "/gate/things/a%2Fb", "SCRIPT_NAME": "/gate"}
    assert paths.protected_path(environ) == "/things/a%2Fb"


@pytest.mark.parametrize(
    ("query", "ticket", "left"),
    [
        ("ticket=secret", "secret", ""),
        ("view=full&ticket=secret&page=1", "secret", "view=full&page=1"),
        ("ticket=secret&ticket=second", "", ""),
        ("view=full&other-ticket=1", None, "view=full&other-ticket=1"),
    ],
)
def test_a_ticket_is_taken_out_of_all_that_a_server_logs(query: str, ticket: str | None, left: str) -> None:
    environ = {"PATH_INFO": "/x", "QUERY_STRING": query, "RAW_URI": f"/x?{query}", "REQUEST_URI": f"/x?{query}"}

    paths.RequestUrl(lambda *_: [])(environ, None)

    raw = f"/x?{left}" if left else "/x"
    assert environ.pop(paths.TICKET, None) == ticket
    assert environ == {"PATH_INFO": "/x", "QUERY_STRING": left, "RAW_URI": raw, "REQUEST_URI": raw}
