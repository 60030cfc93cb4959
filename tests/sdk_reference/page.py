"""docs/plugins/reference.md: every public name of the SDK with its signature and docstring."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import griffe

from tests.sdk_reference import surface
from tests.sdk_reference.stubs import decorators

PATH = surface.ROOT / "docs" / "plugins" / "reference.md"
WIDTH = 100
INTRODUCTION = """\
# SDK reference

Every public name of the plugin SDK, by module, with its signature. `make sdk-reference` makes it of signatures and
docstrings of the source; a test fails when it is not current. What is not listed here is not promised
([versions.md](versions.md)).
"""
GIVEN = """\
## Objects that plugins are given

Classes whose objects a plugin uses and whose names it does not import: `adapter.omni` is an `OmniClient`, with a
`ResourceClient`, a `ManagementClient` and a `MachineClient`; `current_principal()` returns a `Principal`; a `ListQuery`
has a `Selector`.
"""
Named = tuple[str, griffe.Object]


def text() -> str:
    """Return the page."""
    parts = [INTRODUCTION]
    for path, module in surface.modules(surface.load()):
        heading = f"## `{path}`\n\n{_markdown(docstring(module))}\n"
        listed = surface.names(module)
        parts.append("\n".join([heading, *_section(path.removeprefix(surface.SDK).lstrip("."), listed)]))
    parts.append("\n".join([GIVEN, *_section("given", surface.given())]))
    return "\n".join(part.rstrip() + "\n" for part in parts)


def undescribed() -> list[str]:
    """Return the public names and methods without a docstring; constants need a ``#:`` comment, or a plain value."""
    missing = []
    for path, module in surface.modules(surface.load()):
        for name, item in surface.names(module):
            if not docstring(item) and not _value(item):
                missing.append(f"{path}.{name}")
            if isinstance(item, griffe.Class):
                functions = [each for each, member in surface.members(item).items() if _is_method(member)]
                missing += [f"{path}.{name}.{each}" for each in functions if not docstring(surface.members(item)[each])]
    return missing


def docstring(item: griffe.Object) -> str:
    """Return the docstring, or the ``#:`` comment above an attribute, on one line."""
    if item.docstring:
        return item.docstring.value
    if not isinstance(item, griffe.Attribute) or not item.lineno:
        return ""
    found: list[str] = []
    for line in reversed(item.lines_collection[item.filepath][: item.lineno - 1]):
        if not line.strip().startswith("#:"):
            break
        found.insert(0, line.strip()[2:].strip())
    return " ".join(found)


def _section(prefix: str, listed: Sequence[Named]) -> Iterator[str]:
    """Yield a table of all names, then a section for each class and function."""
    described = [each for each in listed if isinstance(each[1], (griffe.Class, griffe.Function))]
    if constants := [each for each in listed if isinstance(each[1], griffe.Attribute)]:
        yield "| constant | value | |\n|---|---|---|"
        for name, item in constants:
            yield f"| `{name}` | {_value(item)} | {_cell(docstring(item))} |"
        yield ""
    if others := [each for each in listed if not isinstance(each[1], griffe.Attribute)]:
        yield "| name | |\n|---|---|"
        for name, item in others:
            yield f"| [`{name}`](#{_anchor(_heading(prefix, name, item))}) | {_cell(_first_sentence(item))} |"
        yield ""
    for name, item in described:
        if _home(prefix, name, item) == _qualified(prefix, name):
            yield f"### `{_qualified(prefix, name)}`\n"
            yield from _class(name, item) if isinstance(item, griffe.Class) else _function(name, item)


def _heading(prefix: str, name: str, item: griffe.Object) -> str:
    if isinstance(item, griffe.Module):
        return f"{surface.SDK}.{prefix}.{name}"
    return _home(prefix, name, item)


def _home(prefix: str, name: str, item: griffe.Object) -> str:
    """Return the name under which the page describes a class that several modules have."""
    known = surface.public_paths().get(item.path) if isinstance(item, griffe.Class) and prefix != "given" else None
    return known.removeprefix(f"{surface.SDK}.") if known else _qualified(prefix, name)


