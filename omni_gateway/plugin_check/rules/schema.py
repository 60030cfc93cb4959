"""Rules of schemas: their fields beside the messages of Omni's types, and examples."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import marshmallow as ma
from marshmallow import fields as plain

from omni_gateway.http.field_errors import flatten
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.omni import messages
from omni_gateway.omni.messages import Member
from omni_gateway.plugin_check.rule import Fault, Grade, rule
from omni_gateway.plugin_check.source import Module, place_of_attribute, place_of_function
from omni_gateway.plugin_check.subject import Subject
from omni_gateway.redaction.specs import names_secret
from omni_gateway.rest.schema import ENVELOPE
from omni_gateway.sdk import OmniResourceAdapter, ResourceSchema, fields
from omni_gateway.source_place import SourcePlace

#: The kind of a member on Omni's wire → the class of its field, and that class's name for authors.
FIELDS: Mapping[str, tuple[type[ma.fields.Field[Any]], str]] = {
    "enum": (fields.Enum, "fields.Enum"),
    "bool": (plain.Boolean, "fields.Boolean"),
    "string": (plain.String, "marshmallow.fields.String"),
    "bytes": (plain.String, "marshmallow.fields.String"),
    "int32": (plain.Integer, "fields.Integer"),
    "uint32": (plain.Integer, "fields.Integer"),
    "int64": (fields.Int64, "fields.Int64"),
    "uint64": (fields.Int64, "fields.Int64"),
    "double": (plain.Float, "marshmallow.fields.Float"),
    "float": (plain.Float, "marshmallow.fields.Float"),
    "google.protobuf.Timestamp": (fields.Timestamp, "fields.Timestamp"),
    "google.protobuf.Duration": (fields.Duration, "fields.Duration"),
}
#: Fields, and the form in JSON that they take from Omni; the first that fits counts.
_FORMS: tuple[tuple[tuple[type[ma.fields.Field[Any]], ...], str], ...] = (
    ((fields.Enum,), "number"),
    ((fields.Int64,), "text"),
    ((plain.Boolean,), "boolean"),
    ((plain.Number,), "number"),
    ((plain.String, plain.DateTime, plain.Date, plain.Time), "text"),
    ((plain.Nested, plain.Dict), "object"),
)
#: Kinds of members whose form in JSON is no text, besides messages.
_WIRE_FORMS = {"bool": "boolean", **dict.fromkeys(("int32", "uint32", "double", "float", "enum"), "number")}
_READS = ("shown", "list", "get")
_ENVELOPE = {*ENVELOPE, "links"} - {"_links"}


def place_of_field(schema: ma.Schema, name: str, subject: Subject) -> SourcePlace:
    """Return where a field is declared; the plugin's declaration if that is not found."""
    return place_of_attribute(type(schema), name) or subject.place


def spec_fields(schema: ma.Schema) -> dict[str, ma.fields.Field[Any]]:
    """Return the fields of a schema that are not the envelope's."""
    if not isinstance(schema, ResourceSchema):
        return dict(schema.fields)
    return {name: field for name, field in schema.fields.items() if name not in _ENVELOPE}


@rule("schema-envelope", Grade.BRONZE)
def schema_envelope(subject: Subject) -> Iterator[Fault]:
    """No field of the spec has a name of the envelope that all objects have."""
    for _, schema, _ in subject.schemas:
        for name in sorted(_ENVELOPE):
            own = type(schema)._declared_fields.get(name)
            inherited = ResourceSchema._declared_fields[name]
            # An id that the back end chooses is declared again, as dump_only.
            if own is inherited or (name == "id" and isinstance(own, plain.String)):
                continue
            yield Fault(
                f"the field {name!r} takes the place of the one that every object has in its envelope",
                f"give it another name, with attribute={name!r} if that is the name of the member in Omni",
                place_of_field(schema, name, subject),
            )


