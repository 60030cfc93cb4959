"""Configuration patches in Omni."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import ListQuery, OmniResourceAdapter, Problem, Resource, omni_errors, problem_for
from resources.configpatch import names, targeting
from resources.configpatch.validation import check_changed_data

#: Omni's compressed form of the same text; it wins over ``data`` when both are there.
_COMPRESSED = "compressed_data"


class ConfigPatchAdapter(OmniResourceAdapter):
    """Patches, always in plain text: Omni reads the compressed form for us, and a write leaves it out."""

    def __init__(self) -> None:
        super().__init__(names.CONFIG_PATCHES)

    def selectors(self, query: ListQuery) -> Sequence[str]:
        """Return the label queries; the two labels that can name a machine make two of them."""
        return targeting.selectors(query)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Ask Omni about the text and look at the labels, so that a dry run tells the truth.

        Raises 422, and 403 for a patch that Omni's controllers own.
        """
        if existing is not None and existing.owner:
            raise owned_problem(existing)
        targeting.check_labels(self.omni, resource, existing)
        check_changed_data(self.omni, resource, existing)

    def replace(self, resource: Resource) -> None:
        """Write the patch in plain text."""
        super().replace(plain(resource))

    def check_delete(self, resource: Resource) -> None:
        """Raise 403 for a patch that Omni's controllers own."""
        if resource.owner:
            raise owned_problem(resource)

    def delete(self, resource: Resource) -> None:
        """Remove the patch; 403 when Omni refuses because its controllers own it."""
        try:
            super().delete(resource)
        except omni_errors.PermissionDenied as error:
            if resource.owner:
                raise owned_problem(resource, error) from error
            raise


def plain(patch: Resource) -> Resource:
    """Return the patch without the compressed form that it may have been read with."""
    return replace(patch, spec={key: value for key, value in patch.spec.items() if key != _COMPRESSED})


def owned_problem(patch: Resource, refusal: omni_errors.PermissionDenied | None = None) -> Problem:
    """Return the 403 for a patch that is not the users' to change; ``refusal`` is Omni's, where it was asked."""
    hint = "Make a patch of your own for the same machines; one with a greater id applies after this one."
    if refusal is not None:
        return problem_for(refusal, hint=hint)
    return Problem(403, "omni-forbidden", f"Omni's {patch.owner} owns patch {patch.id!r}.", hint=hint)
