"""Fields: the wire form and the REST form of one datum."""

from __future__ import annotations

from enum import IntEnum

import marshmallow as ma
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.rest import fields
from omni_gateway.rest.serializer import compile_schema
from omni_gateway.sdk import SpecSchema


class Phase(IntEnum):
    UNKNOWN = 0
    RUNNING = 3


class InnerSchema(SpecSchema):
    count = fields.Int64()


class OuterSchema(SpecSchema):
    phase = fields.Enum(Phase)
    api_ready = fields.Boolean(attribute="apiReady")
    interval = fields.Duration()
    at = fields.Timestamp()
    inner = fields.Message(InnerSchema)
    many = ma.fields.List(ma.fields.Nested(InnerSchema))
    names = ma.fields.List(ma.fields.String())
    cmdline = fields.Masked(lambda text: text.replace("secret", "***"))


render = compile_schema(OuterSchema())


def test_what_the_wire_leaves_out_reads_as_its_zero_value() -> None:
    assert render({}) == {
        "phase": "UNKNOWN",
        "api_ready": False,
        "interval": None,
        "at": None,
        "inner": None,
        "many": [],
        "names": [],
        "cmdline": "",
    }


def test_the_wire_form_is_turned_into_the_rest_form_at_every_depth() -> None:
    shown = render({"phase": 3, "apiReady": True, "inner": {"count": "9007199254740993"}, "many": [{"count": "1"}]})
    assert (shown["phase"], shown["api_ready"], shown["inner"], shown["many"]) == (
        "RUNNING",
        True,
        {"count": 9007199254740993},
        [{"count": 1}],
    )


def test_two_objects_never_share_a_zero_list() -> None:
    render({})["names"].append("x")
    assert render({})["names"] == []


def test_an_enum_number_without_a_name_is_shown_as_a_number() -> None:
    assert render({"phase": 9})["phase"] == "UNKNOWN_9"


def test_what_the_schema_does_not_declare_is_not_shown() -> None:
    assert "client_secret" not in render({"client_secret": "hush"})


def test_masked_text_loses_its_secret() -> None:
    assert render({"cmdline": "token=secret"})["cmdline"] == "token=***"


@pytest.mark.parametrize(
    "body",
    [
        {"phase": "SLEEPING"},
        {"phase": 3},
        {"api_ready": "yes"},
        {"api_ready": 1},
        {"inner": {"count": "7"}},
        {"inner": {"count": 1.5}},
        {"inner": {"count": True}},
        {"inner": {"cuont": 1}},
        {"interval": "soon"},
        {"interval": "5"},
        {"interval": "99999999999999h"},
        {"interval": {"seconds": "soon"}},
        {"interval": {"seconds": -1}},
        {"interval": {}},
        {"at": "yesterday"},
        {"at": {"seconds": 2**60}},
        {"at": {"seconds": 0, "hours": 1}},
        {"at": "2026-01-01T00:00:00"},
        {"cmdline": "x"},
        {"phsae": "RUNNING"},
    ],
)
def test_a_value_of_another_kind_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(ma.ValidationError):
        OuterSchema().load(body)


def test_an_enum_is_sent_as_its_number_under_its_wire_name() -> None:
    assert OuterSchema().load({"phase": "RUNNING", "api_ready": True}) == {"phase": 3, "apiReady": True}


@pytest.mark.parametrize(("text", "wire"), [("90s", "90s"), ("1h30m", "5400s"), ("0.5s", "0.5s"), ("2h", "7200s")])
def test_a_duration_is_sent_in_seconds(text: str, wire: str) -> None:
    assert OuterSchema().load({"interval": text}) == {"interval": wire}


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ({"interval": {"seconds": 5400, "nanos": 0}}, {"interval": "5400s"}),
        ({"interval": {"seconds": 1, "nanos": 500_000_000}}, {"interval": "1.5s"}),
        ({"at": {"seconds": 1795728858}}, {"at": "2026-11-26T21:34:18Z"}),
    ],
)
def test_a_duration_or_a_time_may_be_protobufs_message(given: dict[str, object], wire: dict[str, str]) -> None:
    assert OuterSchema().load(given) == wire


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_every_64_bit_integer_survives_the_way_to_a_caller(number: int) -> None:
    assert compile_schema(InnerSchema())({"count": str(number)}) == {"count": number}
