"""The plugin under test, in a gateway: the objects that the checks of one class work with."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx

from omni_gateway.rest.plugin import ResourcePlugin
from omni_gateway.testing.case import Case
from omni_gateway.testing.conditions import secrets_of
from omni_gateway.testing.document import resolved
from omni_gateway.testing.event_stream import EventStream, watching
from omni_gateway.testing.gateways import ROLES, InProcessGateway, ServedGateway
from omni_gateway.testing.omni import EmbeddedOmni

METHODS = {"list": "GET", "get": "GET", "create": "POST", "replace": "PUT", "patch": "PATCH", "delete": "DELETE"}
OPERATION_SECONDS = 30.0
#: How many objects of a plugin are there while the checks of lists run, at least.
SEVERAL = 3
#: The beginning of an id with separators of URLs, what looks like an escape, and other scripts.
STRANGE = "a/b//c 50%41 a%2Fb?d#e;f:\\'\" naïve-日本-😀"
#: The response of an object that no check has created.
_NONE = httpx.Response(200)


@dataclass(frozen=True)
class Made:
    """An object that a check has created: its id, its URL below ``/api/v1``, the body that was sent, the response."""

    id: str
    url: str
    body: Mapping[str, Any]
    response: httpx.Response


def path_of(plugin: ResourcePlugin, verb: str) -> str:
    """Return the path of a plugin's verb in the OpenAPI document."""
    path = f"/api/v1/{plugin.name}"
    return path if verb in ("list", "create") or plugin.singleton else f"{path}/{{id}}"


