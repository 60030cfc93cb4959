"""What may be logged of what a caller put into a URL or a key."""

from __future__ import annotations

import base64
import json
import secrets
from urllib.parse import quote

import pytest

from omni_gateway.redaction.credentials import MASK, looks_secret, masked, shown


@pytest.mark.parametrize(
    "text",
    [
        "ogw_" + secrets.token_urlsafe(32),
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl",
        base64.b64encode(json.dumps({"name": "ci", "pgp_key": "-----BEGIN"}).encode()).decode(),
        "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MEFCQ0RFRkdISUo",
        "xcFGBGbNyQABBAC3/7aB+cD9/eF1gH2iJ3kL4mN5oP6qR7sT8uV9wX0yZ1aB2cD3",
    ],
    ids=["a token of the gateway", "a JSON Web Token", "a key of Omni's", "random base64", "a line of a private key"],
)
def test_what_looks_like_a_credential_is_masked_wherever_it_stands(text: str) -> None:
    assert shown(text, 1000) == MASK
    assert shown(f"before {text} after", 1000) == MASK
    assert masked(f"/api/v1/clusters/{quote(text, safe='')}/status") == f"/api/v1/clusters/{MASK}/status"
    assert masked(f"GET /x?token={quote(text, safe='')} refused") == f"GET /x?token={MASK} refused"


@pytest.mark.parametrize(
    "text",
    [
        "prod-1",
        "4d3ce9a0-7d1c-4a47-9c11-0f6f1e5a8d1e",
        "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba",
        "a-very-long-name-of-a-cluster-in-the-second-region-of-europe-2",
        "automation@serviceaccount.omni.sidero.dev",
        "ClusterMachineConfigPatches.omni.sidero.dev",
        "",
    ],
)
def test_names_ids_and_hashes_of_objects_are_shown(text: str) -> None:
    assert not looks_secret(text)
    assert shown(text, 1000) == text
    assert masked(f"GET /api/v1/clusters/{text} of /usr/lib/python3.11/site-packages/X") == (
        f"GET /api/v1/clusters/{text} of /usr/lib/python3.11/site-packages/X"
    )


def test_what_is_too_long_is_cut_and_what_breaks_a_line_is_replaced() -> None:
    assert shown("a" * 50, 10) == "a" * 9 + "…"
    assert shown("a\nb\rc\x00d\x1be\u2028f", 100) == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf"
    assert shown("lone \ud800 surrogate", 100) == "lone ? surrogate"
