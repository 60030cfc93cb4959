"""What a soak counts as wrong: each check is shown something wrong, and sees it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from benchmarks.soak_checks import MARK, Ledger, Seen, page_faults
from benchmarks.soak_compare import Kind, Shown, compared, differences, unlike, unmoved
from benchmarks.soak_connections import Answer
from benchmarks.soak_figures import MINUTES_TO_JUDGE, Rest, verdicts
from omni_gateway.omni import types


def held(id: str, version: int = 3, **changed: Any) -> dict[str, Any]:
    metadata = {
        "type": "Things",
        "id": id,
        "version": str(version),
        "phase": "running",
        "labels": {"soak": ""},
        "annotations": {},
    }
    return {"metadata": metadata | changed, "spec": {}}


def shown(id: str, version: int = 3, phase: str = "running", **changed: Any) -> dict[str, Any]:
    document = {"id": id, "labels": {"soak": ""}, "annotations": {}, "metadata": {"version": version, "phase": phase}}
    return document | changed


def answer(body: bytes = b"{}", status: int = 200, etag: str = '"a-1"') -> Answer:
    return Answer(status, {"etag": etag, "cache-status": "omni-gateway; hit"}, body, 0.0, 1.0)


def test_what_is_shown_as_omni_holds_it_is_no_difference() -> None:
    assert differences([held("a"), held("b")], [shown("a"), shown("b")]) == {}


@pytest.mark.parametrize(
    ("documents", "difference"),
    [
        ([shown("a")], ("b", "missing")),
        ([shown("a"), shown("b"), shown("c")], ("c", "extra")),
        ([shown("a"), shown("b"), shown("b")], ("b", "twice")),
        ([shown("a"), shown("b", 2)], ("b", "version")),
        ([shown("a"), shown("b", phase="tearingDown")], ("b", "phase")),
        ([shown("a"), shown("b", labels={})], ("b", "labels")),
        ([shown("a"), shown("b", annotations={MARK: "4"})], ("b", "annotations")),
    ],
)
def test_each_way_in_which_a_list_can_differ_is_seen(
    documents: list[dict[str, Any]], difference: tuple[str, str]
) -> None:
    assert list(differences([held("a"), held("b")], documents)) == [difference]


def test_of_joined_objects_the_ids_are_compared_alone() -> None:
    assert differences([held("a")], [shown("a", 9)], ids_only=True) == {}
    assert list(differences([held("a")], [shown("b")], ids_only=True)) == [("a", "missing"), ("b", "extra")]


def test_an_answer_that_is_as_omnis_own_is_no_difference() -> None:
    assert unlike("x", answer(), answer()) == {}


@pytest.mark.parametrize(
    ("fresh", "name"),
    [(answer(b"[]"), "body"), (answer(etag='"b-2"'), "ETag"), (answer(status=404), "status")],
)
def test_an_answer_that_is_unlike_omnis_own_is_seen(fresh: Answer, name: str) -> None:
    assert list(unlike("x", answer(), fresh)) == [("x", name)]


def test_an_object_that_moved_meanwhile_is_not_held_against_anybody() -> None:
    before, after = [held("a"), held("b"), held("c")], [held("a"), held("b", 4), held("d")]

    assert unmoved(before, after) == {"a"}


KIND = Kind("things", types.OmniType("Things"))


def page(*documents: dict[str, Any], etag: str = '"a-1"') -> Shown:
    """Return a worker's list of documents and each of them by itself."""
    objects = {each["id"]: answer(orjson.dumps(each), etag=f'"{each["metadata"]["version"]}"') for each in documents}
    return Shown(answer(orjson.dumps(documents), etag=etag), objects)


def test_a_worker_that_shows_what_omni_holds_is_right() -> None:
    omni, shows = [held("a"), held("b")], page(shown("a"), shown("b"))

    assert compared(KIND, omni, shows, shows, omni) == {}


def test_a_stale_object_is_seen_in_the_list_and_by_itself() -> None:
    omni = [held("a", 4)]

    found = compared(KIND, omni, page(shown("a", 3)), page(shown("a", 4)), omni)

    assert ("a", "version") in found
    assert {("things/a", "version"), ("things/a", "body"), ("things/a", "ETag")} <= found.keys()
    assert ("the list things", "body") in found


def test_an_object_that_is_gone_and_still_listed_is_seen() -> None:
    omni = [held("a")]

    found = compared(KIND, omni, page(shown("a"), shown("b")), page(shown("a")), omni)

    assert found.keys() == {("b", "extra"), ("the list things", "body")}


