"""Read distributions: installed ones, folders with their source, wheels."""

from __future__ import annotations

import configparser
import hashlib
import json
import re
import tomllib
import zipfile
from collections.abc import Mapping
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from omni_gateway.plugin_check.package import Package

_VERSION = re.compile(r"""^__version__\s*(?::\s*\w+\s*)?=\s*["']([^"']+)["']""", re.MULTILINE)


class UnreadablePackage(Exception):
    """A folder or a file is no distribution; the text says why."""


def of_distribution(distribution: Distribution, *, wheel: str = "") -> Package:
    """Return an installed distribution, or an unpacked wheel."""
    metadata: Any = distribution.metadata
    classifiers = [text for text in metadata.get_all("Classifier") or () if text.startswith("License ::")]
    return Package(
        name=distribution.name,
        version=distribution.version,
        licence=metadata.get("License-Expression") or metadata.get("License") or ", ".join(classifiers),
        requires=tuple(distribution.requires or ()),
        readme=metadata.get("Description") or str(metadata.get_payload() or ""),
        entry_points=tuple(distribution.entry_points),
        project=_editable_project(distribution),
        wheel=wheel,
    )


def _editable_project(distribution: Distribution) -> Path | None:
    """Return the folder that a distribution was installed from with ``pip install -e``."""
    text = distribution.read_text("direct_url.json")
    url = json.loads(text) if text else {}
    if not url.get("dir_info", {}).get("editable"):
        return None
    folder = Path(unquote(urlsplit(url["url"]).path))
    return folder if folder.is_dir() else None


def of_wheel(file: Path, unpacked: Path) -> Package:
    """Unpack a wheel into the folder ``unpacked`` and return it. Raises :class:`UnreadablePackage`."""
    try:
        with zipfile.ZipFile(file) as archive:
            archive.extractall(unpacked)  # zipfile keeps names inside of the folder
    except (OSError, zipfile.BadZipFile) as error:
        raise UnreadablePackage(f"{file} cannot be read as a wheel: {error}") from error
    found = [each for each in distributions(path=[str(unpacked)]) if each.metadata["Name"]]
    if not found:
        raise UnreadablePackage(f"{file} is no wheel: it has no .dist-info folder with METADATA")
    return of_distribution(found[0], wheel=hashlib.sha256(file.read_bytes()).hexdigest())


def of_folder(folder: Path) -> Package:
    """Return the distribution whose source is in a folder: of ``pyproject.toml`` or ``setup.cfg``.

    Raises :class:`UnreadablePackage` if the folder has neither.
    """
    table = _project_table(folder)
    points = table.get("entry-points", {})
    readme = next(sorted(folder.glob("README*")).__iter__(), None)
    return Package(
        name=str(table.get("name", folder.resolve().name)),
        version=str(table.get("version") or _version_in_source(folder)),
        licence=_licence(table),
        requires=tuple(table.get("dependencies", ())),
        readme=readme.read_text(encoding="utf-8") if readme else "",
        entry_points=tuple(
            EntryPoint(name, value, group) for group, entries in points.items() for name, value in entries.items()
        ),
        project=folder.resolve(),
    )


def import_path(folder: Path) -> Path:
    """Return the folder that the modules of a project's source are imported from."""
    return folder / "src" if (folder / "src").is_dir() else folder


def _project_table(folder: Path) -> Mapping[str, Any]:
    try:
        pyproject = folder / "pyproject.toml"
        table = tomllib.loads(pyproject.read_text(encoding="utf-8")) if pyproject.exists() else {}
        if "project" in table:
            return dict(table["project"])
        setup = configparser.ConfigParser()
        if not setup.read(folder / "setup.cfg", encoding="utf-8"):
            raise UnreadablePackage(f"{folder} has no pyproject.toml with a [project] table, and no setup.cfg")
    except (OSError, tomllib.TOMLDecodeError, configparser.Error) as error:
        raise UnreadablePackage(f"{folder} cannot be read: {error}") from error
    return _table_of_setup(setup)


def _table_of_setup(setup: configparser.ConfigParser) -> Mapping[str, Any]:
    """Return the ``[project]`` table that says what a ``setup.cfg`` says."""
    metadata = dict(setup["metadata"]) if setup.has_section("metadata") else {}
    options = dict(setup["options"]) if setup.has_section("options") else {}
    groups = dict(setup["options.entry_points"]) if setup.has_section("options.entry_points") else {}
    entries = {
        group: {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in _lines(text))}
        for group, text in groups.items()
    }
    version = metadata.get("version", "")
    return {
        "name": metadata.get("name", ""),
        "version": "" if version.startswith(("attr:", "file:")) else version,
        "license": metadata.get("license", ""),
        "dependencies": _lines(options.get("install_requires", "")),
        "entry-points": entries,
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _licence(table: Mapping[str, Any]) -> str:
    licence = table.get("license", "")
    if isinstance(licence, Mapping):
        licence = licence.get("text") or licence.get("file") or ""
    classifiers = [text for text in table.get("classifiers", ()) if text.startswith("License ::")]
    return str(licence) or ", ".join(classifiers)


def _version_in_source(folder: Path) -> str:
    """Return the ``__version__`` of a package in the folder; empty if there is none."""
    for file in sorted(import_path(folder).glob("*/__init__.py")):
        if found := _VERSION.search(file.read_text(encoding="utf-8")):
            return found[1]
    return ""
