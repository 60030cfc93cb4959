"""Schematics: Omni has no such type any more, so they are collected from machines and configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from omni_gateway.sdk import FieldErrors, Resource
from omni_gateway.sdk.actions import problem_for
from omni_gateway.sdk.adapters import (
    CallAdapter,
    Created,
    FoundExisting,
    find,
    resources_of,
)
from omni_gateway.sdk.omni import (
    Overlay,
    label_names,
    omni_errors,
    types,
)
from omni_gateway.sdk.redaction import mask_tokens

CREATED_HERE = "schematics"
MAX_CREATED_HERE = 1000


class SchematicAdapter(CallAdapter):
    """The schematics of machines and of their configurations; a call to Omni creates a new one."""

    type = types.SCHEMATIC_CONFIGURATIONS

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return every current or wanted schematic of a machine, and those created here."""
        found: dict[str, Resource] = {}
        for machine in resources_of(self.omni.resources.list(types.MACHINE_STATUSES)):
            reported = machine.spec.get("schematic") or {}
            id = reported.get("full_id") or reported.get("id")
            if not id or not self._in_scope(machine.spec.get("cluster")):
                continue
            item = self._item(found, id)
            item.spec["machines"].append(machine.id)
            item.spec.setdefault("extensions", reported.get("extensions") or [])
            item.spec.setdefault("extra_kernel_args", [mask_tokens(text) for text in reported.get("kernel_args") or []])
            item.spec.setdefault("yaml", reported.get("raw") or "")
        for configuration in resources_of(self.omni.resources.list(types.SCHEMATIC_CONFIGURATIONS)):
            id = configuration.spec.get("schematic_id")
            if id and self._in_scope(configuration.labels.get(label_names.LABEL_CLUSTER)):
                self._item(found, id)
        for made in self.store.documents.list(self._created_here):
            item = self._item(found, made.id)
            item.spec = {**made.spec, **item.spec}
        return list(found.values())

    def _in_scope(self, cluster: str | None) -> bool:
        """Return whether the caller's scope includes a cluster; free machines are in every scope."""
        return not cluster or self.scope.allows(cluster)

    def _item(self, found: dict[str, Resource], id: str) -> Resource:
        return found.setdefault(id, Resource(id, {"machines": []}, type=self.type, namespace=self.namespace))

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for versions and extensions that Omni does not know: the image factory would fail later."""
        super().check(resource, existing, extras)
        refusals = FieldErrors()
        version = str(extras.get("talos_version", "")).removeprefix("v")
        wanted = resource.spec.get("extensions") or []
        if version and find(self.omni, types.TALOS_VERSIONS, version) is None:
            refusals.add("talos_version", f"Omni does not know Talos {version!r}.")
        elif wanted and not version:
            refusals.add("talos_version", "Required with `extensions`, which are checked against it.")
        elif wanted:
            known = find(self.omni, types.TALOS_EXTENSIONS, version)
            offered = {item["name"] for item in (known.spec.get("items") or [])} if known else set()
            for place, name in enumerate(wanted):
                if name not in offered and f"siderolabs/{name}" not in offered:
                    refusals.add(f"extensions.{place}", f"Talos {version} has no extension {name!r}.")
        refusals.raise_if_any()

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Create the schematic, or return an existing one: the same content has the same id."""
        overlay = extras.get("overlay")
        try:
            made = self.omni.management.create_schematic(
                talos_version=str(extras.get("talos_version", "")).removeprefix("v"),
                extensions=resource.spec.get("extensions") or (),
                extra_kernel_args=resource.spec.get("extra_kernel_args") or (),
                meta_values=extras.get("meta_values"),
                media_id=extras.get("media_id", ""),
                overlay=Overlay(**overlay) if overlay else None,
                bootloader=extras.get("bootloader", "AUTO"),
                grpc_tunnel=extras.get("grpc_tunnel", "AUTO"),
                embedded_machine_config=extras.get("embedded_machine_config", ""),
            )
        except omni_errors.Unknown as error:
            hint = "Possible causes: an unknown media_id, or an image factory that cannot be reached."
            raise problem_for(error, hint=hint) from error
        known = next((item for item in self.items({}) if item.id == made.id), None)
        asked = {**resource.spec, "yaml": mask_tokens(made.yaml), "grpc_tunnel_enabled": made.grpc_tunnel_enabled}
        if known is None:
            self._store_created(made.id, asked)
        spec = {"machines": [], **asked, **(known.spec if known else {})}
        result = Resource(made.id, spec, type=self.type, namespace=self.namespace)
        return FoundExisting(result) if known else result

    @property
    def _created_here(self) -> str:
        """Return the store's collection of this identity: callers with keys of their own do not share schematics."""
        return f"{CREATED_HERE}/{self.omni.identity.fingerprint}"

    def _store_created(self, id: str, spec: Mapping[str, Any]) -> None:
        """Store a created schematic without its secrets: Omni lists one only once a machine has it."""
        if len(self.store.documents.list(self._created_here)) < MAX_CREATED_HERE:
            words = [mask_tokens(text) for text in spec.get("extra_kernel_args") or ()]
            self.store.documents.create(self._created_here, id, {**spec, "extra_kernel_args": words}, {}, {})