class Subject:
    """One plugin, its gateway and its objects."""

    def __init__(
        self,
        case: Case,
        omni: EmbeddedOmni,
        gateway: InProcessGateway,
        serve: Callable[[], ServedGateway],
    ) -> None:
        self.case = case
        self.plugin = case.plugin
        self.verbs = case.verbs()
        self.omni = omni
        self.gateway = gateway
        self._serve = serve
        self._numbers = count()
        self._variations = count()
        self._seeded: Sequence[str] = ()
        #: Distinguishes the objects of this run from others.
        self.token = uuid.uuid4().hex[:6]

    def prepare(self) -> None:
        """Run the hooks of the class: what the objects need, and the objects of a plugin that creates none."""
        self.case.prepare(self.omni)
        if not self.creates:
            self._seeded = self._seed()
        assert self.existing

    def _seed(self) -> Sequence[str]:
        """Have objects put in place; return their ids when they can be read."""
        ids = self.case.seed(self.omni)
        deadline = time.monotonic() + OPERATION_SECONDS
        for url in map(self.url_of, ids) if "get" in self.verbs else ():
            while (response := self.admin.get(url)).status_code != 200:
                assert time.monotonic() < deadline, f"GET {url}: {response.status_code} {response.text}"
                time.sleep(0.01)
        return ids

    @property
    def served(self) -> ServedGateway:
        """The gateway under gunicorn, started at first use."""
        return self._serve()

    @property
    def collection(self) -> str:
        """The URL of the collection below ``/api/v1``; of a singleton, that of the object."""
        return self.plugin.name

    @property
    def path(self) -> str:
        """The path of the collection in the OpenAPI document."""
        return f"/api/v1/{self.plugin.name}"

    def path_of(self, verb: str) -> str:
        """Return the path of a verb in the OpenAPI document."""
        return path_of(self.plugin, verb)

    def url_of(self, id: str) -> str:
        """Return the URL of one object below ``/api/v1``."""
        return self.collection if self.plugin.singleton else f"{self.collection}/{quote(id, safe='')}"

    @property
    def admin(self) -> httpx.Client:
        """A client with an admin's token."""
        return self.gateway.client("admin")

    def client(self, role: str | None, *, clusters: Sequence[str] | None = None) -> httpx.Client:
        """Return a client with a token of ``role``, or without a credential."""
        return self.gateway.client(role, clusters=clusters)

    @cached_property
    def omni_readers_key(self) -> str:
        """The key of a service account of Omni's with the role Reader."""
        return self.omni.key_of("Reader")

    def held_to(self, cluster: str, role: str = "admin") -> httpx.Client:
        """Return a client whose token is for one cluster only."""
        return self.client(role, clusters=[cluster])

    def body(self) -> dict[str, Any]:
        """Return the body of a new object, unlike all others of this run."""
        return dict(self.case.body(next(self._numbers), self.token))

    def second_body(self) -> dict[str, Any]:
        """Return the body of a new object like the second example."""
        return dict(self.case.second_body(next(self._numbers), self.token))

    def make(self, **members: Any) -> Made:
        """Create an object of the example. It stays: the Omni and the store of a test run end with it."""
        return self._create({**self.body(), **members})

    def _create(self, body: dict[str, Any]) -> Made:
        """Create an object and wait until it can be read."""
        url = self.collection
        if self.plugin.singleton:
            self._delete(url)
        response = self.admin.post(url, json=body)
        assert response.status_code in (200, 201, 202), f"POST {url} {body}: {response.status_code} {response.text}"
        return self._made_by(response, body)

    def _made_by(self, response: httpx.Response, body: Mapping[str, Any]) -> Made:
        document = response.json()
        target = response.headers["Location"]
        if response.status_code == 202:
            document = self.ended(response)
            target = document["_links"]["target"]
        url = str(target).removeprefix("/api/v1/")
        id = document["id"] if response.status_code != 202 else self.admin.get(url).json()["id"]
        return Made(id, url, body, response)

    def ended(self, response: httpx.Response) -> dict[str, Any]:
        """Return the operation of a 202 when it has ended."""
        url = response.headers["Operation-Location"]
        deadline = time.monotonic() + OPERATION_SECONDS
        while not (operation := self.admin.get(f"{self.gateway.url}{url}").json())["done"]:
            assert time.monotonic() < deadline, f"{url} did not end within {OPERATION_SECONDS} s: {operation}"
            time.sleep(0.02)
        assert operation["state"] == "succeeded", operation
        return dict(operation)

    @property
    def existing(self) -> Made:
        """An object that no check changes; of a singleton the one object, which is made again if it was removed."""
        if self.creates and self.plugin.singleton and self.admin.get(self.collection).status_code == 404:
            return self.make()
        return self._existing

    @cached_property
    def _existing(self) -> Made:
        if self.creates:
            return self.make()
        id = self._seeded[0]
        return Made(id, self.url_of(id), {}, _NONE)

    @cached_property
    def several(self) -> list[str]:
        """The ids of several objects that no check changes."""
        if self.creates:
            return [self.existing.id, *(self._create(self.second_body()).id for _ in range(SEVERAL - 1))]
        return list(self._seeded)

    @cached_property
    def labelled(self) -> list[Made]:
        """Two objects that differ in a label's value, which has this run's token."""
        return [self.make(labels=self.with_labels({"kit-shelf": f"{side}-{self.token}"})) for side in ("left", "right")]

    def with_labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return labels beside those that the example has."""
        return {**(self.case.body(0, self.token).get("labels") or {}), **labels}

    @property
    def creates(self) -> bool:
        """Whether the plugin has a role for creates."""
        return "create" in self.verbs

    @property
    def not_read_back(self) -> set[str]:
        """The members of bodies that are read otherwise, or not at all."""
        schema = self.plugin.schema
        return {*schema.request_only, *schema.returned_once, *secrets_of(schema), *self.case.read_otherwise}

    def shows(self, document: Mapping[str, Any], name: str, sent: Any) -> bool:
        """Return whether a document shows the value that was sent; objects are merged, and null is a missing one."""
        shown = document.get(name)
        if isinstance(sent, Mapping) and isinstance(shown, Mapping):
            return all(self.shows(shown, key, value) for key, value in sent.items())
        return shown == sent or (not shown and not sent)

    def may(self, role: str, verb: str) -> bool:
        """Return whether a role is enough for a verb."""
        return ROLES.index(role) >= ROLES.index(self.plugin.roles[verb].value)

    @property
    def documented_members(self) -> set[str]:
        """The members that the document names of an object."""
        operation = self.gateway.document.operation(self.path_of("get"), "get") or {}
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        return set(resolved(self.gateway.openapi, schema)["properties"])

    def everything(self) -> list[dict[str, Any]]:
        """Return all objects, as far as the plugin lists them."""
        return self.list() if "list" in self.verbs else []

    def send_content(self, verb: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Send the request of a verb with content that is no valid body."""
        url = self.collection if verb == "create" else self.existing.url
        return self.admin.request(METHODS[verb], url, content=content, headers=headers)

    def made_under_gunicorn(self) -> Made:
        """Create an object at the gateway under gunicorn."""
        body = self.body()
        response = self.served.client("admin").post(self.collection, json=body)
        assert response.status_code in (200, 201), f"{response.status_code} {response.text}"
        return Made(body["id"], self.url_of(body["id"]), body, response)

    @property
    def missing(self) -> Made:
        """An object that is not there."""
        id = f"there-is-none-{self.token}"
        return Made(id, self.url_of(id), {**(self.existing.body or self.read(self.existing.url)), "id": id}, _NONE)

    @property
    def strange(self) -> Made:
        """An object that is not there, whose id has all that hurts in URLs."""
        id = f"{STRANGE}-{self.token}"
        return replace(self.missing, id=id, url=self.url_of(id))

    @property
    def changing(self) -> Made:
        """The object that checks change; none of them relies on its state."""
        return self.existing if self.plugin.singleton else self._changing

    @cached_property
    def _changing(self) -> Made:
        if self.creates:
            return self.make()
        id = self._seeded[-1]
        return Made(id, self.url_of(id), {}, _NONE)

    def one_to_remove(self) -> Made:
        """Return an object that a check may remove: a new one, or one that the class seeds for it."""
        if self.creates:
            return self.make()
        id = self._seed()[0]
        return Made(id, self.url_of(id), {}, _NONE)

    def change(self) -> dict[str, Any]:
        """Return a merge patch that changes an object like the example, whatever checks have changed before."""
        return merged(self.case.merge_patch(), self.variation())

    def variation(self) -> dict[str, Any]:
        """Return a merge patch that changes any object, in another way each time."""
        return dict(self.case.variation(next(self._variations)))

    def alter(self, id: str) -> None:
        """Change an object: by a PATCH, or in Omni where the plugin has none."""
        if "patch" in self.verbs:
            response = self.admin.patch(self.url_of(id), json=self.variation())
            assert response.status_code == 200, response.text
            return
        before = self.read(self.url_of(id))
        self.case.alter(self.omni, id)
        deadline = time.monotonic() + OPERATION_SECONDS
        while self.read(self.url_of(id)) == before:
            assert time.monotonic() < deadline, f"the change of {id!r} in Omni is not read"
            time.sleep(0.01)

    def replacement(self, made: Made) -> dict[str, Any]:
        """Return the body of a PUT that changes an object as :meth:`change` does."""
        body = made.body or self.read(made.url)
        kept = {name: value for name, value in body.items() if name not in self.plugin.schema.request_only}
        return merged(kept, self.change())

    def send(
        self,
        verb: str,
        made: Made | None = None,
        client: httpx.Client | None = None,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> httpx.Response:
        """Send a valid request of a verb: about the object ``made``, with ``body`` instead of the usual one.

        What it begins has ended on return: no later check sees an object come or go.
        """
        if verb == "create" and self.plugin.singleton:
            self._delete(self.collection)
        method = METHODS[verb]
        url = self.collection if verb in ("list", "create") else (made or self.existing).url
        content: dict[str, Any] = {}
        if verb in ("create", "replace", "patch"):
            content = {"json": self.usual_body(verb, made) if body is None else body}
        response = (client or self.admin).request(method, url, params=params, headers=headers, **content)
        if verb == "create" and response.status_code == 202:
            self.ended(response)
        if verb == "delete" and response.status_code == 202:
            assert self.is_gone(url), f"{url} is not gone within {OPERATION_SECONDS} s"
        return response

    def usual_body(self, verb: str, made: Made | None) -> dict[str, Any]:
        """Return the body of a valid request of a verb."""
        if verb == "create":
            return self.body()
        return self.change() if verb == "patch" else self.replacement(made or self.existing)

    def read(self, url: str) -> dict[str, Any]:
        """Return the document of an object."""
        response = self.admin.get(url)
        assert response.status_code == 200, f"GET {url}: {response.status_code} {response.text}"
        return dict(response.json())

    def list(self, client: httpx.Client | None = None, **parameters: Any) -> list[dict[str, Any]]:
        """Return all objects that a list has, from all of its pages."""
        url: str = self.collection
        found: list[dict[str, Any]] = []
        query: Mapping[str, Any] | None = {"page_size": 1000, **parameters}
        while url:
            response = (client or self.admin).get(url, params=query)
            assert response.status_code == 200, f"GET {response.url}: {response.status_code} {response.text}"
            found += response.json()
            next_page = response.links.get("next", {}).get("url", "")
            url, query = (f"{self.gateway.url}{next_page}" if next_page else ""), None
        return found

    @contextmanager
    def watch(self, url: str = "", client: httpx.Client | None = None, **headers: str) -> Iterator[EventStream]:
        """Watch the collection, or another URL."""
        with watching(client or self.admin, url or self.collection, **headers) as stream:
            yield stream

    def is_gone(self, url: str, client: httpx.Client | None = None) -> bool:
        """Return whether an object is gone, after waiting for the end of its removal."""
        deadline = time.monotonic() + OPERATION_SECONDS
        while (client or self.admin).get(url).status_code != 404:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _delete(self, url: str) -> None:
        response = self.admin.delete(url)
        if response.status_code == 202:
            self.is_gone(url)


def merged(document: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with a merge patch applied (RFC 7396)."""
    result = dict(document)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            inner = result.get(name)
            result[name] = merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem document of a refusal. Raises ``AssertionError`` if it is another answer."""
    assert response.status_code == status, f"{response.status_code} {response.text[:500]}"
    assert response.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["code"] == code, document
    return document
