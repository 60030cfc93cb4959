"""Bodies that can be read in one way only, or a problem that says why not."""

from __future__ import annotations

import json
import time

import pytest
from flask import Flask, jsonify, request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omni_gateway.http.parser import strict_json
from omni_gateway.http.problems import Problem


@pytest.fixture
def echo(bare: Flask) -> Flask:
    @bare.post("/echo")
    def view():  # type: ignore[no-untyped-def]
        return jsonify(strict_json(request))

    return bare


def post(app: Flask, data: bytes, content_type: str | None = "application/json"):  # type: ignore[no-untyped-def]
    return app.test_client().post("/echo", data=data, content_type=content_type)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"  ", "empty"),
        (b"{", "line 1, column 2"),
        (b'{"a":1,"a":2}', "'a' occurs twice"),
        (b'{"x":{"a":1,"a":2}}', "'a' occurs twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 100_000, "deeper"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper"),
        (b"[123456789012345678901234567890]", "64 bits"),
        (b"[18446744073709551616]", "64 bits"),
        (b"[-9223372036854775809]", "64 bits"),
        (b"1" * 5000, "64 bits"),
        (b"[1e999]", "64 bits"),
    ],
)
def test_a_body_that_could_be_misread_is_refused_with_the_reason(echo: Flask, body: bytes, words: str) -> None:
    answer = post(echo, body)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert words in answer.get_json()["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None, "application/yaml"])
def test_another_media_type_is_refused_and_the_right_one_named(echo: Flask, content_type: str | None) -> None:
    answer = post(echo, b"{}", content_type)
    assert (answer.status_code, answer.headers["Accept-Post"]) == (415, "application/json")


def test_a_body_over_the_limit_is_refused(echo: Flask) -> None:
    answer = post(echo, b'"' + b"x" * 200_000 + b'"')
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too-large")


@pytest.mark.parametrize(
    "body",
    [
        b'\\"' * 200_000,
        b'"' + b'\\"' * 200_000 + b"\\",
        b'"\\' * 150_000,
        b"{" + b",".join(b'"%d":1' % number for number in range(40_000)) + b',"z":1,"z":2}',
    ],
    ids=["quotes outside a string", "a string without an end", "quotes after backslashes", "a key twice at the end"],
)
def test_no_body_takes_longer_than_its_length_explains(body: bytes) -> None:
    with Flask("x").test_request_context(method="POST", data=body, content_type="application/json"):
        began = time.process_time()
        with pytest.raises(Problem):
            strict_json(request)
        assert time.process_time() - began < 2.0  # a hundredth of this as a rule; minutes where time grows squared


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 0, -1, 1.5, 1e308])
def test_every_number_of_64_bits_is_read(echo: Flask, number: float) -> None:
    assert json.loads(post(echo, json.dumps(number).encode()).data) == number


def test_a_long_key_that_stands_twice_is_not_repeated_whole(echo: Flask) -> None:
    key = b'"' + b"k" * 40_000 + b'":1'
    assert len(post(echo, b"{" + key + b"," + key + b"}").data) < 1000


def test_brackets_inside_strings_do_not_count_as_nesting(echo: Flask) -> None:
    assert post(echo, json.dumps(["[" * 200, '\\"{{{' * 50]).encode()).status_code == 200


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(json_values)
def test_every_json_value_that_has_one_meaning_is_read_as_it_was_written(echo: Flask, value: object) -> None:
    assert json.loads(post(echo, json.dumps(value).encode()).data) == value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=64))
def test_no_bytes_make_it_fall_over(echo: Flask, body: bytes) -> None:
    assert post(echo, body).status_code in (200, 400)
