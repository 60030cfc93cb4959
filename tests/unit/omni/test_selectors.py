"""Label selectors in Kubernetes' grammar."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.omni.selectors import Selector, SelectorError, Term, parse

LABELS = {
    "env": "prod",
    "omni.sidero.dev/cluster": "c1",
    "empty": "",
    "cores": "16",
    "mem": "64GiB",
    "note": 'b, "c"',
    "two words": "a b",
}


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
        ("empty in ()", True),
        ("empty in (,x)", True),
        ("env in (,)", False),
        ("cores>4", True),
        ("cores > 16", False),
        ("cores>=16", True),
        ("cores<9", False),
        ("cores<=16", True),
        ("cores<-1", False),
        ("mem>32GiB", True),
        ("mem>64GiB", False),
        ("mem>=64 gib", True),
        ("mem<70G", True),
        ("mem<66G", False),
        ("mem>1", True),
        ("env>1", False),
        ("env<=prod", False),
        ("cores>1.5", False),
        ("missing<1", False),
        ("missing>=1", False),
        ("cores<9999999999999999999999999", False),
        (r'note="b, \"c\""', True),
        ('note="b"', False),
        ('note in (x, "b, \\"c\\"")', True),
        ('"two words"=a b', True),
        ('"two words" = "a b"', True),
        ("!two words", False),
        ('env="prod"', True),
        ("env = prod ,cores", True),
        ('env=" prod"', False),
    ],
)
def test_a_selector_holds_where_omni_says_it_does(text: str, holds: bool) -> None:
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
        ('a="b', 2),
        ('a="b\\"', 2),
        ('a="b"c', 5),
        ("a=>1", 2),
        ("a<>1", 2),
        ("!a=1", 2),
        ("a=b\0", 3),
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


def test_omni_gets_quotes_only_where_it_needs_them() -> None:
    selector = parse('a>=4Gi,b="c d",e="f,g",h in (i,"j)",""),"in" in (k),"l m"')
    assert selector.to_omni() == 'a >= 4Gi,b = c d,e = "f,g",h in (, i, "j)"),"in" in (k),"l m"'


keys = st.one_of(st.sampled_from(["in", "notin", "a b", 'a"', " a "]), st.text("abz09_./-", min_size=1, max_size=10))
values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
terms = st.one_of(
    st.builds(Term, keys, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.tuples(values)),
    st.builds(Term, keys, st.sampled_from(["in", "notin"]), st.lists(values, min_size=1, max_size=4).map(tuple)),
    st.builds(Term, keys, st.sampled_from(["exists", "!"])),
)


@given(st.lists(terms, min_size=1, max_size=6).map(lambda many: Selector(tuple(many))))
def test_every_selector_survives_being_written_and_read(selector: Selector) -> None:
    assert read(str(selector)) == read(selector.to_omni()) == in_order(selector)


def read(text: str) -> Selector:
    return in_order(parse(text))


def in_order(selector: Selector) -> Selector:
    """Sort lists of values: Omni is told of the empty one first."""
    return Selector(
        tuple(
            replace(term, values=tuple(sorted(term.values))) if term.operator in ("in", "notin") else term
            for term in selector.terms
        )
    )


@given(st.text(max_size=60))
def test_any_text_is_a_selector_or_refused(text: str) -> None:
    try:
        parse(text)
    except SelectorError as error:
        assert 0 <= error.position <= len(text) + 1
