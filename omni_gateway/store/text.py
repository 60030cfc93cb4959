"""Check of texts that not every database can store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omni_gateway.store.errors import StoreRefused


def storable(text: str) -> bool:
    """Return whether a text has neither a NUL, which PostgreSQL refuses, nor a lone surrogate, which UTF-8 refuses.

    A lookup of any other text can be skipped: nothing stored is equal to it.
    """
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def unstorable(value: Any, path: str = "") -> Iterator[str]:
    """Yield the dotted paths of the texts, keys included, that cannot be stored."""
    if isinstance(value, str):
        if not storable(value):
            yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if storable(str(key)):
                yield from unstorable(item, f"{path}.{key}" if path else str(key))
            else:
                yield path
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for number, item in enumerate(value):
            yield from unstorable(item, f"{path}.{number}" if path else str(number))


def require_storable(**values: Any) -> None:
    """Raise StoreRefused for the first value that is not storable, so that every database refuses the same."""
    for path in unstorable(values):
        raise StoreRefused(f"{path} has a NUL character or a lone surrogate, which cannot be stored.")
