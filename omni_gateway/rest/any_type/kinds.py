"""Schema, adapter and representation of one type, served by the same views as a plugin's objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from marshmallow import fields

from omni_gateway.auth import Role
from omni_gateway.http.problems import Problem
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, messages, types
from omni_gateway.omni.specs import SpecError, nameless_enums, settled, to_plain, to_wire
from omni_gateway.redaction.specs import masked_members, redact, restore
from omni_gateway.rest import relations
from omni_gateway.rest.adapters.base import Created, ResourceAdapter
from omni_gateway.rest.adapters.omni import OmniResourceAdapter
from omni_gateway.rest.any_type.definitions import Definition
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
#: Parts of a cluster template that have no plugin: Omni lets its operators write them, as the other parts.
_PARTS_OF_TEMPLATES = frozenset(
    {types.KUBERNETES_MANIFEST_GROUPS, types.KUBERNETES_HEALTH_CHECKS, types.MACHINE_INSTALL_DISK_CONFIGS}
)
#: Omni's own clients compress long texts into this member, with a dictionary that only they have.
_COMPRESSED = "compressed_data"
_ENVELOPE = frozenset({"id", "namespace", "labels", "annotations", "spec", "_"})


class GenericResourceSchema(ResourceSchema):
    """An object of any Omni type. Its spec is nested, since its members' names may be those of the envelope."""

    spec = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        metadata={
            "description": "By proto names, enums by name; omnictl's spelling is accepted too. Secrets read `***`.",
            "additionalProperties": True,
            "example": {"match_labels": ["omni.sidero.dev/platform = metal"]},
        },
    )

    def __init__(self, type: str = "", **kwargs: Any) -> None:
        """Create the schema of a type; an empty ``type`` documents all of them."""
        super().__init__(**kwargs)
        self.type = type
        self.render_spec = self._render_generic

    def _render_generic(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        return {"spec": redact(self.type, to_plain(self.type, spec))}

    def to_resource(self, loaded: Mapping[str, Any], *, type: str = "", namespace: str = "default") -> Resource:
        """Return the object. Raises a 422 problem with the members that do not match its type."""
        resource = super().to_resource({**loaded, "spec": None}, type=type, namespace=namespace)
        return replace(resource, spec=wire_spec(self.type, loaded.get("spec") or {}))

    def unknown_spec(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return nothing: this schema can write the whole spec."""
        return {}


def wire_spec(type: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a caller's spec in Omni's form. Raises a 422 problem with every member that does not match the type."""
    try:
        return to_wire(type, spec)
    except SpecError as error:
        wrong: dict[str, list[str]] = {}
        for fault in error.faults:
            near = did_you_mean(fault.path.rpartition(".")[2], fault.known) if fault.known else ""
            wrong.setdefault(fault.path, []).append(f"{fault.text}{near}")
        raise Problem(422, "validation", errors=wrong) from error


class GenericAdapter(OmniResourceAdapter):
    """Adapter for objects of any type; masked secrets of a document that is sent back are restored.

    ``served_by`` is the adapter of the plugin that serves the same objects, if there is one; it decides which cluster
    they belong to.
    """

    #: A client for checks that also finds the objects that the same request will create.
    checks_through: OmniClient | None = None

    def __init__(self, type: str, namespace: str, served_by: ResourceAdapter | None) -> None:
        super().__init__(type, namespace)
        self._served_by = served_by
        if served_by is not None:
            self.restricted_may_write = served_by.restricted_may_write
            self.restricted_may_read = served_by.restricted_may_read

    @property
    def clusters_are_named(self) -> bool:
        """True if an object names its cluster or machine, by the type's own plugin if there is one."""
        served = self._served_by
        return served is None or (isinstance(served, OmniResourceAdapter) and served.clusters_are_named)

    def named_cluster(self, resource: Resource) -> str | None:
        """Return the cluster that an object names."""
        served = self._served_by
        return (
            served.named_cluster(resource)
            if isinstance(served, OmniResourceAdapter)
            else super().named_cluster(resource)
        )

    def followed_machine(self, resource: Resource) -> str | None:
        """Return the machine whose cluster an object belongs to."""
        served = self._served_by
        return (
            served.followed_machine(resource)
            if isinstance(served, OmniResourceAdapter)
            else super().followed_machine(resource)
        )

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
        """Return the other clusters that a write affects, by the type's own plugin if there is one."""
        if self._served_by is None:
            return super().other_clusters_affected(resource, existing, extras)
        return self._served().other_clusters_affected(resource, existing, extras)

    def _served(self) -> ResourceAdapter:
        assert self._served_by is not None
        return self._served_by.bind(self.checks_through or self.omni)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Complete labels, restore masked secrets and leave out zero values; raise 422 as far as errors are known.

        They are known from the message tables and from the checks of the type's own plugin.
        """
        relations.complete(self.checks_through or self.omni, resource, existing)
        self._check_spec(resource, existing)
        self._check_by_plugin(resource, existing)

    def _check_by_plugin(self, resource: Resource, existing: Resource | None) -> None:
        """Run the checks of the type's plugin, which may add labels.

        Raises 422 also for missing members that the plugin would fill in. Skipped if Omni lets only its controllers
        write the type: then Omni itself rejects the write.
        """
        served_by = self._served_by
        verb = "create" if existing is None else "update"
        if not isinstance(served_by, OmniResourceAdapter) or verb in messages.refused_verbs(self.type):
            return
        checked = replace(resource, spec=dict(resource.spec))
        try:
            self._served().check(checked, existing, {})
        except Problem as problem:
            problem.errors = problem.errors and {_spec_path(path): texts for path, texts in problem.errors.items()}
            raise
        if missing := checked.spec.keys() - resource.spec.keys():
            raise Problem(422, "validation", errors={f"spec.{name}": ["Missing."] for name in sorted(missing)})
        resource.labels, resource.annotations = checked.labels, checked.annotations

    def predict(self, resource: Resource | None, existing: Resource | None) -> None:
        """Raise the problem with which Omni would reject a write; objects that the same request creates are found."""
        OmniResourceAdapter.predict(self.bind(self.checks_through or self.omni), resource, existing)

    def _check_spec(self, resource: Resource, existing: Resource | None) -> None:
        """Restore masked secrets and leave out zero values. Raises 422 for other masks and unknown enum numbers."""
        stored = existing.spec if existing else {}
        resource.spec = settled(self.type, restore(self.type, resource.spec, stored), stored)
        text = "This is the mask of a secret; give its value."
        wrong = {path: [text] for path in masked_members(resource.spec)}
        known = nameless_enums(self.type, stored)
        for path, number in nameless_enums(self.type, resource.spec).items():
            if known.get(path) != number:  # a newer Omni's value may be sent back
                wrong[path] = [f"{number} is not a value of this enum."]
        if resource.spec.get(_COMPRESSED) and resource.spec[_COMPRESSED] != stored.get(_COMPRESSED):
            wrong[f"spec.{_COMPRESSED}"] = ["Only Omni can read this form; send the text in `data`."]
        if not messages.message_of(self.type) and messages.is_known(self.type):
            wrong["spec"] = ["Objects of this type cannot be written."]
        if wrong:
            raise Problem(422, "validation", errors=wrong)

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Create the object; its labels are completed again, since the same apply may have written their source."""
        relations.complete(self.omni, resource)
        return super().create(resource, extras)


def _spec_path(path: str) -> str:
    """Return the path, in a document with a ``spec``, of a field of a plugin's flat document."""
    return path if path.partition(".")[0] in _ENVELOPE else f"spec.{path}"


class Kind:
    """Adapter, schema, representation and operation kind of one type, for the views."""

    def __init__(self, definition: Definition, plugin: Mounted | None) -> None:
        """Create the views' parts of a type; its objects link to those of ``plugin``, which serves the same ones."""
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
        kind = removal(f"resources/{self.type}", "resource", self.adapter, "resource")
        return replace(kind.read(omni, id), kind=OPERATION, id=f"{self.type}/{id}")


def _plugin_link(plugin: str, resource: Resource) -> str:
    return object_url(plugin, resource.id)


def plugin_of(gateway: Gateway, type: str) -> Mounted | None:
    """Return the plugin whose objects are of this type; None if there is none."""
    return next((plugin for plugin in gateway.plugins.values() if plugin.adapter.type == type), None)


def role_for(gateway: Gateway, type: str, verb: str) -> Role:
    """Return the role that a verb on a type needs: that of the type's own plugin, admin if there is none.

    So these routes never need less than a plugin's own. For most types without a plugin no lower role has been
    considered.
    """
    plugin_roles = [plugin.roles for plugin in gateway.plugins.values() if plugin.adapter.type == type]
    default = Role.OPERATOR if type in _PARTS_OF_TEMPLATES else Role.ADMIN
    return max((roles[verb] for roles in plugin_roles if verb in roles), default=default)
