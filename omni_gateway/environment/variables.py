"""Settings as fields of a frozen dataclass, read from environment variables: of the gateway and of its plugins.

A field is declared by :func:`setting`; its annotation says how its text is parsed. Variables come from the environment,
or from the file that ``OMNI_GATEWAY_CONFIG_FILE`` names.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import marshmallow as ma
from dotenv import dotenv_values

from omni_gateway.environment.secret_files import SUFFIX, SecretFileError, read_secret

PREFIX = "OMNI_GATEWAY_"
CONFIG_FILE = f"{PREFIX}CONFIG_FILE"

Validator = Callable[[Any], Any]
"""Raises ``marshmallow.ValidationError`` for a value that is not allowed, as those of ``marshmallow.validate`` do."""

_PARSERS: Mapping[Any, Callable[[str], Any]] = {
    str: str,
    Path: Path,
    tuple[str, ...]: lambda text: tuple(part.strip() for part in text.split(",") if part.strip()),
    int: ma.fields.Integer().deserialize,
    float: ma.fields.Float().deserialize,
    bool: ma.fields.Boolean().deserialize,
}


class SettingsError(ValueError):
    """A setting is wrong; the text names the variable and says what it should be."""


def setting(
    doc: str,
    default: Any = dataclasses.MISSING,
    *,
    secret: bool = False,
    validate: Validator | None = None,
    name: str = "",
) -> Any:
    """Return a dataclass field that is read from a variable.

    :param doc: its meaning, a phrase for the table of settings.
    :param default: its value where the variable is not set or empty; without one the variable has to be set.
    :param secret: its value is never shown: not by ``repr``, an error or ``omni-gateway config``. The variable with
        ``_FILE`` after its name may name a file that holds it.
    :param validate: checks the parsed value.
    :param name: the variable's name after the prefix; by default the field's in capitals.
    """
    metadata = {"doc": doc, "secret": secret, "validate": validate, "name": name}
    return dataclasses.field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its name, the field that it sets, how its text is parsed, and whether that may be in a file."""

    name: str
    field: dataclasses.Field[Any]
    annotation: Any
    takes_file: bool = False

    @property
    def doc(self) -> str:
        """Return its meaning."""
        return str(self.field.metadata["doc"])

    @property
    def secret(self) -> bool:
        """Return whether its value is never shown."""
        return bool(self.field.metadata["secret"])

    @property
    def names(self) -> Sequence[str]:
        """Return the variables that set it: its own, and the one with the path of a file that holds its text."""
        return (self.name, self.name + SUFFIX) if self.takes_file else (self.name,)

    @property
    def required(self) -> bool:
        """Return whether it has to be set."""
        return self.field.default is dataclasses.MISSING

    def read(self, environ: Mapping[str, str]) -> Any:
        """Return its value, parsed and checked; raise :class:`SettingsError`."""
        text, given_by = environ.get(self.name, "").strip(), self.name
        if self.takes_file:
            try:
                secret = read_secret(environ, self.name)
            except SecretFileError as error:
                raise SettingsError(str(error)) from None
            text, given_by = secret.text, secret.variable
        if not text:
            if self.required:
                raise SettingsError(f"{' or '.join(self.names)} has to be set: {self.doc}")
            return self.field.default
        try:
            value = _parser(self.annotation)(text)
            if (validate := self.field.metadata["validate"]) is not None:
                validate(value)
        except ma.ValidationError as error:
            given = "" if self.secret else f" ({text!r} was given)"
            raise SettingsError(f"{given_by}: {' '.join(map(str, error.messages))}{given}") from error
        return value

    def shown(self, value: Any) -> str:
        """Return a value of it as text for people, a secret one masked."""
        if value in (None, "", ()):
            return ""
        if self.secret:
            return "***"
        return ",".join(value) if isinstance(value, tuple) else str(value)


def variables_of(cls: type, prefix: str) -> Sequence[Variable]:
    """Return the variables of a dataclass, one for each field that :func:`setting` has made.

    A secret may be in a file, unless the dataclass has a field of its own for the variable that would name the file.

    Raises :class:`SettingsError` if it is no dataclass, or the annotation of such a field is not str, int, float, bool,
    ``pathlib.Path``, ``tuple[str, ...]``, a ``Literal`` of texts, or one of these or None.
    """
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise SettingsError(f"{cls!r} is not a dataclass, whose fields are made by setting(...)")
    hints = get_type_hints(cls)
    found = []
    for field in dataclasses.fields(cls):
        if "doc" in field.metadata:
            name = prefix + (field.metadata["name"] or field.name.upper())
            try:
                _parser(hints[field.name])
            except KeyError:
                raise SettingsError(f"{cls.__name__}.{field.name}: no text becomes a {hints[field.name]}") from None
            found.append(Variable(name, field, hints[field.name]))
    taken = {each.name for each in found}
    return [
        dataclasses.replace(each, takes_file=True) if each.secret and each.name + SUFFIX not in taken else each
        for each in found
    ]


def in_file(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables of the file that the environment names; raise :class:`SettingsError` if it is not there."""
    path = environ.get(CONFIG_FILE)
    if not path:
        return {}
    if not Path(path).is_file():
        raise SettingsError(f"{CONFIG_FILE} names {path!r}, and there is no such file")
    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def _parser(annotation: Any) -> Callable[[str], Any]:
    """Return the parser of a type. Raises KeyError if there is none."""
    if get_origin(annotation) in (Union, UnionType):
        [annotation] = [each for each in get_args(annotation) if each is not type(None)] or [None]
    if get_origin(annotation) is Literal:
        choices = get_args(annotation)
        choice = ma.validate.OneOf(choices, error=f"It must be {' or '.join(choices)}.")
        return ma.fields.String(validate=choice).deserialize
    parser: Callable[[str], Any] = _PARSERS[annotation]
    return parser
