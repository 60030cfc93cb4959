"""The shape of the code that no linter checks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def modules() -> Iterator[Path]:
    for package in ("omni_gateway", "resources", "benchmarks"):
        yield from (path for path in (ROOT / package).rglob("*.py") if "stubs" not in path.parts)


def test_a_types_rules_in_the_simulator_are_one_small_file() -> None:
    rules = [path for path in (ROOT / "omni_gateway/simulator/rules").glob("*.py") if "= Rules(" in path.read_text()]
    types = {path.name: path.read_text().count("= Rules(") for path in rules}
    assert {name: count for name, count in types.items() if count > 1} == {"rotations.py": 2}  # the same for both


def test_no_module_is_a_drawer_for_leftovers() -> None:
    assert [path for path in modules() if path.stem in ("utils", "helpers", "misc", "common")] == []
