"""How often a caller may ask, how often it may guess, how much it may send."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import grpc
import pytest
from flask import Flask
from flask.testing import FlaskClient

from omni_gateway.app import create_app
from omni_gateway.http.problems import CATALOGUE
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.stubs import simulator_faults_pb2 as faults
from tests.e2e.conftest import free_port

pytestmark = pytest.mark.slow

Make = Callable[..., FlaskClient]
MACHINES = "/api/v1/machines?page_size=1"


@pytest.fixture
def make(settings: Settings, undocumented: None) -> Make:
    """An application with settings of its own."""
    return lambda **changes: create_app(replace(settings, **changes)).test_client()


@pytest.fixture(scope="module")
def usual_app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def usual(usual_app: Flask) -> FlaskClient:
    """An application without limits, shared by the tests that count nothing."""
    return usual_app.test_client()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def statuses(client: FlaskClient, count: int, token: str, address: str = "192.0.2.1") -> list[int]:
    place = {"REMOTE_ADDR": address}
    return [client.get(MACHINES, headers=bearer(token), environ_base=place).status_code for _ in range(count)]


class TestRate:
    def test_a_caller_that_asks_too_often_is_told_when_to_go_on(self, make: Make, tokens: dict[str, str]) -> None:
        client = make(rate_limit="3/hour")
        assert statuses(client, 3, tokens["reader"]) == [200] * 3
        answer = client.get(MACHINES, headers=bearer(tokens["reader"]))
        assert (answer.status_code, answer.get_json()["code"]) == (429, "rate-limited")
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
        assert answer.headers["X-Request-ID"] == answer.get_json()["request_id"]

    def test_every_answer_tells_what_is_left(self, make: Make, tokens: dict[str, str]) -> None:
        client = make(rate_limit="3/hour")
        answers = [client.get(MACHINES, headers=bearer(tokens["reader"])) for _ in range(2)]
        assert answers[0].headers["RateLimit-Policy"] == '"caller";q=3;w=3600'
        left = [re.fullmatch(r'"caller";r=(\d+);t=(\d+)', answer.headers["RateLimit"]) for answer in answers]
        assert [int(found[1]) for found in left if found] == [2, 1]

    def test_callers_do_not_share_their_limits_whatever_their_address(self, make: Make, tokens: dict[str, str]) -> None:
        client = make(rate_limit="2/hour")
        assert statuses(client, 3, tokens["reader"], "192.0.2.1") == [200, 200, 429]
        assert statuses(client, 1, tokens["reader"], "192.0.2.2") == [429]
        assert statuses(client, 2, tokens["admin"], "192.0.2.1") == [200, 200]

    def test_before_it_is_known_a_caller_is_its_address(self, make: Make, tokens: dict[str, str]) -> None:
        client = make(rate_limit="2/hour", failed_logins="off")
        assert statuses(client, 3, "wrong") == [401, 401, 429]
        assert statuses(client, 1, "wrong", "192.0.2.2") == [401]
        assert statuses(client, 1, tokens["reader"]) == [200]

    def test_all_addresses_of_one_network_of_ipv6_are_one_caller(self, make: Make) -> None:
        client = make(rate_limit="2/hour", failed_logins="off")
        assert [statuses(client, 1, "wrong", f"2001:db8::{host}")[0] for host in range(1, 4)] == [401, 401, 429]

    def test_health_and_metrics_are_never_refused(self, make: Make, tokens: dict[str, str]) -> None:
        client = make(rate_limit="1/hour")
        assert statuses(client, 2, tokens["reader"]) == [200, 429]
        paths = ["/livez", "/readyz", "/health", "/metrics"] * 3
        answers = [client.get(path, headers=bearer(tokens["reader"])) for path in paths]
        assert {answer.status_code for answer in answers} == {200}
        assert not any("RateLimit" in answer.headers for answer in answers)

    def test_open_routes_count_too(self, make: Make) -> None:
        client = make(rate_limit="1/hour")
        assert [client.get("/openapi.json").status_code for _ in range(2)] == [200, 429]

    def test_off_is_off(self, usual: FlaskClient, tokens: dict[str, str]) -> None:
        answer = usual.get(MACHINES, headers=bearer(tokens["reader"]))
        assert "RateLimit" not in answer.headers

    def test_redis_that_is_away_stops_nobody_and_the_log_says_so(
        self, make: Make, tokens: dict[str, str], caplog: pytest.LogCaptureFixture
    ) -> None:
        client = make(rate_limit="3/hour", redis_url=f"redis://127.0.0.1:{free_port()}/0")
        assert statuses(client, 4, tokens["reader"]) == [200, 200, 200, 429]
        assert "falling back to in-memory" in caplog.text

    def test_every_guarded_operation_documents_it(self, usual: FlaskClient) -> None:
        document = usual.get("/openapi.json").get_json()
        operations = [
            operation
            for methods in document["paths"].values()
            for operation in methods.values()
            if isinstance(operation, dict) and "x-required-role" in operation
        ]
        assert operations
        assert all("429" in operation["responses"] for operation in operations)


class TestBusyOmni:
    """Omni's own limit, which all callers of the gateway share."""

    BUSY = faults.Error(code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], message="too many requests")

    @pytest.mark.parametrize(
        ("method", "path", "call"),
        [
            ("get", "configpatches/x", "*/Get"),
            ("post", "configpatches", "*/Create"),
            ("get", "machines/{machine}/logs", "*/MachineLogs"),
            ("get", "machines/{machine}/logs?follow=true", "*/MachineLogs"),
        ],
    )
    def test_it_is_told_from_the_gateways_own(
        self, simulator: RunningSimulator, usual: FlaskClient, tokens: dict[str, str], method: str, path: str, call: str
    ) -> None:
        head = {**bearer(tokens["admin"]), "Cache-Control": "no-cache"}
        machine = usual.get(MACHINES, headers=head).get_json()[0]["id"]
        url = f"/api/v1/{path.format(machine=machine)}"
        body = {"id": "busy", "data": "machine: {}"} if method == "post" else None
        with simulator.faults.during(faults.Rule(method=call, error=self.BUSY)) as state:
            answer = usual.open(url, method=method, headers=head, json=body)
        problem = answer.get_json()
        assert state().struck
        assert (answer.status_code, problem["code"], problem["retryable"]) == (429, "omni-rate-limited", True)
        assert int(answer.headers["Retry-After"]) > 0
        assert "RateLimit" not in answer.headers

    def test_a_watch_that_cannot_be_opened_is_told_so(
        self, simulator: RunningSimulator, usual: FlaskClient, tokens: dict[str, str]
    ) -> None:
        head = {**bearer(tokens["admin"]), "Cache-Control": "no-cache", "Accept": "application/x-ndjson"}
        with simulator.faults.during(faults.Rule(method="*/Watch", error=self.BUSY)):
            answer = usual.get("/api/v1/configpatches", headers=head)
        assert (answer.status_code, answer.get_json()["code"]) == (429, "omni-rate-limited")


