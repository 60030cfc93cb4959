"""Sealed secrets: read back with the same credential and context, and with nothing else."""

from __future__ import annotations

import pytest

from omni_gateway.http.encryption import decrypt, encrypt

SECRET = b"the private key of an account"


def test_a_secret_comes_back_to_the_credential_that_it_was_sealed_for() -> None:
    sealed = encrypt(SECRET, "a-token", "a request")
    assert SECRET not in sealed
    assert decrypt(sealed, "a-token", "a request") == SECRET


@pytest.mark.parametrize(("credential", "context"), [("another", "a request"), ("a-token", "another"), ("", "")])
def test_nothing_else_reads_it(credential: str, context: str) -> None:
    assert decrypt(encrypt(SECRET, "a-token", "a request"), credential, context) is None


@pytest.mark.parametrize("at", [0, 20, 40, -1])
def test_a_record_that_was_changed_is_not_read(at: int) -> None:
    sealed = bytearray(encrypt(SECRET, "a-token", "a request"))
    sealed[at] ^= 1
    assert decrypt(bytes(sealed), "a-token", "a request") is None


@pytest.mark.parametrize("length", [0, 10, 30])
def test_a_record_that_was_cut_is_not_read(length: int) -> None:
    assert decrypt(encrypt(SECRET, "a-token", "a request")[:length], "a-token", "a request") is None


def test_no_two_records_of_one_secret_are_alike() -> None:
    assert encrypt(SECRET, "a-token", "a request") != encrypt(SECRET, "a-token", "a request")
