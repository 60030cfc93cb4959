"""The resume point: what a caller holds, digested; what it missed, told; or 410."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.model.resource import Resource
from omni_gateway.watch.resume_token import Digest, HistoryGone, ResumePoint


def item(id: str, second: int, version: int = 1, updated: int | None = None) -> Resource:
    stamp = "2026-01-01T00:00:{:02d}Z"
    changed = stamp.format(updated) if updated is not None else None
    return Resource(id, version=version, created=stamp.format(second), updated=changed)


HELD = [item("a", 1), item("b", 2), item("c", 3, version=4, updated=5)]


def test_a_point_survives_being_written_and_read() -> None:
    point = ResumePoint.of(HELD)
    assert ResumePoint.parse(str(point)) == point


def test_where_nothing_happened_there_is_nothing_to_tell() -> None:
    assert ResumePoint.of(HELD).changes(reversed(HELD)) == []


def test_an_object_that_came_later_is_told() -> None:
    new = item("d", 9)
    assert new in ResumePoint.of(HELD).changes([*HELD, new])


def test_an_object_that_came_in_the_very_second_of_the_point_is_told() -> None:
    held = [item(id, 7) for id in "abcd"]
    new = item("e", 7)
    assert new in ResumePoint.of(held).changes([*held, new])


def test_an_object_that_was_changed_later_is_told() -> None:
    changed = replace(HELD[0], version=2, updated="2026-01-01T00:00:08Z")
    assert changed in ResumePoint.of(HELD).changes([changed, *HELD[1:]])


def test_an_object_that_has_gone_ends_the_history() -> None:
    with pytest.raises(HistoryGone):
        ResumePoint.of(HELD).changes(HELD[1:])


def test_an_object_that_was_made_anew_under_its_old_name_ends_the_history() -> None:
    with pytest.raises(HistoryGone):
        ResumePoint.of(HELD).changes([item("a", 9), *HELD[1:]])


def test_an_object_that_was_made_anew_within_the_second_of_the_point_is_told() -> None:
    held = [*HELD, item("d", 9)]
    anew = replace(item("d", 9), spec={"data": "another"})
    assert ResumePoint.of(held).changes([*HELD, anew]) == [anew]


@pytest.mark.parametrize("text", ["", "x", "not base64 !", "AAAA", "//8="])
def test_text_that_is_no_resume_point_ends_the_history(text: str) -> None:
    with pytest.raises(HistoryGone):
        ResumePoint.parse(text)


items = st.lists(
    st.builds(item, st.text("abcdef", min_size=1, max_size=3), st.integers(0, 20), st.integers(1, 5)),
    unique_by=lambda made: made.id,
    max_size=12,
)


@given(items, st.randoms())
def test_the_order_of_objects_does_not_matter(held: list[Resource], random: object) -> None:
    shuffled = list(held)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ResumePoint.of(held) == ResumePoint.of(shuffled)


@given(items)
def test_taking_an_object_away_undoes_adding_it(held: list[Resource]) -> None:
    extra = Digest.of(item("zz", 0))
    point = ResumePoint.of(held)
    again = point.plus(extra).minus(extra)
    assert (again.count, again.members, again.versions) == (point.count, point.members, point.versions)
