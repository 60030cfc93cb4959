"""Which error a call's end is: by the call and the code, and with what text."""

from __future__ import annotations

import pickle
import unicodedata

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.omni import errors
from omni_gateway.omni.errors import OmniError, error_for

GET = "omni.resources.ResourceService/Get"
UPDATE = "omni.resources.ResourceService/Update"
CREATE = "omni.resources.ResourceService/Create"
DELETE = "omni.resources.ResourceService/Delete"
POWER_ON = "management.ManagementService/MachinePowerOn"
Code = grpc.StatusCode


@pytest.mark.parametrize(
    ("method", "code", "kind"),
    [
        (GET, Code.NOT_FOUND, errors.NotFound),
        (CREATE, Code.ALREADY_EXISTS, errors.AlreadyExists),
        (UPDATE, Code.ALREADY_EXISTS, errors.StaleVersion),
        (POWER_ON, Code.FAILED_PRECONDITION, errors.FailedPrecondition),
        (DELETE, Code.FAILED_PRECONDITION, errors.FinalizersRemain),
        (CREATE, Code.INVALID_ARGUMENT, errors.InvalidArgument),
        (CREATE, Code.PERMISSION_DENIED, errors.PermissionDenied),
        (GET, Code.UNAUTHENTICATED, errors.CredentialRefused),
        (GET, Code.UNAVAILABLE, errors.Unavailable),
        (GET, Code.DEADLINE_EXCEEDED, errors.DeadlineExceeded),
        (GET, Code.RESOURCE_EXHAUSTED, errors.ResourceExhausted),
        (GET, Code.UNIMPLEMENTED, errors.Unimplemented),
        (GET, Code.CANCELLED, errors.Cancelled),
        (GET, Code.UNKNOWN, errors.Unknown),
        (GET, Code.INTERNAL, errors.Unknown),
        (GET, Code.DATA_LOSS, errors.Unknown),
        (GET, Code.ABORTED, errors.Unknown),
    ],
)
def test_the_class_is_chosen_by_call_and_code(method: str, code: grpc.StatusCode, kind: type[OmniError]) -> None:
    error = error_for(method, code, "why")
    assert (type(error), error.code, error.method, error.detail) == (kind, code, method, "why")


@pytest.mark.parametrize(
    "text",
    [
        "CLIENT: Received message larger than max (20 vs. 10)",
        "grpc: received message larger than max (20 vs. 10)",
        "etcd write payload (20 bytes) exceeds the configured burst (10) for class=user, type=T",
    ],
)
def test_a_limit_on_size_is_not_taken_for_one_on_calls(text: str) -> None:
    assert type(error_for(CREATE, Code.RESOURCE_EXHAUSTED, text)) is errors.MessageTooLarge


def test_a_stale_version_is_not_taken_for_an_object_that_is_there_already() -> None:
    assert not isinstance(error_for(UPDATE, Code.ALREADY_EXISTS, ""), errors.AlreadyExists)


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_class(code: grpc.StatusCode) -> None:
    assert isinstance(error_for(GET, code, ""), OmniError)


def test_the_text_is_one_clean_line() -> None:
    error = error_for(CREATE, Code.INVALID_ARGUMENT, "2 errors:\n\t* a\x00b\r\n\t* c\u2028d\x1b[31m")
    assert error.detail == "2 errors: * a b * c d [31m"


def test_a_join_token_in_the_text_is_masked() -> None:
    error = error_for(CREATE, Code.UNKNOWN, "bad args: siderolink.api=https://omni:443?jointoken=s3cr3t&x=1")
    assert "s3cr3t" not in str(error) and "jointoken=***&x=1" in error.detail


@given(st.text(st.characters(), max_size=20_000))
def test_whatever_omni_writes_the_text_is_bounded_and_harmless(text: str) -> None:
    detail = error_for(GET, Code.UNKNOWN, text).detail
    assert len(detail.encode()) <= 4096
    assert not [character for character in detail if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")]


def test_an_error_names_its_call_and_survives_being_pickled() -> None:
    error = pickle.loads(pickle.dumps(error_for(GET, Code.UNAVAILABLE, "gone", retry_after=2.0)))
    assert str(error) == f"{GET}: UNAVAILABLE: gone"
    assert error.retry_after == 2.0
