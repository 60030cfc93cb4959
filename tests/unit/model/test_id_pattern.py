"""Regular expressions for ids: what they match, and what is said of those that are none."""

from __future__ import annotations

import pytest

from omni_gateway.model.id_pattern import MAX_LENGTH, IdPattern, IdPatternError


@pytest.mark.parametrize(
    ("text", "id", "expected"),
    [
        ("web", "my-web-1", True),
        ("^web", "my-web-1", False),
        ("^web-[0-9]+$", "web-17", True),
        ("(?i)WEB", "web-17", True),
        (r"\pL+-1", "naïve-1", True),
        ("web", "db", False),
    ],
)
def test_an_id_matches_where_omnictl_says_so(text: str, id: str, expected: bool) -> None:
    assert IdPattern(text).matches(id) is expected


def test_an_expression_that_takes_others_for_ever_is_answered() -> None:
    assert IdPattern("^(a|aa|a+)+$").matches("a" * 10_000 + "!") is False


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("web(", 0, "missing )"),
        ("[*](*)", 4, "no argument for repetition operator"),
        ("a(?=b)", 1, "invalid perl operator"),
        (r"(a)\1", 3, "invalid escape sequence"),
        ("x{2,1}", 1, "invalid repetition size"),
        ("nö[z-a]", 3, "invalid character class range"),
        ("((a{100}){100}){100}", 9, "invalid repetition size"),
        (r"(\pL{30}){30}", 12, "pattern too large"),
        ("a\\", 1, "trailing"),
        ("a" * (MAX_LENGTH + 1), MAX_LENGTH, "longer than"),
    ],
)
def test_a_fault_has_a_place_and_a_reason(text: str, position: int, reason: str) -> None:
    with pytest.raises(IdPatternError, match=f"^{reason}".replace(")", r"\)")) as caught:
        IdPattern(text)
    assert caught.value.position == position
