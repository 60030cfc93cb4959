"""Image schematics: the contents of a machine's image, named by the hash of their canonical text.

The image factory decodes a schematic strictly, writes it anew in one form (a fixed order of fields, empty ones left
out, four spaces), and names it by the SHA-256 of that text: equal content has an equal id, however it was written.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from omni_gateway.simulator.documents import strict_yaml
from omni_gateway.simulator.documents.strict_yaml import Records

RECORDS: Records = {
    "schematic": {"owner": "string", "overlay": "overlay", "customization": "customization"},
    "overlay": {"image": "string", "name": "string", "options": "{}any"},
    "customization": {
        "embeddedMachineConfiguration": "string",
        "extraKernelArgs": "[]string",
        "meta": "[]meta",
        "systemExtensions": "extensions",
        "bootloader": "none|dual-boot|sd-boot|grub",
        "secureboot": "secureboot",
        "diskImage": "disk image",
    },
    "meta": {"key": "uint8", "value": "string"},
    "extensions": {"officialExtensions": "[]string"},
    "secureboot": {"enrollKeys": "string", "includeWellKnownCertificates": "bool"},
    "disk image": {"sectorSize": "uint64"},
}
"""The records of a schematic, their fields in canonical order."""
_ALWAYS = frozenset({("schematic", "customization"), ("overlay", "image"), ("overlay", "name"), ("meta", "key")})
_ALWAYS |= {("meta", "value")}
_NO_BOOTLOADER = "none"
_INDENT = 4
_DOUBLE = '"'
# A space before the end of a line, and characters that are escaped.
_NO_BLOCK = re.compile(r"[^\S\n](\n|$)|[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Plain text that other readers of YAML take for a boolean or a number of base 60: it is quoted as well.
_OLD_WORDS = re.compile(r"<<|(?i:y|yes|on|n|no|off)|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")


def problems(node: yaml.Node) -> Iterator[str]:
    """Yield the problems of the text of a schematic."""
    for found in strict_yaml.check(node, "schematic", RECORDS):
        yield f"line {found.node.start_mark.line + 1}: {found}"


def read(node: yaml.Node, type_: str = "schematic") -> Any:
    """Return the content of a node that was checked, each value as its type has it."""
    if strict_yaml.is_null(node):
        return None
    if type_.startswith("[]"):
        return [read(item, type_[2:]) for item in node.value if not strict_yaml.is_null(item)]
    if type_ == "any" or type_.startswith("{}"):
        return _any(node)
    if type_ in RECORDS:
        fields = RECORDS[type_]
        return {key.value: read(value, fields[key.value]) for key, value in node.value}
    found = strict_yaml.resolve(node)  # type: ignore[arg-type]
    if type_ == "bool":
        return found.value if found.kind == "boolean" else found.text.lower() in ("y", "yes", "on")
    if type_.startswith("uint"):
        return int(found.value)  # type: ignore[call-overload]
    return found.text.lower() if "|" in type_ else found.text


def render(content: Mapping[str, Any]) -> str:
    """Return the canonical text of a schematic."""
    return "".join(line + "\n" for line in _record(content, "schematic", 0)) or "{}\n"


def id_of(text: str) -> str:
    """Return the id of a schematic with this canonical text."""
    return hashlib.sha256(text.encode()).hexdigest()


def text(kernel_args: Sequence[str], extensions: Sequence[str]) -> str:
    """Return the canonical text of a schematic with these kernel arguments and system extensions."""
    return _text(tuple(kernel_args), tuple(sorted(set(extensions))))


def schematic_id(kernel_args: Sequence[str], extensions: Sequence[str]) -> str:
    """Return the id of the schematic with these kernel arguments and system extensions."""
    return _schematic_id(tuple(kernel_args), tuple(sorted(set(extensions))))


@functools.lru_cache(maxsize=4096)
def _text(kernel_args: tuple[str, ...], extensions: tuple[str, ...]) -> str:
    customization = {"extraKernelArgs": kernel_args, "systemExtensions": {"officialExtensions": extensions}}
    return render({"customization": customization})


@functools.lru_cache(maxsize=4096)
def _schematic_id(kernel_args: tuple[str, ...], extensions: tuple[str, ...]) -> str:
    return id_of(_text(kernel_args, extensions))


def _any(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {strict_yaml.text_of(key): _any(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_any(item) for item in node.value]
    return strict_yaml.resolve(node).value  # type: ignore[arg-type]


def _is_empty(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_empty(item) for item in value.values())
    return not value or value == _NO_BOOTLOADER


def _record(content: Mapping[str, Any], record: str, column: int) -> Iterator[str]:
    for field, type_ in RECORDS[record].items():
        value = content.get(field)
        if (record, field) in _ALWAYS or (value if type_ == "{}any" else not _is_empty(value)):
            yield from _entry(field, value, type_, column)


def _entry(key: str, value: Any, type_: str, column: int) -> Iterator[str]:
    start = " " * column + key + ":"
    if type_ in RECORDS:
        lines = list(_record(value or {}, type_, _next(column)))
        yield from (start, *lines) if lines else (f"{start} {{}}",)
    elif type_ == "[]meta":
        yield start
        for item in value:
            yield from _item(_record(item, "meta", _next(column) + 2))
    elif type_.startswith(("[]", "{}")):
        yield start
        yield from _value(value, _next(column))
    elif value is None:
        yield start + (' ""' if type_ == "string" else " 0")
    else:
        yield from _scalar(start, value, _next(column))


def _value(value: Any, column: int) -> Iterator[str]:
    """Yield the lines of a mapping or a list that is not empty."""
    space = " " * column
    if isinstance(value, Mapping):
        for key in sorted(value, key=_natural):
            start = f"{space}{_quoted(str(key))}:"
            if isinstance(value[key], (Mapping, list)) and value[key]:
                yield start
                yield from _value(value[key], _next(column))
            else:
                yield from _scalar(start, value[key], _next(column))
        return
    for item in value:
        if isinstance(item, (Mapping, list)) and item:
            yield from _item(_value(item, column + 2))
        else:
            yield from _scalar(f"{space}-", item, column + 2)


def _item(lines: Iterator[str]) -> Iterator[str]:
    """Yield the lines of a list's item, the dash in the two columns before its first."""
    for position, line in enumerate(lines):
        inner = line.lstrip(" ")
        yield line if position else " " * (len(line) - len(inner) - 2) + "- " + inner


