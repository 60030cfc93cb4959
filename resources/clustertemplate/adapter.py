"""Kept templates, in the gateway's store, and the earlier versions of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from omni_gateway.sdk import NotFound, OmniClient, Problem, Resource
from omni_gateway.sdk.actions import current_principal, note_cluster
from omni_gateway.sdk.adapters import StoredResourceAdapter
from omni_gateway.sdk.omni import apply
from omni_gateway.sdk.templates import Template
from resources.clustertemplate.comparison import compare, objects_of
from resources.clustertemplate.content import Content, content_of, template_of

COLLECTION = "cluster-templates"
#: The versions that are kept of a template, its present one included.
MAX_VERSIONS = 50
#: A name of a cluster is as long as Omni takes; the store's names of collections have less than 100 characters.
MAX_NAME = 63
_CONTENT = ("documents", "text", "files", "sync")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a template: its number from 1, who wrote it and when, and its content."""

    number: int
    changed_by: str
    changed_at: str
    sync: str
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return the version without its text, as JSON members."""
        return {
            "number": self.number,
            "changed_by": self.changed_by,
            "changed_at": self.changed_at,
            "sync": self.sync,
        }


class ClusterTemplateAdapter(StoredResourceAdapter):
    """The kept templates; each belongs to the cluster of its name, whether that exists or not."""

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the cluster of a template."""
        return resource.id

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Complete a template: both forms, and the version with its writer. Raises 422 with all faults."""
        super().check(resource, existing, extras)
        # A template that is sent as a file says nothing of it, so that a pipeline changes the template only.
        resource.spec.setdefault("sync", existing.spec["sync"] if existing else "manual")
        content = _content(resource.spec, existing.spec if existing else {})
        if content.template.name != resource.id:
            text = f"The cluster of the template is {content.template.name!r}, which has to be the id."
            raise Problem(422, "validation", errors={"id": [text]})
        if len(resource.id) > MAX_NAME:
            raise Problem(422, "validation", errors={"id": [f"Must be at most {MAX_NAME} characters."]})
        resource.spec |= {"documents": list(content.documents), "text": content.text, "files": {}}
        if existing is not None and all(resource.spec.get(name) == existing.spec.get(name) for name in _CONTENT):
            return
        resource.spec.pop("drift", None)  # of the content that it had
        if resource.spec["sync"] == "enforce":
            _check_enforced(self.omni, content.template)
        resource.spec["revision"] = (existing.spec["revision"] if existing else 0) + 1
        resource.spec["changed_by"] = current_principal().name
        resource.spec["changed_at"] = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> None:
        """Keep a template."""
        super().create(resource, extras)
        self._forget_versions(resource.id)  # of an earlier template of this name

    def replace(self, resource: Resource) -> None:
        """Write a template; the version that it had is kept before, so that none is missing if this ends between."""
        present = self.get(resource.id)
        if present.version == resource.version:
            self._keep_version(present)
        super().replace(resource)

    def delete(self, resource: Resource) -> None:
        """Remove a template and its versions; its cluster is not touched."""
        note_cluster(resource.id)
        super().delete(resource)
        self._forget_versions(resource.id)

    def template(self, id: str) -> Template:
        """Return a kept template. Raises ``NotFound``."""
        return template_of({"text": self.get(id).spec["text"]})

    def versions(self, id: str) -> Sequence[Version]:
        """Return the versions of a template, the newest first. Raises ``NotFound``."""
        present = _version(self.get(id).spec)
        earlier = [_version(document.spec) for document in self.store.documents.list(_history(id))]
        known = {each.number: each for each in earlier if each.number < present.number}
        return [present, *(known[number] for number in sorted(known, reverse=True))][:MAX_VERSIONS]

    def version(self, id: str, number: str) -> Version:
        """Return one version of a template. Raises ``NotFound``."""
        for each in self.versions(id):
            if str(each.number) == number:
                return each
        raise NotFound(f"{id}/history/{number}")

    def _keep_version(self, present: Resource) -> None:
        collection, number = _history(present.id), present.spec["revision"]
        spec = {name: present.spec[name] for name in ("revision", "changed_by", "changed_at", "sync", "text")}
        self.store.documents.create(collection, _key(number), spec, {}, {})
        for document in self.store.documents.list(collection)[: 1 - MAX_VERSIONS]:
            self.store.documents.delete(collection, document.id, document.version)

    def _forget_versions(self, id: str) -> None:
        for document in self.store.documents.list(_history(id)):
            self.store.documents.delete(_history(id), document.id, document.version)


def _content(spec: Mapping[str, Any], existing: Mapping[str, Any]) -> Content:
    """Return the template of a write: of the form that is new; 422 if both are, and differ."""
    new = [name for name in ("text", "documents") if spec.get(name) and spec[name] != existing.get(name)]
    if new == ["documents"]:
        return content_of({**spec, "text": ""})
    content = content_of(spec)
    if len(new) == 2 and content.documents != content_of({**spec, "text": ""}).documents:
        text = "Says something else than `documents`; give one of them."
        raise Problem(422, "validation", errors={"text": [text]})
    return content


def _version(spec: Mapping[str, Any]) -> Version:
    """Return the version of a stored template, or of a document of its history."""
    return Version(spec["revision"], spec["changed_by"], spec["changed_at"], spec["sync"], spec["text"])


def _check_enforced(omni: OmniClient, template: Template) -> None:
    """Raise the problem for which the caller may not sync a template that the gateway is to enforce."""
    if current_principal().omni is not None:
        text = (
            "The gateway enforces templates with its own Omni identity, for callers that it knows by a role of its own."
        )
        raise Problem(422, "validation", errors={"sync": [text]})
    comparison = compare(omni, template.name, objects_of(template))
    for outcome in apply(comparison.wanted, destroy=comparison.removed, dry_run=True):
        if outcome.problem is not None and outcome.problem.status in (401, 403):
            raise outcome.problem


def _history(id: str) -> str:
    return f"{COLLECTION}/{id}"


def _key(number: int) -> str:
    """Return the id of a version's document, which sorts as the number does."""
    return f"{number:010}"


TEMPLATES = ClusterTemplateAdapter(COLLECTION, sortable=frozenset({"sync", "revision"}), max_objects=2000)