@rule("schema-fields", Grade.BRONZE)
def schema_fields(subject: Subject) -> Iterator[Fault]:
    """Each field that the adapter does not fill is a member of the message of its Omni type."""
    for unknown in _unknown_fields(subject):
        members = ", ".join(messages.members(unknown.message)) or "none"
        mend = unknown.near.removeprefix("; ") if unknown.is_misspelt else f"its members are {members}."
        yield Fault(
            f"the field {unknown.path!r} is no member of {unknown.message}, and would always be read empty",
            f"{mend} For one of another version of Omni write attribute={unknown.key!r}",
            place_of_field(unknown.schema, unknown.path.rpartition(".")[2], subject),
            # A field for reading that is like no member, and one that names its member, are meant as they are.
            certain=not unknown.field.attribute and (unknown.is_misspelt or not unknown.field.dump_only),
        )


class _Unknown(NamedTuple):
    """A field that is no member of the message, and that no method of the adapter fills or takes."""

    path: str
    key: str
    field: ma.fields.Field[Any]
    schema: ma.Schema
    message: str
    near: str

    @property
    def is_misspelt(self) -> bool:
        """Return whether a member has nearly its name."""
        return self.near != "."


def _unknown_fields(subject: Subject) -> Iterator[_Unknown]:
    for _, schema, adapter in subject.schemas:
        message = messages.message_of(getattr(adapter, "type", ""))
        if message is not None and isinstance(adapter, OmniResourceAdapter):
            yield from _unknown_in(schema, message, _Reach.of(adapter), "")


class _Reach:
    """How much of what callers read and write comes from Omni's message as it is.

    :param reads: whether objects are read as Omni has them.
    :param writes: whether bodies are written as they come.
    """

    def __init__(self, reads: bool, writes: bool) -> None:
        self.reads, self.writes = reads, writes

    @staticmethod
    def of(adapter: OmniResourceAdapter) -> _Reach:
        """Return it for an adapter: methods of its own may add members."""
        cls = type(adapter)
        own = {name for name in (*_READS, "create", "replace", "check") if not _is_inherited(cls, name)}
        return _Reach(not own & set(_READS), not own)


def _is_inherited(cls: type, name: str) -> bool:
    return bool(getattr(cls, name).__module__.startswith("omni_gateway."))


def _unknown_in(schema: ma.Schema, message: str, reach: _Reach, before: str) -> Iterator[_Unknown]:
    members = messages.members(message)
    for name, field in _fields_of_omni(schema).items():
        key = field.attribute or name
        member = members.get(key)
        if member is None:
            near = did_you_mean(key, [each for each in members if each not in _keys(schema)])
            if reach.reads if field.dump_only else (reach.writes or near != "."):
                yield _Unknown(before + name, key, field, schema, message, near)
        elif (inner := nested_schema(field)) is not None and messages.is_message(member.type):
            yield from _unknown_in(inner, member.type, reach, f"{before}{name}.")


def _fields_of_omni(schema: ma.Schema) -> dict[str, ma.fields.Field[Any]]:
    """Return the fields of a spec without further names of members, and those that only a request has."""
    left_out = {*getattr(schema, "aliases", ()), *getattr(schema, "request_only", ())}
    return {
        name: field
        for name, field in spec_fields(schema).items()
        if name not in left_out and not (field.dump_only and field.attribute in schema.fields)
    }


def _keys(schema: ma.Schema) -> set[str]:
    return {field.attribute or name for name, field in schema.fields.items()}


def nested_schema(field: ma.fields.Field[Any]) -> ma.Schema | None:
    """Return the schema of a nested message, of a list or of a mapping of them; None for another field."""
    if isinstance(field, plain.List):
        field = field.inner
    elif isinstance(field, plain.Dict) and isinstance(field.value_field, ma.fields.Field):
        field = field.value_field
    return field.schema if isinstance(field, plain.Nested) else None


