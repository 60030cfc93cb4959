"""Idempotency-Key: the same request again gets the same answer again."""

from __future__ import annotations

from itertools import count

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient

from omni_gateway.auth import Role
from omni_gateway.http.guard import require
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.problems import Problem
from omni_gateway.store import Store


@pytest.fixture
def counting(bare: Flask) -> Flask:
    numbers = count(1)

    def act() -> Response:
        if request.args.get("fail"):
            raise Problem(409, "conflict", "no")
        return Response(str(next(numbers)), 202, headers={"Location": "/here"})

    bare.add_url_rule("/act", view_func=require(Role.READER)(idempotent(act)), methods=["POST"])
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
    assert client.post("/act?fail=1", headers=head).status_code == 409
    assert client.post("/act", headers=head).status_code == 202


def test_while_the_first_request_runs_the_second_is_told_to_wait(client: FlaskClient, store: Store) -> None:
    head = headers(store, "k1")
    client.post("/act", headers=head)
    from sqlalchemy import update

    from omni_gateway.store.tables import IDEMPOTENCY

    with store.engine().begin() as connection:
        connection.execute(update(IDEMPOTENCY).values(status=None))
    answer = client.post("/act", headers=head)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "idempotency-conflict")
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("key", ["", "x" * 256, "ü"])
def test_a_key_that_is_none_is_refused(client: FlaskClient, store: Store, key: str) -> None:
    head = headers(store, None) | {"Idempotency-Key": key}
    assert client.post("/act", headers=head).status_code == 400
