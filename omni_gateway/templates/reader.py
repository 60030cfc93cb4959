"""From YAML, or JSON, to the documents of a template; collects all that is wrong on the way."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from typing import Any

import yaml

from omni_gateway.http.problems import Problem
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.http.yaml_body import yaml_nodes
from omni_gateway.plain_scalar import PlainScalar
from omni_gateway.templates import rules
from omni_gateway.templates.durations import Duration
from omni_gateway.templates.faults import Fault, TemplateFaults
from omni_gateway.templates.files import FileError, Files
from omni_gateway.templates.model import KINDS, UNLIMITED, Document, Inline, Size, Template, key_of
from omni_gateway.templates.nodes import BadValue, Node, of_json, of_yaml, plain_values

#: Documents that a template may have: one for each machine of a large cluster.
MAX_DOCUMENTS = 2000
#: Bounds the answer for a text that is no template at all.
_MOST_FAULTS = 100
_COUNT = re.compile(r"[0-9]{1,20}")
_UNLIMITED_NAMES = ("Unlimited", UNLIMITED, "∞", "infinity")


def read(text: bytes | str, files: Mapping[str, bytes] = types.MappingProxyType({})) -> Template:
    """Return the template of a YAML text of many documents; ``files`` has the files that it names, by relative path.

    Raises :class:`TemplateFaults` with all that is wrong with it.
    """
    try:
        source = text.decode() if isinstance(text, bytes) else text
        nodes = [of_yaml(node) for node in yaml_nodes(source, most=MAX_DOCUMENTS)]
    except UnicodeDecodeError as error:
        raise _unreadable(None, f"The text is no UTF-8 at byte {error.start}.") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise _unreadable(line, f"The YAML cannot be read: {error.problem}.") from error
    except Problem as error:
        raise _unreadable(None, error.detail or error.title) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _unreadable(None, f"The YAML cannot be read: {type(error).__name__}.") from error
    return _template(nodes, files)


def read_documents(
    documents: Iterable[Mapping[str, Any]], files: Mapping[str, bytes] = types.MappingProxyType({})
) -> Template:
    """Return the template of mappings, the JSON form; the same as :func:`read` otherwise."""
    nodes = [of_json(document) for document in documents]
    if len(nodes) > MAX_DOCUMENTS:
        raise _unreadable(None, f"There are more than {MAX_DOCUMENTS} documents.")
    return _template(nodes, files)


def _unreadable(line: int | None, message: str) -> TemplateFaults:
    return TemplateFaults([Fault(0, line, "", message)])


def _template(nodes: list[Node], files: Mapping[str, bytes]) -> Template:
    faults: list[Fault] = []
    documents: list[tuple[int, Document]] = []
    readers = []
    for number, node in enumerate(nodes):
        reader = _Reader(number, files)
        document = reader.document(node)
        readers.append(reader)
        faults.extend(reader.faults)
        if document is not None:
            documents.append((number, document))
    for fault in rules.faults_of(documents, complete=len(documents) == len(nodes)):
        reader = readers[fault.document] if readers else _Reader(0, files)
        if not any(above in reader.unread for above in _paths_above(fault.field)):
            faults.append(dataclasses.replace(fault, line=reader.line_of(fault.field)))
    if faults:
        raise TemplateFaults(sorted(faults, key=lambda fault: (fault.document, fault.line or 0))[:_MOST_FAULTS])
    return Template([document for _, document in documents])


def _paths_above(field: str) -> Iterator[str]:
    """Yield a path and those that lead to it, the document's excepted."""
    while field:
        yield field
        field = field.rpartition(".")[0]