class TestGuessing:
    def test_who_guesses_has_to_wait_before_anything_is_looked_up(self, make: Make, tokens: dict[str, str]) -> None:
        client = make(failed_logins="3/hour")
        assert [statuses(client, 1, f"guess-{number}")[0] for number in range(3)] == [401] * 3
        answer = client.get(MACHINES, headers=bearer("guess-4"), environ_base={"REMOTE_ADDR": "192.0.2.1"})
        assert (answer.status_code, answer.get_json()["code"]) == (429, "too-many-failed-logins")
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
        assert statuses(client, 1, tokens["reader"]) == [429]  # for all that anybody has looked, it is one more guess

    def test_a_caller_that_was_known_before_goes_on_beside_one_who_guesses(
        self, make: Make, tokens: dict[str, str]
    ) -> None:
        client = make(failed_logins="3/hour")
        assert statuses(client, 1, tokens["reader"]) == [200]
        assert statuses(client, 4, "guess") == [401, 401, 401, 429]
        assert statuses(client, 2, tokens["reader"]) == [200, 200]

    def test_other_addresses_do_not_wait(self, make: Make, tokens: dict[str, str]) -> None:
        client = make(failed_logins="3/hour")
        assert statuses(client, 4, "guess") == [401, 401, 401, 429]
        assert statuses(client, 1, tokens["reader"], "192.0.2.2") == [200]

    def test_many_addresses_that_guess_together_wait_together(self, make: Make, tokens: dict[str, str]) -> None:
        client = make(failed_logins="3/hour", failed_logins_in_all="5/hour")
        assert statuses(client, 1, tokens["reader"]) == [200]
        assert [statuses(client, 1, "guess", f"192.0.2.{host}")[0] for host in range(9)] == [401] * 5 + [429] * 4
        assert statuses(client, 1, tokens["reader"]) == [200]

    def test_a_refusal_counts_once_however_often_the_request_asks_who_calls(self, make: Make) -> None:
        client = make(failed_logins="2/hour", rate_limit="100/hour")
        assert statuses(client, 3, "guess") == [401, 401, 429]

    def test_no_credential_is_no_guess(self, make: Make) -> None:
        client = make(failed_logins="1/hour")
        assert [client.get(MACHINES).status_code for _ in range(3)] == [401] * 3


