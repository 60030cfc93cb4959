"""What plugins may use of the SDK: its modules, their names, and the members of each, as griffe reads them.

A name is public if its module lists it in ``__all__``. A name that is a module itself (``sdk.omni.types``) makes public
what that module defines under a name without an underscore.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[2]
SDK = "omni_gateway.sdk"
#: Classes that plugins do not name. They are given objects of these: by the client, a query, a call.
GIVEN_CLASSES = (
    "omni_gateway.omni.resources.ResourceClient",
    "omni_gateway.omni.management.ManagementClient",
    "omni_gateway.omni.machines.MachineClient",
    "omni_gateway.auth.principal.Principal",
    "omni_gateway.omni.selectors.Selector",
)
#: Classes with a public name whose objects only the engine makes.
MADE_BY_THE_ENGINE = ("omni_gateway.rest.gateway.Gateway", "omni_gateway.tasks.task.TaskContext")
#: Methods with two underscores that are called by their users; the others only serve Python.
CALLED = ("__init__", "__new__", "__call__", "__enter__", "__exit__", "__iter__", "__len__")


@cache
def load() -> griffe.Module:
    """Return the SDK; names that it takes from elsewhere can be followed."""
    loader = griffe.GriffeLoader(search_paths=[ROOT], allow_inspection=False)
    sdk = loader.load(SDK)
    loader.resolve_aliases(implicit=True, external=False)
    assert isinstance(sdk, griffe.Module)
    return sdk


def given() -> list[tuple[str, griffe.Object]]:
    """Return the classes of objects that plugins are given without naming these classes."""
    package = load().parent
    assert package is not None
    return [(path.rpartition(".")[2], target(package[path.partition(".")[2]])) for path in GIVEN_CLASSES]


def modules(sdk: griffe.Module) -> Iterator[tuple[str, griffe.Module]]:
    """Yield the path and the content of each public module: the SDK, its submodules, and modules that these list."""
    yield SDK, sdk
    for name, module in sorted(sdk.members.items()):
        if not isinstance(module, griffe.Module) or name.startswith("_"):
            continue
        yield f"{SDK}.{name}", module
        for listed, content in names(module):
            if isinstance(content, griffe.Module):
                yield f"{SDK}.{name}.{listed}", content


def names(module: griffe.Module) -> list[tuple[str, griffe.Object]]:
    """Return the public names of a module and what they name, in the order of ``__all__``, else of the source."""
    if module.exports is not None:
        return [(str(name), target(module.members[str(name)])) for name in module.exports]
    return [(name, target(item)) for name, item in module.members.items() if not item.is_alias and is_public(name)]


def members(item: griffe.Class) -> dict[str, griffe.Object]:
    """Return the public members of a class: its own, and those of bases that are not public themselves."""
    found: dict[str, griffe.Object] = {}
    for base in item.resolved_bases:
        if isinstance(base, griffe.Class) and base.path not in public_paths():
            found |= members(base)
    found |= {name: target(each) for name, each in item.members.items() if is_public(name)}
    if item.path in (*GIVEN_CLASSES, *MADE_BY_THE_ENGINE):
        found.pop("__init__", None)
    return found


def bases(item: griffe.Class) -> list[str]:
    """Return the public names of the bases of a class, and the text of those that are of another package."""
    resolved = {base.name: base.path for base in item.resolved_bases}
    found = []
    for text in map(str, item.bases):
        path = resolved.get(text.split(".")[-1])
        if path is None:
            found.append(text)
        elif path in public_paths():
            found.append(public_paths()[path])
    return found


@cache
def public_paths() -> dict[str, str]:
    """Return the public path of each class, by the path at which it is defined."""
    return {
        content.path: f"{path}.{name}"
        for path, module in reversed([*modules(load())])
        for name, content in names(module)
    }


def is_public(name: str) -> bool:
    """Return whether a name is part of the surface; inherited checks are not: pytest calls them, no plugin does."""
    return not name.startswith(("_", "test_")) or name in CALLED


def target(item: griffe.Object | griffe.Alias) -> griffe.Object:
    return item.final_target if isinstance(item, griffe.Alias) else item


def parameters(function: griffe.Function) -> Iterator[str]:
    """Yield the parameters as in a signature; ``*`` and ``/`` among them."""
    kinds = griffe.ParameterKind
    before: griffe.ParameterKind | None = None
    for each in function.parameters:
        if before is kinds.positional_only and each.kind is not before:
            yield "/"
        if each.kind is kinds.keyword_only and before not in (kinds.keyword_only, kinds.var_positional):
            yield "*"
        before = each.kind
        variadic = {kinds.var_positional: "*", kinds.var_keyword: "**"}.get(each.kind, "")
        typed = f"{variadic}{each.name}" + (f": {each.annotation}" if each.annotation is not None else "")
        default = "" if each.default is None or variadic else _default(function, each.default)
        yield typed + (f" = {default}" if default and ":" in typed else f"={default}" if default else "")


def _default(function: griffe.Function, text: str | griffe.Expr) -> str:
    """Return a default, by its value where it is a constant's name."""
    if isinstance(text, griffe.ExprName):
        named = constant(text.canonical_path)
        return str(text) if named is None else named
    # A dataclass's own factory says nothing to its users.
    return "..." if str(text).startswith("field(") else str(text)


def value(item: griffe.Attribute) -> str | None:
    """Return the value of an attribute of a module or a class as Python text; None if it is not made of constants."""
    return (
        None
        if item.labels & {"instance-attribute", "class-attribute"} == {"instance-attribute"}
        else constant(item.path)
    )


def constant(path: str) -> str | None:
    owner, _, name = path.rpartition(".")
    try:
        found = _imported(owner)
        value = getattr(found, name)
    except (AttributeError, ImportError, ValueError):
        return None
    return repr(value.value if isinstance(value, Enum) else value) if _is_constant(value) else None


def _imported(path: str) -> object:
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        owner, _, name = path.rpartition(".")
        return getattr(_imported(owner), name)


def _is_constant(value: object) -> bool:
    if isinstance(value, Enum):
        return _is_constant(value.value)
    if isinstance(value, (tuple, list)):
        return all(map(_is_constant, value))
    if isinstance(value, frozenset):
        return not value
    return value is None or isinstance(value, (str, bytes, bool, int, float))
