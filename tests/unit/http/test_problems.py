"""Problem documents, and that their page tells the same as the table."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import grpc
import pytest
from flask import Flask

from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.problems import CATALOGUE, Problem
from omni_gateway.omni.errors import OmniSilent, error_for

ROOT = Path(__file__).parents[3]
CODE = grpc.StatusCode
RESOURCES = "omni.resources.ResourceService"


def test_the_page_of_problems_is_the_table() -> None:
    page = (ROOT / "docs/problems.md").read_text()
    rows = re.findall(r"^\| `([\w-]+)` \| (\d+) \| (.+?) \| (yes|no) \| (.+?) \| (.+) \|$", page, flags=re.M)
    assert rows == [
        (code, str(kind.status), kind.title, "yes" if kind.retryable else "no", kind.meaning, kind.advice)
        for code, kind in CATALOGUE.items()
    ]


def test_a_code_that_the_table_lacks_is_told_to_the_author_with_the_nearest() -> None:
    with pytest.raises(ValueError) as raised:
        Problem(404, "not-fuond")
    assert str(raised.value) == "'not-fuond' is no code of docs/problems.md; did you mean 'not-found'?"


@pytest.mark.parametrize(
    ("method", "code", "status", "problem"),
    [
        (f"{RESOURCES}/Get", CODE.NOT_FOUND, 404, "not-found"),
        (f"{RESOURCES}/Create", CODE.ALREADY_EXISTS, 409, "exists"),
        (f"{RESOURCES}/Update", CODE.ALREADY_EXISTS, 409, "changed-meanwhile"),
        (f"{RESOURCES}/Delete", CODE.FAILED_PRECONDITION, 409, "conflict"),
        (f"{RESOURCES}/Create", CODE.INVALID_ARGUMENT, 422, "refused-by-omni"),
        (f"{RESOURCES}/Create", CODE.UNKNOWN, 422, "refused-by-omni"),
        (f"{RESOURCES}/List", CODE.UNKNOWN, 422, "refused-by-omni"),
        (f"{RESOURCES}/Update", CODE.CANCELLED, 503, "omni-unreachable"),
        (f"{RESOURCES}/Get", CODE.UNKNOWN, 502, "omni-error"),
        (f"{RESOURCES}/Create", CODE.PERMISSION_DENIED, 403, "omni-forbidden"),
        (f"{RESOURCES}/Get", CODE.UNAUTHENTICATED, 502, "omni-credential"),
        (f"{RESOURCES}/Get", CODE.UNAVAILABLE, 503, "omni-unreachable"),
        (f"{RESOURCES}/Get", CODE.DEADLINE_EXCEEDED, 504, "omni-timeout"),
        (f"{RESOURCES}/Get", CODE.RESOURCE_EXHAUSTED, 429, "omni-rate-limited"),
        ("machine.MachineService/Shutdown", CODE.UNIMPLEMENTED, 501, "not-implemented"),
        ("machine.MachineService/Reboot", CODE.UNAVAILABLE, 503, "machine-unreachable"),
        ("management.ManagementService/Kubeconfig", CODE.UNKNOWN, 502, "omni-error"),
        ("management.ManagementService/MachinePowerOn", CODE.FAILED_PRECONDITION, 409, "conflict"),
        (f"{RESOURCES}/List", CODE.FAILED_PRECONDITION, 502, "omni-error"),
        (f"{RESOURCES}/Get", CODE.INTERNAL, 502, "omni-error"),
    ],
)
def test_omnis_refusal_becomes_a_problem_by_call_and_code(
    method: str, code: grpc.StatusCode, status: int, problem: str
) -> None:
    told = problem_for(error_for(method, code, "why"))
    assert (told.status, told.code, told.grpc_code) == (status, problem, code.name)


def test_a_message_that_is_too_large_is_not_to_be_sent_again() -> None:
    text = "CLIENT: Received message larger than max (2 vs. 1)"
    told = problem_for(error_for(f"{RESOURCES}/List", CODE.RESOURCE_EXHAUSTED, text))
    assert (told.status, told.code, dict(told.headers)) == (413, "too-large", {})


def test_a_busy_omni_says_when_to_come_back() -> None:
    told = problem_for(error_for(f"{RESOURCES}/Get", CODE.RESOURCE_EXHAUSTED, "busy", retry_after=6.2))
    assert told.headers["Retry-After"] == "7"


def test_omnis_reason_is_the_detail_of_a_refused_value() -> None:
    assert problem_for(error_for(f"{RESOURCES}/Create", CODE.INVALID_ARGUMENT, "not this")).detail == "not this"


def test_addresses_of_an_omni_that_is_away_are_not_told() -> None:
    told = problem_for(error_for(f"{RESOURCES}/Get", CODE.UNAVAILABLE, "ipv4:10.1.2.3:443: refused"))
    assert "10.1.2.3" not in str(told.to_dict())
    assert int(told.headers["Retry-After"]) > 0


def test_a_call_to_a_machine_that_never_reached_omni_tells_nothing_of_the_machine() -> None:
    reboot = "machine.MachineService/Reboot"
    lost = error_for(reboot, CODE.UNAVAILABLE, "failed to connect to all addresses; last error: refused")
    silent = OmniSilent(CODE.UNAVAILABLE, "it was not asked", reboot)
    assert [problem_for(error).code for error in (lost, silent)] == ["omni-unreachable"] * 2


def test_a_defect_of_ours_leaks_nothing_and_is_logged_under_the_request_id(
    bare: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @bare.get("/fail")
    def fail() -> str:
        raise RuntimeError("the secret is 42")

    with caplog.at_level(logging.ERROR):
        answer = bare.test_client().get("/fail")
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal")
    assert "secret" not in answer.get_data(as_text=True)
    assert "the secret is 42" in caplog.text


def test_headers_that_belong_to_an_error_survive(bare: Flask) -> None:
    @bare.get("/only-get")
    def only() -> str:
        return ""

    answer = bare.test_client().post("/only-get")
    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
    assert "GET" in answer.headers["Allow"]


def test_a_problem_names_the_request_it_answers(bare: Flask) -> None:
    @bare.get("/x y")
    def view() -> str:
        raise Problem(409, "conflict", "no", hint="try later", extra={"undone": ["a"]})

    document = bare.test_client().get("/x%20y", headers={"X-Request-ID": "r1"}).get_json()
    assert (document["instance"], document["request_id"], document["hint"], document["undone"]) == (
        "/x%20y",
        "r1",
        "try later",
        ["a"],
    )
