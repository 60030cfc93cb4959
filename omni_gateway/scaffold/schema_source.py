"""The source code of a schema, from the message of an Omni type or from fields that an author names.

The code is written as ``ruff format`` would write it, so that a new package is clean without the tool.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from omni_gateway.omni import messages
from omni_gateway.redaction.specs import names_secret
from omni_gateway.rest.schema import ENVELOPE

#: The length of a line of generated code.
LINE = 120
#: Names that a spec's field cannot have in a schema: those of the envelope.
TAKEN = ENVELOPE | {"links"}

#: Texts of Omni's controllers that may hold a join token, or a machine's configuration.
_MAY_HOLD_TOKEN = re.compile(r"(^|_)(args|cmdline|endpoint|url|config|raw)$")
_CONFIGURATION = re.compile(r"(^|_)(config|diff|patch|patches|data)$")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: The text of an example, by the end of a field's name.
_EXAMPLES = (
    ("version", "1.11.2"),
    ("email", "ada@example.org"),
    ("url", "https://example.org"),
    ("endpoint", "https://example.org"),
    ("address", "192.0.2.7"),
    ("uuid", "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01"),
    ("cluster", "my-cluster"),
    ("disk", "/dev/vda"),
)
_ACRONYMS = {
    word.lower(): word
    for word in (
        "API",
        "BMC",
        "CA",
        "DB",
        "gRPC",
        "HTTP",
        "ID",
        "IP",
        "IPMI",
        "JWT",
        "OIDC",
        "PXE",
        "S3",
        "SAML",
        "SBC",
        "UKI",
        "URL",
        "UUID",
    )
}
_TIME, _OTHER_TIME = "2026-08-21T10:00:00Z", "2026-08-22T10:00:00Z"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a field of one kind is written: the call, and two values that callers may send."""

    call: str
    example: Any
    other: Any
    #: Added to the description.
    note: str = ""


#: The kinds of fields that an author may name, `title:string`.
OWN_KINDS: Mapping[str, Kind] = {
    "string": Kind("fields.String", "example", "another example"),
    "strings": Kind("fields.List", ["first", "second"], ["third"]),
    "boolean": Kind("wire.Boolean", True, False),
    "integer": Kind("wire.Integer", 1, 2),
    "number": Kind("fields.Float", 1.5, 2.5),
    "time": Kind("wire.Timestamp", _TIME, _OTHER_TIME),
    "duration": Kind("wire.Duration", "5400s", "60s", ", such as 90s or 1h30m"),
    "secret": Kind("wire.Secret", "not shown", "not shown either"),
}
_PROTO_KINDS: Mapping[str, Kind] = {
    "string": OWN_KINDS["string"],
    "bool": OWN_KINDS["boolean"],
    "double": OWN_KINDS["number"],
    "int32": OWN_KINDS["integer"],
    "uint32": OWN_KINDS["integer"],
    "int64": Kind("wire.Int64", 1, 2),
    "uint64": Kind("wire.Int64", 1, 2),
    "bytes": Kind("fields.String", "ZXhhbXBsZQ==", "YW5vdGhlcg==", ", in base64"),
    "google.protobuf.Timestamp": OWN_KINDS["time"],
    "google.protobuf.Duration": OWN_KINDS["duration"],
}


class FieldError(ValueError):
    """A field that an author named is wrong; the text says how."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The code of a schema's module with the names of its classes, and what a caller may send.

    That is a body without its id, and a merge patch of it.
    """

    code: str
    classes: tuple[str, ...]
    example: Mapping[str, Any]
    change: Mapping[str, Any]
    sortable: tuple[str, ...]


def of_omni_type(type: str, name: str, *, writable: bool) -> Schema:
    """Return the schema ``<name>Schema`` of a type; where the tables lack its message, one without fields."""
    source = _Source(type, name, writable)
    message = messages.message_of(type)
    members = list(messages.members(message).values()) if message else []
    source.add_class(f"{name}Schema", "ResourceSchema", [source.of_member(member, top=True) for member in members])
    return source.schema()


def of_own_fields(name: str, fields: Sequence[str]) -> Schema:
    """Return the schema ``<name>Schema`` of fields such as ``title:string``. Raises :class:`FieldError`."""
    source = _Source("", name, writable=True)
    source.add_class(f"{name}Schema", "ResourceSchema", [source.of_own(*parse(text)) for text in fields])
    return source.schema()


def parse(text: str) -> tuple[str, str]:
    """Return the name and kind of ``name:kind``, by default a string. Raises :class:`FieldError`."""
    name, _, kind = text.strip().partition(":")
    kind = kind.strip() or "string"
    if not _IDENTIFIER.fullmatch(name):
        raise FieldError(f"The field name {name!r} must be lower-case words with underscores, such as steps_done.")
    if name in TAKEN:
        raise FieldError(f"The field name {name!r} is taken: every object has {', '.join(sorted(TAKEN))}.")
    if kind not in OWN_KINDS:
        raise FieldError(f"The field {name!r} has no kind {kind!r}; kinds are {', '.join(OWN_KINDS)}.")
    return name, kind


