"""Image schematics: what is built into a machine's image, named by the hash of its own text."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence

import yaml


@functools.lru_cache(maxsize=4096)
def _text(kernel_args: tuple[str, ...], extensions: tuple[str, ...]) -> str:
    customization: dict[str, object] = {}
    if kernel_args:
        customization["extraKernelArgs"] = list(kernel_args)
    if extensions:
        customization["systemExtensions"] = {"officialExtensions": list(extensions)}
    return yaml.dump({"customization": customization}, Dumper=yaml.CSafeDumper, indent=4, sort_keys=True)


def text(kernel_args: Sequence[str], extensions: Sequence[str]) -> str:
    """Return the YAML of a schematic."""
    return _text(tuple(kernel_args), tuple(sorted(set(extensions))))


def id_of(schematic: str) -> str:
    """Return a schematic's id: the same text has the same id."""
    return hashlib.sha256(schematic.encode()).hexdigest()


@functools.lru_cache(maxsize=4096)
def _schematic_id(kernel_args: tuple[str, ...], extensions: tuple[str, ...]) -> str:
    return id_of(_text(kernel_args, extensions))


def schematic_id(kernel_args: Sequence[str], extensions: Sequence[str]) -> str:
    """Return the id of the schematic with these kernel arguments and system extensions."""
    return _schematic_id(tuple(kernel_args), tuple(sorted(set(extensions))))