def test_a_spec_that_differs_under_the_same_version_is_seen() -> None:
    omni = [held("a")]

    found = compared(KIND, omni, page(shown("a", size=1)), page(shown("a", size=2)), omni)

    assert found.keys() == {("things/a", "body"), ("the list things", "body")}


def test_what_moves_while_it_is_compared_is_no_difference() -> None:
    found = compared(KIND, [held("a", 3)], page(shown("a", 3)), page(shown("a", 4)), [held("a", 4)])

    assert found == {}


def test_a_list_that_is_not_answered_is_a_difference() -> None:
    unanswered = Shown(answer(status=500), {})

    assert compared(KIND, [], unanswered, unanswered, []).keys() == {("things", "status")}


def test_a_worker_that_shows_an_older_write_is_seen() -> None:
    seen = Seen()
    assert seen.shown("t", "a", 4) is None
    assert seen.shown("t", "a", 4) is None

    assert "went back from write 4 to 3" in (seen.shown("t", "a", 3) or "")


def test_a_deleted_object_that_comes_back_is_seen_and_one_that_was_made_anew_is_right() -> None:
    seen = Seen()
    for id in ("back", "anew"):
        seen.shown("t", id, 4)
        seen.absent("t", id)

    assert "after it had gone" in (seen.shown("t", "back", 4) or "")
    assert seen.shown("t", "anew", 5) is None


def test_an_object_that_a_whole_list_lacks_has_gone() -> None:
    seen = Seen()
    document = {"id": "a", "annotations": {MARK: "1"}}
    seen.listed("t", [document], whole=True)
    seen.listed("t", [], whole=True)

    assert seen.listed("t", [document], whole=True) == ["t/a came back as write 1 after it had gone"]


def test_a_part_of_a_list_tells_of_no_end() -> None:
    seen = Seen()
    document = {"id": "a", "annotations": {MARK: "1"}}
    seen.listed("t", [document], whole=False)
    seen.listed("t", [], whole=False)

    assert seen.listed("t", [document], whole=False) == []


@pytest.mark.parametrize(
    ("ids", "total", "words"),
    [("aa", 2, "twice"), ("ba", 2, "order"), ("a", 2, "does not fit"), ("abc", 2, "does not fit")],
)
def test_a_page_that_does_not_fit_is_seen(ids: str, total: int, words: str) -> None:
    (found,) = page_faults([{"id": id} for id in ids], {"page": 1, "page_size": 10, "total": total}, by_id=True)

    assert words in found


def test_the_last_page_may_be_shorter() -> None:
    assert page_faults([{"id": "c"}], {"page": 2, "page_size": 2, "total": 3}, by_id=True) == []


@pytest.mark.parametrize(
    ("status", "faulty", "wrong"), [(503, True, 0), (504, True, 0), (503, False, 1), (500, True, 1), (404, True, 1)]
)
def test_a_refusal_is_excused_by_a_fault_and_nothing_else(status: int, faulty: bool, wrong: int) -> None:
    ledger = Ledger(lambda asked, came: faulty)

    assert not ledger.count("GET", answer(status=status), (200,))

    assert sum(ledger.wrong.values()) == wrong


def rests(*, megabytes: float = 100, threads: int = 20, files: int = 30, streams: int = 2) -> list[Rest]:
    """Return nine rests, the last three with the figures given."""
    before = Rest(0, (90.0, 100.0), (20, 20), (30, 30), 2, 0)
    return [before] * 6 + [Rest(0, (90.0, megabytes), (20, threads), (30, files), streams, 0)] * 3


@pytest.mark.parametrize(
    ("last", "failed"),
    [
        ({}, []),
        ({"megabytes": 104.0}, []),
        ({"megabytes": 106.0}, ["worker 2: memory of the last third to the second"]),
        ({"megabytes": 94.0}, ["worker 2: memory of the last third to the second"]),
        ({"threads": 23}, ["threads of all workers, second and last third"]),
        ({"files": 34}, ["files of all workers, second and last third"]),
        ({"streams": 3}, ["streams at rest (open: 2)"]),
    ],
)
def test_what_grows_at_rest_fails(last: dict[str, Any], failed: list[str]) -> None:
    found = verdicts(rests(**last), 2, MINUTES_TO_JUDGE)

    assert [each.what for each in found if each.ok is False] == failed


def test_memory_is_not_judged_by_a_short_run() -> None:
    found = verdicts(rests(megabytes=200.0), 2, 1.0)

    assert [each.ok for each in found if "memory" in each.what] == [None, None]
