"""What was used of late is kept, within its bounds."""

from __future__ import annotations

from omni_gateway.recent import Recent


def test_the_entry_that_nobody_has_used_for_longest_goes_first() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    recent.put("c", 3)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)


def test_sizes_are_bounded_together_and_one_that_is_too_large_is_not_kept() -> None:
    recent: Recent[str, bytes] = Recent(9, most_size=10, size=len)
    recent.put("a", b"12345")
    recent.put("b", b"12345")
    recent.put("a", b"123456")
    recent.put("huge", b"12345678901")
    assert (recent.get("a"), recent.get("b"), recent.get("huge")) == (b"123456", None, None)


def test_what_is_forgotten_makes_room() -> None:
    recent: Recent[str, bytes] = Recent(9, most_size=10, size=len)
    recent.put("a", b"1234567890")
    recent.drop("a")
    recent.put("b", b"1234567890")
    assert recent.get("b") == b"1234567890"
