"""The class that the built-in resources are checked by."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from omni_gateway.sdk.testing import ResourceConformance


class BuiltIn(ResourceConformance):
    """A built-in resource. Several workers and a restart are checked for one of each kind of back end only."""

    under_gunicorn = False


def classes() -> list[type[BuiltIn]]:
    """Return the classes of this folder, one for each resource."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        import_module(f"{__package__}.{file.stem}")
    return [each for each in _subclasses(BuiltIn) if hasattr(each, "plugin")]


def _subclasses(base: type[BuiltIn]) -> Iterator[type[BuiltIn]]:
    for each in base.__subclasses__():
        yield each
        yield from _subclasses(each)
