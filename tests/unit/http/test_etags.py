"""Entity tags: whole for reads, content only for writes."""

from __future__ import annotations

import pytest
from flask import Flask, request

from omni_gateway.http import etags

TAG = etags.of_object({"a": 1}, {"l": "v"}, {}, "running", 7)


def asks(header: str, value: str) -> Flask:
    return Flask("x").test_request_context(headers={header: value})  # type: ignore[return-value]


def test_the_order_of_keys_does_not_change_the_tag() -> None:
    assert etags.of_object({"a": 1, "b": 2}, {}, {}, "running", 1) == etags.of_object(
        {"b": 2, "a": 1}, {}, {}, "running", 1
    )


@pytest.mark.parametrize(
    "other",
    [
        ({"a": 2}, {"l": "v"}, {}, "running"),
        ({"a": 1}, {}, {}, "running"),
        ({"a": 1}, {"l": "v"}, {"n": ""}, "running"),
        ({"a": 1}, {"l": "v"}, {}, "tearingDown"),
    ],
)
def test_another_content_has_another_content_part(other: tuple) -> None:  # type: ignore[type-arg]
    assert etags.content_part(etags.of_object(*other, 7)) != etags.content_part(TAG)


@pytest.mark.parametrize(
    "value", [TAG, f"W/{TAG}", f'"zz", {TAG}', "*", " * ", TAG[:-1] + ':gzip"', TAG[:-1] + '-gzip"', TAG[:-1] + ';br"']
)
def test_if_none_match_knows_the_tag_again(value: str) -> None:
    with asks("If-None-Match", value):
        assert etags.if_none_match(request, TAG)


@pytest.mark.parametrize("value", [TAG, f"W/{TAG}", f'"zz", W/{TAG}', TAG[:-1] + '-gzip"'])
def test_if_none_match_knows_the_weak_tag_of_a_list_again(value: str) -> None:
    with asks("If-None-Match", value):
        assert etags.if_none_match(request, f"W/{TAG}")


@pytest.mark.parametrize("value", ['"zz"', "", TAG[:-2] + '8"', "nonsense"])
def test_if_none_match_tells_other_tags_apart(value: str) -> None:
    with asks("If-None-Match", value):
        assert not etags.if_none_match(request, TAG)


@pytest.mark.parametrize("value", [TAG, "*", f'"zz", {TAG}', f'"{etags.content_part(TAG)}-999"', TAG[:-1] + ':gzip"'])
def test_if_match_holds_for_the_same_content_whatever_the_version(value: str) -> None:
    with asks("If-Match", value):
        assert not etags.if_match_fails(request, TAG)


def test_if_match_holds_for_a_tag_of_this_content_whatever_follows_the_hash() -> None:
    with asks("If-Match", f'"{etags.content_part(TAG)}-999.0b79035f-new-coding"'):
        assert not etags.if_match_fails(request, TAG)


@pytest.mark.parametrize("value", ['"zz"', f"W/{TAG}", "", "nonsense"])
def test_if_match_fails_for_another_content_and_for_weak_tags(value: str) -> None:
    with asks("If-Match", value):
        assert etags.if_match_fails(request, TAG)


@pytest.mark.parametrize(("value", "only"), [("*", True), (" * ", True), (TAG, False), ('"*"', False), ("", False)])
def test_an_object_is_made_where_none_may_be_there(value: str, only: bool) -> None:
    with asks("If-None-Match", value):
        assert etags.only_if_missing(request) is only


def test_without_the_header_nothing_is_asked() -> None:
    with Flask("x").test_request_context():
        assert not etags.if_match_fails(request, TAG)
        assert not etags.if_none_match(request, TAG)
        assert not etags.only_if_missing(request)


def test_each_coding_of_content_has_its_own_tag_and_is_known_by_it() -> None:
    plain = etags.of_content(b"{}")
    brotli, gzip = etags.of_coding(plain, "br"), etags.of_coding(plain, "gzip")
    with asks("If-None-Match", f'"zz", {brotli}'):
        assert [etags.if_none_match(request, tag) for tag in (brotli, gzip)] == [True, False]
