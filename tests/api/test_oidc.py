"""JWTs as a way into the application: what their bearers may do, and that no header breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omni_gateway.app import create_app
from omni_gateway.settings import Settings
from omni_gateway.store import Store
from tests.examples import examples
from tests.issuer import AUDIENCE, DISCOVERY, Issuer, first_key, running_issuer, segment, signed

from .conftest import Caller

pytestmark = pytest.mark.slow

URL = "oidc/providers"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture(scope="module")
def open_settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    state = tmp_path_factory.mktemp("oidc")
    return replace(settings, state_dir=state, auth=("token", "oidc"), oidc_private_addresses=True)


@pytest.fixture(scope="module")
def app(open_settings: Settings) -> Flask:
    return create_app(open_settings)


@pytest.fixture(scope="module")
def api(app: Flask, open_settings: Settings, issuer: Issuer) -> Caller:
    """An admin with a token of the gateway's; the issuer is a provider by then."""
    token = Store(open_settings.database_url).tokens.create("test", "admin", None)[1]
    caller = Caller(app.test_client(), token)
    body = {"id": "corporate", "name": "Corporate", "issuer_url": issuer.url, "client_id": AUDIENCE}
    assert caller.post(URL, json=body).status_code == 201
    return caller


@pytest.fixture
def bearer(app: Flask, api: Caller, wait_until: Callable[..., Any], issuer: Issuer) -> Callable[[str], Caller]:
    """Call with a JWT, once the provider counts."""
    known = Caller(app.test_client(), issuer.token())
    wait_until(lambda: known.get("clusters").status_code == 200, what="the provider's tokens")
    return lambda token: Caller(app.test_client(), token)


def test_a_role_from_the_issuer_opens_what_it_opens_from_a_token(
    bearer: Callable[[str], Caller], issuer: Issuer
) -> None:
    reader, admin = bearer(issuer.token(role="reader")), bearer(issuer.token(role="admin"))
    assert reader.get("clusters").status_code == 200
    assert reader.post(URL, json={}).status_code == 403
    assert admin.get("auth/access-policy").status_code in (200, 404)
    assert admin.post(URL, json={}).status_code == 422


def test_a_caller_without_a_role_is_known_and_may_do_nothing(bearer: Callable[[str], Caller], issuer: Issuer) -> None:
    answer = bearer(issuer.token(role=None)).get("clusters")
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert "yours is none" in answer.json["detail"]


def test_a_refused_token_is_a_401_that_says_why_and_repeats_nothing(
    bearer: Callable[[str], Caller], issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    token = issuer.token(exp=1)
    answer = bearer(token).get("clusters")
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")
    assert answer.json["detail"] == "The token is expired."
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    said = f"{answer.text}{answer.headers}{caplog.text}"
    assert not [part for part in token.split(".") if part in said]


def test_tokens_of_the_gateway_still_count(api: Caller) -> None:
    assert api.get("clusters").status_code == 200


def test_omnis_own_provider_lets_nobody_in(bearer: Callable[[str], Caller], api: Caller, issuer: Issuer) -> None:
    own = api.get(f"{URL}/omni").json
    answer = bearer(issuer.token(iss=own["issuer_url"], aud=own["client_id"])).get("clusters")
    assert (answer.status_code, "enabled OIDC providers" in answer.json["detail"]) == (401, True)


def test_where_jwts_are_no_way_in_they_are_unknown_tokens(
    bearer: Callable[[str], Caller], issuer: Issuer, open_settings: Settings
) -> None:
    closed = create_app(replace(open_settings, auth=("token",)))
    answer = Caller(closed.test_client(), issuer.token()).get("clusters")
    assert answer.status_code == 401


def test_a_provider_that_works_passes_its_test(api: Caller) -> None:
    answer = api.post(f"{URL}/corporate/actions/test")
    assert answer.status_code == 200
    assert (answer.json["ok"], answer.json["counts"]) == (True, True)
    assert [step["ok"] for step in answer.json["steps"]] == [True] * 6


def test_a_provider_that_lies_fails_its_test_with_a_reason(api: Caller, issuer: Issuer) -> None:
    issuer.say(DISCOVERY, {**issuer.discovery, "issuer": "https://elsewhere.example.com"})
    answer = api.post(f"{URL}/corporate/actions/test")
    issuer.answers.clear()
    assert (answer.status_code, answer.json["ok"]) == (200, False)
    assert answer.json["steps"][-1]["name"] == "issuer"
    assert "elsewhere.example.com" in answer.json["steps"][-1]["detail"]


def test_a_disabled_provider_does_not_count_however_well_it_works(api: Caller, issuer: Issuer) -> None:
    body = {"id": "off", "name": "Off", "issuer_url": issuer.url, "client_id": "off", "enabled": False}
    api.post(URL, json=body)
    answer = api.post(f"{URL}/off/actions/test").json
    assert (answer["ok"], answer["counts"]) == (True, False)


def test_omnis_own_provider_can_be_tested_too(api: Caller) -> None:
    answer = api.post(f"{URL}/omni/actions/test")
    assert (answer.status_code, answer.json["ok"], answer.json["counts"]) == (200, False, False)
    assert "has no address" in answer.json["steps"][0]["detail"]


def test_only_admins_test_providers(bearer: Callable[[str], Caller], api: Caller, issuer: Issuer) -> None:
    assert bearer(issuer.token(role="operator")).post(f"{URL}/corporate/actions/test").status_code == 403
    assert api.post(f"{URL}/there-is-none/actions/test").status_code == 404


def test_patterns_come_from_the_provider_or_from_a_claim_and_not_from_both(api: Caller, issuer: Issuer) -> None:
    body = {"id": "both", "name": "Both", "issuer_url": issuer.url, "client_id": "both", "clusters": ["dev-*"]}
    answer = api.post(URL, json={**body, "clusters_claim": "clusters"})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["clusters"])
    assert api.post(URL, json=body).json["clusters"] == ["dev-*"]
    answer = api.patch(f"{URL}/both", json={"clusters_claim": "clusters"})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["clusters"])
    changed = api.patch(f"{URL}/both", json={"clusters_claim": "clusters", "clusters": None}).json
    assert (changed["clusters"], changed["clusters_claim"]) == (None, "clusters")


