"""The entry of a request: who did what to which object and how it ended; nothing of a body's or a query's values."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Blueprint, Flask, Response

from omni_gateway import audit
from omni_gateway.audit import lines
from omni_gateway.audit.entries import entry_of, new_id, outcome_of, refusal_entry
from omni_gateway.auth import Principal, Role
from omni_gateway.http import metrics, problems
from omni_gateway.http.changed_fields import note_body, note_credential, note_documents, set_cluster
from omni_gateway.http.guard import _PRINCIPAL
from omni_gateway.store import AuditEntry, Store

#: Control characters of a caller are not logged.
ANN = Principal("ann\n", Role.OPERATOR, "token:ann\x00", "token")
TOKEN = "ogw_" + "A1b2" * 11


def app() -> Flask:
    """An application with the routes that entries tell apart; the views are never called."""
    made = Flask("audited")
    for name, extends in (("clusters", ""), ("resources", ""), ("extra", "machines")):
        blueprint = Blueprint(name, __name__)
        blueprint.extends = extends  # type: ignore[attr-defined]
        rule = f"/{name}/<type>/<id>" if name == "resources" else f"/{name}/<id>"
        blueprint.add_url_rule(rule, "one", lambda **_: "", methods=["GET", "PUT", "POST"])
        blueprint.add_url_rule(f"/{name}", "all", lambda **_: "", methods=["GET", "POST"])
        blueprint.add_url_rule(f"/{name}/of/<type>", "of", lambda **_: "", methods=["POST"])
        made.register_blueprint(blueprint)
    return made


def entry(path: str, response: Response | None = None, caller: Principal | None = ANN, **options: Any) -> AuditEntry:
    """Return the entry of a request; ``environ`` adds to its environ."""
    environ = options.pop("environ", lambda environ: None)
    with app().test_request_context(path, **options) as context:
        context.request.environ[_PRINCIPAL] = caller
        environ(context.request.environ)
        return entry_of(response or Response(status=200))


def test_an_entry_says_who_did_what_to_which_object_and_how_it_ended() -> None:
    before = datetime.now(UTC)
    made = entry(
        "/clusters/c%201?dry_run=true&secret=hush",
        Response(status=409, headers={"Idempotency-Replayed": "true"}),
        method="PUT",
        headers={"X-Request-ID": "asked-1"},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
        environ=lambda environ: note_body(environ, {"labels": {"a": "b"}}),
    )
    assert before - timedelta(seconds=1) < made.time <= datetime.now(UTC)
    assert made.duration_ms >= 0
    expected = AuditEntry(
        id=made.id,
        time=made.time,
        status=409,
        who="ann\ufffd",
        caller_id="token:ann\ufffd",
        auth="token",
        role="operator",
        method="PUT",
        route="/clusters/<id>",
        path="/clusters/c%201",
        resource="clusters",
        object_id="c 1",
        cluster="c 1",
        outcome="invalid",
        code="",
        dry_run=True,
        replayed=True,
        request_id="asked-1",
        remote="192.0.2.7",
        duration_ms=made.duration_ms,
        changed=["labels.a"],
        documents=[],
    )
    assert made == expected


def test_a_caller_that_is_not_known_is_named_by_nothing() -> None:
    made = entry("/clusters", Response(status=401), caller=None, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert (made.who, made.caller_id, made.auth, made.role) == ("", "", "", "")
    assert (made.outcome, made.remote, made.dry_run, made.replayed) == ("denied", "192.0.2.7", False, False)


def test_a_request_without_a_route_or_an_address_has_an_entry_too() -> None:
    made = entry("/nowhere?x=1", Response(status=404), method="POST")
    assert (made.route, made.resource, made.object_id, made.remote) == ("", "", "", "")
    assert made.path == "/nowhere"


def test_the_time_is_how_long_the_request_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "elapsed", lambda: 0.0123456)
    assert entry("/clusters").duration_ms == 12.346


def test_the_problem_that_is_answered_is_named() -> None:
    with app().test_request_context("/clusters", method="POST") as context:
        context.request.environ[_PRINCIPAL] = ANN
        response = problems.Problem(409, "exists", "It is there.").response()
        assert entry_of(response).code == "exists"


@pytest.mark.parametrize(
    ("text", "dry"), [("true", True), ("1", True), ("yes", True), ("false", False), ("", False), ("other", False)]
)
def test_a_dry_run_is_told_as_the_views_read_it(text: str, dry: bool) -> None:
    assert entry(f"/clusters?dry_run={text}", method="POST").dry_run is dry


def test_long_texts_are_cut() -> None:
    caller = Principal("n" * 300, None, "i" * 300)
    made = entry("/clusters/" + "p" * 600, caller=caller, method="M" * 30, environ_base={"REMOTE_ADDR": "a" * 200})
    assert (len(made.who), len(made.caller_id), made.role) == (200, 200, "none")
    assert (len(made.method), len(made.remote), len(made.path)) == (20, 100, 500)
    assert made.path.endswith("p…")
    assert entry("/clusters/" + "p" * 490).path == "/clusters/" + "p" * 490


@pytest.mark.parametrize(
    ("path", "headers", "status", "resource", "id"),
    [
        ("/clusters", {}, 200, "clusters", ""),
        ("/clusters", {"Location": "/api/v1/clusters/c%201"}, 201, "clusters", "c 1"),
        ("/clusters", {"Location": "/api/v1/clusters/c"}, 202, "clusters", ""),
        ("/clusters", {}, 201, "clusters", ""),
        ("/clusters/c", {"Location": "/api/v1/clusters/d"}, 201, "clusters", "c"),
        ("/extra/m", {}, 200, "machines", "m"),
        ("/resources", {}, 200, "resources", ""),
        ("/resources/Links/l", {}, 200, "resources/Links", "l"),
        ("/resources/of/Links", {"Location": "/x/y"}, 201, "resources/Links", "y"),
        ("/clusters/of/Links", {}, 200, "clusters", ""),
        ("/resources/JoinTokens/hush", {}, 200, "resources/JoinTokens", "***"),
        (f"/resources/{TOKEN}/x", {}, 200, "resources/***", "x"),
        (f"/clusters/{TOKEN}", {}, 200, "clusters", "***"),
    ],
)
def test_an_object_is_named_by_its_url_or_by_where_it_was_made(
    path: str, headers: dict[str, str], status: int, resource: str, id: str
) -> None:
    made = entry(path, Response(status=status, headers=headers), method="POST")
    assert (made.resource, made.object_id) == (resource, id)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/resources/JoinTokens/hush", "/resources/JoinTokens/***"),
        ("/resources/of/JoinTokens", "/resources/of/JoinTokens"),
        ("/resources/Links/plain", "/resources/Links/plain"),
        (f"/clusters/{TOKEN}", "/clusters/ogw_***"),
        (f"/clusters/{quote('a/b', safe='')}", "/clusters/a%2Fb"),
    ],
)
def test_a_path_shows_no_secret(path: str, shown: str) -> None:
    made = entry(path, method="POST").path
    assert TOKEN not in made
    assert made in (shown, shown.replace("ogw_", ""), shown.replace("%2F", "/"))


@pytest.mark.parametrize(
    ("path", "noted", "cluster"),
    [("/clusters/c", "", "c"), ("/extra/m", "", ""), ("/extra/m", "prod", "prod"), ("/clusters/c", "prod", "prod")],
)
def test_the_cluster_is_the_one_that_was_noted_or_the_object_itself(path: str, noted: str, cluster: str) -> None:
    def note(environ: dict[str, Any]) -> None:
        if noted:
            set_cluster(environ, noted)

    assert entry(path, environ=note).cluster == cluster


def test_the_documents_of_a_body_are_listed() -> None:
    made = entry("/clusters", method="POST", environ=lambda environ: note_documents(environ, [("Links", "l")]))
    assert (made.documents, made.changed) == ([{"type": "Links", "id": "l"}], [])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "done"),
        (304, "done"),
        (399, "done"),
        (400, "invalid"),
        (401, "denied"),
        (403, "denied"),
        (429, "denied"),
        (404, "invalid"),
        (499, "invalid"),
        (500, "failed"),
        (503, "failed"),
    ],
)
def test_an_outcome_follows_from_the_status(status: int, outcome: str) -> None:
    assert outcome_of(status) == outcome


def test_ids_are_of_one_length_unique_and_sorted_by_time() -> None:
    moments = [1, 16, time.time_ns(), time.time_ns() * 2]
    ids = [new_id(moment) for moment in moments]
    assert [len(id) for id in ids] == [28] * 4
    assert sorted(ids) == ids
    assert new_id(1) != ids[0]


@pytest.mark.parametrize(
    ("line", "method", "path"),
    [
        (b"POST /api/v1/clusters?token=hush HTTP/1.1", "POST", "/api/v1/clusters"),
        (b"GET /x HTTP/1.1\r\n", "GET", "/x"),
        (b"DELETE", "DELETE", ""),
        (b"", "", ""),
        (b"get /x HTTP/1.1", "", ""),
        (b"\x16\x03\x01 /x", "", ""),
        (b"GET /\xff\x00y HTTP/1.1", "GET", None),
        (f"GET /{TOKEN} HTTP/1.1".encode(), "GET", None),
    ],
)
def test_a_request_that_the_server_refused_is_told_as_far_as_it_was_read(
    line: bytes, method: str, path: str | None
) -> None:
    before = datetime.now(UTC)
    made = refusal_entry(413, "too-large", "192.0.2.7", line)
    assert before - timedelta(seconds=1) < made.time <= datetime.now(UTC)
    if path is None:
        assert TOKEN not in made.path
        assert not re.search(r"[\x00-\x1f]", made.path)
        path = made.path
    assert path is not None
    assert made == AuditEntry(
        made.id,
        made.time,
        413,
        outcome="invalid",
        code="too-large",
        method=method,
        path=path,
        remote="192.0.2.7",
    )
    assert len(made.id) == 28


def test_of_a_refused_request_long_texts_are_cut() -> None:
    made = refusal_entry(400, "bad-request", "a" * 200, b"GET /" + b"p" * 600)
    assert (len(made.path), len(made.remote)) == (500, 100)


@pytest.fixture
def audited(new_store: Store, tmp_path: Path) -> Iterator[tuple[Flask, Path]]:
    """An application whose requests are audited, and the file of its lines."""
    before = lines.log.handlers[:], lines.log.level, lines.log.propagate
    lines.log.handlers[:] = []
    made = Flask("audited")
    file = tmp_path / "audit.log"
    audit.init_app(made, new_store.audit, audit.Retention(timedelta(days=1), 100), file)

    def answer(status: int, credential: bool = False) -> Response:
        from flask import request

        if credential:
            note_credential(request.environ)
        return Response(status=status)

    made.add_url_rule("/<int:status>", "status", answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    made.add_url_rule("/credential/<int:status>", "credential", lambda status: answer(status, credential=True))
    yield made, file
    audit.writer_of(made).stop()
    for handler in lines.log.handlers:
        handler.close()
    lines.log.handlers[:], lines.log.level, lines.log.propagate = before


@pytest.mark.parametrize(
    ("method", "path", "written"),
    [
        ("GET", "/200", False),
        ("GET", "/404", False),
        ("HEAD", "/200", False),
        ("OPTIONS", "/200", False),
        ("GET", "/401", True),
        ("GET", "/403", True),
        ("GET", "/429", True),
        ("GET", "/credential/200", True),
        ("POST", "/200", True),
        ("PUT", "/200", True),
        ("PATCH", "/500", True),
        ("DELETE", "/404", True),
    ],
)
def test_changes_refusals_and_credentials_are_audited_and_other_reads_are_not(
    audited: tuple[Flask, Path], new_store: Store, method: str, path: str, written: bool
) -> None:
    app, file = audited
    answer = app.test_client().open(path, method=method)
    audit.writer_of(app).stop() if written else None
    line = file.read_text() if file.exists() else ""
    assert (f'"method":"{method}"' in line, line.count("\n")) == (written, int(written))
    assert new_store.audit.page({})[1] == int(written)
    assert str(answer.status_code) in path or answer.status_code == 200


@pytest.mark.parametrize(
    ("status", "line", "written"),
    [
        (413, b"POST /x HTTP/1.1", True),
        (413, b"GET /x HTTP/1.1", False),
        (431, b"", True),
        (429, b"GET /x HTTP/1.1", True),
        (403, b"GET /x HTTP/1.1", True),
    ],
)
def test_what_the_server_refuses_is_audited_by_the_same_rule(
    audited: tuple[Flask, Path], new_store: Store, status: int, line: bytes, written: bool
) -> None:
    app, file = audited
    audit.note_refusal(app, status, "too-large", "192.0.2.7", line)
    audit.writer_of(app).stop() if written else None
    text = file.read_text() if file.exists() else ""
    assert text.count(f'"status":{status}') == int(written)
    rows, total = new_store.audit.page({})
    assert total == int(written)
    assert [(row.status, row.code, row.remote) for row in rows] == [(status, "too-large", "192.0.2.7")] * total


def test_lines_go_to_standard_error_without_a_file(capfd: pytest.CaptureFixture[str], new_store: Store) -> None:
    before = lines.log.handlers[:], lines.log.level, lines.log.propagate
    lines.log.handlers[:] = []
    try:
        audit.init_app(Flask("x"), new_store.audit, audit.Retention(timedelta(days=1), 0), None)
        assert lines.log.getEffectiveLevel() == logging.INFO
        lines.log.info("%s", "one")
    finally:
        lines.log.handlers[:], lines.log.level, lines.log.propagate = before
    assert capfd.readouterr().err == "one\n"
