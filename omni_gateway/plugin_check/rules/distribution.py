"""Rules of the distribution: its metadata, pages and tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from omni_gateway.plugin_check.entry_points import is_misspelt, misspelt_group
from omni_gateway.plugin_check.package import OWN_DISTRIBUTION
from omni_gateway.plugin_check.rule import Fault, Grade, rule
from omni_gateway.plugin_check.source import Module, dotted
from omni_gateway.plugin_check.subject import Skipped, Subject
from omni_gateway.source_place import SourcePlace, place_of_module

_DECLARED_IN = ("pyproject.toml", "setup.cfg", "setup.py")


@rule("entry-point-group", Grade.BRONZE)
def entry_point_group(subject: Subject) -> Iterator[Fault]:
    """Its entry points are in the group omni_gateway.resources, not in one with nearly that name."""
    for point in subject.package.entry_points:
        if is_misspelt(point.group):
            fault = misspelt_group(point.group, point.value)
            yield Fault(fault.problem, fault.mend, _declared(subject, point.group) or fault.place)


def _declared(subject: Subject, text: str) -> SourcePlace | None:
    """Return the line of the project's files that has a text."""
    for name in _DECLARED_IN if subject.package.project else ():
        file = (subject.package.project or Path()) / name
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        for number, line in enumerate(lines, 1):
            if text in line:
                return SourcePlace(str(file), number)
    return None


def _project(subject: Subject) -> Path:
    """Return the folder of the source. Raises :class:`Skipped` if only what is installed is there."""
    if subject.package.project is None:
        raise Skipped("the folder of its source is not known; give its PATH")
    return subject.package.project


def _metadata_place(subject: Subject) -> SourcePlace:
    project = subject.package.project
    found = [project / name for name in _DECLARED_IN if (project / name).exists()] if project else []
    return SourcePlace(str(found[0])) if found else subject.place


@rule("licence", Grade.SILVER)
def licence(subject: Subject) -> Iterator[Fault]:
    """The metadata names a licence."""
    if not subject.package.licence.strip():
        yield Fault(
            f"the metadata of {subject.package.name} names no licence",
            'write license = "..." (an SPDX expression)',
            _metadata_place(subject),
        )


@rule("version", Grade.SILVER)
def version(subject: Subject) -> Iterator[Fault]:
    """The version is one of PEP 440, so that a requirement can name it."""
    try:
        Version(subject.package.version)
    except InvalidVersion:
        yield Fault(
            f"the version {subject.package.version!r} is none of PEP 440",
            "write one such as 1.0.0",
            _metadata_place(subject),
        )


@rule("requires-gateway", Grade.GOLD)
def requires_gateway(subject: Subject) -> Iterator[Fault]:
    """The metadata requires omni-gateway, so that installing it alone gives something that runs."""
    if subject.package.name == OWN_DISTRIBUTION:
        return
    names = set()
    for text in subject.package.requires:
        try:
            names.add(Requirement(text).name.lower().replace("_", "-"))
        except InvalidRequirement:
            continue
    if OWN_DISTRIBUTION not in names:
        yield Fault(
            f"{subject.package.name} does not require {OWN_DISTRIBUTION}",
            f"add {OWN_DISTRIBUTION} to its dependencies",
            _metadata_place(subject),
        )


@rule("readme", Grade.SILVER)
def readme(subject: Subject) -> Iterator[Fault]:
    """The README names the plugin, or its URL."""
    text = subject.package.readme
    if subject.package.project is not None:
        pages = [*subject.package.project.glob("README*"), *(subject.package.project / "docs").glob("*.md")]
        text = "\n".join([text, *(page.read_text(encoding="utf-8") for page in sorted(pages))])
    if not re.search(rf"(?<![\w-]){re.escape(subject.service.name)}(?![\w-])", text):
        yield Fault(
            f"no README names {subject.service.name}",
            f"say there what /api/v1/{subject.service.name} serves",
            _metadata_place(subject),
        )


@rule("conformance-tests", Grade.PLATINUM)
def conformance_tests(subject: Subject) -> Iterator[Fault]:
    """A test runs the plugin through ResourceConformance of the SDK."""
    name = subject.resource.name
    package, _, module = subject.module.rpartition(".")
    imported = re.compile(rf"{re.escape(subject.module)}\b|from {re.escape(package)} import .*\b{re.escape(module)}\b")
    if not any(imported.search(text) for text in _conformance_tests(_project(subject))):
        yield Fault(
            f"no test of the project runs {name} through ResourceConformance",
            "write a class of it in tests/ that names the plugin; docs/plugins/testing.md shows one",
            subject.place,
        )


@lru_cache(maxsize=64)
def _conformance_tests(project: Path) -> tuple[str, ...]:
    """Return the texts of a project's test modules that have a subclass of ``ResourceConformance``."""
    files = [
        *project.glob("test*.py"),
        *(file for name in ("tests", "test") for file in (project / name).rglob("*.py")),
    ]
    modules = (Module.read(str(file)) for file in sorted(files))
    return tuple(module.text for module in modules if module is not None and _has_conformance(module))


def _has_conformance(module: Module) -> bool:
    return "ResourceConformance" in module.text and any(
        isinstance(node, ast.ClassDef) and any(dotted(base).endswith("ResourceConformance") for base in node.bases)
        for node in module.nodes
    )


@rule("changelog", Grade.PLATINUM)
def changelog(subject: Subject) -> Iterator[Fault]:
    """The project has a changelog."""
    project = _project(subject)
    if not any(project.glob("CHANGELOG*")) and not any(project.glob("CHANGES*")):
        yield Fault("the project has no changelog", "write CHANGELOG.md", SourcePlace(str(project)))


@rule("typed", Grade.PLATINUM)
def typed(subject: Subject) -> Iterator[Fault]:
    """The package has the marker py.typed, so that users' type checkers read its annotations."""
    place = place_of_module(subject.module.split(".")[0])
    folder = Path(place.file).parent if place is not None else None
    if folder is None or place is None or Path(place.file).name != "__init__.py":
        raise Skipped("it is a single module, which cannot have the marker")
    if not (folder / "py.typed").exists():
        yield Fault(f"the package {folder.name} has no py.typed", "add the empty file, also to package data", place)
