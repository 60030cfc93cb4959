"""What a caller who may, and who asks for what can be, is told: by the routes that no conformance class asks, and by
actions, sub-resources and documents of objects that have them all.

Each answer is held against its schema, and no list is empty: a schema that nothing was held against proves nothing.
Omni's refusals that are part of a route's contract (its controllers own the type) are expected by name, with a hint.
The tests are in an order: what one makes, the next reads, changes and removes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from omni_gateway.model import omni_objects
from omni_gateway.testing.document import resolved
from tests.document import parameters

from .every_route_world import CLUSTER, DOOMED, IMPORTED, NO_MACHINE, SERVICE, World, one, world_of_everything
from .routes import beyond_the_kit

pytestmark = pytest.mark.slow

OWNED = ("loadbalancer-configs", "image-pull-requests", "schematic-configurations")
#: Omni denies reads of its status to every role.
READ_BY_NOBODY = "machine-request-sets/{id}/status"
#: Query that a read cannot do without.
NEEDED = {
    "auth/can-i": "?resource=clusters&verb=get",
    "installation-medias/{id}/download": f"?schematic_id={'0' * 64}&talos_version=1.13.7",
}
#: What differs from the document's own example, because this world holds that very object already.
BODIES: dict[str, dict[str, Any]] = {
    "clusters": {"id": "new", "control_plane": None, "workers": None},
    "exposed-services": {**SERVICE, "port": 30054, "service": "kubernetes", "service_namespace": "default"},
    "etcd-manual-backups": {"id": "new"},
    "infra-machine-configs": {"id": NO_MACHINE},  # Omni keeps the one of a machine that is linked
    **{collection: {"id": "never"} for collection in OWNED},
    "machinesets": {"id": f"{CLUSTER}-new"},
    "auth/service-accounts": {"id": "new"},
    "infra-providers": {"id": "new"},
}
#: Collections of machines: a control plane's is removed with `force` only.
WITH_FORCE = ("clustermachines", "machinesetnodes", "machines")
ACCEPTED = ("clustermachines", "etcdbackups", "exposed-services")
#: What is asked for once more where that is no conflict: the same content, a further token, ticket or backup.
TOKENS = ("join-tokens", "auth/tokens", "stream-tickets")
AGAIN = {"schematics": 200, "apply": 200, "etcdbackups": 202, **dict.fromkeys(TOKENS, 201)}
TYPE, OF_TYPE = "resources/{type}", "resources/machineclasses"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., Any]) -> Iterator[World]:
    with world_of_everything(tmp_path_factory.mktemp("everything"), wait_until) as made:
        yield made


def collections(world: World, method: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the paths whose last word is an object's id, without that word, and their operation of a method."""
    for path, operation in beyond(world, method):
        if path.endswith("/{id}") and not path.startswith("operations/"):
            yield path.removesuffix("/{id}"), operation


