"""A session with many secrets in use, where they belong and where they do not; then each is looked for everywhere."""

from __future__ import annotations

import base64
import json
import re
import secrets
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import yaml
from click.testing import CliRunner

from omni_gateway.app import create_app
from omni_gateway.auth import Principal, Role
from omni_gateway.cache.client import CachingClient
from omni_gateway.cli import main
from omni_gateway.http.guard import EXTENSION as GUARD
from omni_gateway.omni import OmniConfig
from omni_gateway.rest.gateway import EXTENSION
from omni_gateway.settings import Settings
from tests.e2e.conftest import Served, omni_environ, start_gateway, stop_gateway

pytestmark = pytest.mark.slow

#: Shorter pieces of a secret are found by chance.
LEAST = 16
BROKEN = "broken HTTP: "


@dataclass
class Session:
    """What was used, by name, and what was answered where no secret may be."""

    served: Served
    folder: Path
    environ: dict[str, str]
    secrets: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"{self.served.url}/api/v1/{path}"

    def uses(self, name: str, secret: str) -> str:
        """Remember a secret; give it back."""
        assert len(secret) >= LEAST, name
        self.secrets[name] = secret
        return secret

    def keep(self, name: str, answer: httpx.Response) -> httpx.Response:
        """Remember an answer, its headers too, in which no secret may be."""
        headers = "\n".join(f"{key}: {value}" for key, value in answer.headers.items())
        self.answers[f"{name} → {answer.status_code}"] = f"{headers}\n\n{answer.text}"
        return answer


def spellings(secret: str) -> set[str]:
    """Return the forms in which a secret could stand somewhere: as it is, base64 (at each offset), hex, in a URL."""
    raw = secret.encode()
    encoded = {base64.b64encode(b"x" * offset + raw).decode()[4 * (offset > 0) : -4] for offset in range(3)}
    encoded |= {text.replace("+", "-").replace("/", "_") for text in encoded}
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], raw.hex(), raw.hex().upper(), *encoded}


@pytest.fixture(scope="module")
def session(
    omni_config: OmniConfig, tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., Any]
) -> Iterator[Session]:
    """The whole session; the gateway has ended when the tests look."""
    folder = tmp_path_factory.mktemp("secrets")
    bootstrap = "boot-" + secrets.token_urlsafe(40)
    environ = {
        **omni_environ(omni_config),
        "OMNI_GATEWAY_BOOTSTRAP_TOKEN": bootstrap,
        "OMNI_GATEWAY_AUDIT_FILE": str(folder / "audit.log"),
        "OMNI_GATEWAY_LOG_LEVEL": "DEBUG",
    }
    session = Session(start_gateway(folder, environ), folder, environ)
    session.uses("bootstrap token", bootstrap)
    session.uses("Omni key", omni_config.service_account_key)
    private = json.loads(base64.b64decode(omni_config.service_account_key))["pgp_key"]
    session.uses("Omni private key", longest_line(private))
    for role, token in session.served.tokens.items():
        session.uses(f"{role}'s token", token)
    headers = {"Authorization": f"Bearer {bootstrap}"}
    with httpx.Client(headers=headers, timeout=30) as api:
        told_once(session, api, wait_until)
        in_their_place(session, api)
        in_wrong_places(session, api)
        in_what_is_no_http(session)
        session.keep("metrics", api.get(f"{session.served.url}/metrics"))
        session.keep("audit", api.get(session.url("audit"), params={"page_size": 1000}))
    stop_gateway(session.served)
    yield session


def longest_line(private: str) -> str:
    """Return a line of an armored key that has nothing but key in it."""
    return max((line for line in private.split("\n") if re.fullmatch(r"[A-Za-z0-9+/]+", line)), key=len)


