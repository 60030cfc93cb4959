"""JWTs of a real OpenID Connect provider, through gunicorn with two workers."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from omni_gateway.omni import OmniConfig
from tests.e2e.conftest import Served, omni_environ, start_gateway, stop_gateway

pytestmark = pytest.mark.slow

CLIENT = "omni-gateway"
REDIRECT = "http://127.0.0.1/callback"
URL = "oidc/providers"
COUNTS_SECONDS = 2.0
"""After so long, a change of a provider counts in every worker."""


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The URL of a running provider."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import oidc_provider_mock
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("oidc")


@pytest.fixture(scope="module")
def two_workers(omni_config: OmniConfig, state: Path) -> Iterator[Served]:
    environ = {
        **omni_environ(omni_config),
        "OMNI_GATEWAY_AUTH": "token,oidc",
        "OMNI_GATEWAY_WORKERS": "2",
        "OMNI_GATEWAY_OIDC_PRIVATE_ADDRESSES": "true",
    }
    running = start_gateway(state, environ)
    yield running
    stop_gateway(running)


def sign_in(provider: str, who: str, **claims: Any) -> str:
    """Go through the authorization-code flow as a browser and a client would; return the ID token."""
    assert httpx.put(f"{provider}/users/{who}", json=claims).status_code == 204
    query = {"response_type": "code", "client_id": CLIENT, "redirect_uri": REDIRECT, "scope": "openid profile email"}
    agreed = httpx.post(f"{provider}/oauth2/authorize", params=query, data={"sub": who})
    code = parse_qs(urlsplit(agreed.headers["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    return str(httpx.post(f"{provider}/oauth2/token", data=form, auth=(CLIENT, "secret")).json()["id_token"])


def ask(served: Served, token: str, method: str = "GET", path: str = "clusters", **options: Any) -> httpx.Response:
    """Send a request over a connection of its own, so that either worker may take it."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.request(method, f"{served.url}/api/v1/{path}", headers=headers, timeout=60, **options)


def answers_of_both(served: Served, token: str, wait_until: Callable[..., Any], wanted: int) -> set[int]:
    """Return the statuses that the workers answer with: ``{wanted}``, or what they are two seconds after a change."""
    written = time.monotonic()

    def late() -> bool:
        return time.monotonic() - written > COUNTS_SECONDS

    while True:
        wait_until(lambda: ask(served, token).status_code == wanted or late())
        last = late()
        with ThreadPoolExecutor(8) as pool:  # many at once, so that no worker gets them all
            statuses = {answer.status_code for answer in pool.map(lambda _: ask(served, token), range(48))}
        if last or statuses == {wanted}:
            return statuses


@pytest.fixture
def trusted(two_workers: Served, provider: str) -> Iterator[Callable[..., httpx.Response]]:
    """Make the provider known, and return what writes to it as an admin."""
    admin = two_workers.tokens["admin"]
    body = {
        "id": "mock",
        "name": "Mock",
        "issuer_url": provider,
        "client_id": CLIENT,
        "role_claim": "realm_access.roles",
        "role_mapping": {"platform": "operator"},
    }
    assert ask(two_workers, admin, "POST", URL, json=body).status_code == 201

    def write(method: str, path: str = "", **options: Any) -> httpx.Response:
        return ask(two_workers, admin, method, f"{URL}/mock{path}", **options)

    yield write
    assert write("DELETE").status_code in (204, 404)


def test_the_providers_users_come_in_with_the_roles_of_their_claims(
    two_workers: Served, provider: str, trusted: Callable[..., httpx.Response], wait_until: Callable[..., Any]
) -> None:
    token = sign_in(provider, "alice", realm_access={"roles": ["x", "platform"]})
    assert answers_of_both(two_workers, token, wait_until, 200) == {200}
    assert ask(two_workers, token, "DELETE", f"{URL}/mock").status_code == 403
    assert ask(two_workers, sign_in(provider, "mallory", role="admin")).status_code == 403
    assert ask(two_workers, two_workers.tokens["reader"]).status_code == 200


def test_the_provider_passes_its_test(trusted: Callable[..., httpx.Response]) -> None:
    tested = trusted("POST", "/actions/test").json()
    assert (tested["ok"], tested["counts"]) == (True, True), tested


def test_a_disabled_provider_lets_nobody_in_and_an_enabled_one_does_again(
    two_workers: Served, provider: str, trusted: Callable[..., httpx.Response], wait_until: Callable[..., Any]
) -> None:
    token = sign_in(provider, "alice", realm_access={"roles": ["platform"]})
    assert answers_of_both(two_workers, token, wait_until, 200) == {200}
    assert trusted("PATCH", json={"enabled": False}).status_code == 200
    assert answers_of_both(two_workers, token, wait_until, 401) == {401}
    assert trusted("PATCH", json={"enabled": True}).status_code == 200
    assert answers_of_both(two_workers, token, wait_until, 200) == {200}


def test_a_changed_or_removed_provider_counts_no_more(
    two_workers: Served, provider: str, trusted: Callable[..., httpx.Response], wait_until: Callable[..., Any]
) -> None:
    token = sign_in(provider, "alice", realm_access={"roles": ["platform"]})
    assert answers_of_both(two_workers, token, wait_until, 200) == {200}
    changed = trusted("GET").json()
    assert trusted("PUT", json={**changed, "client_id": "another"}).status_code == 200
    assert answers_of_both(two_workers, token, wait_until, 401) == {401}
    assert trusted("PUT", json=changed).status_code == 200
    assert answers_of_both(two_workers, token, wait_until, 200) == {200}
    assert trusted("DELETE").status_code == 204
    assert answers_of_both(two_workers, token, wait_until, 401) == {401}


def test_no_token_stands_in_the_log(
    two_workers: Served,
    provider: str,
    trusted: Callable[..., httpx.Response],
    state: Path,
    wait_until: Callable[..., Any],
) -> None:
    token = sign_in(provider, "bob", realm_access={"roles": ["platform"]})
    assert answers_of_both(two_workers, token, wait_until, 200) == {200}
    assert ask(two_workers, f"{token[:-8]}AAAAAAAA").status_code == 401
    log = (state / "gateway.log").read_text()
    assert log
    assert not [part for part in token.split(".")[1:] if part in log]