def test_no_cluster_and_every_cluster_are_told_apart(api: Caller, issuer: Issuer) -> None:
    body = {"id": "none", "name": "None", "issuer_url": issuer.url, "client_id": "none", "clusters": []}
    assert api.post(URL, json=body).json["clusters"] == []
    assert api.get(f"{URL}/none").json["clusters"] == []
    assert api.get(f"{URL}/corporate").json["clusters"] is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"clusters": [""]}, "clusters"),
        ({"clusters": ["x" * 201]}, "clusters"),
        ({"clusters": ["x"] * 51}, "clusters"),
        ({"clusters": "x"}, "clusters"),
        ({"clusters_claim": "a." * 10 + "b"}, "clusters_claim"),
        ({"role_claim": "a." * 10 + "b"}, "role_claim"),
    ],
    ids=str,
)
def test_what_is_wrong_with_patterns_and_paths_is_named(
    api: Caller, issuer: Issuer, wrong: dict[str, Any], field: str
) -> None:
    body = {"id": "wrong", "name": "Wrong", "issuer_url": issuer.url, "client_id": "wrong"}
    answer = api.post(URL, json={**body, **wrong})
    assert answer.status_code == 422
    assert [name for name in answer.json["errors"] if name.startswith(field)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=8,
)
NAMES = ("alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5u", "x5c", "cty", "zip", "enc", "p2c")
CLAIMS = ("iss", "aud", "sub", "exp", "nbf", "iat", "jti", "azp", "role")
LIKELY = st.sampled_from(["RS256", "none", "HS256", "ES256", "EdDSA", "one", "JWT", AUDIENCE, 0, 1, 2**40, ["exp"]])


def parts(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Segments: of JSON objects that look right, of any JSON, of any bytes, and what is no base64 at all."""
    likely = st.dictionaries(st.sampled_from(names), LIKELY | JSON, max_size=6)
    return (
        likely.map(lambda value: segment(json.dumps(value).encode(errors="replace")))
        | JSON.map(lambda value: segment(json.dumps(value).encode(errors="replace")))
        | st.binary(max_size=60).map(segment)
        | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)
    )


TOKENS = st.one_of(
    st.tuples(parts(NAMES), parts(CLAIMS), parts(("x",))).map(".".join),
    st.lists(parts(NAMES), max_size=6).map(".".join),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=200),
)
SCHEMES = st.sampled_from(["Bearer ", "bearer ", "BEARER  ", "Bearer", "", "Basic ", "DPoP ", "Bearer\t"])


def refused(app: Flask, header: str) -> None:
    answer = app.test_client().get("/api/v1/clusters", headers={"Authorization": header})
    assert answer.status_code in (401, 403), (header, answer.status_code, answer.text)
    assert answer.mimetype == "application/problem+json"


@given(scheme=SCHEMES, token=TOKENS)
@settings(max_examples=examples(100, fuzz=400), deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_no_authorization_header_made_at_random_does_anything_but_be_refused(
    app: Flask, api: Caller, scheme: str, token: str
) -> None:
    refused(app, scheme + token.replace("\r", "").replace("\n", ""))


@given(data=st.data(), head=st.dictionaries(st.sampled_from(NAMES), LIKELY | JSON, max_size=3))
@settings(max_examples=examples(60, fuzz=200), deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_no_signed_token_with_claims_at_random_does_anything_but_be_refused(
    app: Flask, api: Caller, issuer: Issuer, data: st.DataObject, head: dict[str, Any]
) -> None:
    wrong = data.draw(st.dictionaries(st.sampled_from(CLAIMS), LIKELY | JSON, min_size=1, max_size=4))
    claims = {**issuer.claims(role=None), **wrong}
    if claims.get("role") in ("reader", "operator", "admin"):
        return
    payload = json.dumps(claims).encode(errors="replace")
    token = signed({"alg": "RS256", "kid": "one"}, payload, first_key())
    changed = {"alg": "RS256", "kid": "one", **head}
    if data.draw(st.booleans()):
        token = f"{segment(json.dumps(changed).encode(errors='replace'))}.{token.split('.', 1)[1]}"
    refused(app, f"Bearer {token}")


@given(place=st.integers(0, 10_000), character=st.sampled_from("Aa0-_."))
@settings(max_examples=examples(30, fuzz=100), deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_no_good_token_with_a_character_changed_is_taken(
    bearer: Callable[[str], Caller], app: Flask, issuer: Issuer, place: int, character: str
) -> None:
    token = issuer.token()
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    if changed != token:
        refused(app, f"Bearer {changed}")
