"""The operations of an OpenAPI document: the members of its path items that are named by a method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def operations_of(item: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the method and the operation of each operation of a path item; it has other members too."""
    yield from ((method, operation) for method, operation in item.items() if method in METHODS)


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the method and the operation of each operation of a document, in the order of its paths."""
    for item in document["paths"].values():
        yield from operations_of(item)
