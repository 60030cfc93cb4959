"""Secrets in texts that others wrote."""

from __future__ import annotations

import grpc
import pytest

from omni_gateway.omni.errors import error_for
from omni_gateway.redaction.text import mask_secrets

ARMOUR = "-----BEGIN PGP PRIVATE KEY BLOCK----- abc s3cret -----END PGP PRIVATE KEY BLOCK-----"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "bad line: siderolink.api=grpc://x?jointoken=s3cret&a=b",
            "bad line: siderolink.api=grpc://x?jointoken=***&a=b",
        ),
        ("at https://x/?args=jointoken%3Ds3cret end", "at https://x/?args=jointoken%3D*** end"),
        (f"cannot parse {ARMOUR}, sorry", "cannot parse ***, sorry"),
        ("cannot parse -----BEGIN EC PRIVATE KEY----- cut s3cret", "cannot parse ***"),
        ("no such key: eyJuYW1lIjoiYSIsInBncF9rZXkiOiJzM2NyZXQifQ-s3cret-and-more==", "no such key: ***"),
        ("token ogw_abcdefghijklmnop_s3cret refused", "token *** refused"),
        ("cluster demo-1 has 3 machines", "cluster demo-1 has 3 machines"),
    ],
)
def test_secrets_leave_a_text_and_the_rest_stays(text: str, left: str) -> None:
    assert mask_secrets(text) == left


def test_what_omni_says_reaches_nobody_with_secrets_in_it() -> None:
    error = error_for("omni.resources.ResourceService/Create", grpc.StatusCode.INVALID_ARGUMENT, f"bad {ARMOUR}")
    assert (error.detail, "s3cret" in str(error), "s3cret" in repr(error)) == ("bad ***", False, False)