@rule("schema-field-types", Grade.BRONZE)
def schema_field_types(subject: Subject) -> Iterator[Fault]:
    """Each field is of the kind that the member of Omni's message is."""
    for _, schema, adapter in subject.schemas:
        message = messages.message_of(getattr(adapter, "type", ""))
        if message is None:
            continue
        as_in_omni = isinstance(adapter, OmniResourceAdapter) and _Reach.of(adapter).reads
        for fault in _wrong_kinds(subject, schema, message, ""):
            # An adapter with reads of its own may show a member in another form.
            yield fault if as_in_omni else replace(fault, certain=False)


def _wrong_kinds(subject: Subject, schema: ma.Schema, message: str, before: str) -> Iterator[Fault]:
    members = messages.members(message)
    for name, field in _fields_of_omni(schema).items():
        member = members.get(field.attribute or name)
        if member is None:
            continue
        if difference := _difference(field, member):
            problem, mend, certain = difference
            text = f"the field {before + name!r} {problem} of {message}"
            yield Fault(text, mend, place_of_field(schema, name, subject), certain)
        elif (inner := nested_schema(field)) is not None and messages.is_message(member.type):
            yield from _wrong_kinds(subject, inner, member.type, f"{before}{name}.")


def _difference(field: ma.fields.Field[Any], member: Member) -> tuple[str, str, bool] | None:
    """Return how a field differs from a member, the mend, and whether it cannot work; None if it fits."""
    is_list, kind = isinstance(field, plain.List), type(field).__name__
    if type(field) in (plain.Raw, ma.fields.Field):
        return None
    if member.many != is_list:
        wanted = _name_of(member.type)
        if member.many:
            return f"is a {kind} of one value, for a list", f"write marshmallow.fields.List({wanted}(...))", True
        return "is a list, for a member that is no list", f"write {wanted}", True
    if member.keyed:
        fits = isinstance(field, plain.Dict)
        return None if fits else (f"is a {kind}, for a mapping", "write marshmallow.fields.Dict", True)
    one = field.inner if isinstance(field, plain.List) else field
    if member.type.startswith("enum ") and isinstance(one, fields.Enum):
        values = dict(messages.enum(member.type))
        if {name: each.value for name, each in one.enum.__members__.items()} != values:
            text = ", ".join(f"{name}={number}" for name, number in values.items())
            # The numbers that both have may be all that there are in another version of Omni.
            certain = any(values.get(name, each.value) != each.value for name, each in one.enum.__members__.items())
            return f"has other values than the {member.type}", f"let the enum have {text}", certain
        return None
    wanted_class = FIELDS.get(member.type.split(" ")[0], (ma.fields.Field, ""))[0]
    if isinstance(one, wanted_class):
        return None
    # A text for a time shows what a Timestamp shows; a text for a number is none.
    certain = _form(one) not in ("", _form_on_wire(member.type))
    return f"is a {type(one).__name__}, for a {member.type}", f"write {_name_of(member.type)}", certain


def _form(field: ma.fields.Field[Any]) -> str:
    """Return the form in JSON of the values that a field takes from Omni as they are; empty if that is not known."""
    for kinds, form in _FORMS:
        if isinstance(field, kinds):
            return form
    return ""


def _form_on_wire(kind: str) -> str:
    return _WIRE_FORMS.get(kind.split(" ")[0], "object" if messages.is_message(kind) else "text")


def _name_of(kind: str) -> str:
    return FIELDS.get(kind.split(" ")[0], (None, "fields.Message"))[1]


@rule("example-given", Grade.SILVER)
def example_given(subject: Subject) -> Iterator[Fault]:
    """A plugin that creates objects, and an action or a document with a body, have an example of it."""
    plugin = subject.resource
    if "create" in plugin.roles and not plugin.example:
        yield Fault("there is no example of a body", "write example={...}", subject.place)
    yield from (
        Fault(f"the {what} has a body and no example of one", "write example={...}", place)
        for what, _, example, place in _bodies(subject)
        if example is None
    )


