"""What was used of late is kept, within its bounds."""

from __future__ import annotations

from omni_gateway.lru import LRUCache


def test_the_entry_that_nobody_has_used_for_longest_goes_first() -> None:
    recent: LRUCache[str, int] = LRUCache(2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    recent.put("c", 3)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)


def test_what_is_forgotten_is_not_there_and_makes_room() -> None:
    recent: LRUCache[str, int] = LRUCache(2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.drop("b")
    recent.put("c", 3)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)