class _Reader:
    """Reads one document; collects its faults, and the line of each of its fields."""

    def __init__(self, number: int, files: Mapping[str, bytes]) -> None:
        self.faults: list[Fault] = []
        self._number = number
        self._files = Files(files)
        self._lines: dict[str, int | None] = {}
        #: Fields without the value that the text gives them: what the rules say of them is no news.
        self.unread: set[str] = set()

    def line_of(self, field: str) -> int | None:
        """Return the line of a field, or of the nearest one above it that is there."""
        while field not in self._lines and field:
            field = field.rpartition(".")[0]
        return self._lines.get(field)

    def document(self, node: Node) -> Document | None:
        """Return the document of a node; None if it has none of the kinds, or no form."""
        self._lines[""] = node.line
        if not isinstance(node.value, dict):
            self._fault("", node.error or "A document is a mapping with a `kind`.")
            return None
        kind = node.value.get("kind")
        name = kind.value if kind is not None and isinstance(kind.value, str) else None
        if name not in KINDS:
            self._lines["kind"] = node.line if kind is None else kind.line
            known = ", ".join(KINDS)
            hint = f"Unknown kind {name!r}{did_you_mean(name, KINDS)} " if name else ""
            self._fault("kind", f"{hint}Must be one of {known}.")
            return None
        document: Document = self._object(KINDS[name], node, "", frozenset({"kind"}))
        return document

    def _fault(self, path: str, message: str) -> None:
        self.unread.add(path)
        self.faults.append(Fault(self._number, self.line_of(path), path, message))

    def _object(self, cls: Any, node: Node, path: str, besides: frozenset[str] = frozenset()) -> Any:
        """Read a mapping as a dataclass; what cannot be read has its default."""
        if node.is_null:
            return cls()
        if not isinstance(node.value, dict):
            self._fault(path, node.error or "Must be a mapping.")
            return cls()
        known = _fields(cls)
        content = "inline" if "inline" in known else "job" if "job" in known else ""
        if content:
            besides |= {"file"}
        values: dict[str, Any] = {}
        for key, item in node.value.items():
            place = f"{path}.{key}" if path else key
            self._lines[place] = item.line
            if key in known:
                name, hint = known[key]
                value = self._value(hint, item, place)
                if value is not _MISSING:
                    values[name] = value
            elif key not in besides:
                self._fault(place, f"Unknown field{did_you_mean(key, [*known, *besides])}")
        for key, line in node.repeated:
            place = f"{path}.{key}" if path else key
            self._lines[place] = line
            self._fault(place, "The key is there twice.")
        if content and "file" in node.value and not node.value["file"].is_null:
            self._file(content, node.value["file"], values, f"{path}.file")
        return cls(**values)

    def _file(self, content: str, node: Node, values: dict[str, Any], path: str) -> None:
        """Read the content of ``file`` into the field that takes it inline."""
        name = self._value(str, node, path)
        if path in self.unread:
            self.unread.add(f"{path.rpartition('.')[0]}.{content}")
        if name is _MISSING or not name:
            return
        if values.get(content) is not None:
            self._fault(path, f"Either `file` or `{content}`, not both.")
            return
        try:
            values[content] = self._files.text(name)
        except FileError as error:
            self._fault(path, str(error))
            self.unread.add(f"{path.rpartition('.')[0]}.{content}")
        if content == "inline":
            values["name"] = values.get("name") or name

    def _value(self, hint: Any, node: Node, path: str) -> Any:
        """Read a value by the type of its field; :data:`_MISSING` for null, and for what cannot be read."""
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if type(None) in arguments and hint is not Inline:
            rest = [each for each in arguments if each is not type(None)]
            return self._value(rest[0] if len(rest) == 1 else Inline, node, path)
        if node.error:
            self._fault(path, node.error)
            return _MISSING
        if node.is_null:
            return _MISSING
        try:
            if hint == Inline:
                return _inline(node)
            if hint in _SCALARS:
                return _SCALARS[hint](node)
            if hint == Size:
                return _size(node)
            if isinstance(hint, type) and issubclass(hint, StrEnum):
                return _choice(hint, node)
        except BadValue as error:
            self._fault(path, str(error))
            return _MISSING
        if origin is list:
            return self._list(arguments[0], node, path)
        if origin is dict:
            return self._texts(node, path)
        return self._object(hint, node, path)

    def _list(self, hint: Any, node: Node, path: str) -> Any:
        if not isinstance(node.value, list):
            self._fault(path, "Must be a list.")
            return _MISSING
        found = []
        for number, item in enumerate(node.value):
            place = f"{path}.{number}"
            self._lines[place] = item.line
            value = self._value(hint, item, place)
            found.append(hint() if value is _MISSING else value)  # the others keep their places
        return found

    def _texts(self, node: Node, path: str) -> Any:
        """Read a mapping of texts."""
        if not isinstance(node.value, dict):
            self._fault(path, "Must be a mapping of texts.")
            return _MISSING
        found = {}
        for key, item in node.value.items():
            place = f"{path}.{key}"
            self._lines[place] = item.line
            value = self._value(str, item, place)
            found[key] = "" if value is _MISSING else value
        for key, line in node.repeated:
            self._lines[f"{path}.{key}"] = line
            self._fault(f"{path}.{key}", "The key is there twice.")
        return found


