"""The declaration of a function that is called with changes of Omni's objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.watch.change_follower import ObjectChange


@dataclass(frozen=True, slots=True)
class ChangeHandler:
    """A function that is called with each change of a type's objects, in every worker process.

    :param type: the Omni type, e.g. ``types.CLUSTERS``.
    :param handle: called as ``handle(adapter, change)`` in a thread of its own, with the plugin's adapter, whose client
        has the gateway's own identity.
    :param namespace: the namespace of the objects; by default the type's own.
    """

    type: str
    handle: Callable[[ResourceAdapter, ObjectChange], None]
    namespace: str = ""
