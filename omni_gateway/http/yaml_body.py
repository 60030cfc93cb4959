"""YAML from strangers: JSON's values only, bounded in depth, in size and in number, without aliases.

libyaml's composer recurses on the C stack, so depth is looked at on its events first. An alias stands for a copy of
what it names: a few lines of them unfold to gigabytes, so none is taken.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable
from typing import Any

import yaml

from omni_gateway.http.problems import Problem

MEDIA_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
MAX_DEPTH = 64
#: A hundred for each of the documents that a request may have; their events and nodes take 70 MB while they are read.
MAX_NODES = 200_000
_JSON_TAGS = ("null", "bool", "int", "float", "str", "map", "seq")
_TAG = "tag:yaml.org,2002:"
#: YAML 1.1 without its numbers to the base of 60: ``1:30`` is a text (as in YAML 1.2, and to omnictl), and PyYAML takes
#: time by the square of their length.
_NUMBERS = {
    f"{_TAG}int": re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)\Z"),
    f"{_TAG}float": re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?\Z"),
}
#: Of a number that is worth reading: 64 bits to the base of 2 take 66 characters.
_LONGEST_NUMBER = 100


def _bad(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


class _Loader(yaml.CSafeLoader):
    """JSON's values: a time is text, no key is there twice, every key is the text that stands there."""

    yaml_implicit_resolvers = {
        first: [(tag, _NUMBERS.get(tag, pattern)) for tag, pattern in resolvers if tag.rpartition(":")[2] in _JSON_TAGS]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build an object; refuse what JSON could not say."""
        result: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _bad("a key is no text", key_node.start_mark)
            if key_node.value in result:
                raise _bad(f"the key {key_node.value!r} is there twice", key_node.start_mark)
            result[key_node.value] = self.construct_object(value_node, deep=True)
        return result


def _refuse(loader: _Loader, node: yaml.Node) -> Any:
    raise _bad(f"the tag {node.tag} is not taken", node.start_mark)


def _construct_map(loader: _Loader, node: Any) -> Any:
    if not isinstance(node, yaml.MappingNode):
        raise _bad("this is no mapping", node.start_mark)
    return loader.construct_mapping(node)


def _construct_int(loader: _Loader, node: Any) -> Any:
    value = loader.construct_yaml_int(_number(node, f"{_TAG}int"))
    if not -(2**63) <= value < 2**64:
        raise _bad("a number is larger than 64 bits", node.start_mark)
    return value


def _construct_float(loader: _Loader, node: Any) -> Any:
    value = loader.construct_yaml_float(_number(node, f"{_TAG}float"))
    if not math.isfinite(value):
        raise _bad("a number is larger than 64 bits", node.start_mark)
    return value


def _number(node: Any, tag: str) -> Any:
    """Return a node that holds a number of the kind that its tag names."""
    if not isinstance(node, yaml.ScalarNode) or not _NUMBERS[tag].match(node.value):
        raise _bad("this is no number", node.start_mark)
    if len(node.value) > _LONGEST_NUMBER:
        raise _bad("a number is larger than 64 bits", node.start_mark)
    return node


def _construct_bool(loader: _Loader, node: Any) -> Any:
    if not isinstance(node, yaml.ScalarNode) or node.value.lower() not in loader.bool_values:
        raise _bad("this is neither true nor false", node.start_mark)
    return loader.construct_yaml_bool(node)


def _construct_seq(loader: _Loader, node: Any) -> Any:
    return loader.construct_sequence(node, deep=True)


_Loader.yaml_constructors = {
    tag: constructor
    for tag, constructor in yaml.CSafeLoader.yaml_constructors.items()
    if tag and tag.rpartition(":")[2] in _JSON_TAGS
}
for _kind, _constructor in (
    ("map", _construct_map),
    ("seq", _construct_seq),
    ("int", _construct_int),
    ("float", _construct_float),
    ("bool", _construct_bool),
):
    _Loader.add_constructor(_TAG + _kind, _constructor)
_Loader.add_constructor(None, _refuse)


def yaml_documents(raw: bytes, *, most: int) -> list[Any]:
    """Return the documents of a text, empty ones left out; 400 ``bad-yaml`` problems tell what is wrong and where.

    More than ``most`` documents are a 413, like everything that is too large.
    """
    try:
        text = raw.decode()
        _check_bounds(text, most)
        loaded = [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except UnicodeDecodeError as error:
        raise Problem(400, "bad-yaml", f"The body is no UTF-8 at byte {error.start}.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Problem(400, "bad-yaml", f"The YAML cannot be read{where}: {error.problem}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Problem(400, "bad-yaml", f"The YAML cannot be read: {type(error).__name__}.") from error
    return loaded


def _check_bounds(text: str, most: int) -> None:
    """Look at every event before anything is built of them."""
    depth = documents = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.AliasEvent):
            raise _bad("aliases are not taken", event.start_mark)
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > MAX_DEPTH:
                raise _bad(f"nested deeper than {MAX_DEPTH} levels", event.start_mark)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if documents > most:
            raise Problem(413, "too-large", f"There are more than {most} documents.", hint="Send them in parts.")
        if nodes > MAX_NODES:
            raise Problem(413, "too-large", "The YAML has too many parts.", hint="Send them in parts.")
