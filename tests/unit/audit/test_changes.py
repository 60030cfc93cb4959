"""What is kept of a body: names, bounded, and never a value."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import pytest

from omni_gateway.http.changed_fields import (
    LONGEST_NAME,
    MORE,
    MOST_NAMES,
    MOST_TEXT,
    changed_fields,
    note_body,
    note_documents,
    noted,
    object_id,
)


def documents_of(documents: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    environ: dict[str, object] = {}
    note_documents(environ, documents)
    return noted(environ)[1]


def test_members_of_members_have_dotted_names_and_a_list_counts_as_one() -> None:
    body = {
        "id": "c",
        "labels": {"env": "test", "omni.sidero.dev/cluster": "c"},
        "workers": [{"machines": ["m"]}],
        "x": {},
    }
    assert changed_fields(body) == ["id", "labels.env", "labels.omni.sidero.dev/cluster", "workers", "x"]


def test_a_key_that_may_be_a_value_is_masked() -> None:
    odd = {"a" * 101: 1, "has space": 1, "line\nbreak": 1, "ogw_" + secrets.token_urlsafe(32): 1, "": 1}
    assert changed_fields({"labels": odd}) == ["labels.***"]


def test_there_is_an_end_to_names_to_their_length_and_to_their_depth() -> None:
    many = changed_fields({f"field{number}": 1 for number in range(1000)})
    assert (len(many), many[-1]) == (MOST_NAMES + 1, MORE)
    long = changed_fields({f"{number:03}{'x' * 90}": 1 for number in range(40)})
    assert sum(map(len, long)) <= MOST_TEXT
    assert long[-1] == MORE
    deep: dict[str, object] = {}
    place = deep
    for _ in range(50):
        place["a"] = place = {}  # type: ignore[assignment]
    place["leaf"] = 1
    assert len(changed_fields(deep)[0]) <= LONGEST_NAME


def test_documents_are_told_by_type_and_id_and_there_is_an_end_to_them() -> None:
    assert documents_of([("Clusters.omni.sidero.dev", "c")]) == [{"type": "Clusters.omni.sidero.dev", "id": "c"}]
    assert documents_of([("not a type\n", "c")]) == [{"type": "***", "id": "c"}]
    many = documents_of(("MachineSets", str(number)) for number in range(1000))
    assert len(many) == MOST_NAMES + 1
    assert many[-1] == {"type": MORE, "id": MORE}


def test_the_cluster_that_a_label_names_is_kept() -> None:
    environ: dict[str, object] = {}
    note_body(environ, {"labels": {"omni.sidero.dev/cluster": "prod", "other": "value"}})
    assert noted(environ) == (["labels.omni.sidero.dev/cluster", "labels.other"], [], "prod")


@pytest.mark.parametrize("body", [[1], "text", {"labels": 1}, {"labels": {"omni.sidero.dev/cluster": ["x"]}}])
def test_a_body_of_another_shape_names_no_cluster(body: object) -> None:
    environ: dict[str, object] = {}
    note_body(environ, body)
    assert noted(environ)[2] == ""


def test_the_id_of_a_join_token_is_the_secret_itself_whatever_it_looks_like() -> None:
    assert object_id("JoinTokens.omni.sidero.dev", "short") == "***"
    assert object_id("jointoken", "short") == "***"
    assert object_id("Clusters.omni.sidero.dev", "short") == "short"
