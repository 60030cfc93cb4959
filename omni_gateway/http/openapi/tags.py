"""The tags of the OpenAPI document in their groups, and the order of its paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omni_gateway.http.openapi.operations import operations, operations_of

#: The group of a plugin that names none.
OTHER = "Other resources"
#: The groups in the order of the document. A group of another name comes before :data:`OTHER`.
GROUPS = (
    "Clusters",
    "Machines",
    "Images and versions",
    "Identity and access",
    "Operations",
    "Discovery",
    "Any Omni type",
    OTHER,
    "This gateway",
)


@dataclass(frozen=True, slots=True)
class Tag:
    """The tags of a blueprint's routes in the document.

    :param group: the group that its tag is in.
    :param title: the title of its tag; by default the last word of the blueprint's name.
    :param noun: the words for the object that an id in its URLs names.
    :param example_id: such an id.
    """

    group: str = OTHER
    title: str = ""
    noun: str = "object"
    example_id: str = "example"

    def heading(self, name: str) -> str:
        """Return the title with a capital, for the blueprint's ``name``."""
        words = self.title or name.rpartition("/")[2].replace("-", " ")
        return words[:1].upper() + words[1:]


def remove_unused_tags(document: dict[str, Any]) -> None:
    """Remove the tags of blueprints without an operation of their own, such as those that extend others."""
    used = {name for _, operation in operations(document) for name in operation["tags"]}
    document["tags"] = [tag for tag in document["tags"] if tag["name"] in used]


def arrange(document: dict[str, Any], tags: Mapping[str, Tag]) -> None:
    """Put tags into groups, and tags and paths into the order of the groups.

    Within a group the tag of the same name is the first and others follow by their titles. Of a tag's paths,
    collections come before objects, these before what lies below them, and actions come last.

    :param tags: the tag of each name in the document.
    """
    groups = [*GROUPS[: GROUPS.index(OTHER)], *sorted({tag.group for tag in tags.values()} - set(GROUPS))]
    groups += GROUPS[GROUPS.index(OTHER) :]

    def rank(name: str) -> tuple[int, bool, str]:
        heading = tags[name].heading(name)
        return groups.index(tags[name].group), heading != tags[name].group, heading.lower()

    named = sorted(document["tags"], key=lambda item: rank(item["name"]))
    document["tags"] = [{**item, "x-displayName": tags[item["name"]].heading(item["name"])} for item in named]
    members = {group: [item["name"] for item in named if tags[item["name"]].group == group] for group in groups}
    document["x-tagGroups"] = [{"name": group, "tags": names} for group, names in members.items() if names]
    order = {item["name"]: number for number, item in enumerate(named)}
    keys = {path: (order[_tag(item)], "/actions/" in path, path) for path, item in document["paths"].items()}
    document["paths"] = {path: document["paths"][path] for path in sorted(keys, key=keys.__getitem__)}


def _tag(item: Mapping[str, Any]) -> str:
    """Return the tag of the operations of a path."""
    _, operation = next(operations_of(item))
    return str(operation["tags"][0])
