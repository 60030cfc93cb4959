"""One type, served by the same views as any plugin's objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from marshmallow import fields

from omni_gateway.api.any_type.definitions import Definition
from omni_gateway.auth import Role
from omni_gateway.http.problems import Problem
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, messages
from omni_gateway.omni.specs import SpecError, nameless_enums, settled, to_plain, to_wire
from omni_gateway.redaction.specs import masked_members, redact, restore
from omni_gateway.rest import relations
from omni_gateway.rest.adapters.base import Created, ResourceAdapter
from omni_gateway.rest.adapters.omni import OmniResourceAdapter
from omni_gateway.rest.delete_operation import removal
from omni_gateway.rest.gateway import Gateway, Mounted, current_gateway
from omni_gateway.rest.links import object_url
from omni_gateway.rest.operations import Operation, OperationKind
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.schema import ResourceSchema
from omni_gateway.rest.views.collection import Collection
from omni_gateway.rest.views.create import Creation
from omni_gateway.rest.views.item import Item

OPERATION = "resource-destroy"
#: Omni's own clients pack long texts into it, by a dictionary that only they have.
_COMPRESSED = "compressed_data"
_ENVELOPE = frozenset({"id", "namespace", "labels", "annotations", "spec", "_"})


class GenericResourceSchema(ResourceSchema):
    """An object of any type of Omni's: its spec is not flattened, for nothing is known of its members' names."""

    spec = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        metadata={
            "description": "By proto names, enums by name; omnictl's spelling is taken too. Secrets read `***`.",
            "additionalProperties": True,
        },
    )

    def __init__(self, type: str = "", **kwargs: Any) -> None:
        """Describe objects of this type."""
        super().__init__(**kwargs)
        self.type = type
        self.render_spec = self._render_generic

    def _render_generic(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        return {"spec": redact(self.type, to_plain(self.type, spec))}

    def to_resource(self, loaded: Mapping[str, Any], *, type: str = "", namespace: str = "default") -> Resource:
        """Build the object; a ``validation`` problem names the members that do not fit its type."""
        made = super().to_resource({**loaded, "spec": None}, type=type, namespace=namespace)
        return replace(made, spec=wire_spec(self.type, loaded.get("spec") or {}))

    def unknown_spec(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return nothing: the whole spec is in the caller's hands."""
        return {}


