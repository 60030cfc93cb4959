"""Apply newer templates to a package that its author has changed.

For each file there are three texts: as the templates made it (the record has it), as it is now, and as the templates
make it today. A file that the author did not touch becomes the newest one; changes of both are merged by ``git
merge-file``, and where they are about the same lines the author's file stays and the newest one is written beside it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from omni_gateway.scaffold import record
from omni_gateway.scaffold.package import TEMPLATES, render
from omni_gateway.scaffold.record import RECORD, Record

#: The ending of the newest file beside one that could not be merged.
BESIDE = ".new"

State = Literal["added", "updated", "merged", "removed", "conflict", "kept"]


@dataclass(frozen=True, slots=True)
class FileUpdate:
    """What an update does with one file.

    ``added``, ``updated``, ``merged`` and ``removed`` say how it changes; ``conflict``: it stays, and ``text`` is
    written beside it; ``kept``: the templates no longer have it, and it stays because it was changed.
    """

    path: str
    state: State
    text: str = ""


def update(folder: Path, *, templates: Path = TEMPLATES, write: bool = True) -> list[FileUpdate]:
    """Apply the templates to the package in a folder and return what changes, by path; ``write``: whether to do it.

    Raises :class:`~omni_gateway.scaffold.record.NoRecord` for a folder that ``plugin new`` has not made.
    """
    before = record.read(folder)
    newest = render(before.answers, templates)
    changes = []
    for path in sorted({*before.files, *newest}):
        file = folder / path
        current = file.read_text(encoding="utf-8") if file.exists() else None
        if change := _change(path, before.files.get(path), current, newest.get(path)):
            changes.append(change)
    if write:
        for change in changes:
            _apply(folder, change)
        text = Record(before.answers, newest).to_toml()
        if text != (folder / RECORD).read_text(encoding="utf-8"):
            _replace(folder / RECORD, text)  # last, so that an update that was cut off can be repeated
    return changes


def _change(path: str, base: str | None, current: str | None, newest: str | None) -> FileUpdate | None:
    """Return what to do with a file; None is a text that is not there."""
    if newest in (base, current):
        return None
    if newest is None:
        return FileUpdate(path, "removed" if current == base else "kept") if current is not None else None
    if current is None:
        return FileUpdate(path, "added", newest) if base is None else None  # the author has removed it
    if current == base:
        return FileUpdate(path, "updated", newest)
    merged = _merge(base, current, newest) if base is not None else None
    return FileUpdate(path, "conflict", newest) if merged is None else FileUpdate(path, "merged", merged)


def _merge(base: str, current: str, newest: str) -> str | None:
    """Return the three-way merge of a file; None where both sides changed the same lines, or there is no git."""
    git = shutil.which("git")
    if git is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("current", "base", "newest")]
        for file, text in zip(files, (current, base, newest), strict=True):
            file.write_text(text, encoding="utf-8", newline="")
        command = [git, "merge-file", "-p", *map(str, files)]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - the texts are in files
    return done.stdout.decode() if done.returncode == 0 else None


def _apply(folder: Path, change: FileUpdate) -> None:
    file = folder / change.path
    if change.state == "removed":
        file.unlink()
    elif change.state == "conflict":
        _replace(file.with_name(file.name + BESIDE), change.text)
    elif change.state != "kept":
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, change.text)


def _replace(file: Path, text: str) -> None:
    """Write a file at once, so that none is ever half there; it keeps its permissions."""
    beside = file.with_name(f".{file.name}.part")
    beside.write_text(text, encoding="utf-8")
    if file.exists():
        shutil.copymode(file, beside)
    beside.replace(file)
