"""Parsing of untrusted YAML: JSON's values only; bounded depth, size and number of documents.

libyaml's composer recurses on the C stack, so the depth is checked on the parser's events first. A few lines of aliases
can expand to gigabytes, so each document's size with its aliases expanded is computed before anything is constructed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import yaml

from omni_gateway.http.problems import Problem
from omni_gateway.plain_scalar import PlainScalar, value_of

MEDIA_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
MAX_DEPTH = 64
#: A hundred for each of the documents that a request may have; their events and nodes take 70 MB while they are parsed.
MAX_NODES = 200_000
#: Characters of all scalars, aliases expanded: as many as the largest body may have, for they become JSON.
MAX_TEXT = 4 * 1024 * 1024
_JSON_TAGS = ("null", "bool", "int", "float", "str", "map", "seq")
_TAG = "tag:yaml.org,2002:"
#: The tag that :func:`yaml_nodes` gives to plain scalars without one.
PLAIN = "plain"
#: YAML 1.1's numbers without those to the base of 60: ``1:30`` is a text (as in YAML 1.2, and to omnictl), and PyYAML
#: takes quadratic time to convert them.
_NUMBERS = {
    f"{_TAG}int": re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)\Z"),
    f"{_TAG}float": re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?\Z"),
}
#: Characters of a number that is converted at all: 64 bits to the base of 2 take 66.
_LONGEST_NUMBER = 100
_TOO_LARGE = re.compile(r"[-+]?[0-9][0-9a-zA-Z_.+-]*")


def _bad(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


class _Loader(yaml.CSafeLoader):
    """A loader of JSON's values: timestamps are strings, duplicate keys are errors, keys are their source text."""

    yaml_implicit_resolvers = {
        first: [(tag, _NUMBERS.get(tag, pattern)) for tag, pattern in resolvers if tag.rpartition(":")[2] in _JSON_TAGS]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }

    #: Whether any document has aliases; and the nodes and characters that the rest of them may still expand to.
    has_aliases = False
    nodes_left, text_left = MAX_NODES, MAX_TEXT

    def construct_document(self, node: yaml.Node) -> Any:
        """Construct a document; raise if its aliases expand to too much, or are recursive."""
        self.check_aliases(node)
        return super().construct_document(node)

    def check_aliases(self, node: yaml.Node) -> None:
        """Raise if a document's aliases expand to too much, or are recursive."""
        if self.has_aliases:
            size = _expanded_size(node)
            self.nodes_left, self.text_left = self.nodes_left - size.nodes, self.text_left - size.text
            if self.nodes_left < 0 or self.text_left < 0:
                raise _too_much(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Construct an object; raise for keys that are no text, and for duplicate ones."""
        result: dict[Hashable, Any] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _bad("a key is no text", key_node.start_mark)
            key = key_node.value
            merges = key == "<<" and not key_node.style  # in quotes it is an ordinary key
            if key in result or (merges and merged):
                raise _bad(f"the key {key!r} is there twice", key_node.start_mark)
            if merges:
                merged = _merge_sources(value_node)
            else:
                result[key] = self.construct_object(value_node, deep=True)
        for source in merged:
            for key, value in self.construct_object(source, deep=True).items():
                result.setdefault(key, value)
        return result


class _PlainLoader(_Loader):
    """A loader for :func:`yaml_nodes`: it resolves no types."""

    yaml_implicit_resolvers = {None: [(PLAIN, re.compile(""))]}


class _SourceLoader(_Loader):
    """A loader that returns :class:`PlainScalar` (value and source text) for scalars other than strings."""


def _merge_sources(node: yaml.Node) -> list[yaml.Node]:
    """Return the mappings of a merge key; members of an earlier one take precedence."""
    sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
    for source in sources:
        if not isinstance(source, yaml.MappingNode):
            raise _bad("a merge key takes a mapping or a list of mappings", source.start_mark)
    return list(sources)


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
    """Return ``node`` if it is a number of the tag's type and not too long; else raise."""
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


def _with_source(construct: Any) -> Any:
    def construct_with_source(loader: _Loader, node: Any) -> Any:
        try:
            value = construct(loader, node)
        except yaml.MarkedYAMLError:
            # A number that no numeric field could hold may still be a text: an id, a label's value.
            if not isinstance(node, yaml.ScalarNode) or not _TOO_LARGE.fullmatch(node.value):
                raise
            return node.value
        return PlainScalar(value, node.value) if not node.style else value

    return construct_with_source


for _kind, _constructor in (
    ("int", _construct_int),
    ("float", _construct_float),
    ("bool", _construct_bool),
    ("null", yaml.CSafeLoader.yaml_constructors[_TAG + "null"]),
):
    _SourceLoader.add_constructor(_TAG + _kind, _with_source(_constructor))


def yaml_documents(raw: bytes, *, most: int, keep_source: bool = False) -> list[Any]:
    """Return the documents of a YAML body, without empty ones.

    ``keep_source``: numbers, booleans and nulls are :class:`PlainScalar`, for callers that know each field's type.

    Raises problems: 400 ``bad-yaml`` with the error and its position; 413 for more than ``most`` documents, and for too
    many nodes.
    """
    try:
        text = raw.decode()
        has_aliases = _check_bounds(text, most)
        loader = (_SourceLoader if keep_source else _Loader)(text)
        loader.has_aliases = has_aliases
        found = list(_documents(loader))
    except UnicodeDecodeError as error:
        raise Problem(400, "bad-yaml", f"The body is no UTF-8 at byte {error.start}.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Problem(400, "bad-yaml", f"The YAML cannot be read{where}: {error.problem}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Problem(400, "bad-yaml", f"The YAML cannot be read: {type(error).__name__}.") from error
    return [document for document in found if value_of(document) is not None]


def yaml_nodes(text: str, *, most: int) -> list[yaml.Node]:
    """Return the documents of a YAML text as nodes with their places; plain scalars have the tag :data:`PLAIN`.

    For callers that resolve types by rules of their own. Raises ``yaml.YAMLError``, and 413 as :func:`yaml_documents`.
    """
    loader = _PlainLoader(text)
    loader.has_aliases = _check_bounds(text, most)
    nodes = []
    try:
        while loader.check_node():
            node = cast(yaml.Node, loader.get_node())
            loader.check_aliases(node)
            nodes.append(node)
    finally:
        loader.dispose()
    return nodes


def top_levels(text: str) -> list[dict[str, str] | None]:
    """Return the top-level members of each document, with "" for values that are no scalars.

    None for a document that is no object; null documents are left out. Raises ``ValueError`` for invalid YAML, and for
    text beyond the bounds.
    """
    try:
        _check_bounds(text, MAX_NODES)
        nodes = [node for node in yaml.compose_all(text, Loader=yaml.CSafeLoader) if node is not None]
    except (yaml.YAMLError, Problem, RecursionError) as error:
        raise ValueError(f"no YAML: {type(error).__name__}") from error
    return [_top_level(node) for node in nodes if node.tag != f"{_TAG}null"]


def _top_level(node: yaml.Node) -> dict[str, str] | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return {str(key.value): str(value.value) if isinstance(value, yaml.ScalarNode) else "" for key, value in node.value}


def _documents(loader: _Loader) -> Iterator[Any]:
    try:
        while loader.check_data():  # type: ignore[no-untyped-call]
            yield loader.get_data()
    finally:
        loader.dispose()


def _check_bounds(text: str, most: int) -> bool:
    """Check depth, documents and nodes on the parser's events; return whether there are aliases."""
    depth = documents = 0
    has_aliases = False
    for nodes, event in enumerate(yaml.parse(text, Loader=_Loader)):
        has_aliases = has_aliases or isinstance(event, yaml.AliasEvent)
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
    return has_aliases


@dataclass(frozen=True, slots=True)
class _Size:
    """The size of a node and its descendants, aliases expanded."""

    nodes: int
    text: int
    depth: int


def _expanded_size(root: yaml.Node) -> _Size:
    """Return a document's size; raise ``MarkedYAMLError`` if it expands beyond the bounds or contains itself.

    An aliased node is one node with several parents, so its size is computed once. Iterative, for the graph that
    aliases make may be deeper than Python's stack.
    """
    sizes: dict[int, _Size] = {}
    open_nodes: set[int] = set()
    stack: list[yaml.Node] = [root]
    while stack:
        node = stack[-1]
        pending = [child for child in _children(node) if id(child) not in sizes]
        if id(node) not in open_nodes and pending:
            open_nodes.add(id(node))
            if any(id(child) in open_nodes for child in pending):
                raise _bad("an alias contains itself", node.start_mark)
            stack.extend(pending)
            continue
        stack.pop()
        open_nodes.discard(id(node))
        if id(node) not in sizes:
            sizes[id(node)] = _size(node, sizes)
    return sizes[id(root)]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _size(node: yaml.Node, sizes: Mapping[int, _Size]) -> _Size:
    inner = [sizes[id(child)] for child in _children(node)]
    own_text = len(node.value) if isinstance(node, yaml.ScalarNode) else 0
    size = _Size(
        1 + sum(each.nodes for each in inner),
        own_text + sum(each.text for each in inner),
        (0 if isinstance(node, yaml.ScalarNode) else 1) + max((each.depth for each in inner), default=0),
    )
    if size.nodes > MAX_NODES or size.text > MAX_TEXT or size.depth > MAX_DEPTH:
        raise _too_much(node)
    return size


def _too_much(node: yaml.Node) -> yaml.MarkedYAMLError:
    return _bad("aliases unfold to too much", node.start_mark)