_MISSING: Any = object()


@cache
def _fields(cls: Any) -> dict[str, tuple[str, Any]]:
    """Return the keys of a mapping → the name and the type of the field."""
    hints = typing.get_type_hints(cls)
    return {key_of(each): (each.name, hints[each.name]) for each in dataclasses.fields(cls)}


def _text(node: Node) -> str:
    if isinstance(node.value, PlainScalar) and node.line is not None:
        return node.value.text
    if not isinstance(node.value, str):
        raise BadValue("Must be a text.")
    return node.value


def _boolean(node: Node) -> bool:
    value = node.value.value if isinstance(node.value, PlainScalar) else node.value
    if node.line is not None and isinstance(value, str):
        value = _OLD_BOOLEANS.get(value)
    if not isinstance(value, bool):
        raise BadValue("Must be true or false.")
    return value


#: YAML 1.1's words, which omnictl takes where a boolean is expected.
_OLD_BOOLEANS = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}


def _count(node: Node) -> int:
    value = node.value.value if isinstance(node.value, PlainScalar) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**32:
        raise BadValue("Must be a whole number from 0 to 4294967295.")
    return value


def _duration(node: Node) -> Duration:
    text = node.value.text if isinstance(node.value, PlainScalar) else node.value
    try:
        return Duration.read(text if isinstance(text, str) else "")
    except ValueError as error:
        raise BadValue(str(error)) from error


_SCALARS: dict[Any, Callable[[Node], Any]] = {str: _text, bool: _boolean, int: _count, Duration: _duration}


def _size(node: Node) -> Size:
    text = node.value.text if isinstance(node.value, PlainScalar) else node.value
    if text in _UNLIMITED_NAMES:
        return UNLIMITED
    if text == "Static":
        return 0
    if not isinstance(text, str) or not _COUNT.fullmatch(text) or int(text) >= 2**32:
        raise BadValue("Must be a number of machines, or `unlimited`.")
    return int(text)


def _choice(hint: type[StrEnum], node: Node) -> StrEnum:
    text = node.value.text if isinstance(node.value, PlainScalar) else node.value
    known = [each.value for each in hint]
    if not isinstance(text, str):
        raise BadValue(f"Must be one of {', '.join(known)}.")
    if text not in known:
        raise BadValue(f"Must be one of {', '.join(known)}{did_you_mean(text, known)}")
    return hint(text)


def _inline(node: Node) -> Inline:
    """Read content: a mapping, a list of mappings, or a text."""
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, dict):
        found: dict[str, Any] = plain_values(node)
        return found
    if isinstance(node.value, list) and all(isinstance(each.value, dict) for each in node.value):
        return [plain_values(each) for each in node.value]
    raise BadValue("Must be a mapping, a list of mappings, or a text.")