def _qualified(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _class(name: str, item: griffe.Class) -> Iterator[str]:
    members = surface.members(item)
    bases = [base.removeprefix(f"{surface.SDK}.") for base in surface.bases(item)]
    constructor = members.pop("__init__", None) or members.pop("__new__", None)
    title = f"class {name}({', '.join(bases)})" if bases else f"class {name}"
    made = [_call(name, [*surface.parameters(_bound(constructor))])] if isinstance(constructor, griffe.Function) else []
    yield _fenced(title, *made)
    texts = [docstring(item)] + ([docstring(constructor)] if constructor is not None else [])
    yield "\n\n".join(_markdown(each) for each in texts if each) + "\n"
    described = re.findall(r":param (\w+):", "".join(texts))
    yield from _attributes(item, [each for each in members.items() if each[0] not in described])
    if {"__enter__", "__exit__"} <= members.keys():
        yield "It is a context manager.\n"
    methods = [(each, member) for each, member in members.items() if _is_method(member)]
    inherited = [each for each, member in methods if _overrides(item, each, member)]
    for each, member in methods:
        if each not in inherited and isinstance(member, griffe.Function):
            yield from _function(each, member, of_class=True)
    if inherited:
        yield f"It defines {', '.join(f'`{each}`' for each in inherited)} of its bases.\n"


def _is_method(member: griffe.Object) -> bool:
    return isinstance(member, griffe.Function) and not member.name.startswith("__")


def _overrides(item: griffe.Class, name: str, member: griffe.Object) -> bool:
    """Return True for a method that a public base describes, with the same parameters."""
    for base in item.mro():
        overridden = base.members.get(name) if base.path in surface.public_paths() else None
        if isinstance(overridden, griffe.Function) and isinstance(member, griffe.Function):
            return [*surface.parameters(overridden)] == [*surface.parameters(member)]
    return False


def _attributes(owner: griffe.Class, listed: Sequence[Named]) -> Iterator[str]:
    rows = []
    for name, item in listed:
        if not isinstance(item, griffe.Attribute):
            continue
        value, told = surface.value(item), docstring(item)
        inherited = any(name in base.members for base in owner.mro())
        if inherited and value is None and not told:
            continue  # set by the constructor; the base describes it
        told = told or next((docstring(base.members[name]) for base in owner.mro() if name in base.members), "")
        typed = f"{name}: {item.annotation}" if item.annotation is not None else name
        rows.append(f"| `{_code(typed)}` | {_value(item)} | {_cell(told)} |")
    if rows:
        yield "\n".join(["| attribute | default | |\n|---|---|---|", *rows, ""])


def _function(name: str, item: griffe.Function, *, of_class: bool = False) -> Iterator[str]:
    returns = f" -> {item.returns}" if item.returns is not None else ""
    parameters = [*surface.parameters(_bound(item) if of_class else item)]
    yield _fenced(*(f"@{each}" for each in decorators(item)), _call(name, parameters, returns))
    yield _markdown(docstring(item)) + "\n"


def _bound(function: griffe.Function) -> griffe.Function:
    """Return a method as its caller sees it, without ``self``."""
    if "staticmethod" in decorators(function):
        return function
    seen = griffe.Parameters(*[*function.parameters][1:])
    return griffe.Function(function.name, parameters=seen, returns=function.returns, parent=function.parent)


def _call(name: str, parameters: list[str], returns: str = "") -> str:
    line = f"{name}({', '.join(parameters)}){returns}"
    if len(line) <= WIDTH:
        return line
    return f"{name}(\n" + "".join(f"    {each},\n" for each in parameters) + f"){returns}"


def _fenced(*lines: str) -> str:
    return "\n".join(["```python", *lines, "```", ""])


def _value(item: griffe.Object) -> str:
    value = surface.value(item) if isinstance(item, griffe.Attribute) else None
    return "" if value is None else f"`{_code(value)}`"


def _first_sentence(item: griffe.Object) -> str:
    paragraph = _markdown(docstring(item)).split("\n\n")[0].replace("\n", " ")
    return re.split(r"(?<=\.)\s(?=[A-Z])", paragraph)[0]


def _markdown(docstring: str) -> str:
    """Return a docstring as Markdown: roles and double backticks as code, parameters as a list."""
    text = re.sub(r":\w+:`[~.]*([^`]+)`", r"`\1`", docstring).replace("``", "`")
    text = re.sub(r"^:param (\w+):", r"- `\1`:", text, flags=re.M)
    return re.sub(r"^    (?=\S)", "  ", text, flags=re.M).strip()


def _cell(text: str) -> str:
    return _code(_markdown(text))


def _code(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower())
