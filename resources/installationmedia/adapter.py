"""Two Omni types as one collection: InstallationMedias (Omni's) and InstallationMediaConfigs (users')."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import (
    FieldErrors,
    Listing,
    ListQuery,
    OmniResourceAdapter,
    Problem,
    Resource,
)
from omni_gateway.sdk.adapters import (
    Change,
    Created,
    find,
    member_filter,
    read,
    resources_of,
    select,
)
from omni_gateway.sdk.omni import types

CATALOGUE, CONFIG = "catalogue", "config"
KIND = member_filter("kind", "Only those of this kind", fields.String(validate=validate.OneOf((CATALOGUE, CONFIG))))
_ARCHITECTURES = {"amd64": 1, "arm64": 2}
_HINT = "Omni's catalogue is read-only; POST a configuration of your own under another id."


class InstallationMediaAdapter(OmniResourceAdapter):
    """Both types; writes go to the configurations, since Omni refuses changes of its catalogue."""

    other_types = (types.INSTALLATION_MEDIAS,)
    restricted_may_write = False
    cacheable_response = True

    def __init__(self) -> None:
        super().__init__(types.INSTALLATION_MEDIA_CONFIGS, hint=_HINT, sortable=("kind", "architecture", "name"))

    def list(self, query: ListQuery) -> Listing:
        """Return a page of both kinds."""
        configs = map(_config, resources_of(self.omni.resources.list(types.INSTALLATION_MEDIA_CONFIGS)))
        catalogue = map(_catalogue, resources_of(self.omni.resources.list(types.INSTALLATION_MEDIAS)))
        return select([*configs, *catalogue], query, self.sortable)

    def get(self, id: str) -> Resource:
        """Read a configuration, else an entry of the catalogue; ``NotFound`` if there is neither."""
        config = find(self.omni, types.INSTALLATION_MEDIA_CONFIGS, id)
        if config is not None:
            return _config(config)
        return _catalogue(read(self.omni, types.INSTALLATION_MEDIAS, id))

    def watch(self, query: ListQuery, id: str = "") -> AbstractContextManager[Iterator[Change]]:
        """Follow both types by polling the list."""
        return self.polled(query, id)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for a body that Omni would refuse."""
        if existing is not None and existing.type == types.INSTALLATION_MEDIAS:
            raise Problem(403, "omni-forbidden", "Omni's catalogue is read-only.", hint=_HINT)
        refusals = FieldErrors()
        if resource.spec.get("cloud") and resource.spec.get("sbc"):
            refusals.add("sbc", "Cannot be combined with `cloud`.")
        refusals.raise_if_any()

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Create a configuration."""
        return super().create(_in_omnis_form(resource), extras)

    def replace(self, resource: Resource) -> None:
        """Replace a configuration."""
        super().replace(_in_omnis_form(resource))

    def delete(self, resource: Resource) -> None:
        """Remove a configuration; 403 for an entry of the catalogue."""
        with self.forbidden_hint():
            self.omni.resources.remove(resource.type, resource.id, resource.namespace)


def _config(item: Resource) -> Resource:
    return replace(item, spec={**item.spec, "kind": CONFIG})


def _in_omnis_form(item: Resource) -> Resource:
    """Return a configuration without ``kind``, which only the gateway has."""
    return replace(item, spec={key: value for key, value in item.spec.items() if key != "kind"})


def _catalogue(item: Resource) -> Resource:
    """Return an entry in the form of a configuration: the architecture as a number instead of a name."""
    architecture = _ARCHITECTURES.get(item.spec.get("architecture", ""), 0)
    return replace(item, spec={**item.spec, "kind": CATALOGUE, "architecture": architecture})


def names_of(extensions: Sequence[str]) -> list[str]:
    """Return full extension names, as the image factory needs them; the publisher defaults to ``siderolabs``."""
    return [name if "/" in name else f"siderolabs/{name}" for name in extensions]
