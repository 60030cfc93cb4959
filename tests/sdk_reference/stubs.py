"""The surface as stub files, one for each public module: what a release promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import griffe

from tests.sdk_reference import surface

#: Decorators that change how a function is called.
DECORATORS = ("abstractmethod", "cached_property", "classmethod", "contextmanager", "property", "staticmethod")


def write(folder: Path) -> None:
    """Write the stubs of the SDK as it is now below ``folder``, as a package that griffe and mypy can read."""
    (folder / "omni_gateway").mkdir(parents=True)
    (folder / "omni_gateway" / "__init__.pyi").write_text("")
    names = {path: surface.names(module) for path, module in surface.modules(surface.load())}
    names[f"{surface.SDK}.given"] = surface.given()  # no module of the SDK: its classes are not imported
    for path, listed in names.items():
        is_package = any(other.startswith(f"{path}.") for other in names)
        file = folder.joinpath(*path.split("."), "__init__") if is_package else folder.joinpath(*path.split("."))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_suffix(".pyi").write_text(text(path, listed))


def text(path: str, listed: Sequence[tuple[str, griffe.Object]]) -> str:
    """Return the stub of a module that has these names."""
    body = [line for name, item in listed for line in _item(name, item)]
    needed = {base.rpartition(".")[0] for _, item in listed for base in _bases(item)}
    imports = [f"import {other}" for other in sorted(needed - {path, ""}) if other.startswith(surface.SDK)]
    return "\n".join([*imports, *([""] if imports else []), *body]) + "\n"


def _bases(item: griffe.Object) -> list[str]:
    return surface.bases(item) if isinstance(item, griffe.Class) else []


def _item(name: str, item: griffe.Object) -> Iterator[str]:
    if isinstance(item, griffe.Class):
        listed = ", ".join(_bases(item))
        yield f"class {name}({listed}):" if listed else f"class {name}:"
        inner = [line for each, member in surface.members(item).items() for line in _item(each, member)]
        yield from (f"    {line}" for line in inner or ["..."])
    elif isinstance(item, griffe.Function):
        yield from (f"@{decorator}" for decorator in decorators(item))
        returns = f" -> {item.returns}" if item.returns is not None else ""
        yield f"def {name}({', '.join(surface.parameters(item))}){returns}: ..."
    elif isinstance(item, griffe.Attribute) and "property" in item.labels:
        yield "@property"
        yield f"def {name}(self) -> {item.annotation}: ..."
    elif isinstance(item, griffe.Attribute):
        value = surface.value(item)
        typed = f"{name}: {item.annotation}" if item.annotation is not None else name
        if value is not None:
            yield f"{typed} = {value}"
        else:
            yield typed if ":" in typed else f"{typed} = ..."


def decorators(function: griffe.Function) -> list[str]:
    """Return the names of the decorators that change how a function is called."""
    found = [str(decorator.value).split(".")[-1] for decorator in function.decorators]
    return [name for name in found if name in DECORATORS]
