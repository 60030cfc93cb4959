"""Two Omni types as one collection: InstallationMedias (Omni's) and InstallationMediaConfigs (users')."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import (
    FieldErrors,
    Filter,
    Listing,
    ListQuery,
    OmniResourceAdapter,
    Problem,
    Resource,
    ResourceAdapter,
)
from omni_gateway.sdk.adapters import (
    Change,
    find,
    read,
    resources_of,
    select,
)
from omni_gateway.sdk.omni import types
from omni_gateway.sdk.redaction import MASK

CATALOGUE, CONFIG = "catalogue", "config"
KIND = Filter("kind", "Only those of this kind", field=fields.String(validate=validate.OneOf((CATALOGUE, CONFIG))))
_ARCHITECTURES = {"amd64": 1, "arm64": 2}
_HINT = "Omni's catalogue is read-only; POST a configuration of your own under another id."


class InstallationMediaAdapter(OmniResourceAdapter):
    """Writes go to the configurations; the catalogue is read, and Omni refuses to change it."""

    of_the_fleet = True

    def __init__(self) -> None:
        super().__init__(types.INSTALLATION_MEDIA_CONFIGS, hint=_HINT, sortable=("kind", "architecture", "name"))

    def list(self, query: ListQuery) -> Listing:
        """Return both kinds, or the one asked for."""
        kind = query.filters.get("kind")
        found: list[Resource] = []
        if kind != CATALOGUE:
            found += map(_config, resources_of(self.omni.resources.list(types.INSTALLATION_MEDIA_CONFIGS)))
        if kind != CONFIG:
            found += map(_catalogue, resources_of(self.omni.resources.list(types.INSTALLATION_MEDIAS)))
        return select(found, query, self.sortable)

    def get(self, id: str) -> Resource:
        """Read a configuration, else an entry of the catalogue."""
        config = find(self.omni, types.INSTALLATION_MEDIA_CONFIGS, id)
        if config is not None:
            return _config(config)
        return _catalogue(read(self.omni, types.INSTALLATION_MEDIAS, id))

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        """Follow two types together: they are listed again and again."""
        with ResourceAdapter.watch(self, query, id) as changes:
            yield changes

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse (422) what Omni would; keep the join token that is set where the mask is sent back."""
        if existing is not None and existing.type == types.INSTALLATION_MEDIAS:
            raise Problem(403, "omni-forbidden", "Omni keeps its catalogue to itself.", hint=_HINT)
        refusals = FieldErrors()
        if resource.spec.get("cloud") and resource.spec.get("sbc"):
            refusals.add("sbc", "Cannot go with `cloud`.")
        if resource.spec.get("join_token") == MASK:
            if existing is None or "join_token" not in existing.spec:
                refusals.add("join_token", f"{MASK!r} stands for a token that is set; there is none.")
            else:
                resource.spec["join_token"] = existing.spec["join_token"]
        refusals.raise_if_any()

    def replace(self, resource: Resource) -> None:
        """Write a configuration over; what is ours alone stays here."""
        super().replace(replace(resource, spec={key: value for key, value in resource.spec.items() if key != "kind"}))

    def delete(self, resource: Resource) -> None:
        """Remove a configuration; Omni refuses to remove what is its own."""
        with self.forbidden_hint():
            self.omni.resources.remove(resource.type, resource.id, resource.namespace)


def _config(item: Resource) -> Resource:
    return replace(item, spec={**item.spec, "kind": CONFIG})


def _catalogue(item: Resource) -> Resource:
    """Say the architecture as configurations do: by number instead of by name."""
    architecture = _ARCHITECTURES.get(item.spec.get("architecture", ""), 0)
    return replace(item, spec={**item.spec, "kind": CATALOGUE, "architecture": architecture})


def names_of(extensions: Sequence[str]) -> list[str]:
    """Return extension names as the image factory knows them: the vendor's prefix may be left out."""
    return [name if "/" in name else f"siderolabs/{name}" for name in extensions]
