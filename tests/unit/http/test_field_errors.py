"""marshmallow's messages as paths: what a caller can point at in the document that was sent."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import fields, validate

from omni_gateway.http.field_errors import flatten
from omni_gateway.http.problems import Problem


class Port(ma.Schema):
    number = fields.Integer(required=True)
    value = fields.String(validate=validate.Length(min=2))


class Server(ma.Schema):
    id = fields.String(required=True)
    labels = fields.Dict(fields.String(validate=validate.Length(max=3)), fields.String())
    ports = fields.List(fields.Nested(Port))
    more = fields.Nested(Port, many=True)
    main = fields.Nested(Port)
    by_name = fields.Dict(fields.String(), fields.Nested(Port))
    version = fields.String(data_key="talos_version")

    @ma.validates_schema
    def _check(self, data: dict[str, Any], **_: object) -> None:
        if data.get("id") == "bad":
            raise ma.ValidationError("The whole is wrong.")


def refused(document: object) -> dict[str, list[str]]:
    with pytest.raises(ma.ValidationError) as error:
        Server().load(document)  # type: ignore[arg-type]
    return flatten(error.value.messages, schema=Server())


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"id": 1}, "id"),
        ({"id": "a", "labels": {"a/b": 1}}, "labels.a/b"),
        ({"id": "a", "labels": {"long": "x"}}, "labels.long"),
        ({"id": "a", "ports": [{"number": 1}, {"number": "x"}]}, "ports.1.number"),
        ({"id": "a", "more": [{"number": "x"}]}, "more.0.number"),
        ({"id": "a", "main": {"number": 1, "value": "x"}}, "main.value"),
        ({"id": "a", "by_name": {"web": {"number": 1, "value": "x"}}}, "by_name.web.value"),
        ({"id": "a", "talos_version": 1}, "talos_version"),
        ({"id": "bad"}, "_"),
        ([], "_"),
    ],
)
def test_a_message_stands_under_the_path_that_the_caller_wrote(document: object, path: str) -> None:
    assert list(refused(document)) == [path]


@pytest.mark.parametrize(
    ("document", "path", "neighbour"),
    [
        ({"id": "a", "lables": {}}, "lables", "labels"),
        ({"id": "a", "talos_verson": "1"}, "talos_verson", "talos_version"),
        ({"id": "a", "main": {"number": 1, "valeu": "xx"}}, "main.valeu", "value"),
        ({"id": "a", "ports": [{"numbr": 1, "number": 1}]}, "ports.0.numbr", "number"),
        ({"id": "a", "more": [{"numbr": 1, "number": 1}]}, "more.0.numbr", "number"),
        ({"id": "a", "by_name": {"web": {"numbr": 1, "number": 1}}}, "by_name.web.numbr", "number"),
    ],
)
def test_an_unknown_field_is_told_its_nearest_neighbour_at_every_depth(
    document: object, path: str, neighbour: str
) -> None:
    assert refused(document) == {path: [f"Unknown field; did you mean {neighbour!r}?"]}


def test_an_unknown_field_that_resembles_none_is_told_so_without_a_guess() -> None:
    assert refused({"id": "a", "zzzzz": 1}) == {"zzzzz": ["Unknown field."]}


def test_without_a_schema_the_known_names_serve_the_top_level() -> None:
    error = ma.ValidationError({"lables": ["Unknown field."]})
    assert Problem.from_validation(error, known=["labels"]).errors == {
        "lables": ["Unknown field; did you mean 'labels'?"]
    }


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "labels", "ports", "main", "number", "value", "key", "x"]), inner)
    ),
    max_leaves=10,
)


@given(documents)
def test_whatever_is_sent_every_message_is_a_text_under_a_path(document: object) -> None:
    try:
        Server().load(document)  # type: ignore[arg-type]
    except ma.ValidationError as error:
        flat = flatten(error.messages, schema=Server())
        assert flat
        assert all(path and texts and all(isinstance(text, str) for text in texts) for path, texts in flat.items())


def test_no_request_is_told_more_than_a_hundred_wrong_fields() -> None:
    told = refused({"id": "x", **{f"unknown{number}": 1 for number in range(5000)}})
    assert len(told) == 100


def test_a_path_is_no_longer_than_anybody_reads() -> None:
    assert max(len(path) for path in refused({"id": "x", "n" * 100_000: 1})) == 1024