def words(name: str) -> str:
    """Return the words of a name in snake, kebab or camel case, with acronyms as people write them."""
    each = snake(name).replace("-", "_").split("_")
    return " ".join(_ACRONYMS.get(word, word) for word in each)


def snake(name: str) -> str:
    """Return a name in snake case: ``kubernetes_api_ready`` for ``kubernetesAPIReady``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z](?!s(?:[A-Z]|$))[a-z])", "_", name).lower()


#: Fields whose values on the wire have the order of the values that callers read.
_SORTED = frozenset({"fields.String", "wire.Boolean", "wire.Integer", "fields.Float"})


@dataclass(frozen=True, slots=True)
class _Field:
    """One line of a schema, and the value that a caller may send; ``other`` is None for a field that none sends.

    A ``plain`` field may be sorted by.
    """

    name: str
    code: str
    wire_name: str
    example: Any = None
    other: Any = None
    plain: bool = False


@dataclass(slots=True)
class _Source:
    """Collects classes and imports of one schema's module."""

    type: str
    name: str
    writable: bool
    _enums: dict[str, str] = field(default_factory=dict)
    _classes: dict[str, str] = field(default_factory=dict)
    #: The message or enum of each name that is used.
    _named: dict[str, str] = field(default_factory=dict)
    _top: Sequence[_Field] = ()
    _examples: dict[str, Any] = field(default_factory=dict)

    def add_class(self, name: str, base: str, members: Sequence[_Field], message: str = "") -> None:
        """Add a schema class with its members."""
        title = _sentence(words(name.removesuffix("Schema")))
        doc = f'    """{title} (``{message}``)."""' if message else f'    """{title}."""'
        head = [f"class {name}({base}):", doc if len(doc) <= LINE else f'    """``{message}``."""']
        self._classes[name] = "\n".join([*head, *([""] if members else []), *(member.code for member in members)])
        if base == "ResourceSchema":
            self._top = members

    def of_own(self, name: str, kind: str) -> _Field:
        """Return a field of an author's own."""
        spec = OWN_KINDS[kind]
        inner = ["fields.String()"] if kind == "strings" else []
        text = _description(name, kind) + spec.note
        code = _call(name, spec.call, inner, text, spec.example)
        return _Field(name, code, name, spec.example, spec.other, spec.call in _SORTED)

    def of_member(self, member: messages.Member, *, top: bool = False) -> _Field:
        """Return the field of a message's member."""
        name = snake(member.name)
        taken = top and name in TAKEN
        name = f"spec_{name}" if taken else name
        arguments = [f'attribute="{member.name}"'] if name != member.name else []
        # The envelope has a field of this name, so a body cannot set the spec's.
        arguments += ["dump_only=True"] if taken else []
        call, inner, example, other, note = self._value(member)
        sortable = call in _SORTED and member.type != "bytes" and not (member.many or member.keyed)
        shown = None if messages.is_message(member.type) else example
        text = _description(member.name, member.type) + note
        if member.many:
            one = f"{call}({', '.join(inner)})"
            code = _call(name, "fields.List", [one, *arguments], text, None if shown is None else [shown])
            example, other = [example], [other]
        elif member.keyed:
            pair = ["keys=fields.String()", f"values={call}({', '.join(inner)})"]
            pairs = None if shown is None else {"key": shown}
            code = _call(name, "fields.Dict", [*pair, *arguments], text, pairs, _JSON_TYPES.get(member.type))
            example, other = {"key": example}, {"key": other}
        else:
            code = _call(name, call, [*inner, *arguments], text, shown)
        # Of the two forms of one text that some types have, an example sends the one that people read.
        sent = not taken and not member.name.startswith("compressed_")
        return _Field(name, code, member.name, example, other if sent else None, sortable)

    def _value(self, member: messages.Member) -> tuple[str, list[str], Any, Any, str]:
        """Return the call of one value, its arguments, two examples, and what the description adds."""
        if messages.is_message(member.type):
            example = self._add_message(member.type)
            call = "fields.Nested" if member.many or member.keyed else "wire.Message"
            return call, [self._class_name(member.type)], example, example, ""
        if member.type.startswith("enum "):
            values = list(messages.enum(member.type))
            return "wire.Enum", [self._add_enum(member.type)], values[min(1, len(values) - 1)], values[0], ""
        kind = _PROTO_KINDS[member.type]
        if member.type in ("string", "bytes"):
            if names_secret(self.type, member.name):
                return "wire.Secret", [], kind.example, kind.other, "; `***` in answers"
            if not self.writable and member.type == "string":
                return self._text(member.name, kind)
        return kind.call, [], _example(member.name, kind), kind.other, kind.note

    def _text(self, name: str, kind: Kind) -> tuple[str, list[str], Any, Any, str]:
        """Return the value of a text that Omni's controllers write, masked where its name says that it may need it."""
        if _CONFIGURATION.search(name):
            return "wire.Masked", ["mask_configuration"], "", "", "; secrets are masked"
        if _MAY_HOLD_TOKEN.search(name):
            return "wire.Masked", ["mask_tokens"], _example(name, kind), "", "; join tokens are masked"
        return kind.call, [], _example(name, kind), kind.other, kind.note

    def _add_message(self, message: str) -> Any:
        """Add the class of a message, once, after those that it needs; return an example of it."""
        if message not in self._examples:
            members = [self.of_member(member) for member in messages.members(message).values()]
            self.add_class(self._class_name(message), "SpecSchema", members, message)
            self._examples[message] = {member.name: member.example for member in members}
        return self._examples[message]

    def _class_name(self, message: str) -> str:
        """Return the name of a message's class, which begins with the type's: names are the document's, too."""
        for short in _short_names(message):
            name = f"{short if short.startswith(self.name) and short != self.name else self.name + short}Schema"
            if self._named.setdefault(name, message) == message:
                return name
        raise AssertionError(f"no name is left for {message}")

    def _add_enum(self, type: str) -> str:
        name = next(name for name in _short_names(type) if self._named.setdefault(name, type) == type)
        lines = [f"    {value} = {number}" for value, number in messages.enum(type).items()]
        self._enums[name] = "\n".join([f"class {name}(IntEnum):", f'    """{_sentence(words(name))}."""', "", *lines])
        return name

    def schema(self) -> Schema:
        """Return the module's code with its imports, and the examples."""
        classes = [*self._enums.values(), *self._classes.values()]
        code = "\n\n\n".join(["\n\n".join(self._imports("\n".join(classes))), *classes])
        sent = [member for member in self._top if member.other is not None] if self.writable else []
        changed = next((member for member in sent if member.plain), None)
        return Schema(
            code + "\n",
            tuple(self._classes),
            {member.name: member.example for member in sent},
            {changed.name: changed.other} if changed else {"labels": {"team": "storage"}},
            tuple(member.wire_name for member in self._top if member.plain and member.name == member.wire_name),
        )

    def _imports(self, code: str) -> Iterator[str]:
        """Yield the blocks of imports."""
        if self._enums:
            yield "from enum import IntEnum"
        names = [name for name in ("ResourceSchema", "SpecSchema") if f"({name})" in code]
        masks = [name for name in ("mask_configuration", "mask_tokens") if name in code]
        lines = ["from marshmallow import fields"] if re.search(r"\bfields\.", code) else []
        lines.append(f"from omni_gateway.sdk import {', '.join(names)}")
        if re.search(r"\bwire\.", code):
            lines.append("from omni_gateway.sdk import fields as wire")
        if masks:
            lines.append(f"from omni_gateway.sdk.redaction import {', '.join(masks)}")
        yield "\n".join(lines)


