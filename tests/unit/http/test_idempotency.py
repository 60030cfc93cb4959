"""Idempotency-Key: the same request again gets the same answer again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request
from flask.testing import FlaskClient
from sqlalchemy import text

from omni_gateway.auth import Authenticator, FailedLogins, Principal, Role
from omni_gateway.http import guard
from omni_gateway.http.guard import require_role
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.problems import Problem
from omni_gateway.http.stream_tickets import StreamTickets
from omni_gateway.omni import outcomes
from omni_gateway.store import Store
from omni_gateway.store.idempotency import ABANDONED, KEPT

CREATE = "omni.resources.ResourceService/Create"


@pytest.fixture
def counting(bare: Flask) -> Flask:
    numbers = count(1)

    def act() -> Response:
        how = request.args.get("how", "")
        if how == "refused":
            raise Problem(409, "conflict", "no")
        number = next(numbers)
        if "wrote" in how:
            outcomes.note(CREATE, None)
        if "broke" in how:
            raise RuntimeError("out of memory")
        if "away" in how:
            raise Problem(503, "omni-unreachable")
        if "partly" in how:
            raise Problem(422, "validation", f"part {number}")
        return Response(str(number), 202, headers={"Location": "/here"})

    def secret() -> Response:
        return jsonify(id="a", key=f"secret-{next(numbers)}")

    for path, view in (
        ("/act", idempotent(act)),
        ("/elsewhere", idempotent(act, certain=False)),
        ("/secret", idempotent(secret, forget={"key"})),
        ("/plain", act),
    ):
        bare.add_url_rule(path, endpoint=path, view_func=require_role(Role.READER)(view), methods=["POST"])
    return bare


@pytest.fixture
def client(counting: Flask) -> FlaskClient:
    return counting.test_client()


def headers(store: Store, key: str | None) -> dict[str, str]:
    token = store.tokens.create("t", "reader", None)[1]
    return {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})


def test_the_second_request_with_a_key_gets_the_first_answer(client: FlaskClient, store: Store) -> None:
    head = headers(store, "k1")
    first, second = client.post("/act", headers=head), client.post("/act", headers=head)
    assert (second.data, second.status_code, second.headers["Location"]) == (first.data, 202, "/here")
    assert second.headers["Idempotency-Replayed"] == "true"


def test_without_a_key_every_request_acts(client: FlaskClient, store: Store) -> None:
    head = headers(store, None)
    assert client.post("/act", headers=head).data != client.post("/act", headers=head).data


def test_a_key_with_another_body_is_refused(client: FlaskClient, store: Store) -> None:
    head = headers(store, "k1")
    client.post("/act", headers=head, data=b"one")
    answer = client.post("/act", headers=head, data=b"two")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency-mismatch")


def test_another_caller_may_use_the_same_key(client: FlaskClient, store: Store) -> None:
    first = client.post("/act", headers=headers(store, "k1"))
    second = client.post("/act", headers=headers(store, "k1"))
    assert first.data != second.data


def test_a_request_that_failed_may_be_tried_again_under_its_key(client: FlaskClient, store: Store) -> None:
    head = headers(store, "k1")
    assert client.post("/act?how=refused", headers=head).status_code == 409
    assert client.post("/act", headers=head).status_code == 202


def execute(store: Store, statement: str, **values: object) -> None:
    with store.engine().begin() as connection:
        connection.execute(text(statement), values)


def grow_older(store: Store, by: timedelta) -> None:
    """Let every key be older."""
    created = str(datetime.now(UTC).replace(tzinfo=None) - by)
    execute(store, "UPDATE idempotency_keys SET created = :created", created=created)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_while_the_first_request_runs_the_second_is_told_to_wait(client: FlaskClient, store: Store) -> None:
    head = headers(store, "k1")
    client.post("/act", headers=head)
    execute(store, "UPDATE idempotency_keys SET status = NULL")
    answer = client.post("/act", headers=head)
    assert code_of(answer) == (409, "idempotency-conflict")
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("age", [ABANDONED, KEPT + timedelta(hours=1), timedelta(days=20)], ids=str)
def test_the_key_of_a_process_that_died_never_becomes_free(client: FlaskClient, store: Store, age: timedelta) -> None:
    head = headers(store, "k1")
    client.post("/act", headers=head)
    execute(store, "UPDATE idempotency_keys SET status = NULL")
    grow_older(store, age + timedelta(seconds=1))
    for _ in range(2):
        answer = client.post("/act", headers=head)
        assert code_of(answer) == (409, "outcome-unknown")
        assert answer.get_json()["retryable"] is False
    assert client.post("/act", headers=headers(store, None)).data == b"2"


def test_a_key_that_was_answered_is_free_after_a_day(client: FlaskClient, store: Store) -> None:
    head = headers(store, "k1")
    assert client.post("/act", headers=head).data == b"1"
    grow_older(store, KEPT + timedelta(seconds=1))
    assert client.post("/act", headers=head).data == b"2"


def test_an_answer_that_the_store_cannot_keep_is_given_and_its_request_never_done_again(
    client: FlaskClient, store: Store
) -> None:
    head = headers(store, "k1")
    store.engine()
    execute(
        store,
        "CREATE TRIGGER full BEFORE UPDATE OF status ON idempotency_keys"
        " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    )
    assert client.post("/act", headers=head).data == b"1"
    assert code_of(client.post("/act", headers=head)) == (409, "idempotency-conflict")
    grow_older(store, ABANDONED + timedelta(seconds=1))
    assert code_of(client.post("/act", headers=head)) == (409, "outcome-unknown")


def test_what_failed_before_it_wrote_may_be_tried_again_and_what_failed_after_may_not(
    client: FlaskClient, store: Store
) -> None:
    for how, status in (("away", 503), ("wrote,away", 409), ("broke", 409), ("wrote,broke", 409)):
        head = headers(store, "k")
        assert client.post(f"/act?how={how}", headers=head).status_code in (500, 503)
        assert client.post(f"/act?how={how}", headers=head).status_code == status, how


def test_what_failed_is_unknown_where_another_back_end_may_have_written(client: FlaskClient, store: Store) -> None:
    head = headers(store, "k1")
    assert client.post("/elsewhere?how=away", headers=head).status_code == 503
    assert code_of(client.post("/elsewhere?how=away", headers=head)) == (409, "outcome-unknown")


def test_a_refusal_that_came_after_a_write_is_replayed(client: FlaskClient, store: Store) -> None:
    head = headers(store, "k1")
    first, again = (client.post("/act?how=wrote,partly", headers=head) for _ in range(2))
    assert (first.status_code, first.data) == (again.status_code, again.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "part 1" in again.get_json()["detail"]


def test_a_view_that_knows_no_keys_refuses_one(client: FlaskClient, store: Store) -> None:
    assert client.post("/plain", headers=headers(store, None)).data == b"1"
    assert code_of(client.post("/plain", headers=headers(store, "k1"))) == (400, "bad-request")
    assert client.post("/plain", headers=headers(store, None)).data == b"2"


def test_a_secret_is_replayed_to_its_caller_and_not_in_the_database(
    client: FlaskClient, store: Store, tmp_path: Path
) -> None:
    head = headers(store, "k1")
    first, again = client.post("/secret", headers=head), client.post("/secret", headers=head)
    assert first.get_json() == again.get_json() == {"id": "a", "key": "secret-1"}
    assert again.headers["Idempotency-Replayed"] == "true"
    assert b"secret-1" not in b"".join(file.read_bytes() for file in tmp_path.glob("store.sqlite*"))


class OneCaller:
    """Takes any credential for one caller's, as JWTs of one subject are."""

    name = "token"

    def recognises(self, credential: str) -> bool:
        return True

    def authenticate(self, credential: str) -> Principal:
        return Principal("ann", Role.ADMIN, "oidc:p:ann")


def test_a_secret_is_not_replayed_to_another_credential_of_its_caller(counting: Flask, store: Store) -> None:
    tickets = StreamTickets(store.stream_tickets)
    guard.init_app(counting, Authenticator([OneCaller()]), FailedLogins((), ()), tickets)  # type: ignore[list-item]
    client, key = counting.test_client(), {"Idempotency-Key": "k1"}
    client.post("/secret", headers={"Authorization": "Bearer first", **key})
    again = client.post("/secret", headers={"Authorization": "Bearer second", **key})
    assert (again.status_code, again.get_json()) == (200, {"id": "a", "key": ""})
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "ü"])
def test_a_key_that_is_none_is_refused(client: FlaskClient, store: Store, key: str) -> None:
    head = headers(store, None) | {"Idempotency-Key": key}
    assert client.post("/act", headers=head).status_code == 400