def _next(column: int) -> int:
    """Return the column of the next level of indentation: the next multiple of four."""
    return _INDENT * (column // _INDENT + 1)


def _scalar(start: str, value: Any, inner: int) -> Iterator[str]:
    if isinstance(value, str) and "\n" in value:
        yield from _block(start, value, inner)
    elif isinstance(value, str):
        yield f"{start} {_quoted(value)}"
    elif isinstance(value, Mapping):
        yield f"{start} {{}}"
    elif isinstance(value, list):
        yield f"{start} []"
    elif value is None or isinstance(value, bool):
        yield f"{start} {'null' if value is None else str(value).lower()}"
    else:
        yield f"{start} {str(value).removesuffix('.0')}"


def _block(start: str, value: str, inner: int) -> Iterator[str]:
    """Yield a text of several lines in the literal style, or in quotes where that style cannot hold it."""
    if not value.strip("\n") or _NO_BLOCK.search(value):
        yield f"{start} {_dumped(value, _DOUBLE)}"
        return
    lines = value.split("\n")
    hint = str(_INDENT) if value[0] == " " else ""
    chomp = "-" if lines[-1] else "+" if not lines[-2] else ""
    yield f"{start} |{hint}{chomp}"
    for line in lines if lines[-1] else lines[:-1]:
        yield " " * inner + line if line else ""


def _quoted(value: str) -> str:
    plain = yaml.ScalarNode(strict_yaml.implied_tag(value), value)
    if strict_yaml.resolve(plain).kind != "string" or _OLD_WORDS.fullmatch(value):
        return _dumped(value, _DOUBLE)
    return _dumped(value, None)


def _dumped(value: str, style: str | None) -> str:
    node = yaml.ScalarNode("tag:yaml.org,2002:str", value, style=style)
    dumped: str = yaml.serialize(node, Dumper=_Dumper, width=10**9, allow_unicode=True)
    return dumped.removesuffix("\n").removesuffix("...").removesuffix("\n")


class _Dumper(yaml.Dumper):
    """Writes a text plain where YAML allows it, whatever else a reader of YAML 1.1 would take it for."""

    yaml_implicit_resolvers: dict[str, Any] = {}


def _natural(key: Any) -> list[tuple[bool, int, str]]:
    return [
        (not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", str(key)) if part
    ]
