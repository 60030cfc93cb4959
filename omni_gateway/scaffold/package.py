"""A plugin's package: rendered from the templates in ``templates/``, and written as a whole."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import jinja2

from omni_gateway import __version__
from omni_gateway.omni import messages
from omni_gateway.omni.types import UNREADABLE
from omni_gateway.plugins.discovery import Found
from omni_gateway.rest.schema import SpecSchema
from omni_gateway.rest.service_plugin import RESERVED_NAMES
from omni_gateway.scaffold import schema_source
from omni_gateway.scaffold.answers import Answers, WrongAnswer
from omni_gateway.scaffold.examples import EXAMPLES
from omni_gateway.scaffold.omni_types import constants, verbs_of
from omni_gateway.scaffold.record import RECORD, Record
from omni_gateway.sdk import SDK_VERSION

TEMPLATES = Path(__file__).parent / "templates"

#: Template → file of the package; what is in braces is the property of the answers.
_EACH_KIND = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "gitignore": ".gitignore",
    "workflow.yml": ".github/workflows/test.yml",
    "CHANGELOG.md": "CHANGELOG.md",
    "py.typed": "{module}/py.typed",
    "test.py": "tests/test_{word}.py",
}
_OF_KIND = {
    "omni-type": {"omni-type/plugin.py": "{module}/__init__.py", "schemas.py": "{module}/schemas.py"},
    "own-backend": {
        "own-backend/plugin.py": "{module}/__init__.py",
        "own-backend/adapter.py": "{module}/adapter.py",
        "own-backend/settings.py": "{module}/settings.py",
        "own-backend/conftest.py": "tests/conftest.py",
        "schemas.py": "{module}/schemas.py",
    },
    "service": {
        "service/plugin.py": "{module}/__init__.py",
        "service/actions.py": "{module}/actions.py",
        "service/documents.py": "{module}/documents.py",
        "service/schemas.py": "{module}/schemas.py",
        "service/settings.py": "{module}/settings.py",
        "service/tasks.py": "{module}/tasks.py",
    },
}
#: Written with a new package and never again: it is the author's from then on.
LICENCE_FILE = "LICENSE"


class CannotWrite(Exception):
    """The folder cannot become that of a new package; the text says why."""


def refuse_taken(name: str, singular: str, installed: Iterable[Found]) -> None:
    """Raise :class:`~omni_gateway.scaffold.answers.WrongAnswer` for words that an installed plugin has."""
    if name in RESERVED_NAMES:
        raise WrongAnswer("NAME", f"{name!r} is taken by the gateway itself.")
    for plugin in (found.plugin for found in installed if found.plugin is not None):
        if name == plugin.name.split("/")[0]:
            raise WrongAnswer("NAME", f"{name!r} is taken by the plugin {plugin.name!r}.")
        if singular == plugin.singular:  # the kinds of its operations have this word, and those of its objects' texts
            raise WrongAnswer("--singular", f"{singular!r} is taken by the plugin {plugin.name!r}; give another word.")


def unused_schema_name(type: str, singular: str, installed: Iterable[Found]) -> str:
    """Return a name for the schema of a type, or of own objects, that no schema of an installed plugin has."""
    packages = {"omni_gateway", *(found.target.partition(":")[0].partition(".")[0] for found in installed)}
    taken = _class_names(SpecSchema, packages)
    name = messages.singular(type) if type else camel(singular)
    for each in (name, f"Omni{name}", f"Omni{camel(singular)}"):
        if taken.isdisjoint(_schema_of(type, each).classes if type else [f"{each}Schema"]):
            return each
    raise WrongAnswer("--singular", f"Other plugins have schemas named {name} and Omni{name}; give another word.")


def _class_names(base: type, packages: Collection[str]) -> set[str]:
    """Return the names of the subclasses of a class in top-level packages that are imported."""
    found: list[type] = base.__subclasses__()
    names = {each.__name__ for each in found if each.__module__.partition(".")[0] in packages}
    return names.union(*(_class_names(each, packages) for each in found))


def create(answers: Answers, folder: Path) -> list[str]:
    """Write a new package and return its files; either all of them are there afterwards or none.

    Raises :class:`CannotWrite` where there is something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CannotWrite(f"{folder} is there already and not empty; name another folder by --dir.")
    files = render(answers)
    record = Record(answers, files).to_toml()
    whole = {**files, LICENCE_FILE: _licence(answers), RECORD: record}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-plugin-", dir=folder.parent) as beside:
            made = Path(beside) / "package"
            for name, text in whole.items():
                file = made / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            made.replace(folder)  # an empty folder may be there: it is replaced in one step
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be written: {error.strerror}") from error
    return sorted(whole)