def told_once(session: Session, api: httpx.Client, wait_until: Callable[..., Any]) -> None:
    """Ask for what is told once; the answers themselves are where it must be."""
    body = {"name": "e2e-secret", "expiration_time": "2040-01-01T00:00:00Z"}
    key = {"Idempotency-Key": session.uses("idempotency key", "key-" + secrets.token_urlsafe(30))}
    made = api.post(session.url("join-tokens"), json=body, headers=key)
    assert made.status_code == 201, made.text
    session.uses("join token", made.json()["token"])
    replayed = api.post(session.url("join-tokens"), json=body, headers=key)  # to the same caller: with the secret
    assert (replayed.headers["Idempotency-Replayed"], replayed.json()) == ("true", made.json())
    session.keep("join token", api.get(session.url(f"join-tokens/{made.json()['id']}")))
    session.keep("join tokens", api.get(session.url("join-tokens")))

    name = f"e2e-{secrets.token_hex(4)}"
    account = api.post(session.url("auth/service-accounts"), json={"id": name, "role": "Reader", "ttl": "1h"})
    assert account.status_code == 201, account.text
    session.uses("account's key", account.json()["key"])
    private = json.loads(base64.b64decode(account.json()["key"]))["pgp_key"]
    session.uses("account's private key", longest_line(private))
    session.keep("service accounts", api.get(session.url("auth/service-accounts")))

    cluster = f"e2e-{secrets.token_hex(4)}"
    assert api.post(session.url("clusters"), json={"id": cluster}).status_code == 201
    query = {"service_account": "true", "user": "ci", "ttl": "1h"}
    url = session.url(f"clusters/{cluster}/kubeconfig")
    kubeconfig = wait_until(lambda: (told := api.get(url, params=query)).status_code != 409 and told)  # not made yet
    assert kubeconfig.status_code == 200, kubeconfig.text
    session.uses("kubeconfig's token", yaml.safe_load(kubeconfig.text)["users"][0]["user"]["token"])

    for url in (
        f"join-tokens/{made.json()['id']}",
        f"auth/service-accounts/{account.json()['id']}",
        f"clusters/{cluster}",
    ):
        assert session.keep(f"DELETE {url}", api.delete(session.url(url))).status_code in (202, 204)


def in_their_place(session: Session, api: httpx.Client) -> None:
    """Send secrets where they belong."""
    wrong = session.uses("wrong token", "ogw_" + secrets.token_urlsafe(32))
    for name, header in {
        "wrong token": f"Bearer {wrong}",
        "account's key as a token": "Bearer " + session.secrets["account's key"],
        "basic": "Basic " + base64.b64encode(f"admin:{wrong}".encode()).decode(),
        "no scheme": wrong,
    }.items():
        answer = httpx.get(session.url("clusters"), headers={"Authorization": header})
        assert session.keep(name, answer).status_code == 401
    jwt = "eyJhbGciOiJSUzI1NiJ9." + secrets.token_urlsafe(60) + "." + secrets.token_urlsafe(200)
    session.uses("JSON Web Token", jwt)
    assert (
        session.keep("JWT", httpx.get(session.url("x"), headers={"Authorization": f"Bearer {jwt}"})).status_code == 404
    )
    answer = httpx.delete(session.url("clusters/x"), headers={"Authorization": f"Bearer {jwt}"})
    assert session.keep("JWT", answer).status_code == 401
    for role in ("reader", "operator", "admin"):
        token = {"Authorization": f"Bearer {session.served.tokens[role]}"}
        session.keep(f"{role} lists users", httpx.get(session.url("auth/users"), headers=token))
        session.keep(f"{role} asks who", httpx.get(session.url("auth/whoami"), headers=token))
        session.keep(f"{role} deletes", httpx.delete(session.url("clusters/there-is-none"), headers=token))


def in_wrong_places(session: Session, api: httpx.Client) -> None:
    """Send secrets where they do not belong: in queries, in paths, in fields, as keys, as another header."""
    for name, secret in list(session.secrets.items()):
        if len(secret) > 2500:  # longer than a URL may be
            continue
        where = {
            "query": api.get(session.url("clusters"), params={"token": secret}),
            "parameter": api.get(session.url("clusters"), params={"access_token": secret, "page": "x"}),
            "own parameter": api.post(session.url("clusters"), params={"dry_run": secret}, json={"id": "x"}),
            "path": api.get(session.url(f"clusters/{quote(secret, safe='')}/nothing")),
            "unknown path": api.delete(f"{session.served.url}/{quote(secret, safe='')}"),
            "field": api.post(session.url("auth/users"), json={"id": "a@b.c", "role": "Reader", "password": secret}),
            "label": api.post(
                session.url("configpatches"), json={"id": "x y", "data": secret, "labels": {"token": secret}}
            ),
            "media type": api.post(session.url("clusters"), content=secret.encode(), headers={"Content-Type": "a/b"}),
            "no JSON": api.post(
                session.url("clusters"), content=secret.encode(), headers={"Content-Type": "application/json"}
            ),
            "header": httpx.get(
                session.url("clusters"), headers={"X-Token": secret[:1000], "Cookie": f"t={secret[:1000]}"}
            ),
            "request id": api.get(session.url("clusters/none"), headers={"X-Request-ID": f"{secret[:100]}!"}),
        }
        for place, answer in where.items():
            session.keep(f"{name} as {place}", answer)
            assert answer.status_code >= 400, (name, place)


