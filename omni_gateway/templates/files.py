"""The files that a template names."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping


class FileError(ValueError):
    """A file cannot be read; the text says why."""


class Files:
    """Files beside a template, by relative path."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = {posixpath.normpath(path): content for path, content in files.items()}

    def text(self, path: str) -> str:
        """Return the text of a file; raise :class:`FileError` for one that is not there, or is beside the folder."""
        if path.startswith("/") or "\\" in path or "\0" in path:
            raise FileError("Must be a path relative to the template.")
        place = posixpath.normpath(path)
        if place == ".." or place.startswith("../"):
            raise FileError("Must not lead out of the template's folder.")
        content = self._files.get(place)
        if content is None:
            raise FileError(f"The file {path!r} was not sent.")
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise FileError(f"The file {path!r} is no UTF-8 text.") from error
