"""Runbooks: what to do when a cluster is in trouble. Kept as JSON files in a folder; Omni knows nothing of them."""

import hashlib
import json
import os
from pathlib import Path

from marshmallow import fields

from omni_gateway.sdk import (
    READ_WRITE,
    Listing,
    NotFound,
    Resource,
    ResourceAdapter,
    ResourcePlugin,
    ResourceSchema,
    StaleVersion,
    sort_and_cut,
)

SORTABLE = frozenset({"title"})


class RunbookSchema(ResourceSchema):
    """Steps to take."""

    title = fields.String(required=True)
    steps = fields.List(fields.String())


class FolderAdapter(ResourceAdapter):
    """One file per object, named by a hash, so that no id can lead out of the folder."""

    type = "Runbooks.example.org"

    @property
    def folder(self):
        path = Path(os.environ.get("RUNBOOKS_DIR", "runbooks"))
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _path(self, id):
        return self.folder / f"{hashlib.sha256(id.encode()).hexdigest()}.json"

    def _write(self, resource, version):
        kept = {name: getattr(resource, name) for name in ("id", "spec", "labels", "annotations")}
        self._path(resource.id).write_text(json.dumps(kept | {"version": version, "type": self.type}))

    def list(self, query):
        found = [Resource(**json.loads(path.read_text())) for path in self.folder.glob("*.json")]
        if query.selector:
            found = [item for item in found if query.selector.matches(item.labels)]
        found = [item for item in found if query.search.lower() in json.dumps(item.spec | {"id": item.id}).lower()]
        return Listing(sort_and_cut(found, query, SORTABLE), len(found))

    def get(self, id):
        try:
            return Resource(**json.loads(self._path(id).read_text()))
        except FileNotFoundError:
            raise NotFound(id) from None

    def create(self, resource, extras):
        self._write(resource, 1)

    def replace(self, resource):
        if self.get(resource.id).version != resource.version:
            raise StaleVersion(resource.id)
        self._write(resource, resource.version + 1)

    def delete(self, resource):
        self._path(resource.id).unlink(missing_ok=True)


plugin = ResourcePlugin(
    name="runbooks",
    singular="runbook",
    description="What to do when a cluster is in trouble",
    schema=RunbookSchema,
    adapter=FolderAdapter(),
    roles=READ_WRITE,
    example={"id": "etcd-full", "title": "etcd is full", "steps": ["defragment", "raise the quota"]},
    sdk=">=1.0,<2",
)
