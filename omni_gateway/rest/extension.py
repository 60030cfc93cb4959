"""The declaration of routes that a plugin adds below another plugin's objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from omni_gateway.rest.actions import Action, ComputedDocument
from omni_gateway.rest.subresources import SubCollection, SubList, SubResource


@dataclass(frozen=True, slots=True)
class Extension:
    """Routes below each object of another plugin: ``/clusters/c1/racks``, by a plugin of its own.

    The other plugin is not changed. Each route responds 404 where the object does not exist or is outside of the
    caller's scope; an action above ``READER`` needs an object that is writable for the caller.

    :param plugin: the name of the other plugin, e.g. ``clusters``: one with objects that can be read.
    :param subresources: sub-resources of each object; they take the role of reading the object.
    :param documents: computed documents, whose functions get the adapter of the plugin that declares them. A
        ``Resource`` that they return is an object of the other plugin.
    :param actions: actions, whose functions get that adapter too; ``If-Match`` compares the other plugin's object.
    """

    plugin: str
    _: KW_ONLY
    subresources: Sequence[SubResource | SubList | SubCollection] = ()
    documents: Sequence[ComputedDocument] = ()
    actions: Sequence[Action] = ()
