"""``requirements.lock``: what containers and operators install, one version and its hashes for each package."""

from __future__ import annotations

import re
from configparser import ConfigParser
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.distribution import LOCK, LOCKED_EXTRAS, ROOT, locked

OUTDATED = "requirements.lock is out of date: run `make lock`"


def versions(requirements: list[Requirement]) -> dict[str, str]:
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in requirements}


@pytest.fixture(scope="module")
def lock() -> dict[str, str]:
    return versions([each for each in locked() if each.marker is None or each.marker.evaluate()])


def test_it_has_all_that_running_needs_and_nothing_else(lock: dict[str, str]) -> None:
    assert set(lock) == with_requirements(required()), OUTDATED


def test_its_versions_are_those_of_the_constraints(lock: dict[str, str]) -> None:
    pinned = versions([Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines()])
    assert lock == {name: pinned.get(name) for name in lock}, OUTDATED


def test_its_versions_are_within_the_ranges_of_the_package(lock: dict[str, str]) -> None:
    ranges = {canonicalize_name(each.name): each.specifier for each in required()}
    assert [name for name, specifier in ranges.items() if lock[name] not in specifier] == [], OUTDATED


def test_each_package_has_hashes() -> None:
    packages = re.split(r"\n(?=\w)", LOCK.read_text())[1:]
    assert len(packages) == len(list(locked()))
    assert [package for package in packages if "--hash=sha256:" not in package] == []


def required() -> list[Requirement]:
    """Return the ranges of ``setup.cfg`` of what is locked."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = [setup["options"]["install_requires"]]
    lines += [setup["options.extras_require"][extra] for extra in LOCKED_EXTRAS]
    return [Requirement(line) for text in lines for line in text.splitlines() if line]


def with_requirements(wanted: list[Requirement]) -> set[str]:
    """Return the names of distributions, and of those that they need here, with their extras."""
    found: set[tuple[str, str]] = set()
    wanted = list(wanted)
    while wanted:
        requirement = wanted.pop()
        for extra in {"", *requirement.extras}:
            key = (canonicalize_name(requirement.name), extra)
            if key not in found:
                found.add(key)
                needed = [Requirement(line) for line in metadata.requires(requirement.name) or ()]
                wanted += [each for each in needed if each.marker is None or each.marker.evaluate({"extra": extra})]
    return {name for name, _ in found}
