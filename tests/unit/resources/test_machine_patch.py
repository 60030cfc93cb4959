"""Several writes as one: what is done when one of them fails; and how labels differ."""

from __future__ import annotations

from dataclasses import replace

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.model import label_names
from omni_gateway.sdk import Problem, Resource
from omni_gateway.sdk.omni import omni_errors
from resources.machine.join import Machine, join
from resources.machine.patch.change import Step, run
from resources.machine.patch.user_labels import difference, opposite, to_write

REFUSED = omni_errors.InvalidArgument(grpc.StatusCode.INVALID_ARGUMENT, "no")
STALE = omni_errors.StaleVersion(grpc.StatusCode.ALREADY_EXISTS, "moved on")


class Book:
    """Notes what steps do."""

    def __init__(self) -> None:
        self.entries: list[str] = []

    def step(self, name: str, fails: Exception | None = None, sticks: bool = False) -> Step:
        def do() -> None:
            if fails:
                raise fails
            self.entries.append(f"+{name}")

        def undo() -> None:
            if sticks:
                raise REFUSED
            self.entries.append(f"-{name}")

        return Step(name, do, undo)


def test_steps_are_taken_in_order() -> None:
    book = Book()
    run([book.step("a"), book.step("b")])
    assert book.entries == ["+a", "+b"]


@pytest.mark.parametrize("error", [REFUSED, STALE, Problem(409, "conflict")])
def test_when_a_step_fails_those_before_it_are_undone_last_one_first(error: Exception) -> None:
    book = Book()
    with pytest.raises(type(error)):
        run([book.step("a"), book.step("b"), book.step("c", fails=error), book.step("d")])
    assert book.entries == ["+a", "+b", "-b", "-a"]


def test_what_cannot_be_undone_is_told() -> None:
    book = Book()
    with pytest.raises(Problem) as caught:
        run([book.step("labels", sticks=True), book.step("maintenance"), book.step("extensions", fails=REFUSED)])
    assert caught.value.status == 422
    assert "labels could not be undone" in caught.value.detail
    assert book.entries == ["+labels", "+maintenance", "-maintenance"]


LABELS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("xyz"), max_size=6)


def machine(shown: dict[str, str]) -> Machine:
    return join(Resource("m1"), Resource("m1", {}, shown), None, None)


@given(shown=LABELS, wanted=LABELS.filter(bool), users=LABELS)
def test_the_difference_leads_from_what_is_shown_to_what_is_wanted(
    shown: dict[str, str], wanted: dict[str, str], users: dict[str, str]
) -> None:
    changed = difference(replace(machine(shown), labels=wanted))
    merged = {key: value for key, value in {**shown, **changed}.items() if value is not None}
    assert merged == wanted


@given(shown=LABELS, wanted=LABELS, users=LABELS)
def test_what_was_written_can_be_taken_back(
    shown: dict[str, str], wanted: dict[str, str], users: dict[str, str]
) -> None:
    own = Resource("m1", {}, users)
    changed = to_write(replace(machine(shown), labels=wanted), own)
    written = {key: value for key, value in {**users, **changed}.items() if value is not None}
    back = {**written, **opposite(changed, own)}
    assert {key: value for key, value in back.items() if value is not None} == users


def test_no_labels_at_all_means_the_users_and_not_omni_s() -> None:
    shown = {f"{label_names.OWN_PREFIX}arch": "amd64", "rack": "r1"}
    assert difference(replace(machine(shown), labels={})) == {"rack": None}
