"""Rules of adapters: what the verbs of a plugin need of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.omni import messages
from omni_gateway.omni.types import OmniType
from omni_gateway.plugin_check.rule import Fault, Grade, rule
from omni_gateway.plugin_check.source import place_of_attribute, place_of_class, place_of_own_attribute
from omni_gateway.plugin_check.subject import Subject
from omni_gateway.rest.adapters.base import READ_METHODS
from omni_gateway.sdk import OmniResourceAdapter, ResourceAdapter
from omni_gateway.sdk.actions import SubCollection, SubList
from omni_gateway.sdk.adapters import CallAdapter, StoredResourceAdapter

#: The methods that the route of a verb calls; of alternatives one is enough.
METHODS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "list": (("list",),),
    "get": (("get",),),
    "create": (("create",),),
    "replace": (("get",), ("replace",)),
    "patch": (("get",), ("replace",)),
    "delete": (("get",), ("delete", "delete_with")),
}
_SDK = "omni_gateway."
#: The least similarity of a name that is misspelt.
_MISSPELT = 0.85


def adapters_of(subject: Subject) -> Iterator[tuple[str, str, Any]]:
    """Yield the adapters of a plugin: the argument that it is in, what it is of, the adapter."""
    yield "adapter", "the adapter", subject.service.adapter
    for sub in subject.subresources:
        if not isinstance(sub, SubCollection):
            yield "subresources", f"the adapter of the sub-resource {sub.name!r}", sub.adapter


@rule("adapter-instance", Grade.BRONZE)
def adapter_instance(subject: Subject) -> Iterator[Fault]:
    """Each adapter is an instance of a subclass of ResourceAdapter."""
    for argument, of, adapter in adapters_of(subject):
        if isinstance(adapter, ResourceAdapter):
            continue
        place = subject.argument(argument)
        if isinstance(adapter, type):
            yield Fault(f"{of} is the class {adapter.__name__}", f"give an instance: {adapter.__name__}(...)", place)
        else:
            kind = type(adapter).__name__
            yield Fault(f"{of} is a {kind}, no ResourceAdapter", f"make {kind} a subclass of ResourceAdapter", place)


@rule("adapter-methods", Grade.BRONZE)
def adapter_methods(subject: Subject) -> Iterator[Fault]:
    """The adapter has a method for each verb that has a role."""
    plugin = subject.resource
    for verb in plugin.roles:
        for methods in METHODS[verb]:
            if missing := _missing(plugin.adapter, methods):
                yield Fault(
                    f"the verb {verb!r} has a role, and {type(plugin.adapter).__name__} has no method {missing}",
                    f"write it, or take {verb!r} out of roles",
                    subject.argument("roles"),
                )
    for sub in subject.subresources:
        if isinstance(sub, SubCollection):
            continue
        method = "list" if isinstance(sub, SubList) else "get"
        if missing := _missing(sub.adapter, (method,)):
            yield Fault(
                f"the sub-resource {sub.name!r} needs a method {missing} of {type(sub.adapter).__name__}",
                "write it",
                subject.argument("subresources"),
            )


def _missing(adapter: Any, methods: tuple[str, ...]) -> str:
    """Return the method that an adapter lacks of these; empty if it has one of them."""
    if not isinstance(adapter, ResourceAdapter):
        return ""
    cls: Any = type(adapter)
    if all(getattr(cls, name) is getattr(ResourceAdapter, name) for name in methods):
        return methods[0]
    if not isinstance(adapter, CallAdapter) or cls.items is not CallAdapter.items:
        return ""
    uses_items = any(getattr(cls, name) is getattr(CallAdapter, name) for name in methods if name in ("list", "get"))
    return "items" if uses_items else ""


@rule("omni-type", Grade.BRONZE)
def omni_type(subject: Subject) -> Iterator[Fault]:
    """The resource types of Omni that it names are ones that there are."""
    for argument, of, name in _types_of(subject):
        # An OmniType says that the author means a type that the tables of this gateway do not have yet.
        if messages.is_known(name) or isinstance(name, OmniType):
            continue
        near = _nearest_type(name)
        mend = f"did you mean {near!r}?" if near else "take one of omni_gateway.sdk.omni.types."
        yield Fault(
            f"{of} is of the type {name!r}, which Omni does not have",
            f"{mend} For one that is newer than this gateway write types.OmniType({name!r})",
            subject.argument(argument),
            certain=bool(near),
        )


def _types_of(subject: Subject) -> Iterator[tuple[str, str, str]]:
    for argument, of, adapter in adapters_of(subject):
        if isinstance(adapter, OmniResourceAdapter):
            yield from ((argument, of, name) for name in (adapter.type, *adapter.other_types))
    for handler in subject.service.change_handlers:
        yield "change_handlers", "a handler of changes", handler.type


def _nearest_type(name: str) -> str:
    """Return the type whose first word is nearly that of ``name``; empty if none is."""
    words = {each.partition(".")[0]: each for each in messages.known_types()}
    near = difflib.get_close_matches(name.partition(".")[0], words, n=1, cutoff=_MISSPELT)
    return words[near[0]] if near else ""


@rule("filters-used", Grade.BRONZE)
def filters_used(subject: Subject) -> Iterator[Fault]:
    """Each filter has a selector or matches, or the adapter looks at it."""
    plugin = subject.resource
    adapter = plugin.adapter
    cls: Any = type(adapter)
    for each in plugin.filters:
        if each.selector is not None or each.matches is not None:
            continue
        if isinstance(adapter, StoredResourceAdapter):
            ignored = (cls.list, cls.items) == (StoredResourceAdapter.list, StoredResourceAdapter.items)
        elif isinstance(adapter, OmniResourceAdapter):
            own = (cls.list, cls.selectors) != (OmniResourceAdapter.list, OmniResourceAdapter.selectors)
            ignored = not own and each.name != adapter.id_filter
        else:
            ignored = False
        if ignored:
            yield Fault(
                f"the adapter {cls.__name__} does not look at the filter {each.name!r}, so that every object matches",
                "give the filter matches= or a selector (label_filter), or the adapter id_filter= or an own `list`",
                subject.argument("filters"),
            )


@rule("sort-keys", Grade.BRONZE)
def sort_keys(subject: Subject) -> Iterator[Fault]:
    """Lists are sorted by fields that objects have."""
    plugin = subject.resource
    schema = plugin.schema
    names = {name: field.attribute or name for name, field in schema.fields.items()}
    message = messages.message_of(plugin.adapter.type)
    known = {*names, *names.values(), *(messages.members(message) if message else ())}
    for name in sorted(getattr(plugin.adapter, "sortable", None) or ()):
        if name.split(".")[0] not in known:
            near = did_you_mean(name, sorted(schema.spec_names))
            yield Fault(
                f"lists can be sorted by {name!r}, which is no field of {type(schema).__name__}",
                near.removeprefix("; ") if near != "." else "name a field of the schema in sortable",
                subject.argument("adapter"),
            )


@rule("watch-source", Grade.GOLD)
def watch_source(subject: Subject) -> Iterator[Fault]:
    """An adapter that lists Omni's objects in a way of its own is watched without polling."""
    adapter = subject.resource.adapter
    cls: Any = type(adapter)
    if not isinstance(adapter, OmniResourceAdapter) or "list" not in subject.resource.roles:
        return
    own_list = cls.list is not OmniResourceAdapter.list
    watched = cls.watch_source_class is not OmniResourceAdapter.watch_source_class or any(
        getattr(cls, name) is not getattr(OmniResourceAdapter, name) for name in ("watch_source", "watch")
    )
    if own_list and not watched:
        yield Fault(
            f"{cls.__name__} has a `list` of its own, and watches do not select as it does",
            "name a subclass of OmniSource in watch_source_class, or write watch_source",
            place_of_attribute(cls, "list") or subject.place,
        )


@rule("cache-declared", Grade.GOLD)
def cache_declared(subject: Subject) -> Iterator[Fault]:
    """An adapter of an Omni type that reads in a way of its own says whether its answers may be cached."""
    adapter = subject.resource.adapter
    for cls in type(adapter).__mro__:
        if cls.__module__.startswith(_SDK) or not issubclass(cls, OmniResourceAdapter):
            return
        own = [name for name in READ_METHODS if name in vars(cls)]
        place = place_of_own_attribute(cls, "cacheable_response")
        if own and place is None:
            yield Fault(
                f"{cls.__name__} overrides {', '.join(own)}, and its answers are therefore not cached",
                "write cacheable_response = True, or = False with the reason",
                place_of_class(cls) or subject.place,
            )
        if place is not None:
            return
