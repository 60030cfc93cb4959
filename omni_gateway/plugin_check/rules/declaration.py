"""Rules of the declaration: names, roles, routes, functions."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from omni_gateway.http.openapi.tags import GROUPS, OTHER
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.plugin_check.rule import Fault, Grade, rule
from omni_gateway.plugin_check.source import place_of_function
from omni_gateway.plugin_check.subject import Subject
from omni_gateway.rest.service_plugin import RESERVED_NAMES
from omni_gateway.sdk import SDK_VERSION, ResourcePlugin
from omni_gateway.sdk.actions import SubCollection

_KEBAB_CASE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
#: The unreserved characters of RFC 3986.
_IN_URLS = re.compile(r"[A-Za-z0-9._~-]+")
_VARIABLE = re.compile(r"<[^>]*>")


@rule("loads", Grade.BRONZE)
def loads(subject: Subject) -> Iterator[Fault]:
    """The entry point can be imported, and names a plugin that can be mounted."""
    if subject.problem:
        yield Fault(subject.problem, subject.mend, subject.problem_at)


@rule("sdk-range", Grade.BRONZE)
def sdk_range(subject: Subject) -> Iterator[Fault]:
    """The range of SDK versions can be read and contains the SDK of this gateway."""
    wanted = subject.service.sdk
    try:
        fits = SDK_VERSION in SpecifierSet(wanted)
    except InvalidSpecifier:
        yield Fault(
            f"the SDK range {wanted!r} cannot be read",
            f"write one such as {_range_of(SDK_VERSION)!r}",
            subject.argument("sdk"),
        )
        return
    if not fits:
        yield Fault(
            f"it was written for the SDK {wanted}, and this is SDK {SDK_VERSION}",
            "install a version of its distribution for this gateway, or widen the range once its tests pass",
            subject.argument("sdk"),
        )


def _range_of(version: str) -> str:
    major, minor, *_ = version.split(".")
    return f">={major}.{minor},<{int(major) + 1}"


@rule("sdk-range-named", Grade.GOLD)
def sdk_range_named(subject: Subject) -> Iterator[Fault]:
    """The declaration names the SDK versions that it was written for, with an upper bound."""
    if subject.gives("sdk") is False:
        yield Fault("the declaration names no SDK range", f"write sdk={_range_of(SDK_VERSION)!r}", subject.place)
    elif "<" not in subject.service.sdk and "~=" not in subject.service.sdk:
        yield Fault(
            f"the SDK range {subject.service.sdk!r} has no upper bound, and the next major version may break it",
            f"write sdk={_range_of(SDK_VERSION)!r}",
            subject.argument("sdk"),
        )


@rule("plugin-name", Grade.BRONZE)
def plugin_name(subject: Subject) -> Iterator[Fault]:
    """The name is free, and can stand in a URL as it is."""
    name = subject.service.name
    if not all(_IN_URLS.fullmatch(part) for part in name.split("/")):
        yield Fault(
            f"the name {name!r} cannot stand in a URL as it is",
            f"write name={_in_kebab_case(name)!r}",
            subject.argument("name"),
        )
    elif name in RESERVED_NAMES:
        yield Fault(f"the name {name!r} is taken by the gateway", "give it another name", subject.argument("name"))


@rule("kebab-case", Grade.SILVER)
def kebab_case(subject: Subject) -> Iterator[Fault]:
    """The name, the word for one object and the names of what is below it are in lower case with hyphens."""
    plugin = subject.service
    names = [
        ("name", plugin.name),
        ("singular", plugin.singular),
        *(("actions", action.name) for action in subject.actions),
        *(("subresources", sub.name) for sub in subject.subresources),
    ]
    for argument, name in names:
        if not all(_KEBAB_CASE.fullmatch(part) for part in name.split("/")):
            yield Fault(
                f"the name {name!r} is not in lower case with hyphens",
                f"write {_in_kebab_case(name)!r}",
                subject.argument(argument),
            )


def _in_kebab_case(name: str) -> str:
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
    return "/".join(re.sub(r"[^a-z0-9]+", "-", part).strip("-") or "things" for part in parted.split("/"))


@rule("entry-point-name", Grade.SILVER)
def entry_point_name(subject: Subject) -> Iterator[Fault]:
    """The entry point has the name of the plugin, so that operators can disable it by the name that they see."""
    plugin = subject.service
    last = plugin.name.rpartition("/")[2]
    names = {_folded(each) for each in (plugin.name, plugin.singular, last)}
    if _folded(subject.entry_point) not in names:
        yield Fault(
            f"the entry point is named {subject.entry_point!r}, the plugin {plugin.name!r}",
            f"name the entry point {plugin.name.replace('/', '-')}",
            subject.place,
        )


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@rule("group-known", Grade.SILVER)
def group_known(subject: Subject) -> Iterator[Fault]:
    """The declaration names the group of the document that its operations are in."""
    group = subject.service.blueprint.tag.group
    known = [name for name in GROUPS if name != OTHER]
    if subject.gives("group") is False:
        yield Fault(
            f"the declaration names no group, so that the document shows it under {OTHER!r}",
            f"write group= with one of {', '.join(map(repr, known))}, or with one of your own",
            subject.place,
        )
    elif group not in GROUPS and (near := did_you_mean(group, GROUPS)) != ".":
        yield Fault(f"there is no group {group!r}", near.removeprefix("; "), subject.argument("group"))


@rule("roles-ordered", Grade.BRONZE)
def roles_ordered(subject: Subject) -> Iterator[Fault]:
    """No verb that answers with an object takes a lower role than reading objects."""
    roles = subject.resource.roles
    if "get" not in roles:
        return
    for verb in ("list", "create", "replace", "patch"):
        if verb in roles and roles[verb] < roles["get"]:
            yield Fault(
                f"the verb {verb!r} answers with an object to the role {roles[verb].value!r}, which may not get it",
                f"give {verb!r} the role {roles['get'].value!r} at least",
                subject.argument("roles"),
            )


@rule("arguments-used", Grade.SILVER)
def arguments_used(subject: Subject) -> Iterator[Fault]:
    """No argument of the declaration is about a verb that has no role."""
    plugin = subject.resource
    roles = set(plugin.roles)
    needs = {
        "after_delete": ({"delete"}, bool(plugin.after_delete)),
        "delete_operation": ({"delete"}, bool(subject.gives("delete_operation"))),
        "delete_query": ({"delete"}, bool(subject.gives("delete_query"))),
        "after_write": ({"create", "replace", "patch"}, bool(plugin.after_write)),
        "create_operation": ({"create"}, plugin.create_operation is not None),
        "follow_up_operation": ({"create"}, plugin.follow_up_operation is not None),
        "create_may_return_existing": ({"create"}, plugin.create_may_return_existing),
        "filters": ({"list"}, bool(plugin.filters)),
    }
    for name, (verbs, given) in needs.items():
        if given and not verbs & roles:
            words = " or ".join(repr(verb) for verb in sorted(verbs))
            yield Fault(
                f"{name} is given, and roles has no {words}",
                f"remove {name}, or give {words} a role",
                subject.argument(name),
            )


@rule("functions", Grade.BRONZE)
def functions(subject: Subject) -> Iterator[Fault]:
    """Each function of the declaration takes the arguments that it is called with."""
    plugin = subject.service
    for action in subject.actions:
        given = ["adapter", *([] if action.on_collection else ["id"]), "body"]
        yield from _uncallable(subject, f"action {action.name!r}", action.run, given, [*action.query().fields])
    for document in subject.documents:
        variables = _VARIABLE.findall(document.path)
        own = [] if document.on_collection else ["id"]
        given = ["adapter", *own, *(variable.strip("<>").rpartition(":")[2] for variable in variables), "query"]
        yield from _uncallable(subject, f"document {document.path!r}", document.run, given, [])
    for kind in plugin.operations:
        yield from _uncallable(subject, f"operation kind {kind.name!r}", kind.read, ["omni", "id"], [])
    for task in plugin.tasks:
        yield from _uncallable(subject, f"task {task.name!r}", task.run, ["context"], [])
    for health_check in plugin.health_checks:
        yield from _uncallable(subject, f"health check {health_check.name!r}", health_check.run, ["context"], [])
    for handler in plugin.change_handlers:
        given = ["adapter", "change"]
        yield from _uncallable(subject, f"handler of changes of {handler.type!r}", handler.handle, given, [])
    for page in plugin.pages:
        if page.values is not None:
            yield from _uncallable(subject, f"page {page.path!r}", page.values, ["adapter"], [])


def _uncallable(subject: Subject, of: str, function: Any, given: list[str], keywords: list[str]) -> Iterator[Fault]:
    call = f"({', '.join([*given, *(f'{name}=...' for name in keywords)])})"
    if not callable(function):
        yield Fault(f"run of the {of} is {function!r}", f"give a function that takes {call}", subject.place)
        return
    try:
        inspect.signature(function).bind(*given, **dict.fromkeys(keywords))
    except TypeError as error:
        yield Fault(
            f"the function of the {of} cannot be called as {call}: {error}",
            f"let it take {call}",
            place_of_function(function) or subject.place,
        )
    except ValueError:  # a function without a signature, such as a builtin one
        return


@rule("sub-collections", Grade.SILVER)
def sub_collections(subject: Subject) -> Iterator[Fault]:
    """A list of another plugin below an object names a plugin and a filter that there are."""
    for sub in subject.subresources:
        if not isinstance(sub, SubCollection):
            continue
        other = subject.others.get(sub.plugin)
        place = subject.argument("subresources")
        if not isinstance(other, ResourcePlugin):
            near = did_you_mean(sub.plugin, subject.others)
            yield Fault(f"{sub.name!r} is a list of the plugin {sub.plugin!r}, which is not there", _mend(near), place)
        elif sub.filter not in (names := [each.name for each in other.filters]):
            near = did_you_mean(sub.filter, names)
            yield Fault(f"the plugin {sub.plugin!r} has no filter {sub.filter!r}", _mend(near), place)


def _mend(near: str) -> str:
    return near.removeprefix("; ") if near != "." else "name one that there is"


def texts_of(subject: Subject) -> Iterator[tuple[str, str, str, Callable[..., Any] | None]]:
    """Yield the actions and documents of a plugin: what each is, summary, description, function."""
    for action in subject.actions:
        yield f"action {action.name!r}", action.summary, action.description, action.run
    for document in subject.documents:
        yield f"document {document.path!r}", document.summary, document.description, document.run
