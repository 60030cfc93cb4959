"""A service account's key: read, dated, and never shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysequoia import Profile, Tsk

from omni_gateway.omni import ConfigError, KeyIdentity, parse_key


def encoded(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def test_a_key_tells_whose_it_is_and_when_it_ends(service_account_key: str) -> None:
    identity = parse_key(service_account_key).identity
    assert identity.name == "automation"
    assert identity.fingerprint == identity.fingerprint.lower() and len(identity.fingerprint) == 40
    assert identity.expires is not None and not identity.expired()


def test_a_key_wrapped_over_several_lines_is_the_same_key(service_account_key: str) -> None:
    wrapped = "\n".join(service_account_key[i : i + 76] for i in range(0, len(service_account_key), 76))
    assert parse_key(wrapped).identity == parse_key(service_account_key).identity


def test_an_expired_key_is_read_and_known_to_be_expired(expired_key: str) -> None:
    assert parse_key(expired_key).identity.expired()


def test_a_key_that_never_ends_is_never_expired(make_key_text: Callable[..., str]) -> None:
    identity = parse_key(make_key_text(validity_seconds=None)).identity
    assert identity.expires is None and not identity.expired()


def test_expiry_is_judged_at_a_given_moment() -> None:
    ends = datetime(2026, 1, 1, tzinfo=UTC)
    identity = KeyIdentity("a", "f", ends)
    assert not identity.expired(ends - timedelta(seconds=1))
    assert identity.expired(ends)


def test_the_private_half_shows_in_no_repr(service_account_key: str) -> None:
    assert "secret" not in repr(parse_key(service_account_key))


PUBLIC_ONLY = str(Tsk.generate(user_id="a <a@example.com>", profile=Profile.RFC4880).extract_certificate())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "base64 of a JSON object"),
        ("not base64!", "base64 of a JSON object"),
        (base64.b64encode(b"not json").decode(), "base64 of a JSON object"),
        (encoded([]), "name and pgp_key"),
        (encoded({"name": "a"}), "name and pgp_key"),
        (encoded({"name": "", "pgp_key": "x"}), "name and pgp_key"),
        (encoded({"name": 1, "pgp_key": "x"}), "name and pgp_key"),
        (encoded({"name": "a", "pgp_key": "sesame"}), "no OpenPGP private key"),
        (encoded({"name": "a", "pgp_key": PUBLIC_ONLY}), "no OpenPGP private key"),
        ("A" * 100_000, "too long"),
    ],
)
def test_what_is_no_key_is_refused_without_being_repeated(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match="MY_KEY") as refused:
        parse_key(text, variable="MY_KEY")
    assert said in str(refused.value)
    assert "sesame" not in str(refused.value) and "Stack backtrace" not in str(refused.value)


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.b64encode(raw).decode())))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_key(text)
