"""What a class of checks says of its plugin: the declaration that an author writes, and its hooks."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from omni_gateway.rest.declaration import VERBS
from omni_gateway.rest.plugin import ResourcePlugin
from omni_gateway.testing.omni import EmbeddedOmni


class Case:
    """The plugin under test, its example bodies, and what its objects need."""

    #: The plugin under test.
    plugin: ClassVar[ResourcePlugin]
    #: The body of a create; by default the plugin's own example.
    example: ClassVar[Mapping[str, Any]] = {}
    #: The body of another create, with other values of what may change.
    second: ClassVar[Mapping[str, Any]] = {}
    #: A merge patch that changes the example; by default the members of ``second`` that differ, or else a label.
    change: ClassVar[Mapping[str, Any]] = {}
    #: The cluster that objects of the example belong to; empty: none.
    cluster: ClassVar[str] = ""
    #: Verbs that have a role and that the back end refuses to everyone (403): verb → reason.
    kept_by_back_end: ClassVar[Mapping[str, str]] = {}
    #: Verbs that need what the embedded Omni of the kit lacks, such as a cluster that runs: verb → reason. The class
    #: seeds objects where ``create`` is one of them.
    not_tried: ClassVar[Mapping[str, str]] = {}
    #: Whether callers may label and annotate the objects.
    takes_labels: ClassVar[bool] = True
    #: Whether the checks of several workers and of a restart run. They start gunicorn, once for all classes of a run.
    #: Of several resources with one kind of back end one is enough.
    under_gunicorn: ClassVar[bool] = True
    #: Members of bodies that are read in another form than they are sent in.
    read_otherwise: ClassVar[Collection[str]] = ()
    #: Members of bodies that an object keeps once they are set.
    not_removable: ClassVar[Collection[str]] = ()
    #: Members of an object that the back end makes on a create, so that a dry run does not know them.
    made_by_back_end: ClassVar[Collection[str]] = ()
    #: Checks that do not apply to the plugin although their conditions hold: name of the test → reason.
    unfit: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def verbs(cls) -> Sequence[str]:
        """Return the verbs that checks use: those with a role that are not excluded, in the order of the contract."""
        excluded = {*cls.kept_by_back_end, *cls.not_tried}
        return [verb for verb in VERBS if verb in cls.plugin.roles and verb not in excluded]

    def prepare(self, omni: EmbeddedOmni) -> None:
        """Put into Omni what the objects need, e.g. their cluster. Called once, before the first check."""

    def seed(self, omni: EmbeddedOmni) -> Sequence[str]:
        """Put objects in place where no check creates any; return the ids of at least three of them.

        The default puts three objects of the adapter's Omni type, without a spec.
        """
        adapter = self.plugin.adapter
        # What a controller owns nobody else may remove.
        owner = "" if "delete" in self.verbs() else "kit"
        ids = [f"kit-{uuid.uuid4().hex[:8]}" for _ in range(3)]
        for id in ids:
            omni.put(adapter.type, id, namespace=adapter.namespace, labels={"kit": "yes"}, owner=owner)
        return ids

    def alter(self, omni: EmbeddedOmni, id: str) -> None:
        """Change an object where no check sends a PATCH; by default set a label of the Omni object."""
        adapter = self.plugin.adapter
        omni.label(adapter.type, id, "kit-altered", uuid.uuid4().hex[:8], namespace=adapter.namespace)

    def body(self, number: int, token: str) -> Mapping[str, Any]:
        """Return the body of a further object; ``number`` counts them, ``token`` is this run's.

        The default is the example with another id: another UUID, or the id with a suffix.
        """
        return _with_another_id(self.example or self.plugin.example or {}, f"{token}-{number}")

    def second_body(self, number: int, token: str) -> Mapping[str, Any]:
        """Return the body of a further object like ``second``."""
        return _with_another_id(self.second, f"{token}-{number}") if self.second else self.body(number, token)

    def variation(self, number: int) -> Mapping[str, Any]:
        """Return a merge patch that changes an object, whatever it was; each ``number`` gives another state."""
        return {"labels": {"kit-variation": str(number)}}

    def merge_patch(self) -> Mapping[str, Any]:
        """Return the merge patch that changes an object of the example."""
        example = self.example or self.plugin.example or {}
        differences = {
            name: value for name, value in self.second.items() if name != "id" and example.get(name) != value
        }
        return self.change or differences or {"labels": {"kit-changed": "yes"}}


def _with_another_id(body: Mapping[str, Any], suffix: str) -> dict[str, Any]:
    if not isinstance(id := body.get("id"), str):
        return dict(body)
    return {**body, "id": str(uuid.uuid4()) if _is_uuid(id) else f"{id}-{suffix}"}


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
