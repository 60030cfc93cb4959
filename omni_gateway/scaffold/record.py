"""The file of a package that says what it was rendered from: the base of its next update."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version

from omni_gateway import __version__
from omni_gateway.scaffold.answers import Answers, WrongAnswer

RECORD = ".omni-gateway-plugin.toml"

_HEAD = """\
# Written by `omni-gateway plugin new` and `plugin update`. Keep it under version control, and do not edit it: [files]
# has the files as the templates made them, by which an update tells your changes from theirs.
"""


class NoRecord(Exception):
    """A folder has no usable record; the text says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """An author's answers, and the files as they were rendered, by their paths."""

    answers: Answers
    files: Mapping[str, str]

    def to_toml(self) -> str:
        """Return the record as the text of its file."""
        lines = [_HEAD, f"made_by = {_basic(__version__)}", "", "[answers]"]
        lines += [f"{key} = {_value(value)}" for key, value in self.answers.as_table().items()]
        lines += ["", "[files]", *(f"{_basic(path)} = {_block(text)}" for path, text in sorted(self.files.items()))]
        return "\n".join(lines) + "\n"


def read(folder: Path) -> Record:
    """Return the record of a package. Raises :class:`NoRecord` for another folder, or a package of a newer release."""
    try:
        table = tomllib.loads((folder / RECORD).read_text(encoding="utf-8"))
        made_by = Version(table["made_by"])
        answers = Answers(**{**table["answers"], "fields": tuple(table["answers"]["fields"])})
        files = {_inside(path): str(text) for path, text in table["files"].items()}
    except FileNotFoundError:
        raise NoRecord(f"{folder} has no {RECORD}: it was not made by `omni-gateway plugin new`.") from None
    except (OSError, UnicodeError, ValueError, LookupError, TypeError, WrongAnswer) as error:
        raise NoRecord(f"{folder / RECORD} cannot be read: {error}") from error
    if made_by > Version(__version__):
        raise NoRecord(
            f"The package was made by omni-gateway {made_by}, and this is {__version__}: its templates are older."
        )
    return Record(answers, files)


def _inside(path: str) -> str:
    """Return a path of the package. Raises ``ValueError`` for one that leads out of it."""
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError(f"{path!r} is no path of the package")
    return path


def _value(value: Any) -> str:
    return f"[{', '.join(map(_basic, value))}]" if isinstance(value, list) else _basic(value)


def _basic(text: str) -> str:
    """Return a TOML string; JSON's escapes are TOML's, except that of DEL, which JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _block(text: str) -> str:
    """Return a TOML string that keeps its lines, so that changes of a record can be read."""
    lines = [_basic(line)[1:-1] for line in text.split("\n")]
    return '"""\n' + "\n".join(lines) + '"""'
