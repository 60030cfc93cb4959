"""The shape of the code that no linter checks."""

from __future__ import annotations

import re
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


def test_one_module_opens_the_channel_to_omni_and_names_its_transport() -> None:
    gateway = (path for path in modules() if not {"simulator", "benchmarks"} & set(path.parts))
    opens = re.compile(r"\b(insecure_channel|secure_channel|HttpChannel)\(")
    defines = re.compile(r"class HttpChannel\(")
    found = {path for path in gateway if opens.search(defines.sub("", path.read_text()))}
    assert {path.relative_to(ROOT).as_posix() for path in found} == {"omni_gateway/omni/channel.py"}
