"""Label selectors in Kubernetes' grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.omni.selectors import Selector, SelectorError, Term, parse

LABELS = {"env": "prod", "omni.sidero.dev/cluster": "c1", "empty": ""}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("env=prod", True),
        ("env==prod", True),
        ("env = prod", True),
        ("env=test", False),
        ("env!=test", True),
        ("missing!=test", True),
        ("env in (test, prod)", True),
        ("env in(test)", False),
        ("env notin (test)", True),
        ("missing notin (test)", True),
        ("env", True),
        ("missing", False),
        ("!env", False),
        ("! missing", True),
        ("empty=", True),
        ("env=", False),
        ("env=prod,omni.sidero.dev/cluster=c1", True),
        ("env=prod,omni.sidero.dev/cluster=c2", False),
        ("inner", False),
        ("notinner", False),
    ],
)
def test_a_selector_holds_where_kubernetes_says_it_does(text: str, holds: bool) -> None:
    assert parse(text).matches(LABELS) is holds


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("=x", 0),
        ("a=b,", 4),
        ("a in x", 5),
        ("a in (", 6),
        ("a in (x", 7),
        ("a b", 2),
        ("a=b)", 3),
        ("!", 1),
        ("a=b,,c", 4),
    ],
)
def test_text_that_is_no_selector_is_refused_at_the_character_where_it_goes_wrong(text: str, position: int) -> None:
    with pytest.raises(SelectorError) as refused:
        parse(text)
    assert refused.value.position == position


def test_a_selector_is_bounded_in_length_and_terms() -> None:
    for text in ("a=" + "x" * 5000, ",".join(f"k{number}" for number in range(65))):
        with pytest.raises(SelectorError):
            parse(text)


def test_omni_gets_its_own_spelling() -> None:
    selector = parse("a=b,c!=d,e in (x,y),f notin (z),g,!h")
    assert selector.to_omni() == "a = b,c != d,e in (x, y),f notin (z),g,!h"


keys = st.from_regex(r"[a-z]([a-z0-9_./-]{0,10}[a-z0-9])?", fullmatch=True).filter(
    lambda key: key not in ("in", "notin")
)
values = st.from_regex(r"[^\s,()=!<>\x00-\x1f]{1,12}", fullmatch=True)
terms = st.one_of(
    st.builds(Term, keys, st.sampled_from(["=", "!="]), st.tuples(values)),
    st.builds(Term, keys, st.sampled_from(["in", "notin"]), st.lists(values, min_size=1, max_size=4).map(tuple)),
    st.builds(Term, keys, st.sampled_from(["exists", "!"])),
)


@given(st.lists(terms, min_size=1, max_size=6).map(lambda many: Selector(tuple(many))))
def test_every_selector_survives_being_written_and_read(selector: Selector) -> None:
    assert parse(str(selector)) == selector


@given(st.text(max_size=60))
def test_any_text_is_a_selector_or_refused(text: str) -> None:
    try:
        parse(text)
    except SelectorError as error:
        assert 0 <= error.position <= len(text) + 1
