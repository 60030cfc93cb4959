"""The shape of the code: modules and functions small enough to hold in mind (ruff asks for the docstrings)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_MODULE = 300
LONGEST_FUNCTION = 60


def modules() -> Iterator[Path]:
    for package in ("omni_gateway", "resources", "benchmarks"):
        yield from (path for path in (ROOT / package).rglob("*.py") if "stubs" not in path.parts)


def functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def test_no_module_is_longer_than_one_can_hold_in_mind() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, node in functions()
        if (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    }
    assert long == {}


def test_a_types_rules_in_the_simulator_are_one_small_file() -> None:
    rules = [path for path in (ROOT / "omni_gateway/simulator/rules").glob("*.py") if "= Rules(" in path.read_text()]
    types = {path.name: path.read_text().count("= Rules(") for path in rules}
    assert {name: count for name, count in types.items() if count > 1} == {"rotations.py": 2}  # the same for both
    assert {path.name for path in rules if len(path.read_text().splitlines()) > 150} == set()


def test_no_module_is_a_drawer_for_leftovers() -> None:
    assert [path for path in modules() if path.stem in ("utils", "helpers", "misc", "common")] == []