class TestHosts:
    def test_a_host_that_is_not_ours_is_refused_with_a_problem(self, make: Make) -> None:
        client = make(allowed_hosts=("api.example", ".internal.example"))
        answers = [
            client.get("/livez", headers={"Host": host})
            for host in ("evil.example", "api.example", "x.internal.example:8080")
        ]
        assert [answer.status_code for answer in answers] == [400, 200, 200]
        assert answers[0].get_json()["code"] == "bad-request"

    def test_by_default_any_host_is_answered(self, usual: FlaskClient) -> None:
        assert usual.get("/livez", headers={"Host": "anything.example"}).status_code == 200


class TestProxies:
    FORGED = {
        "X-Forwarded-For": "192.0.2.99, 198.51.100.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "a.example",
    }

    def test_forwarded_headers_are_nobodys_word_unless_a_proxy_is_set(self, make: Make) -> None:
        client = make(failed_logins="1/hour")
        answers = [
            client.get(MACHINES, headers={**bearer("guess"), **self.FORGED, "X-Forwarded-For": f"192.0.2.{host}"})
            for host in range(2)
        ]
        assert [answer.status_code for answer in answers] == [401, 429]
        assert "Strict-Transport-Security" not in answers[0].headers

    def test_one_proxy_is_believed_and_what_it_was_told_is_not(self, make: Make) -> None:
        client = make(failed_logins="1/hour", trusted_proxies=1)
        seen = [
            client.get(MACHINES, headers={**bearer("guess"), **self.FORGED, "X-Forwarded-For": f"{told}, {real}"})
            for told, real in (
                ("203.0.113.1", "198.51.100.7"),
                ("203.0.113.2", "198.51.100.7"),
                ("203.0.113.2", "198.51.100.8"),
            )
        ]
        assert [answer.status_code for answer in seen] == [401, 429, 401]
        assert "Strict-Transport-Security" in seen[0].headers


class TestHygiene:
    @pytest.mark.parametrize("path", ["/", "/openapi.json", "/livez", "/api/v1/machines", "/nowhere"])
    def test_every_answer_has_the_security_headers(self, usual: FlaskClient, path: str) -> None:
        headers = usual.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in headers

    def test_over_tls_the_browser_is_told_to_stay_there(self, usual: FlaskClient) -> None:
        assert "max-age=" in usual.get("/livez", base_url="https://a.example").headers["Strict-Transport-Security"]

    def test_what_an_authenticated_caller_reads_is_kept_by_nobody_else(
        self, usual: FlaskClient, tokens: dict[str, str]
    ) -> None:
        kept = {
            usual.get(path, headers=bearer(tokens["admin"])).headers["Cache-Control"]
            for path in (MACHINES, "/api/v1", "/api/v1/auth/can-i?resource=machines&verb=list", "/api/v1/nothing-here")
        }
        assert kept <= {"private, no-cache", "no-store", "no-cache", "private"}

    def test_a_body_of_too_many_values_is_refused_before_any_is_made(
        self, usual: FlaskClient, tokens: dict[str, str]
    ) -> None:
        body = json.dumps({"labels": [0] * 100_001})
        answer = usual.post(
            "/api/v1/clusters", data=body, content_type="application/json", headers=bearer(tokens["admin"])
        )
        assert (answer.status_code, answer.get_json()["code"]) == (413, "too-large")

    def test_commas_inside_texts_are_no_values(self, usual: FlaskClient, tokens: dict[str, str]) -> None:
        body = json.dumps({"id": "," * 200_000})
        answer = usual.post(
            "/api/v1/clusters", data=body, content_type="application/json", headers=bearer(tokens["admin"])
        )
        assert answer.status_code == 422

    def test_a_page_of_more_than_a_thousand_is_refused(self, usual: FlaskClient, tokens: dict[str, str]) -> None:
        assert usual.get("/api/v1/machines?page_size=1001", headers=bearer(tokens["admin"])).status_code == 422

    def test_each_refusal_has_a_code_in_the_catalogue(self) -> None:
        codes = {"rate-limited", "too-many-failed-logins", "too-many-own-streams", "request-timeout", "uri-too-long"}
        assert codes <= set(CATALOGUE)