def beyond(world: World, method: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the operations of a method that no conformance class asks: path below the API's base, and operation."""
    asked = {path.removeprefix("/api/v1/") for each, path, _ in beyond_the_kit(world.document) if each == method}
    return ((path, operation) for path, operation in world.operations(method) if path in asked)


def url_of(collection: str, id: str) -> str:
    return one(OF_TYPE if collection == TYPE else collection, id)


def own_ids(world: World, collection: str) -> list[str]:
    """Return the ids of what callers may write."""
    if collection == TYPE:
        return world.ids(OF_TYPE)
    return [id for id in world.ids(collection) if not id.startswith(DOOMED)]


def refused_by_design(answer: httpx.Response) -> bool:
    problem = answer.json() if answer.status_code == 403 else {}
    return problem.get("code") == "omni-forbidden" and bool(problem.get("hint"))


def creates(world: World, operations: Iterator[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, Any]]:
    """Return the collections of those that take a POST, with the document's example for this world."""
    for path, operation in operations:
        if "{" in path or "/actions/" in path or path.endswith(".execute"):
            continue
        body = world.example(operation)
        if path in BODIES:
            body = {key: value for key, value in {**body, **BODIES[path]}.items() if value is not None}
        if path == "machinesetnodes":
            body["id"] = world.free[-2]
        yield path, body


def twice_under_one_key(world: World, path: str, body: Any) -> httpx.Response:
    """Send a POST twice with one Idempotency-Key: what was done is not done again, and answered as before."""
    key = uuid4().hex
    first, again = (world.ask("POST", path, body, Idempotency_Key=key) for _ in range(2))
    if first.is_success:
        assert (again.status_code, again.content) == (first.status_code, first.content), path
        assert again.headers.get("Idempotency-Replayed") == "true", path
    return first


def test_a_dry_run_of_every_create_answers_in_the_type_of_the_real_one(world: World) -> None:
    other = {}
    for path, body in creates(world, beyond(world, "post")):
        answer = world.ask("POST", f"{path}?dry_run=true", body)
        told = answer.json()
        good = "_dry_run" in told and (told.get("state") == "planned") == (path in ACCEPTED)
        # The cluster of a manual backup is one that another example makes; a ticket changes nothing.
        if path not in ("apply", "etcd-manual-backups", "stream-tickets", *OWNED) and not (
            answer.status_code == 200 and good
        ):
            other[path] = (answer.status_code, answer.text[:300])
    assert other == {}


def test_every_collection_takes_the_documents_example(world: World) -> None:
    other = {}
    for path, body in creates(world, world.operations("post")):
        answer = world.ask("POST", path, body)
        expected = 202 if path in ACCEPTED else 200 if path == "apply" else 201
        if not refused_by_design(answer) if path in OWNED else answer.status_code != expected:
            other[path] = (answer.status_code, answer.text[:300])
    made = world.ask("POST", OF_TYPE, {"id": "made", "spec": {"match_labels": ["a = b"]}})
    assert (other, made.status_code) == ({}, 201)


def test_what_is_there_is_not_made_again(world: World, wait_until: Callable[..., Any]) -> None:
    exposed = "held/kubernetes.default/30054"
    wait_until(lambda: exposed in world.ids("exposed-services"), what="the service")
    wait_until(lambda: world.free[-1] in world.ids("clustermachines"), what="the machine")
    other = {}
    for path, body in creates(world, beyond(world, "post")):
        answer = world.ask("POST", path, body)
        expected = AGAIN.get(path, 409)
        if not refused_by_design(answer) if path in OWNED else answer.status_code != expected:
            other[path] = (answer.status_code, answer.text[:300])
    assert other == {}


def test_every_list_and_document_is_there_and_holds_something(world: World, wait_until: Callable[..., Any]) -> None:
    wait_until(lambda: world.free[-1] in world.ids("kernel-args"), what="what was made")
    other = {}
    for path, operation in world.operations("get"):
        if "{" in path:
            continue
        answer = world.ask("GET", path + NEEDED.get(path, ""))
        json = "application/json" in operation["responses"]["200"].get("content", {})
        if answer.status_code != 200 or (json and not answer.json()):
            other[path] = (answer.status_code, answer.text[:300])
    assert other == {}


def test_objects_that_are_shared_between_requests_are_left_as_omni_told_them(world: World) -> None:
    for path, operation in world.operations("get"):
        if "{" not in path and "page_size" in parameters(world.document, operation):
            world.ask("GET", path)
    kept = omni_objects._CACHE._resources
    assert len(kept) > 10  # how many depends on which lists the informers answer by now
    assert [(item.type, item.id) for text, item in kept.items() if item != omni_objects.from_text(text)] == []


def test_every_object_and_all_that_lies_below_one_is_as_documented(world: World) -> None:
    other, asked = {}, {path for path, _ in beyond(world, "get")}
    for path, _ in world.operations("get"):
        if "{id}" not in path or path.startswith("operations/"):
            continue
        collection, _, below = path.partition("/{id}")
        if not below and path not in asked:
            continue
        ids = world.ids({"loadbalancers": "clusters", TYPE: OF_TYPE}.get(collection, collection))
        answers = [world.ask("GET", read_url(world, collection, below, id) + NEEDED.get(path, "")) for id in ids]
        statuses = {answer.status_code for answer in answers}
        expected = {403} if path == READ_BY_NOBODY else {200}
        # A sub-resource that Omni holds of some and not of others is a 404 there; 409: the object is being removed.
        if not (statuses >= expected and statuses <= expected | ({404, 409} if below else set())):
            other[path] = (statuses, answers[0].text[:200] if answers else "no object")
    assert other == {}


def read_url(world: World, collection: str, below: str, id: str) -> str:
    url = url_of(collection, id)
    if "{node}" in below:
        nodes = world.ask("GET", f"{url}/kubernetes-nodes").json()
        below = below.replace("{node}", nodes[0]["name"] if nodes else "none")
    return url + below.replace("{number}", "1")


@pytest.mark.parametrize(
    ("method", "without"), [("put", ""), ("put", "id"), ("patch", "")], ids=["put", "put without an id", "patch"]
)
def test_every_object_can_be_sent_back_as_it_was_read(world: World, method: str, without: str) -> None:
    other = {}
    for collection, operation in collections(world, method):
        ids = own_ids(world, collection)
        url = world.free[0] if not ids else url_of(collection, ids[0])
        body = world.ask("GET", url).json() if method == "put" else {}
        body.pop(without, None)
        media = next(iter(operation["requestBody"]["content"])) if method == "patch" else "application/json"
        answer = world.ask(method, url, body, media)
        refused = collection in OWNED
        if not refused_by_design(answer) if refused else answer.status_code != 200:
            other[collection] = (answer.status_code, answer.text[:300])
    assert other == {}


PRECONDITIONS = {"changed": {"If_Match": '"of-another-state"'}, "there": {"If_None_Match": "*"}}


@pytest.mark.parametrize("head", PRECONDITIONS.values(), ids=PRECONDITIONS)
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_no_write_goes_over_what_its_caller_ruled_out(world: World, method: str, head: dict[str, str]) -> None:
    other = {}
    for collection, operation in collections(world, method):
        url = url_of(collection, own_ids(world, collection)[0])
        body = {"put": lambda url=url: world.ask("GET", url).json(), "patch": dict, "delete": lambda: None}[method]()
        media = next(iter(operation["requestBody"]["content"])) if method == "patch" else "application/json"
        answer = world.ask(method, url, body, media, **head)
        if (answer.status_code, answer.json()["code"]) != (412, "stale-precondition"):
            other[collection] = (answer.status_code, answer.text[:300])
    assert other == {}


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_dry_run_of_every_write_tells_what_would_be_and_changes_nothing(world: World, method: str) -> None:
    other = {}
    for collection, operation in collections(world, method):
        url = url_of(collection, own_ids(world, collection)[0])
        before = world.ask("GET", url).json()
        media = next(iter(operation["requestBody"]["content"])) if method == "patch" else "application/json"
        body = {"put": before, "patch": {}, "delete": None}[method]
        force = "&force=true" if method == "delete" and collection in WITH_FORCE else ""
        answer = world.ask(method, f"{url}?dry_run=true{force}", body, media)
        refused = collection in OWNED
        told = answer.json()
        good = refused_by_design(answer) if refused else (answer.status_code, "_dry_run" in told) == (200, True)
        if not good or without_bookkeeping(world.ask("GET", url).json()) != without_bookkeeping(before):
            other[collection] = (answer.status_code, answer.text[:300])
    assert other == {}


def without_bookkeeping(document: dict[str, Any]) -> dict[str, Any]:
    """Return what a caller's write would change: Omni's controllers raise versions whenever they like."""
    return {name: document[name] for name in ("labels", "annotations") if name in document} | {
        name: value for name, value in document.items() if name in ("spec", "data", "args", "extensions", "name")
    }


def template(world: World, name: str) -> list[dict[str, Any]]:
    """Return the documents of a template without machines, with versions that this Omni has."""
    cluster = world.ask("GET", f"clusters/{CLUSTER}").json()
    versions = {each: {"version": f"v{cluster[f'{each}_version']}"} for each in ("kubernetes", "talos")}
    return [{"kind": "Cluster", "name": name, **versions}, {"kind": "ControlPlane", "machines": []}]


def actions(world: World) -> dict[str, tuple[str, Any, int]]:
    """Return, by path, the object that each action is done to, its body (None: the document's example), its status."""
    cluster = world.ask("GET", f"clusters/{CLUSTER}").json()
    token = next(item["id"] for item in world.ask("GET", "join-tokens").json() if item["name"] == "rack-7")
    joined, first, second, third = world.free[-2], *world.free[:3]
    kept, sent = ({"documents": template(world, name)} for name in ("templated", "sent"))
    world.ask("POST", "cluster-templates", {"id": "templated", **kept})
    for each in (kept, sent):  # the clusters that are removed
        world.ask("POST", "cluster-templates/actions/sync", each)
    templates = "cluster-templates/{id}/actions"
    return {
        "clusters/{id}/actions/bootstrap": (CLUSTER, {}, 202),
        "clusters/{id}/actions/lock": ("new", None, 200),
        "clusters/{id}/actions/unlock": ("new", None, 200),
        "clusters/{id}/actions/kubernetes-upgrade": (CLUSTER, {"version": cluster["kubernetes_version"]}, 202),
        "clusters/{id}/actions/talos-upgrade": (CLUSTER, {"version": cluster["talos_version"]}, 202),
        "clusters/{id}/actions/destroy": ("new", None, 202),
        "clusters/{id}/actions/manifest-sync": (CLUSTER, None, 200),
        "clusters/{id}/actions/rotate-talos-ca": (CLUSTER, None, 202),
        "clusters/{id}/actions/rotate-kubernetes-ca": (CLUSTER, None, 202),
        "clusters/{id}/actions/abort-import": (IMPORTED, None, 202),
        **{f"{templates}/{name}": ("templated", {}, 200) for name in ("validate", "render", "diff")},
        **{f"{templates}/{name}": ("templated", {}, 202) for name in ("sync", "delete-cluster")},
        **{f"cluster-templates/actions/{name}": ("", sent, 200) for name in ("validate", "render", "diff", "status")},
        **{f"cluster-templates/actions/{name}": ("", sent, 202) for name in ("sync", "delete-cluster")},
        "configpatches/actions/validate": ("", None, 200),
        "join-tokens/{id}/actions/revoke": (token, None, 200),
        "join-tokens/{id}/actions/unrevoke": (token, None, 200),
        "join-tokens/{id}/actions/make-default": (token, None, 200),
        "machineclasses/{id}/actions/match": ("metal", None, 200),
        "machineclasses/actions/match": ("", None, 200),
        "machines/{id}/actions/reboot": (first, None, 202),
        "machines/{id}/actions/shutdown": (second, None, 202),
        "machines/{id}/actions/maintenance": (third, None, 202),
        "machines/{id}/actions/reset": (joined, None, 202),
        # No machine of the simulator has a provider that could switch it.
        "machines/{id}/actions/power-on": (third, None, 409),
        "machines/{id}/actions/power-off": (third, None, 409),
        "machines/{id}/actions/reset-node-unique-token": (third, None, 200),
        "machinesets/{id}/actions/destroy": (f"{CLUSTER}-new", None, 202),
        "installation-medias/{id}/actions/download-url": (world.ids("installation-medias")[0], None, 200),
        "auth/service-accounts/{id}/actions/renew": ("new", None, 200),
        "infra-providers/{id}/actions/renew": ("new", None, 200),
        "oidc/providers/{id}/actions/test": ("corporate", {}, 200),
    }


def documented_actions(world: World) -> dict[str, dict[str, Any]]:
    """Return the actions of the document by path, without those on many objects, which test_bulk.py does."""
    found = ((path, operation) for path, operation in world.operations("post") if "/actions/" in path)
    return {path: operation for path, operation in found if "_many_" not in operation["operationId"]}


@pytest.mark.parametrize("head", PRECONDITIONS.values(), ids=PRECONDITIONS)
def test_no_action_is_done_to_what_its_caller_ruled_out(world: World, head: dict[str, str]) -> None:
    documented = documented_actions(world)
    other = {}
    for path, (id, body, _) in actions(world).items():
        if "{id}" not in path and "If_None_Match" in head:
            continue  # no object is there that it could rule out
        said = world.example(documented[path]) if body is None else body
        answer = world.ask("POST", path.replace("{id}", id), said, **head)
        if (answer.status_code, answer.json()["code"]) != (412, "stale-precondition"):
            other[path] = (answer.status_code, answer.text[:300])
    assert other == {}


def test_a_dry_run_of_every_action_answers_in_the_type_of_the_real_one(world: World) -> None:
    documented = documented_actions(world)
    other = {}
    for path, (id, body, expected) in actions(world).items():
        said = world.example(documented[path]) if body is None else body
        answer = world.ask("POST", f"{path.replace('{id}', id)}?dry_run=true", said)
        planned = answer.json().get("state") == "planned" and "self" not in answer.json()["_links"]
        # The actions that the simulator's machines refuse start an operation too.
        if answer.status_code != 200 or planned != (expected != 200):
            other[path] = (answer.status_code, answer.text[:300])
    assert other == {}


def test_every_action_is_done(world: World, wait_until: Callable[..., Any]) -> None:
    table = actions(world)
    documented = documented_actions(world)
    assert table.keys() == documented.keys()
    other = {}
    for path, (id, body, expected) in table.items():
        url, said = path.replace("{id}", id), world.example(documented[path]) if body is None else body
        if "/rotate-" in path:
            wait_until(lambda: at_rest(world), 60, "the cluster at rest")
        answer = twice_under_one_key(world, url, said)
        if answer.status_code != expected:
            other[path] = (answer.status_code, answer.text[:300])
    assert other == {}


def at_rest(world: World) -> bool:
    """Return whether the cluster is ready and none of its authorities is being replaced."""
    parts = (world.ask("GET", f"clusters/{CLUSTER}/{part}").json() for part in ("status", "secrets-rotation"))
    status, rotation = parts
    return bool(status["ready"]) and rotation["phase"] == "OK"


def test_every_kind_of_object_can_be_removed(world: World) -> None:
    worker = world.members[1]
    assert world.ask("PATCH", f"machines/{worker}", {"maintenance": False}).status_code == 200
    chosen = {
        "clustermachines": world.free[-1],
        "machinesetnodes": worker,
        "machines": world.free[3],
    }
    other = {}
    for collection, _ in collections(world, "delete"):
        ids = [chosen[collection]] if collection in chosen else own_ids(world, collection)
        answer = world.ask("DELETE", url_of(collection, ids[0]))
        if not refused_by_design(answer) if collection in OWNED else answer.status_code not in (202, 204):
            other[collection] = (answer.status_code, answer.text[:300])
    assert other == {}


@pytest.mark.parametrize("url", [f"clusters/{DOOMED}", f"machinesets/{DOOMED}-control-planes"])
def test_a_removal_that_is_under_way_may_be_ordered_again(world: World, url: str) -> None:
    assert world.ask("DELETE", url).status_code == 202


#: Headers that some answers to a request have and others do not.
SOMETIMES = {
    "ratelimit",
    "ratelimit-policy",
    "age",
    "retry-after",
    "x-resume-point",
    "content-disposition",
    "idempotency-replayed",
}


def test_headers_are_documented_where_they_are_sent_and_only_there(world: World) -> None:
    # What is sent and not documented has failed before, with the answer.
    operations = [operation for item in world.document["paths"].values() for operation in item.values()]
    documented = {
        (operation["operationId"], status): {name.lower() for name in resolved(world.document, response)["headers"]}
        for operation in operations
        if "operationId" in operation
        for status, response in operation["responses"].items()
        if status in ("200", "201", "202", "204")
    }
    answered = documented.keys() & world.checker.sent.keys()
    assert len(answered) > 130
    never = {key: documented[key] - world.checker.sent[key] - SOMETIMES for key in answered}
    assert {key: names for key, names in never.items() if names} == {}
