"""YAML from strangers: JSON's values only, bounded in depth, in size and in number, without aliases.

libyaml's composer recurses on the C stack, so depth is looked at on its events first. An alias stands for a copy of
what it names: a few lines of them unfold to gigabytes, so none is taken.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

from omni_gateway.http.problems import Problem

MEDIA_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
MAX_DEPTH = 64
MAX_NODES = 500_000
_JSON_TAGS = ("null", "bool", "int", "float", "str", "map", "seq")


def _bad(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


class _Loader(yaml.CSafeLoader):
    """JSON's values: a time is text, no key is there twice, every key is the text that stands there."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in _JSON_TAGS]
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
    return loader.construct_mapping(node)


def _construct_seq(loader: _Loader, node: Any) -> Any:
    return loader.construct_sequence(node, deep=True)


_Loader.yaml_constructors = {
    tag: constructor
    for tag, constructor in yaml.CSafeLoader.yaml_constructors.items()
    if tag and tag.rpartition(":")[2] in _JSON_TAGS
}
_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_Loader.add_constructor("tag:yaml.org,2002:seq", _construct_seq)
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
