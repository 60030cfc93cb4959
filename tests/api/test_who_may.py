"""Every kind of credential: what ``docs/omni-mapping.md`` says of roles is what happens.

A route without a row there fails ``test_omni_mapping``. The conformance classes try the routes that they reach with
each role and without a credential; here the others are tried, and other kinds of credentials.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from omni_gateway.auth import Role
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.store import Store

from .conftest import Caller
from .routes import Route, beyond_the_kit, body, of_the_kit, routes, url
from .test_omni_mapping import rows  # noqa: F401

pytestmark = pytest.mark.slow

#: Roles are asked of the type of each object there; see test_generic and test_apply.
BY_TYPE = ("/api/v1/resources/", "/api/v1/apply")
#: A credential is looked at before the route is, so that kinds of credentials are tried at every seventh route.
STEP = 7
#: What the gateway itself holds: a caller's own Omni role counts there, and Omni is not asked.
OWN = ("/api/v1/auth/tokens/", "/api/v1/cluster-templates/", "/api/v1/oidc/providers/", "/api/v1/audit/", "/metrics/")


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    return dict(json.loads(app.test_client().get("/openapi.json").data))


@pytest.fixture(scope="module")
def store(settings: Settings) -> Store:
    return Store(settings.database_url)


def ask(app: Flask, credential: str | None, method: str, path: str, operation: dict[str, Any]) -> Any:
    """Ask for what can do no harm: objects that are not there, and dry runs."""
    query = "?dry_run=true" if method != "get" and not path.endswith(("/validate", "/match")) else ""
    caller = Caller(app.test_client(), credential)
    return getattr(caller, method)(url(path) + query, **body(operation), buffered=False)


def outcome(answer: Any) -> str:
    """Say whether the gateway let the caller in; what Omni or the object says after that is another matter."""
    assert answer.status_code != 429, answer.text
    code = (answer.json or {}).get("code") if answer.mimetype == "application/problem+json" else None
    answer.close()
    if answer.status_code == 401:
        return "nobody"
    return "refused" if (answer.status_code, code) == (403, "forbidden") else "let in"


def differing(app: Flask, asked: list[Route], credential: str | None, expected: Any) -> dict[str, tuple[str, str]]:
    other = {}
    for method, path, operation in asked:
        name = f"{method.upper()} {path}"
        wanted = expected(name, path, operation)
        if wanted is None:
            continue
        was = outcome(ask(app, credential, method, path, operation))
        if was != wanted:
            other[name] = (was, wanted)
    return other


def tampered(token: str) -> str:
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def strangers(store: Store, simulator: RunningSimulator) -> dict[str, str | None]:
    """Credentials that prove nobody."""
    good = store.tokens.create("t", "admin", None)[1]
    revoked, text = store.tokens.create("t", "admin", None)
    store.tokens.revoke(revoked.id)
    key = json.loads(base64.b64decode(simulator.key))
    foreign = {**key, "pgp_key": key["pgp_key"].replace("PRIVATE", "PUBLIC")}
    return {
        "none": None,
        "expired": store.tokens.create("t", "admin", timedelta(seconds=-1))[1],
        "revoked": text,
        "tampered": tampered(good),
        "a hash instead of the token": "ogw_" + "0" * 43,
        "an Omni key that is damaged": base64.b64encode(json.dumps(foreign).encode()).decode(),
    }


@pytest.mark.parametrize(
    "kind", ["none", "expired", "revoked", "tampered", "a hash instead of the token", "an Omni key that is damaged"]
)
def test_no_route_lets_a_stranger_in(
    app: Flask, document: dict[str, Any], store: Store, simulator: RunningSimulator, kind: str
) -> None:
    credential = strangers(store, simulator)[kind]
    tried = beyond_the_kit(document) if kind == "none" else routes(document)[::STEP]

    assert differing(app, tried, credential, lambda *_: "nobody") == {}


@pytest.mark.parametrize("role", list(Role))
def test_each_role_is_let_in_where_the_table_says_and_nowhere_else(
    app: Flask,
    document: dict[str, Any],
    tokens: dict[str, str],
    rows: dict[str, tuple[str, str, str]],  # noqa: F811
    role: Role,
) -> None:
    def expected(name: str, path: str, operation: dict[str, Any]) -> str | None:
        if path.startswith(BY_TYPE):
            return None
        return "let in" if role >= Role(rows[name][1]) else "refused"

    assert differing(app, beyond_the_kit(document), tokens[role.value], expected) == {}


def test_a_caller_of_other_clusters_gets_nothing_that_takes_an_admin_and_writes_nothing(
    app: Flask,
    document: dict[str, Any],
    store: Store,
    rows: dict[str, tuple[str, str, str]],  # noqa: F811
) -> None:
    held = store.tokens.create("held", "operator", None, ["no-such-cluster-*"])[1]
    let_in = {}
    # The kit sends actions on objects that belong to a cluster only.
    reached = {(method, path) for method, path in of_the_kit(document) if "/actions/" not in path}
    for method, path, operation in routes(document):
        if (method, path) in reached:
            continue
        name = f"{method.upper()} {path}"
        answer = ask(app, held, method, path, operation)
        answer.close()
        reads = method == "get" or path.endswith(("/validate", "/render", "/status", "/getparams.execute"))
        if rows[name][1] == "admin":
            fine = answer.status_code == 403
        elif reads:
            fine = answer.status_code in (200, 403, 404, 410, 422, 501)
        else:
            # A ticket gives no more than its caller may.
            changes_nothing = path in ("/api/v1/apply", "/api/v1/stream-tickets")
            fine = answer.status_code in (400, 403, 404, 409, 422) or changes_nothing
        if not fine:
            let_in[name] = (answer.status_code, answer.text[:200])
    assert let_in == {}


@pytest.mark.parametrize(
    ("omni_role", "role"), [("None", None), ("Reader", Role.READER), ("Operator", Role.OPERATOR), ("Admin", Role.ADMIN)]
)
def test_a_caller_with_an_omni_key_is_judged_by_its_omni_role_for_what_is_the_gateways_own_and_by_omni_else(
    app: Flask,
    document: dict[str, Any],
    simulator: RunningSimulator,
    rows: dict[str, tuple[str, str, str]],  # noqa: F811
    omni_role: str,
    role: Role | None,
) -> None:
    def expected(name: str, path: str, operation: dict[str, Any]) -> str | None:
        if f"{path}/".startswith(OWN):
            return "let in" if role is not None and role >= Role(rows[name][1]) else "refused"
        return "let in"

    # What is Omni's to decide is tried with the lowest role, which is let in too; the gateway asks Omni in one place.
    others = [] if role else [route for route in routes(document)[::STEP] if not route[1].startswith(BY_TYPE)]
    tried = [*others, *(route for route in routes(document) if f"{route[1]}/".startswith(OWN))]
    assert differing(app, tried, simulator.make_key(omni_role), expected) == {}
