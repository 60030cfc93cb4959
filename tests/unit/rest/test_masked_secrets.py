"""A document that was read can be sent back: the masks in it keep the stored secrets."""

from __future__ import annotations

from typing import Any

import pytest

from omni_gateway.http.problems import Problem
from omni_gateway.rest.masked_secrets import with_stored_secrets
from omni_gateway.sdk import SpecSchema, fields


class ContactSchema(SpecSchema):
    pager = fields.Secret()


class RackSchema(SpecSchema):
    password = fields.Secret(attribute="pdu_password")
    contact = fields.Message(ContactSchema)


STORED = {"pdu_password": "12345", "contact": {"pager": "555"}}


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ({"pdu_password": "***", "contact": {"pager": "***"}}, STORED),
        ({"pdu_password": "new", "contact": {"pager": "***"}}, {**STORED, "pdu_password": "new"}),
        ({"pdu_password": "", "contact": None}, {"pdu_password": "", "contact": None}),
        ({}, {}),
    ],
    ids=["masks", "a new secret", "no secret", "nothing"],
)
def test_masks_become_the_stored_secrets_and_all_else_stays(sent: dict[str, Any], written: dict[str, Any]) -> None:
    assert with_stored_secrets(RackSchema(), sent, STORED) == written


@pytest.mark.parametrize("stored", [{}, {"pdu_password": ""}, {"contact": None}], ids=["new", "empty", "no message"])
def test_a_mask_of_no_secret_is_refused_by_the_name_of_its_field(stored: dict[str, Any]) -> None:
    with pytest.raises(Problem) as refused:
        with_stored_secrets(RackSchema(), {"pdu_password": "***", "contact": {"pager": "***"}}, stored)
    assert (refused.value.status, sorted(refused.value.to_dict()["errors"])) == (422, ["contact.pager", "password"])


def test_what_was_sent_is_not_changed_in_place() -> None:
    sent = {"contact": {"pager": "***"}}
    with_stored_secrets(RackSchema(), sent, STORED)
    assert sent == {"contact": {"pager": "***"}}
