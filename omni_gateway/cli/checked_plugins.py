"""The plugins to check: installed ones, or those of a folder or a wheel, mounted beside the installed ones."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.utils import canonicalize_name

from omni_gateway.app import create_app
from omni_gateway.cache.client import CachingClient
from omni_gateway.omni import OmniConfig
from omni_gateway.plugin_check.entry_points import GROUP, is_misspelt
from omni_gateway.plugin_check.package import Package
from omni_gateway.plugin_check.package_files import UnreadablePackage, import_path, of_distribution, of_folder, of_wheel
from omni_gateway.plugin_check.rule import Fault
from omni_gateway.plugin_check.subject import Subject
from omni_gateway.plugins.discovery import BrokenPlugin, Found, discover, load
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.settings import Settings


class NothingToCheck(Exception):
    """There is no such plugin; the text says where it was looked for."""


@contextmanager
def chosen(target: str | None) -> Iterator[Sequence[Subject]]:
    """Yield the plugins of a name or a path, by default all installed ones; their modules can be imported meanwhile.

    Raises :class:`NothingToCheck` for a target that names none.
    """
    path = Path(target) if target else None
    if path is None or not path.exists():
        yield _installed(target)
        return
    before = list(sys.path)
    with TemporaryDirectory() as folder:
        try:
            yield _at_path(path.resolve(), Path(folder).resolve())
        except UnreadablePackage as error:
            raise NothingToCheck(str(error)) from error
        finally:
            sys.path[:] = before


def _installed(name: str | None) -> Sequence[Subject]:
    found = discover(skip_broken=True)
    wanted = [item for item in found if name is None or name in _names(item)]
    if not wanted:
        raise NothingToCheck(f"no plugin and no distribution {name!r} is installed, and there is no such path")
    return _subjects(found, wanted, {item.distribution: _package(item) for item in wanted})


def _names(item: Found) -> set[str]:
    plugin = item.plugin or item.refused
    return {item.entry_point, item.distribution} | ({plugin.name} if plugin is not None else set())


def _package(item: Found) -> Package:
    try:
        return of_distribution(distribution(item.distribution))
    except PackageNotFoundError:
        return Package(item.distribution, item.version)


def _at_path(path: Path, unpacked: Path) -> Sequence[Subject]:
    if path.is_dir():
        package, folder = of_folder(path), import_path(path)
    else:
        package, folder = of_wheel(path, unpacked), unpacked
    points = [point for point in package.entry_points if point.group == GROUP or is_misspelt(point.group)]
    if not points:
        raise NothingToCheck(f"{path} has no entry point in the group {GROUP}")
    sys.path.insert(0, str(folder))
    wanted = [load(point, package=package) for point in points]
    name = canonicalize_name(package.name)
    others = [item for item in discover(skip_broken=True) if canonicalize_name(item.distribution) != name]
    return _subjects([*others, *wanted], wanted, {package.name: package})


def _subjects(found: Sequence[Found], wanted: Iterable[Found], packages: Mapping[str, Package]) -> Sequence[Subject]:
    faults = _mount_faults(found)
    others = {item.plugin.name: item.plugin for item in found if item.plugin is not None}
    return [_subject(item, packages[item.distribution], item.fault or faults.get(id(item)), others) for item in wanted]


def _subject(item: Found, package: Package, fault: Fault | None, others: Mapping[str, ServicePlugin]) -> Subject:
    subject = Subject(item.entry_point, item.target, item.plugin or item.refused, package, others=others)
    if fault is not None and item.refused is None:  # a rule finds what it is refused for
        subject.problem, subject.mend, subject.problem_at = fault.problem, fault.mend, fault.place
    return subject


def _mount_faults(found: Sequence[Found]) -> Mapping[int, Fault]:
    """Return why plugins cannot be mounted, by the identity of what was found: the start's own checks say it."""
    omni = CachingClient(OmniConfig(endpoint="http://127.0.0.1:1", service_account_key=""))
    left = list(found)
    faults: dict[int, Fault] = {}
    while True:
        try:
            create_app(Settings(), omni=omni, plugins=left)
        except BrokenPlugin as broken:
            faults[id(broken.found)] = broken.fault
            left = [item for item in left if item is not broken.found]
        else:
            return faults
