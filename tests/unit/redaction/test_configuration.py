"""Join tokens and other secrets inside the texts that Omni shows of machines."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.redaction.configuration import mask_configuration, mask_tokens, mask_tokens_in_line
from resources.machine.schemas.machine import MachineSchema

TOKENS = st.text(string.ascii_letters + string.digits + "-_=+/.:", min_size=6, max_size=80)
PLAIN = st.text(string.ascii_letters + string.digits + " .:/=-\n", max_size=60)


@given(token=TOKENS, before=PLAIN, after=PLAIN, kind=st.sampled_from(["jointoken=", "JoinToken=", "jointoken%3D"]))
def test_no_token_survives_wherever_it_stands(token: str, before: str, after: str, kind: str) -> None:
    text = f"{before}siderolink.api=grpc://192.0.2.1:8090?{kind}{token} {after}"
    assert f"{kind}***" in mask_tokens(text)
    assert f"{kind}{token}" not in mask_tokens(text)


@given(text=PLAIN)
def test_text_without_a_token_stays_as_it_is(text: str) -> None:
    assert mask_tokens(text) == text


@given(token=TOKENS)
def test_masking_twice_is_masking_once(token: str) -> None:
    once = mask_tokens(f"a?jointoken={token}&b=c")
    assert mask_tokens(once) == once == "a?jointoken=***&b=c"


@given(token=TOKENS)
def test_a_masked_log_line_is_still_json(token: str) -> None:
    line = json.dumps({"msg": f"kernel: Command line: x?jointoken={token}", "n": 1}).encode()
    masked = json.loads(mask_tokens_in_line(line))
    assert masked == {"msg": "kernel: Command line: x?jointoken=***", "n": 1}


@pytest.mark.parametrize(
    "member",
    [
        "token: 7wx2.5bd",
        "    key: LS0tLS1CRUdJTi",
        "+        secret: aGVsbG8=",
        "-  aescbcEncryptionSecret: z01m",
        "  secretboxEncryptionSecret: z01m",
        "     password: hunter2",
    ],
)
def test_secret_members_of_a_configuration_lose_their_values(member: str) -> None:
    name, _, value = member.partition(": ")
    masked = mask_configuration(f"machine:\n{member}\n  type: worker\n")
    assert masked == f"machine:\n{name}: ***\n  type: worker\n"
    assert value not in masked


@pytest.mark.parametrize("text", ["  token: ''", "  key: null", "  keys:\n    - a", "monkey: banana", "type: worker"])
def test_what_holds_no_secret_stays_as_it_is(text: str) -> None:
    assert mask_configuration(text) == text


def test_the_schema_masks_every_field_that_can_hold_a_token() -> None:
    text = "siderolink.api=grpc://x?jointoken=SECRET"
    spec = {"kernel_cmdline": text, "schematic": {"raw": f"customization:\n  - {text}\n", "kernel_args": [text]}}
    assert "SECRET" not in json.dumps(MachineSchema().render_spec(spec))


def test_what_the_schema_does_not_know_is_not_shown() -> None:
    assert "SECRET" not in json.dumps(
        MachineSchema().render_spec({"newer": "SECRET", "schematic": {"newer": "SECRET"}})
    )
