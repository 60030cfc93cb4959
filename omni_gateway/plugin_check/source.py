"""Source code of plugins, read as syntax trees; nothing is imported."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from omni_gateway.source_place import SourcePlace


@dataclass(frozen=True)
class Module:
    """A file of Python."""

    file: str
    text: str

    @staticmethod
    @lru_cache(maxsize=1024)
    def read(file: str) -> Module | None:
        """Return the module of a file; None if it cannot be read or parsed."""
        try:
            module = Module(file, Path(file).read_text(encoding="utf-8"))
            module.tree  # noqa: B018 (parses it)
        except (OSError, ValueError, SyntaxError):
            return None
        return module

    @cached_property
    def tree(self) -> ast.Module:
        """Return its syntax tree. Raises ``SyntaxError``."""
        return ast.parse(self.text)

    def at(self, node: ast.AST) -> SourcePlace:
        """Return the place of a node."""
        return SourcePlace(self.file, getattr(node, "lineno", 0))

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Return all nodes."""
        return list(ast.walk(self.tree))

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Yield each call with the dotted name of its function."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield node, dotted(node.func)

    def call_at(self, line: int) -> ast.Call | None:
        """Return the outermost call that begins in a line."""
        return next((call for call, _ in self.calls() if call.lineno == line), None)

    def class_of(self, qualified_name: str) -> ast.ClassDef | None:
        """Return the class of a qualified name."""
        body: list[ast.stmt] = self.tree.body
        found: ast.ClassDef | None = None
        for name in qualified_name.split("."):
            found = next((each for each in body if isinstance(each, ast.ClassDef) and each.name == name), None)
            if found is None:
                return None
            body = found.body
        return found

    def run_at_import(self) -> Iterator[ast.AST]:
        """Yield the nodes that an import runs: all but the bodies of functions."""
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            yield node
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
                waiting.extend(decorators)
            elif not (isinstance(node, ast.If) and _is_not_at_import(node)):
                waiting.extend(ast.iter_child_nodes(node))


def _is_not_at_import(node: ast.If) -> bool:
    """Return whether the body of a condition is not run: ``TYPE_CHECKING``, ``__name__ == "__main__"``."""
    text = ast.unparse(node.test)
    return "TYPE_CHECKING" in text or "__main__" in text


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for such an expression; empty for another one."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def modules_of(name: str) -> list[Module]:
    """Return the modules beside a module and below it: those of its package, or itself if it is in none."""
    spec = _spec(name)
    if spec is None or not spec.origin:
        return []
    file = Path(spec.origin)
    is_alone = "." not in name and not spec.submodule_search_locations
    files = [file] if is_alone else sorted(file.parent.rglob("*.py"))
    return [module for path in files if (module := Module.read(str(path))) is not None]


def _spec(name: str) -> Any:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None


def place_of_class(cls: type) -> SourcePlace | None:
    """Return where a class is defined; None if its source is not found."""
    module = _module_of(cls)
    node = module.class_of(cls.__qualname__) if module is not None else None
    return module.at(node) if module is not None and node is not None else None


def place_of_attribute(cls: type, name: str) -> SourcePlace | None:
    """Return where the attribute of a class, or of one that it inherits from, is written; None if it is not found."""
    places = (place_of_own_attribute(each, name) for each in cls.__mro__)
    return next((place for place in places if place is not None), None)


def place_of_own_attribute(cls: type, name: str) -> SourcePlace | None:
    """Return where the body of a class itself writes an attribute; None if it does not."""
    module = _module_of(cls)
    node = module.class_of(cls.__qualname__) if module is not None else None
    if module is None or node is None:
        return None
    return next((module.at(statement) for statement in node.body if name in _names(statement)), None)


def _names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    return []


def _module_of(cls: type) -> Module | None:
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return Module.read(file) if file else None


def place_of_function(function: Any) -> SourcePlace | None:
    """Return where a function is defined; None for one that is not written in Python."""
    while hasattr(function, "func") or hasattr(function, "__wrapped__"):
        function = getattr(function, "func", None) or function.__wrapped__
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return SourcePlace(code.co_filename, code.co_firstlineno) if code is not None else None
