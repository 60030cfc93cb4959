"""What is signed, how it is written, and that it verifies."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import grpc
import pysequoia
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.omni import AnonymousSigner, KeySigner, parse_key
from omni_gateway.omni.errors import CredentialRefused
from omni_gateway.omni.signing import signed_payload

LISTED = (
    "x-sidero-timestamp",
    "nodes",
    "selectors",
    "runtime",
    "context",
    "cluster",
    "namespace",
    "uid",
    "authorization",
)
PATH = "/omni.resources.ResourceService/List"
printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


def test_the_payload_repeats_the_path_and_the_listed_keys() -> None:
    payload = signed_payload(PATH, [("runtime", "Omni"), ("selectors", "a = b"), ("selectors", "!c"), ("x-other", "1")])
    assert json.loads(payload) == {
        "headers": {"runtime": ["Omni"], "selectors": ["a = b", "!c"]},
        "method": PATH,
    }


def test_the_node_of_a_talos_call_is_never_signed() -> None:
    payload = json.loads(signed_payload(PATH, [("node", "10.5.0.3"), ("cluster", "c1")]))
    assert payload["headers"] == {"cluster": ["c1"]}


@given(st.lists(st.tuples(st.sampled_from((*LISTED, "node", "fieldselectors", "user-agent")), printable)))
def test_every_value_of_every_listed_key_is_covered_in_order_and_nothing_else(metadata: list[tuple[str, str]]) -> None:
    expected: dict[str, list[str]] = {}
    for key, value in metadata:
        if key in LISTED:
            expected.setdefault(key, []).append(value)
    assert json.loads(signed_payload(PATH, metadata))["headers"] == expected


def test_a_signature_verifies_over_the_very_bytes_that_are_sent(service_account_key: str) -> None:
    key = parse_key(service_account_key)
    sent = dict(KeySigner(key, clock=lambda: 1_795_000_000.9).sign(PATH, [("runtime", "Omni")]))

    version, name, fingerprint, text = sent["x-sidero-signature"].split(" ")
    signature = pysequoia.Sig.from_bytes(base64.b64decode(text, validate=True))
    certificate = key.secret.extract_certificate()
    verified = pysequoia.verify(sent["x-sidero-payload"].encode(), lambda _: [certificate], signature=signature)

    assert (version, name, fingerprint) == ("siderov1", "automation", certificate.fingerprint)
    assert len(verified.valid_sigs) == 1
    assert sent["x-sidero-timestamp"] == "1795000000"
    assert json.loads(sent["x-sidero-payload"])["headers"] == {
        "x-sidero-timestamp": ["1795000000"],
        "runtime": ["Omni"],
    }


@pytest.mark.parametrize("name", ["two words", "naïve", "line\nbreak", "100%"])
def test_a_strange_name_still_leaves_four_fields(make_key_text: Callable[..., str], name: str) -> None:
    sent = dict(KeySigner(parse_key(make_key_text(name))).sign(PATH, []))
    assert sent["x-sidero-signature"].isascii() and sent["x-sidero-signature"].isprintable()
    assert len(sent["x-sidero-signature"].split(" ")) == 4


def test_an_expired_key_signs_nothing_and_says_when_it_expired(expired_key: str) -> None:
    signer = KeySigner(parse_key(expired_key))
    with pytest.raises(CredentialRefused) as refused:
        signer.sign(PATH, [])
    assert refused.value.code is grpc.StatusCode.UNAUTHENTICATED
    assert signer.identity.expires is not None
    assert f"expired at {signer.identity.expires.isoformat()}" in refused.value.detail


def test_nobody_signs_nothing() -> None:
    assert tuple(AnonymousSigner().sign(PATH, [("runtime", "Omni")])) == ()
