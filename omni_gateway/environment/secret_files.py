"""Secrets in files: the variable ``NAME_FILE`` names a file that holds the value of the secret variable ``NAME``.

Imports nothing, so that the settings and the Omni client, which knows no settings, read secrets in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SUFFIX = "_FILE"


class SecretFileError(ValueError):
    """A secret cannot be read; the text names the variable and repeats nothing of the secret."""


@dataclass(frozen=True, slots=True)
class SecretText:
    """The text of a secret, empty if it is not set; ``variable``: the one that gave it, for errors; ``path``: its file.

    The text is without white space at its ends: most editors and ``echo`` end a file with a newline.
    """

    text: str
    variable: str
    path: str = ""

    def __repr__(self) -> str:
        return f"SecretText(variable={self.variable!r}, path={self.path!r})"


def read_secret(environ: Mapping[str, str], name: str) -> SecretText:
    """Return the secret of a variable, or of the file that ``NAME_FILE`` names.

    Raises :class:`SecretFileError` if both are set, or if the file cannot be read, is empty or is no text.
    """
    text = environ.get(name, "").strip()
    path = environ.get(name + SUFFIX, "").strip()
    if not path:
        return SecretText(text, name)
    if text:
        raise SecretFileError(f"{name} and {name}{SUFFIX} are both set; set one of them")
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise SecretFileError(f"{name}{SUFFIX} names {path!r}, and there is no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SecretFileError(f"{name}{SUFFIX} names {path!r}, which cannot be read: {reason}") from None
    if not text:
        raise SecretFileError(f"{name}{SUFFIX} names {path!r}, which is empty")
    return SecretText(text, name + SUFFIX, path)