@rule("example-loads", Grade.BRONZE)
def example_loads(subject: Subject) -> Iterator[Fault]:
    """Each example is accepted as a request, and what is read of it is accepted in a patch."""
    plugin = subject.service
    if example := getattr(plugin, "example", None):
        text = f"the example is refused by {type(plugin.schema).__name__}"
        yield from _refused(plugin.schema, example, text, subject.argument("example"))
        if "patch" in plugin.roles:
            yield from _refused_patch(subject)
    for what, body, example, place in _bodies(subject):
        if example is not None:
            yield from _refused(body(), example, f"the example of the {what} is refused by {body.__name__}", place)


def _bodies(subject: Subject) -> Iterator[tuple[str, type[ma.Schema], Mapping[str, Any] | None, SourcePlace]]:
    """Yield the actions and documents that have a body: what each is, the body's schema, its example, the place."""
    for action in subject.actions:
        if action.body is not None:
            yield f"action {action.name!r}", action.body, action.example, _of_action(subject, action)
    for document in subject.documents:
        if document.body is not None:
            place = place_of_function(document.run) or subject.place
            yield f"document {document.path!r}", document.body, document.example, place


def _refused_patch(subject: Subject) -> Iterator[Fault]:
    """Yield what of the example is refused where a PATCH sends back what was read."""
    plugin = subject.resource
    try:
        loaded = plugin.schema.load(dict(plugin.example or {}))
    except ma.ValidationError:
        return  # the example itself is refused
    document = plugin.representation.writable(plugin.schema.to_resource(loaded))
    for name in plugin.schema.request_only:
        document.pop(name, None)
    text = "a patch of the example is refused"
    yield from _refused(plugin.schema.with_id_in_url(), document, text, subject.argument("example"))


def _refused(schema: ma.Schema, body: Mapping[str, Any], text: str, place: SourcePlace) -> Iterator[Fault]:
    try:
        schema.load(dict(body))
    except ma.ValidationError as error:
        known = sorted(schema.fields)
        for path, reasons in flatten(error.messages).items():
            reason = " ".join(str(each).rstrip(".") for each in reasons)
            is_unknown = path.split(".")[0] not in known
            near = did_you_mean(path, known) if is_unknown else "."
            mend = near.removeprefix("; ") if near != "." else "correct it"
            yield Fault(f"{text}: {path!r}: {reason.lower() if is_unknown else reason}", mend, place)


def _of_action(subject: Subject, action: Any) -> SourcePlace:
    """Return where an action is declared, in the module of its function."""
    place = place_of_function(action.run)
    module = Module.read(place.file) if place is not None else None
    for call, name in module.calls() if module is not None else ():
        if name.endswith("Action") and call.args and _is_text(call.args[0], action.name):
            return module.at(call) if module is not None else subject.place
    return subject.argument("actions")


def _is_text(node: ast.expr, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


@rule("secret-fields", Grade.BRONZE)
def secret_fields(subject: Subject) -> Iterator[Fault]:
    """No field or setting with the name of a credential is shown."""
    once = subject.service.schema.returned_once
    for of, schema, adapter in subject.schemas:
        type_name = getattr(adapter, "type", "")
        for name, field in spec_fields(schema).items():
            is_text = isinstance(field, plain.String) and not isinstance(field, (fields.Secret, fields.Masked))
            if is_text and names_secret(type_name, name) and not field.load_only and (of or name not in once):
                yield Fault(
                    f"the field {name!r} is shown to readers, and its name is that of a credential",
                    "write fields.Secret, or fields.Masked(...) for a text with a secret inside, or load_only=True",
                    place_of_field(schema, name, subject),
                )
    settings = subject.service.settings
    if settings is None:
        return
    for each in dataclasses.fields(settings):
        if names_secret("", each.name) and not each.metadata.get("secret"):
            yield Fault(
                f"the setting {each.name!r} is shown by `omni-gateway config`, and its name is that of a credential",
                "write setting(..., secret=True)",
                place_of_attribute(settings, each.name) or subject.place,
            )
