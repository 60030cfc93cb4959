"""Tokens that somebody else made, changed, kept too long or meant for somewhere else."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import OctKey

from tests.issuer import DISCOVERY, KEYS, Issuer, ec, ed, first_key, rsa, running_issuer, segment, signed

from .conftest import Gate

Trusting = Callable[..., Gate]


@pytest.fixture
def gate(trusting: Trusting) -> Gate:
    return trusting()


def test_a_good_token_lets_its_bearer_in(gate: Gate, issuer: Issuer) -> None:
    caller = gate.enter(issuer.token())
    assert (caller.id, caller.role_name, caller.method) == ("oidc:corporate:alice", "reader", "oidc")


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        *((first_key(), name) for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
        (ec("e"), "ES256"),
        (ec("e", "P-384"), "ES384"),
        (ec("e", "P-521"), "ES512"),
        (ed("d"), "EdDSA"),
        (ed("d"), "Ed25519"),
        (ed("d", "Ed448"), "EdDSA"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_every_allowed_algorithm_is_taken(gate: Gate, issuer: Issuer, key: Any, algorithm: str) -> None:
    issuer.keys = [key]
    assert gate.enter(issuer.token(alg=algorithm)).name == "alice"


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_none_is_no_algorithm(gate: Gate, issuer: Issuer, name: str) -> None:
    token = f"{segment({'alg': name, 'kid': 'one'})}.{segment(issuer.claims())}."
    assert "algorithm" in gate.refuse(token)


def test_a_good_tokens_signature_may_not_be_left_out(gate: Gate, issuer: Issuer) -> None:
    assert "signature" in gate.refuse(issuer.token().rpartition(".")[0] + ".")


@pytest.mark.parametrize("form", ["PEM", "DER", "n"])
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_an_hmac_with_the_public_key_is_refused(gate: Gate, issuer: Issuer, algorithm: str, form: str) -> None:
    key = issuer.keys[0]
    secret = str(key.as_dict(private=False)["n"]).encode() if form == "n" else key.as_bytes(form, private=False)
    forged = signed({"alg": algorithm, "kid": "one"}, issuer.claims(role="admin"), OctKey.import_key(secret.hex()))
    assert "algorithm" in gate.refuse(forged)


def test_a_secret_in_the_key_set_verifies_nothing(gate: Gate, issuer: Issuer) -> None:
    secret = OctKey.generate_key(256, parameters={"kid": "shared"})
    issuer.say(KEYS, {"keys": [*issuer.key_set["keys"], secret.as_dict(private=True)]})
    assert "algorithm" in gate.refuse(issuer.token(secret, "HS256"))


def test_another_issuers_token_is_refused(gate: Gate, issuer: Issuer) -> None:
    for other in (f"{issuer.url}/", issuer.url.upper(), "https://login.example.com", None, ["x"], 7):
        assert "issuer" in gate.refuse(issuer.token(iss=other))


def test_another_trusted_issuers_key_signs_nothing_for_this_one(gate: Gate, issuer: Issuer) -> None:
    with running_issuer(keys=[rsa("one")]) as other:
        gate.trust(other, "other")
        assert gate.enter(other.token()).id == "oidc:other:alice"
        assert "signature" in gate.refuse(other.token(iss=issuer.url))


@pytest.mark.parametrize(
    "audience", ["other", "Gateway", "gateway ", [], ["other"], [["gateway"]], {"gateway": 1}, 7, None]
)
def test_a_token_for_another_audience_is_refused(gate: Gate, issuer: Issuer, audience: Any) -> None:
    assert "audience" in gate.refuse(issuer.token(aud=audience))


def test_one_audience_of_several_is_enough(gate: Gate, issuer: Issuer) -> None:
    assert gate.enter(issuer.token(aud=["account", "gateway"]))


def test_an_audience_list_with_other_things_in_it_is_refused(gate: Gate, issuer: Issuer) -> None:
    assert "aud" in gate.refuse(issuer.token(aud=["gateway", {"x": 1}]))


def test_a_key_id_from_elsewhere_is_refused(gate: Gate, issuer: Issuer) -> None:
    assert "no such key" in gate.refuse(issuer.token(rsa("two")))


def test_a_known_key_id_over_another_key_is_refused(gate: Gate, issuer: Issuer) -> None:
    assert "signature" in gate.refuse(issuer.token(rsa("one")))


@pytest.mark.parametrize("kid", ["../../dev/null", "' OR 1=1 --", "one\x00", "x" * 600, 7, ["one"], {}, ""])
def test_a_key_id_is_compared_and_nothing_else(gate: Gate, issuer: Issuer, kid: Any) -> None:
    header = {"alg": "RS256", "kid": kid}
    assert "key" in gate.refuse(signed(header, issuer.claims(), issuer.keys[0]))


def test_keys_that_the_header_brings_or_points_to_are_not_looked_at(gate: Gate, issuer: Issuer) -> None:
    mine = rsa("one")
    with running_issuer(keys=[mine]) as hostile:
        for head in (
            {"jku": f"{hostile.url}{KEYS}"},
            {"x5u": f"{hostile.url}/chain.pem"},
            {"jwk": mine.as_dict(private=False)},
            {"x5c": [base64.b64encode(mine.as_bytes("DER", private=False)).decode()]},
        ):
            assert "signature" in gate.refuse(issuer.token(mine, head=head))
        assert hostile.asked == []
    assert gate.enter(issuer.token(head={"jku": "http://127.0.0.1:1/"}))


def test_an_expired_token_is_refused(gate: Gate, issuer: Issuer) -> None:
    now = int(time.time())
    assert "expired" in gate.refuse(issuer.token(exp=now - 60))
    assert gate.enter(issuer.token(exp=now - 5))  # clocks differ a little


def test_a_token_that_is_not_yet_valid_is_refused(gate: Gate, issuer: Issuer) -> None:
    now = int(time.time())
    assert "not yet valid" in gate.refuse(issuer.token(nbf=now + 120))
    assert gate.enter(issuer.token(nbf=now + 5))


def test_a_token_of_the_future_is_refused(gate: Gate, issuer: Issuer) -> None:
    assert "future" in gate.refuse(issuer.token(iat=int(time.time()) + 120))


@pytest.mark.parametrize("claim", ["exp", "sub"])
def test_a_token_without_an_end_or_a_subject_is_refused(gate: Gate, issuer: Issuer, claim: str) -> None:
    assert claim in gate.refuse(issuer.token(**{claim: None}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": [9999999999]},
        {"nbf": "0"},
        {"iat": {}},
        {"sub": 7},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": "alice\nadmin"},
    ],
    ids=lambda wrong: str(next(iter(wrong))),  # pytest does not find an id with an escaped backslash again
)
def test_a_claim_of_a_wrong_type_is_refused(gate: Gate, issuer: Issuer, wrong: dict[str, Any]) -> None:
    assert next(iter(wrong)) in gate.refuse(issuer.token(**wrong))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_a_number_that_is_none_is_refused(gate: Gate, issuer: Issuer, number: str) -> None:
    claims = json.dumps(issuer.claims(exp=0)).replace('"exp": 0', f'"exp": {number}')
    assert "ambiguous" in gate.refuse(signed({"alg": "RS256", "kid": "one"}, claims.encode(), issuer.keys[0]))


@pytest.mark.parametrize(
    "head",
    [{"crit": ["exp"], "exp": 1}, {"crit": []}, {"crit": ["b64"], "b64": False}, {"b64": False}, {"crit": "x"}],
    ids=str,
)
def test_a_critical_header_is_refused(gate: Gate, issuer: Issuer, head: dict[str, Any]) -> None:
    assert "critical" in gate.refuse(issuer.token(head=head))


@pytest.mark.parametrize("kind", ["logout+jwt", "dpop+jwt", "secevent+jwt", 7, ""])
def test_what_the_issuer_signs_for_other_ends_lets_nobody_in(gate: Gate, issuer: Issuer, kind: Any) -> None:
    assert "type" in gate.refuse(issuer.token(head={"typ": kind}))


@pytest.mark.parametrize("kind", [None, "JWT", "jwt", "at+jwt", "application/at+jwt"])
def test_id_tokens_and_access_tokens_let_in(gate: Gate, issuer: Issuer, kind: str | None) -> None:
    assert gate.enter(issuer.token(head={"typ": kind}))


def test_an_altered_payload_is_refused(gate: Gate, issuer: Issuer) -> None:
    head, _, signature = issuer.token().split(".")
    assert "signature" in gate.refuse(f"{head}.{segment(issuer.claims(role='admin'))}.{signature}")


def test_an_altered_header_is_refused(gate: Gate, issuer: Issuer) -> None:
    _, payload, signature = issuer.token().split(".")
    header = {"alg": "RS256", "typ": "JWT", "kid": "one", "x": 1}
    assert "signature" in gate.refuse(f"{segment(header)}.{payload}.{signature}")


def test_every_bit_of_the_signature_counts(gate: Gate, issuer: Issuer) -> None:
    body, _, signature = issuer.token().rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    for place in (0, len(raw) // 2, len(raw) - 1):
        changed = bytearray(raw)
        changed[place] ^= 1
        assert "signature" in gate.refuse(f"{body}.{segment(bytes(changed))}")


def test_duplicate_claims_are_refused(gate: Gate, issuer: Issuer) -> None:
    claims = json.dumps(issuer.claims())[:-1] + ', "role": "admin"}'
    assert "ambiguous" in gate.refuse(signed({"alg": "RS256", "kid": "one"}, claims.encode(), issuer.keys[0]))


def test_duplicate_headers_are_refused(gate: Gate, issuer: Issuer) -> None:
    head = segment(b'{"alg":"RS256","alg":"none","kid":"one"}')
    assert "ambiguous" in gate.refuse(f"{head}.{segment(issuer.claims())}.")


@pytest.mark.parametrize("payload", [b"[]", b'"x"', b"7", b"null", b"", b"{", b"\xff\xfe", b"[" * 9000])
def test_a_payload_that_is_no_object_is_refused(gate: Gate, issuer: Issuer, payload: bytes) -> None:
    assert "read" in gate.refuse(signed({"alg": "RS256", "kid": "one"}, payload, issuer.keys[0]))


def test_a_deeply_nested_payload_is_refused(gate: Gate, issuer: Issuer) -> None:
    payload = b'{"a":' * 2000 + b"1" + b"}" * 2000
    assert gate.refuse(signed({"alg": "RS256", "kid": "one"}, payload, issuer.keys[0]))


def test_a_huge_token_is_refused_before_it_is_read(gate: Gate, issuer: Issuer) -> None:
    assert "longer" in gate.refuse(issuer.token(padding="x" * 20_000))
    assert issuer.asked == []


@pytest.mark.parametrize("tail", ["=", "==", ".", ".x", "%", "\u00e9"])
def test_what_has_not_the_form_of_a_jwt_is_left_to_the_other_ways_in(gate: Gate, issuer: Issuer, tail: str) -> None:
    assert not gate.method.recognises(issuer.token() + tail)


def test_a_signature_can_be_written_in_one_way_only(gate: Gate, issuer: Issuer) -> None:
    token = issuer.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same_bytes = token[:-1] + alphabet[alphabet.index(token[-1]) + 1]  # of the last character, two bits count
    assert base64.urlsafe_b64decode(same_bytes.split(".")[2] + "==") == base64.urlsafe_b64decode(
        token.split(".")[2] + "=="
    )
    assert gate.refuse(same_bytes)


def test_an_encrypted_token_is_refused(gate: Gate) -> None:
    assert "encrypted" in gate.refuse(f"{segment({'alg': 'RSA-OAEP', 'enc': 'A256GCM'})}.AAAA.BBBB.CCCC.DDDD")


@pytest.mark.parametrize(
    ("key", "algorithm"), [(rsa("k"), "ES256"), (ec("k"), "RS256"), (ec("k"), "ES384"), (ed("k"), "ES256")]
)
def test_a_key_verifies_no_other_kind_of_signature(gate: Gate, issuer: Issuer, key: Any, algorithm: str) -> None:
    issuer.keys = [key]
    real = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}[key.key_type]
    _, payload, signature = issuer.token(alg=real).split(".")
    assert gate.refuse(f"{segment({'alg': algorithm, 'kid': 'k'})}.{payload}.{signature}")


def test_a_key_that_names_its_algorithm_verifies_no_other(gate: Gate, issuer: Issuer) -> None:
    issuer.say(KEYS, {"keys": [{**issuer.key_set["keys"][0], "alg": "PS256"}]})
    assert "no such key" in gate.refuse(issuer.token(alg="RS256"))
    assert gate.enter(issuer.token(alg="PS256"))


@pytest.mark.parametrize(
    "change", [{"use": "enc"}, {"key_ops": ["sign"]}, {"alg": "RSA-OAEP"}, {"alg": "HS256"}], ids=str
)
def test_a_key_for_another_use_verifies_nothing(gate: Gate, issuer: Issuer, change: dict[str, Any]) -> None:
    other = rsa("two").as_dict(private=False)
    issuer.say(KEYS, {"keys": [{**issuer.key_set["keys"][0], **change}, other]})
    assert "no such key" in gate.refuse(issuer.token())


def test_a_token_without_a_key_id_is_tried_with_the_keys_of_its_algorithm(gate: Gate, issuer: Issuer) -> None:
    issuer.keys = [ec("e"), rsa("other"), rsa("one")]
    assert gate.enter(issuer.token(issuer.keys[2], head={"kid": None}))
    assert "signature" in gate.refuse(issuer.token(rsa("one"), head={"kid": None}))


def test_a_discovery_document_of_another_issuer_gives_no_keys(gate: Gate, issuer: Issuer) -> None:
    issuer.say(DISCOVERY, {**issuer.discovery, "issuer": f"{issuer.url}/"})
    assert "cannot be fetched" in gate.refuse(issuer.token())
    assert KEYS not in issuer.asked
