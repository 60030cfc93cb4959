"""Schematics: Omni has no such type any more, so what the fleet uses is gathered (facts: machine-auth-side 1, 4)."""

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

REMEMBERED = "schematics"
MOST_REMEMBERED = 1000


class SchematicAdapter(CallAdapter):
    """The schematics of machines and of their configurations; a new one is made by a call."""

    type = types.SCHEMATIC_CONFIGURATIONS

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return every schematic that a machine runs or is to run, and those that were made here."""
        found: dict[str, Resource] = {}
        for machine in resources_of(self.omni.resources.list(types.MACHINE_STATUSES)):
            said = machine.spec.get("schematic") or {}
            id = said.get("full_id") or said.get("id")
            if not id or not self._sees(machine.spec.get("cluster")):
                continue
            item = self._item(found, id)
            item.spec["machines"].append(machine.id)
            item.spec.setdefault("extensions", said.get("extensions") or [])
            item.spec.setdefault("extra_kernel_args", [mask_tokens(text) for text in said.get("kernel_args") or []])
            item.spec.setdefault("yaml", said.get("raw") or "")
        for configuration in resources_of(self.omni.resources.list(types.SCHEMATIC_CONFIGURATIONS)):
            id = configuration.spec.get("schematic_id")
            if id and self._sees(configuration.labels.get(label_names.LABEL_CLUSTER)):
                self._item(found, id)
        for made in self.store.documents.list(self._remembered):
            item = self._item(found, made.id)
            item.spec = {**made.spec, **item.spec}
        return list(found.values())

    def _sees(self, cluster: str | None) -> bool:
        """Whether a caller who is held to some clusters may know of what this one's machines run."""
        return not cluster or self.scope.allows(cluster)

    def _item(self, found: dict[str, Resource], id: str) -> Resource:
        return found.setdefault(id, Resource(id, {"machines": []}, type=self.type, namespace=self.namespace))

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse (422) versions and extensions that Omni does not know; its image factory would fail later."""
        super().check(resource, existing, extras)
        refusals = FieldErrors()
        version = str(extras.get("talos_version", "")).removeprefix("v")
        wanted = resource.spec.get("extensions") or []
        if version and find(self.omni, types.TALOS_VERSIONS, version) is None:
            refusals.add("talos_version", f"Omni does not know Talos {version!r}.")
        elif wanted and not version:
            refusals.add("talos_version", "Is needed to check the extensions against.")
        elif wanted:
            known = find(self.omni, types.TALOS_EXTENSIONS, version)
            offered = {item["name"] for item in (known.spec.get("items") or [])} if known else set()
            for place, name in enumerate(wanted):
                if name not in offered and f"siderolabs/{name}" not in offered:
                    refusals.add(f"extensions.{place}", f"Talos {version} has no extension {name!r}.")
        refusals.raise_if_any()

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Make the schematic; the same content has the same id, so one that the fleet uses is told as present."""
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
            hint = "An unknown media_id ends so, and an image factory that cannot be reached."
            raise problem_for(error, hint=hint) from error
        known = next((item for item in self.items({}) if item.id == made.id), None)
        asked = {**resource.spec, "yaml": mask_tokens(made.yaml), "grpc_tunnel_enabled": made.grpc_tunnel_enabled}
        if known is None:
            self._remember(made.id, asked)
        spec = {"machines": [], **asked, **(known.spec if known else {})}
        told = Resource(made.id, spec, type=self.type, namespace=self.namespace)
        return FoundExisting(told) if known else told

    @property
    def _remembered(self) -> str:
        """Return the collection of what this identity made: what one caller's key made is not another caller's."""
        return f"{REMEMBERED}/{self.omni.identity.fingerprint}"

    def _remember(self, id: str, spec: Mapping[str, Any]) -> None:
        """Keep what was made, without its secrets: Omni itself tells of a schematic only when a machine has it."""
        if len(self.store.documents.list(self._remembered)) < MOST_REMEMBERED:
            words = [mask_tokens(text) for text in spec.get("extra_kernel_args") or ()]
            self.store.documents.create(self._remembered, id, {**spec, "extra_kernel_args": words}, {}, {})