def wire_spec(type: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a caller's spec in Omni's form; a ``validation`` problem names every member that does not fit."""
    try:
        return to_wire(type, spec)
    except SpecError as error:
        wrong: dict[str, list[str]] = {}
        for fault in error.faults:
            near = did_you_mean(fault.path.rpartition(".")[2], fault.known) if fault.known else ""
            wrong.setdefault(fault.path, []).append(f"{fault.text}{near}")
        raise Problem(422, "validation", errors=wrong) from error


class GenericAdapter(OmniResourceAdapter):
    """Objects of any type; what was read with its secrets masked may be sent back.

    ``served_by`` is the adapter of the plugin that serves the same objects: it knows which cluster they belong to.
    """

    #: A client for checks that finds, as if they were there, the objects that the same request is to create.
    checks_through: OmniClient | None = None

    def __init__(self, type: str, namespace: str, served_by: ResourceAdapter | None) -> None:
        super().__init__(type, namespace)
        self._served_by = served_by
        if served_by is not None:
            self.of_the_fleet, self.tells_of_all = served_by.of_the_fleet, served_by.tells_of_all

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the cluster of one object."""
        return super().cluster_of(resource) if self._served_by is None else self._served().cluster_of(resource)

    def clusters_of(self, resources: Sequence[Resource]) -> Sequence[str | None]:
        """Return the cluster of each object."""
        if self._served_by is None:
            return super().clusters_of(resources)
        return self._served().clusters_of(resources)

    def other_clusters_affected(
        self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]
    ) -> Sequence[str | None]:
        """Return what else a write reaches, as the type's own plugin knows it."""
        if self._served_by is None:
            return super().other_clusters_affected(resource, existing, extras)
        return self._served().other_clusters_affected(resource, existing, extras)

    def _served(self) -> ResourceAdapter:
        assert self._served_by is not None
        return self._served_by.bind(self.checks_through or self.omni)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse what Omni would refuse, as far as the message tables and the type's own plugin know it.

        Labels that Omni's controllers need are completed, masked secrets put back, zero values left out.
        """
        relations.complete(self.checks_through or self.omni, resource, existing)
        self._check_spec(resource, existing)
        self._ask_plugin(resource, existing)

    def _ask_plugin(self, resource: Resource, existing: Resource | None) -> None:
        """Have the type's plugin check a write; it may add labels. 422 also for members that it would fill in.

        A type that Omni keeps to itself is left for Omni to refuse.
        """
        served_by = self._served_by
        verb = "create" if existing is None else "update"
        if not isinstance(served_by, OmniResourceAdapter) or verb in messages.refused_verbs(self.type):
            return
        asked = replace(resource, spec=dict(resource.spec))
        try:
            self._served().check(asked, existing, {})
        except Problem as problem:
            problem.errors = problem.errors and {_spec_path(path): texts for path, texts in problem.errors.items()}
            raise
        if missing := asked.spec.keys() - resource.spec.keys():
            raise Problem(422, "validation", errors={f"spec.{name}": ["Missing."] for name in sorted(missing)})
        resource.labels, resource.annotations = asked.labels, asked.annotations

    def foresee(self, resource: Resource | None, existing: Resource | None) -> None:
        """Raise what Omni will answer; objects that the same request creates count as there."""
        OmniResourceAdapter.foresee(self.bind(self.checks_through or self.omni), resource, existing)

    def _check_spec(self, resource: Resource, existing: Resource | None) -> None:
        """Put masked secrets back and leave out zero values; 422 for masks and enum numbers that mean nothing."""
        held = existing.spec if existing else {}
        resource.spec = settled(self.type, restore(self.type, resource.spec, held), held)
        text = "This is what a secret reads as; give its value."
        wrong = {path: [text] for path in masked_members(resource.spec)}
        known = nameless_enums(self.type, held)
        for path, number in nameless_enums(self.type, resource.spec).items():
            if known.get(path) != number:  # a newer Omni's value may be sent back
                wrong[path] = [f"{number} is no value of this enum."]
        if resource.spec.get(_COMPRESSED) and resource.spec[_COMPRESSED] != held.get(_COMPRESSED):
            wrong[f"spec.{_COMPRESSED}"] = ["Only Omni can read this form; send the text in `data`."]
        if not messages.message_of(self.type) and messages.is_known(self.type):
            wrong["spec"] = ["Objects of this type cannot be written."]
        if wrong:
            raise Problem(422, "validation", errors=wrong)

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Complete the labels once more: what they follow from may have been made after ``check`` by the same apply."""
        relations.complete(self.omni, resource)
        return super().create(resource, extras)


def _spec_path(path: str) -> str:
    """Return where a field of a plugin's flat document is in a document with a spec."""
    return path if path.partition(".")[0] in _ENVELOPE else f"spec.{path}"


class Kind:
    """What the views need of one type."""

    def __init__(self, definition: Definition, plugin: Mounted | None) -> None:
        """``plugin`` serves the same objects, if there is one: they link to each other."""
        self.type = definition.type
        self.adapter = GenericAdapter(definition.type, definition.namespace, plugin.adapter if plugin else None)
        links = {} if plugin is None else {"resource": partial(_plugin_link, plugin.name)}
        self.schema = GenericResourceSchema(self.type)
        self.representation = Representation(self.schema, f"resources/{self.type}", links)
        self.collection = Collection(self.adapter, self.representation)
        self.creation = Creation(self.adapter, self.representation)
        self.item = Item(self.adapter, self.representation, self.creation, self._create_role)
        self.destroy = OperationKind(OPERATION, self._removal)

    def _create_role(self) -> Role:
        return role_for(current_gateway(), self.type, "create")

    def _removal(self, omni: OmniClient, id: str) -> Operation:
        kind = removal(f"resources/{self.type}", "resource", self.adapter)
        return replace(kind.read(omni, id), kind=OPERATION, id=f"{self.type}/{id}")


def _plugin_link(plugin: str, resource: Resource) -> str:
    return object_url(plugin, resource.id)


def plugin_of(gateway: Gateway, type: str) -> Mounted | None:
    """Return the plugin whose objects are of this type, if there is one."""
    return next((plugin for plugin in gateway.plugins.values() if plugin.adapter.type == type), None)


def role_for(gateway: Gateway, type: str, verb: str) -> Role:
    """Return what a verb takes: what the type's own plugin asks for it, admin where there is none.

    No way around a plugin's roles leads through here, and nobody has yet judged the types without one.
    """
    serving = [plugin.roles for plugin in gateway.plugins.values() if plugin.adapter.type == type]
    return max((roles[verb] for roles in serving if verb in roles), default=Role.ADMIN)