def render(answers: Answers, templates: Path = TEMPLATES) -> dict[str, str]:
    """Return the files of a package that templates are applied to, by their paths."""
    environment = _environment(templates)
    values = _values(answers)
    return {
        path.format(module=answers.module, word=answers.word): environment.get_template(f"{name}.jinja").render(values)
        for name, path in {**_EACH_KIND, **_OF_KIND[answers.kind]}.items()
    }


@cache
def _environment(templates: Path) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - these are no HTML pages
    )
    environment.filters["code"] = schema_source.literal
    environment.filters["camel"] = camel
    return environment


def _values(answers: Answers) -> dict[str, object]:
    """Return what the templates name."""
    values: dict[str, object] = {
        "a": answers,
        "version": __version__,
        "sdk": sdk_range(),
        "camel": answers.schema,
    }
    if answers.kind == "omni-type":
        return values | _of_type(answers)
    if answers.kind == "own-backend":
        schema = schema_source.of_own_fields(answers.schema, answers.fields)
        example = {"id": f"my-{answers.singular}", **schema.example}
        return values | {"schema": schema, "example": example, "change": schema.change}
    return values


def _of_type(answers: Answers) -> dict[str, object]:
    verbs = verbs_of(answers.type)
    schema = _schema_of(answers.type, answers.schema)
    example, change = EXAMPLES.get(answers.type, (schema.example, schema.change))
    id = f"my-{answers.singular}"
    roles = roles_of(answers.type)
    used = ["OmniResourceAdapter", "ResourcePlugin", *(["Role"] if "Role." in roles else [])]
    constant = constants().get(answers.type)
    type = f"types.{constant}" if constant else f'"{answers.type}"'
    return {
        "schema": schema,
        "roles": roles,
        "writes": _is_writable(verbs),
        "deletes": "READ_WRITE" in roles or "delete" in roles,
        "imports": ", ".join([*re.findall(r"READ\w*", roles), *used]),
        "type": type,
        "adapter": _adapter(type, list(schema.sortable)),
        "example": {"id": id, **example} if "create" in verbs else None,
        "change": change,
        "example_id": id,
    }


def _schema_of(type: str, name: str) -> schema_source.Schema:
    return schema_source.of_omni_type(type, name, writable=_is_writable(verbs_of(type)))


def _is_writable(verbs: Sequence[str]) -> bool:
    return "create" in verbs or "update" in verbs


def _adapter(type: str, sortable: list[str]) -> str:
    """Return the code of the declaration's adapter."""
    arguments = [type, f"sortable={schema_source.one_line(sortable)}"] if sortable else [type]
    line = f"OmniResourceAdapter({', '.join(arguments)})"
    if len(f"    adapter={line},") <= schema_source.LINE:
        return line
    listed = schema_source.literal(sortable, "sortable=", 8)
    return f"OmniResourceAdapter(\n        {type},\n        sortable={listed},\n    )"


def roles_of(type: str) -> str:
    """Return the code of the roles for what Omni lets callers do with a type's objects."""
    verbs = verbs_of(type)
    if type in UNREADABLE:
        return '{"create": Role.OPERATOR}'
    if len(verbs) == 3:
        return "READ_WRITE"
    if not verbs:
        return "READ"
    ours = {"create": ("create",), "update": ("replace", "patch"), "destroy": ("delete",)}
    pairs = [f'"{ours_verb}": Role.OPERATOR' for verb in verbs for ours_verb in ours[verb]]
    return f"{{**READ, {', '.join(pairs)}}}"


def sdk_range() -> str:
    """Return the range of SDK versions that a new plugin is written for."""
    major, minor, _ = SDK_VERSION.split(".")
    return f">={major}.{minor},<{int(major) + 1}"


def camel(name: str) -> str:
    """Return a name in kebab case as a part of a class's name: ``GRPCTunnelConfigs``."""
    return "".join(word[:1].upper() + word[1:] for word in schema_source.words(name).split())


def _licence(answers: Answers) -> str:
    template = (TEMPLATES / "licences" / f"{answers.licence}.txt").read_text(encoding="utf-8")
    owner = answers.author or f"The authors of {answers.distribution}"
    return template.replace("{year}", str(datetime.now(UTC).year)).replace("{owner}", owner)
