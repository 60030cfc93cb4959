"""An author's answers, which a package is rendered from, and the checks of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from omni_gateway.rest.nouns import plural
from omni_gateway.scaffold import schema_source
from omni_gateway.scaffold.choices import GROUP, KINDS, LICENCES

_LONGEST_NAME = 50
_LONGEST_TEXT = 100
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SCHEMA = re.compile(r"[A-Z][A-Za-z0-9]*")
#: Endings of singulars, and those before which a plural has an ``e``.
_NO_PLURALS = ("ss", "us", "is")
_WITH_ES = ("sses", "xes", "ches", "shes", "tuses", "buses")
#: What would end a text of the generated code or of its pyproject.toml.
_NOT_IN_TEXTS = re.compile(r'[\x00-\x1f\x7f"\\]')


class WrongAnswer(ValueError):
    """An answer cannot be used; ``flag`` is the option or argument that gives it."""

    def __init__(self, flag: str, text: str) -> None:
        super().__init__(f"{flag}: {text}")
        self.flag = flag


@dataclass(frozen=True, slots=True)
class Answers:
    """What a package is made of; raises :class:`WrongAnswer` for an answer that cannot be used."""

    kind: str
    #: The first word of the URLs.
    name: str
    singular: str
    #: The name of the schema in the document; the classes' names begin with it.
    schema: str
    description: str
    #: Omni's type, of the kind ``omni-type``.
    type: str = ""
    #: ``name:kind`` of each field, of the kind ``own-backend``.
    fields: tuple[str, ...] = ()
    group: str = GROUP
    author: str = ""
    licence: str = "Apache-2.0"

    def __post_init__(self) -> None:
        check_name(self.name)
        check_name(self.singular, "--singular")
        if not _SCHEMA.fullmatch(self.schema):
            raise WrongAnswer("schema", f"{self.schema!r} must be a name in camel case, such as RackUnit.")
        if self.kind not in KINDS:
            raise WrongAnswer("--kind", f"{self.kind!r} is none of {', '.join(KINDS)}.")
        if self.licence not in LICENCES:
            raise WrongAnswer("--licence", f"{self.licence!r} is none of {', '.join(LICENCES)}.")
        _check_fields(self.fields)
        for flag, text in (("--description", self.description), ("--group", self.group), ("--author", self.author)):
            _check_text(flag, text)
        if not self.description or not self.group:
            raise WrongAnswer("--description" if self.group else "--group", "It must not be empty.")

    @property
    def distribution(self) -> str:
        """The name under which pip installs the package."""
        return f"omni-gateway-plugin-{self.name}"

    @property
    def module(self) -> str:
        """The name under which Python imports it."""
        return f"omni_gateway_{self.word}"

    @property
    def word(self) -> str:
        """The name as a part of Python's names."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The beginning of the names of its settings' variables."""
        return f"OMNI_GATEWAY_{self.word.upper()}"

    @property
    def title(self) -> str:
        """The words for one object, with acronyms as people write them."""
        return schema_source.words(self.singular)

    def as_table(self) -> dict[str, Any]:
        """Return the answers as the members of a TOML table."""
        return {key: list(value) if key == "fields" else value for key, value in asdict(self).items()}


def check_name(name: str, flag: str = "NAME") -> None:
    """Raise :class:`WrongAnswer` for a name that cannot be the first word of URLs and a part of a package's name."""
    if not _NAME.fullmatch(name):
        raise WrongAnswer(flag, f"{name!r} must be lower-case words with hyphens between them, such as rack-units.")
    if len(name) > _LONGEST_NAME:
        raise WrongAnswer(flag, f"It must be at most {_LONGEST_NAME} characters.")


def singular_of(name: str) -> str:
    """Return the regular singular of a plugin's name. Raises :class:`WrongAnswer` for one that is no regular plural."""
    check_name(name)
    if name.endswith("s") and not name.endswith(_NO_PLURALS):
        stems = [name[:-3] + "y"] * name.endswith("ies") + [name[:-2]] * name.endswith(_WITH_ES) + [name[:-1]]
        if found := [stem for stem in stems if stem and plural(stem) == name]:
            return found[0]
    wanted = plural(name)
    raise WrongAnswer("NAME", f"{name!r} must be a plural, such as {wanted}; give --singular where it is one already.")


def _check_fields(fields: Sequence[str]) -> None:
    try:
        names = [schema_source.parse(text)[0] for text in fields]
    except schema_source.FieldError as error:
        raise WrongAnswer("--field", str(error)) from error
    if twice := [name for name in names if names.count(name) > 1]:
        raise WrongAnswer("--field", f"The field name {twice[0]!r} is given twice.")


def _check_text(flag: str, text: str) -> None:
    if _NOT_IN_TEXTS.search(text):
        raise WrongAnswer(flag, 'It must be one line without " and \\.')
    if len(text) > _LONGEST_TEXT:
        raise WrongAnswer(flag, f"It must be at most {_LONGEST_TEXT} characters.")