#: The JSON Schema of a map's values.
_JSON_TYPES: Mapping[str, str] = {"string": "string", "uint32": "integer", "int32": "integer"}


def _call(
    name: str, call: str, arguments: Sequence[str], description: str, example: Any, values: str | None = None
) -> str:
    """Return one field of a class: a line if it fits, else one for each argument."""
    metadata: dict[str, Any] = {"description": description}
    if values:
        metadata["additionalProperties"] = {"type": values}
    if example is not None:
        metadata["example"] = example
    line = f"    {name} = {call}({', '.join([*arguments, f'metadata={one_line(metadata)}'])})"
    if len(line) <= LINE:
        return line
    written = [*arguments, f"metadata={literal(metadata, 'metadata=', 8)}"]
    return "\n".join([f"    {name} = {call}(", *(f"        {argument}," for argument in written), "    )"])


def literal(value: Any, before: str, indent: int) -> str:
    """Return the code of a value of JSON, with a line for each member where it does not fit into its own.

    :param before: what stands before it in its line, after ``indent`` spaces; a comma comes after it.
    """
    line = one_line(value)
    if indent + len(before) + len(line) + 1 <= LINE or not isinstance(value, (dict, list)):
        return line
    heads = (
        [(f"{_text(key)}: ", item) for key, item in value.items()]
        if isinstance(value, dict)
        else [("", item) for item in value]
    )
    inside = " " * (indent + 4)
    lines = [f"{inside}{head}{literal(item, head, indent + 4)},\n" for head, item in heads]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{''.join(lines)}{' ' * indent}{closing}"


def one_line(value: Any) -> str:
    """Return the code of a value of JSON in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)}: {one_line(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(one_line, value)) + "]"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _example(name: str, kind: Kind) -> Any:
    if kind.example != OWN_KINDS["string"].example:
        return kind.example
    return next((text for end, text in _EXAMPLES if name.endswith(end)), kind.example)


def _description(name: str, kind: str) -> str:
    text = words(name)
    if kind in ("bool", "boolean"):
        return f"{_sentence(text)}, or not" if " " in text else f"Whether it is {text}"
    return _sentence(text)


def _short_names(message: str) -> Iterator[str]:
    """Yield names for a message or an enum, the shortest first: its last word, its last two, and so on."""
    parts = [part.removesuffix("Spec") or part for part in message.removeprefix("enum ").split(".")]
    for count in range(1, len(parts) + 1):
        yield "".join(part[:1].upper() + part[1:] for part in parts[-count:])


def _sentence(text: str) -> str:
    return text if text.startswith("gRPC") else f"{text[:1].upper()}{text[1:]}"
