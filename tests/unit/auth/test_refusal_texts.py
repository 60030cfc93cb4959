"""Why a token is refused, and why a key of an issuer is not used, in the words that a caller or an admin reads."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from omni_gateway.auth import Rejected
from omni_gateway.auth.oidc import tokens
from omni_gateway.auth.oidc.keys import LONGEST_KID, MOST_KEYS, Unusable, VerifyingKey, key_set
from omni_gateway.auth.oidc.providers import Provider
from tests.issuer import AUDIENCE, KEYS, Issuer, ec, ed, first_key, rsa, segment

from .conftest import Gate

PUBLIC = first_key().as_dict(private=False)
NUMBERS = "its numbers do not form a key"
ALGORITHM = "its `alg` does not match its type, or is not supported"
KIND = "its type or curve is not supported for signatures"
OPERATIONS = "its `key_ops` have no `verify`"
KID = "its `kid` is not a string, or too long"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda issuer: issuer.token(head={"alg": "none"}, key=None), "The token's algorithm is not accepted."),
        (
            lambda issuer: issuer.token(head={"crit": ["exp"]}),
            "The token has a critical header that is not supported.",
        ),
        (lambda issuer: issuer.token(head={"b64": True}), "The token has a critical header that is not supported."),
        (
            lambda issuer: issuer.token(head={"kid": "x" * (LONGEST_KID + 1)}),
            "The token's key id is not a string, or too long.",
        ),
        (lambda issuer: issuer.token(head={"kid": "x" * LONGEST_KID}), "The token's issuer has no such key."),
        (
            lambda issuer: issuer.token(head={"typ": "logout+jwt"}),
            "The token's type is neither that of an ID token nor that of an access token.",
        ),
        (
            lambda issuer: f"{segment({'alg': 'RS256'})}.{segment(b'{')}.AAAA",
            "The token's JSON cannot be read: it is invalid or ambiguous.",
        ),
        (lambda issuer: f"{segment({'alg': 'RS256'})}.{segment([])}.AAAA", "The token cannot be read."),
        (lambda issuer: f"{segment({'alg': 'RS256'})}.{segment({})}.{'A' * 1500}", "The token cannot be read."),
        (lambda issuer: "ey" + "A" * 10 + ".A.A.A.A", "The token is encrypted; only signed ones are accepted."),
        (
            lambda issuer: issuer.token(iss="https://login.example.com"),
            "The token's issuer is none of the enabled OIDC providers.",
        ),
        (lambda issuer: issuer.token(aud="other"), "The token is meant for another audience."),
        (lambda issuer: issuer.token(rsa("one")), "The token's signature is not that of its issuer."),
        (lambda issuer: issuer.token(sub="x" * 256), "Invalid claim: 'sub'."),
        (lambda issuer: issuer.token(exp=1), "The token is expired."),
        (lambda issuer: issuer.token(exp=None), "Missing claim: 'exp'."),
    ],
)
def test_a_refusal_says_why(gate: Gate, issuer: Issuer, make: Callable[[Issuer], str], text: str) -> None:
    gate.trust(issuer)
    with pytest.raises(Rejected) as refused:
        gate.enter(make(issuer))
    assert str(refused.value) == text


def test_a_token_whose_issuer_gives_no_keys_is_refused_as_not_verifiable(gate: Gate, issuer: Issuer) -> None:
    gate.trust(issuer)
    issuer.say(KEYS, {}, 503)
    assert gate.refuse(issuer.token()) == "The keys of the token's issuer cannot be fetched at present."


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (tokens.LONGEST, "The token is encrypted; only signed ones are accepted."),
        (tokens.LONGEST + 1, f"The token is longer than {tokens.LONGEST} characters."),
    ],
)
def test_the_length_of_a_token_is_looked_at_first(length: int, text: str) -> None:
    with pytest.raises(Rejected) as refused:
        tokens.read("e" * length)
    assert str(refused.value) == text


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"iss": "other"}, "Invalid claim: 'iss'."),
        ({"iss": None}, "Missing claim: 'iss'."),
        ({"aud": "other"}, "Invalid claim: 'aud'."),
        ({"aud": None}, "Missing claim: 'aud'."),
    ],
)
def test_issuer_and_audience_are_checked_again_after_the_signature(
    issuer: Issuer, changed: dict[str, Any], text: str
) -> None:
    provider = Provider("p", issuer.url, AUDIENCE, "role", {})
    token = tokens.read(issuer.token(**changed))
    with pytest.raises(Rejected) as refused:
        tokens.check_claims(token, provider, time.time())
    assert str(refused.value) == text


def test_a_subject_of_the_greatest_length_is_accepted(gate: Gate, issuer: Issuer) -> None:
    gate.trust(issuer)
    assert gate.enter(issuer.token(sub="x" * tokens.LONGEST_SUBJECT)).id.endswith("x")


def test_a_key_of_another_kind_does_not_keep_the_next_one_from_being_tried(issuer: Issuer) -> None:
    token = tokens.read(issuer.token())
    keys = [VerifyingKey(None, frozenset({"RS256"}), key) for key in (ec("e"), ed("d"), rsa("other"), first_key())]
    assert tokens.is_signed_by(token, keys)
    assert not tokens.is_signed_by(token, keys[:3])


def test_no_more_than_eight_keys_are_tried(issuer: Issuer) -> None:
    token = tokens.read(issuer.token())
    other, own = (VerifyingKey(None, frozenset({"RS256"}), key) for key in (rsa("other"), first_key()))
    assert tokens.is_signed_by(token, [other] * 7 + [own])
    assert not tokens.is_signed_by(token, [other] * 8 + [own])


def test_what_is_shown_of_a_token_in_a_log_has_no_claims(issuer: Issuer) -> None:
    assert "alice" not in repr(tokens.read(issuer.token()))


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([], "it has no list `keys`"),
        ({}, "it has no list `keys`"),
        ({"keys": {}}, "it has no list `keys`"),
        ({"keys": [{}] * (MOST_KEYS + 1)}, f"it has more than {MOST_KEYS} keys"),
    ],
)
def test_a_document_that_is_no_key_set_is_refused(document: Any, text: str) -> None:
    with pytest.raises(Unusable) as refused:
        key_set(document)
    assert str(refused.value) == text


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("x", "it is not an object"),
        ({**PUBLIC, "kid": 7}, KID),
        ({**PUBLIC, "kid": "x" * (LONGEST_KID + 1)}, KID),
        ({"kty": "oct", "k": "AAAA"}, KIND),
        ({"kty": "EC", "crv": "secp256k1"}, KIND),
        ({"kty": "OKP", "crv": "X25519", "x": "AAAA"}, KIND),
        ({"crv": "P-256"}, KIND),
        (first_key().as_dict(private=True), "it is a secret key, published for anyone to read"),
        ({**PUBLIC, "k": "AAAA"}, "it is a secret key, published for anyone to read"),
        ({**PUBLIC, "use": "enc"}, "its `use` is not `sig`"),
        ({**PUBLIC, "key_ops": ["sign"]}, OPERATIONS),
        ({**PUBLIC, "key_ops": "verify"}, OPERATIONS),
        ({**PUBLIC, "alg": "HS256"}, ALGORITHM),
        ({**PUBLIC, "alg": "ES256"}, ALGORITHM),
        ({**PUBLIC, "n": "AQAB"}, "it has 17 bits; 2048 to 8192 are supported"),
        ({**PUBLIC, "n": "_" * 1368}, "it has 8208 bits; 2048 to 8192 are supported"),
        ({"kty": "RSA", "e": "AQAB"}, NUMBERS),
        ({**PUBLIC, "n": 7}, NUMBERS),
        ({"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}, NUMBERS),
        ({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, NUMBERS),
    ],
    ids=lambda part: part if isinstance(part, str) else "",  # the keys are other ones in each process
)
def test_a_key_that_cannot_be_used_is_left_out_and_the_report_says_why(entry: Any, fault: str) -> None:
    found = key_set({"keys": [PUBLIC, entry, PUBLIC]})
    assert [key.kid for key in found.keys] == ["one", "one"]
    assert found.faults == (f"key 1: {fault}",)


@pytest.mark.parametrize(
    ("changed", "algorithms"),
    [
        ({}, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ({"alg": "PS256"}, {"PS256"}),
        ({"use": "sig", "key_ops": ["verify", "encrypt"]}, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ({"kid": "x" * LONGEST_KID, "alg": "RS512"}, {"RS512"}),
        ({"kid": None, "crv": "P-256", "alg": "RS512"}, {"RS512"}),
        ({"x5c": ["no certificate"], "x5t": 7, "alg": "RS512"}, {"RS512"}),
    ],
)
def test_a_key_is_used_with_the_algorithms_of_its_type_or_the_one_that_it_names(
    changed: dict[str, Any], algorithms: set[str]
) -> None:
    (key,) = key_set({"keys": [{**PUBLIC, **changed}]}).keys
    assert (key.kid, key.algorithms) == ({**PUBLIC, **changed}["kid"], algorithms)
    assert key.key.as_dict(private=False)["n"] == PUBLIC["n"]


def test_as_many_keys_as_there_may_be_are_used() -> None:
    assert len(key_set({"keys": [PUBLIC] * MOST_KEYS}).keys) == MOST_KEYS


@pytest.mark.parametrize("bits", [2048, 8192])
def test_rsa_keys_of_the_least_and_the_greatest_size_are_used(bits: int) -> None:
    modulus = segment(((1 << bits) - 1).to_bytes(bits // 8, "big"))
    found = key_set({"keys": [{"kty": "RSA", "n": modulus, "e": "AQAB"}]})
    assert (len(found.keys), found.faults) == (1, ())


@pytest.mark.parametrize("key", [ec("k"), ec("k", "P-384"), ec("k", "P-521"), ed("k"), ed("k", "Ed448")])
def test_keys_of_each_curve_are_used(key: Any) -> None:
    found = key_set({"keys": [key.as_dict(private=False)]})
    assert (len(found.keys), found.faults) == (1, ())


def test_a_token_is_verified_with_the_keys_of_its_id_and_its_algorithm() -> None:
    found = key_set({"keys": [{**PUBLIC, "kid": "a"}, {**PUBLIC, "kid": "b", "alg": "PS256"}]})
    assert [[key.kid for key in found.select(*one)] for one in (("a", "RS256"), ("b", "RS256"), (None, "PS256"))] == [
        ["a"],
        [],
        ["a", "b"],
    ]
