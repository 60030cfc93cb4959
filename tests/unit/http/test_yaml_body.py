"""YAML from strangers: JSON's values, and whatever is not fit is refused before it costs much."""

from __future__ import annotations

import resource
import time
from typing import Any

import pytest

from omni_gateway.http.problems import Problem
from omni_gateway.http.yaml_body import yaml_documents
from omni_gateway.plain_scalar import PlainScalar
from tests.new_processes import new_processes

MIB = 1024 * 1024
SECONDS, MEGABYTES = 6.0, 100.0
ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)


def one(text: str) -> Any:
    return yaml_documents(text.encode(), most=1)[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-0x1f", -31),
        ("010", 8),
        ("1_000", 1000),
        ("18446744073709551615", 2**64 - 1),
        ("1.5e+3", 1500.0),
        ("true", True),
        ("~", None),
        ("1:30", "1:30"),
        ("1:30.5", "1:30.5"),
        ("2026-01-01", "2026-01-01"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_scalars_are_jsons_values_or_texts(text: str, value: object) -> None:
    assert (read := one(f"a: {text}")["a"]) == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('a: !!int ""', "no number"),
        ('a: !!int "1:30"', "no number"),
        ('a: !!float ""', "no number"),
        ("a: !!float .inf", "no number"),
        ('a: !!bool "perhaps"', "neither true nor false"),
        ("a: !!map []", "no mapping"),
        ("a: !!seq {}", "sequence"),
        ("a: !!int []", "no number"),
        ("a: !!bool {}", "neither true nor false"),
        ("a: 18446744073709551616", "64 bits"),
        (f"a: {'9' * 5000}", "64 bits"),
        (f"a: 0x{'f' * 5000}", "64 bits"),
        ("a: 1.5e+400", "64 bits"),
        ("? [a]\n: b", "key"),
        ("a: !!timestamp 2026-01-01", "tag"),
        ("a: &x [*x]", "contains itself"),
        ("a: &x\n  <<: *x", "contains itself"),
        ("<<: 1", "merge key"),
        ("<<: {a: 1}\n<<: {b: 1}", "twice"),
    ],
)
def test_what_json_cannot_say_is_refused_with_the_place(text: str, why: str) -> None:
    with pytest.raises(Problem) as refused:
        one(text)
    assert (refused.value.status, refused.value.code) == (400, "bad-yaml")
    assert why in (refused.value.detail or "")
    assert "at line" in (refused.value.detail or "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("a: &x {y: 1, z: 2}\nb: {<<: *x, z: 3}", {"a": {"y": 1, "z": 2}, "b": {"y": 1, "z": 3}}),
        ("a: &x {y: 1}\nb: {<<: [*x, {y: 2, z: 2}]}", {"a": {"y": 1}, "b": {"y": 1, "z": 2}}),
        ('"<<": {a: 1}', {"<<": {"a": 1}}),
    ],
)
def test_aliases_and_merge_keys_stand_for_what_they_name(text: str, value: object) -> None:
    assert one(text) == value


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1.10", PlainScalar(1.1, "1.10")),
        ("012", PlainScalar(10, "012")),
        ("true", PlainScalar(True, "true")),
        ("", PlainScalar(None, "")),
        ("null", PlainScalar(None, "null")),
        ("'1.10'", "1.10"),
        ("9" * 40, "9" * 40),
        ("text", "text"),
    ],
)
def test_a_scalar_keeps_its_source_text_where_that_is_asked_for(text: str, read: object) -> None:
    assert yaml_documents(f"a: {text}".encode(), most=1, keep_source=True) == [{"a": read}]


def measured(text: str) -> tuple[object, float, float]:
    """Read a text; return what came of it, and the processor's time and the megabytes of memory that it took."""
    raw = text.encode()
    memory, start = most_memory(), time.process_time()
    outcome: object
    try:
        outcome = len(yaml_documents(raw, most=2000))
    except Problem as problem:
        outcome = problem.code
    return outcome, time.process_time() - start, most_memory() - memory


def most_memory() -> float:
    """Return the megabytes of memory that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (ALIASES, "bad-yaml"),
        ("".join(f"--- [&a [{'x,' * 90}], {'*a,' * 90}]\n" for _ in range(100)), "bad-yaml"),
        (f"a: &a {'x' * 1_000_000}\nb: [*a, *a, *a, *a, *a]", "bad-yaml"),
        ("[" * 100_000, "bad-yaml"),
        ("--- {}\n" * 10_000, "too-large"),
        ("a: [" + "1," * (2 * MIB) + "]", "too-large"),
        ("[" + "x," * 199_000 + "]", 1),
        ("".join(f"k{number}: 1\n" for number in range(99_000)), 1),
        ("".join(f"- &a{number} x\n" for number in range(200_000)), "too-large"),
        ("a: " + "1:" * (2 * MIB) + "1", 1),
        ("a: " + "1" * (4 * MIB), "bad-yaml"),
        ("a: 0x" + "f" * (4 * MIB), "bad-yaml"),
        ('a: "' + "x" * (4 * MIB) + '"', 1),
    ],
    ids=[
        "aliases",
        "aliases of many documents",
        "aliases of a long text",
        "depth",
        "documents",
        "parts",
        "most parts",
        "keys",
        "anchors",
        "base 60",
        "digits",
        "hex",
        "text",
    ],
)
def test_no_body_costs_much_time_or_memory(text: str, outcome: object) -> None:
    with new_processes() as process:
        found, seconds, megabytes = process.submit(measured, text).result()
    assert found == outcome
    assert seconds < SECONDS
    assert megabytes < MEGABYTES