def in_what_is_no_http(session: Session) -> None:
    """Send a secret in requests that gunicorn itself refuses."""
    secret = session.uses("token in broken HTTP", "ogw_" + secrets.token_urlsafe(32))
    for name, text in {
        "header without a colon": f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization Bearer {secret}\r\n\r\n",
        "no version": f"GET /?token={secret} HTTP/x\r\n\r\n",
        "no method": f"Bearer {secret} HTTP/1.1\r\nHost: x\r\n\r\n",
        "folded header": f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer\r\n {secret}\r\n\r\n",
        "odd header name": f"GET / HTTP/1.1\r\nHost: x\r\n{secret}@: 1\r\n\r\n",
        "chunk": f"POST /api/v1/apply HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{secret}\r\n\r\n",
        "line alone": f"{secret}\r\n\r\n",
    }.items():
        port = httpx.URL(session.served.url).port
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(text.encode())
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        session.answers[BROKEN + name] = answer.decode("latin-1")


def found(session: Session, text: str) -> list[str]:
    """Return the names of the secrets that are in a text in any form."""
    return [name for name, secret in session.secrets.items() if any(form in text for form in spellings(secret))]


def leaks(session: Session, which: Callable[[str], bool]) -> dict[str, list[str]]:
    """Return the answers that have secrets in them, and which."""
    looked_at = {name: found(session, text) for name, text in session.answers.items() if which(name)}
    assert looked_at
    return {name: names for name, names in looked_at.items() if names}


def test_no_secret_is_in_an_answer_that_is_not_for_it(session: Session) -> None:
    assert len(session.answers) > 100
    assert leaks(session, lambda name: not name.startswith(BROKEN)) == {}


def test_what_is_no_http_is_not_repeated(session: Session) -> None:
    assert leaks(session, lambda name: name.startswith(BROKEN)) == {}


def test_no_secret_is_in_the_log(session: Session) -> None:
    log = (session.folder / "gateway.log").read_text()
    assert "Booting worker" in log
    assert found(session, log) == []


def test_no_secret_is_in_the_audit(session: Session) -> None:
    audit = (session.folder / "audit.log").read_text()
    assert audit.count("\n") > 50
    assert found(session, audit) == []
    assert "***" in audit


def test_no_secret_is_in_the_store(session: Session) -> None:
    stored = b"".join(file.read_bytes() for file in sorted(session.folder.glob("gateway.sqlite*")))
    assert re.search(rb"test-admin.*[0-9a-f]{64}", stored, re.DOTALL)
    assert found(session, stored.decode("latin-1")) == []


def test_no_secret_is_in_a_repr(session: Session, omni_config: OmniConfig) -> None:
    settings = Settings.load(
        {**session.environ, "OMNI_GATEWAY_STORE_URL": "postgresql+psycopg://u:s3cret-s3cret-s3cret@h/d"}
    )
    session.secrets["store's password"] = "s3cret-s3cret-s3cret"
    with CachingClient(omni_config) as omni:
        app = create_app(settings, omni=omni)
        gateway, guard = app.extensions[EXTENSION], app.extensions[GUARD]
        things = [
            settings,
            settings.omni,
            omni_config,
            omni,
            vars(omni),
            app,
            app.config,
            app.extensions,
            gateway,
            gateway.store,
            guard,
            guard.methods,
            [vars(method) for method in guard.methods],
            Principal("ada", Role.ADMIN, "omni-key:1", "omni-key", omni=omni),
        ]
        assert found(session, "\n".join(map(repr, things)) + "\n".join(map(str, things))) == []


def test_no_secret_is_in_what_the_command_line_tells(session: Session) -> None:
    environ = {**session.environ, "OMNI_GATEWAY_STATE_DIR": str(session.folder)}
    told = ""
    for words in (["token", "list"], ["plugins"], ["openapi"]):
        ended = CliRunner(env=environ).invoke(main, words)
        assert ended.exit_code == 0, ended.output
        told += ended.output
    assert "test-admin" in told
    assert found(session, told) == []


def test_what_looks_for_secrets_finds_them() -> None:
    secret = secrets.token_urlsafe(32)
    for text in (
        secret,
        base64.b64encode(secret.encode()).decode(),
        base64.b64encode(f"{{{secret}}}".encode()).decode(),
        base64.urlsafe_b64encode(f"ab{secret}".encode()).decode(),
        secret.encode().hex(),
    ):
        assert any(form in f"before {text} after" for form in spellings(secret))
