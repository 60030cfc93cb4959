"""Bulk requests: one PATCH, DELETE or action reaches each object that a selector names, and no other."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import Any, cast

import pytest
from flask import Flask

from omni_gateway.auth import Principal, Role
from omni_gateway.http.internal_requests import Origin
from omni_gateway.model.label_names import LABEL_CLUSTER
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient
from omni_gateway.omni.errors import NotFound
from omni_gateway.omni.types import CONFIG_PATCHES, INFRA_MACHINE_BMC_CONFIGS, MACHINE_CLASSES
from omni_gateway.rest.bulk.record import Action, BulkRecord, Outcome, Work
from omni_gateway.rest.bulk.runner import runner_of
from omni_gateway.rest.gateway import EXTENSION, Gateway
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.store import Store
from omni_gateway.stubs import simulator_faults_pb2 as pb
from omni_gateway.tasks import TaskContext
from omni_gateway.tasks.lease import Lease
from omni_gateway.testing.audit_lines import audit_lines

from .conftest import Caller

COUNT = 6
#: A type in its full name, as operations and the audit log have it, and the names that a URL may have instead.
CLASSES = "resources/MachineClasses.omni.sidero.dev"
NAMES = [CLASSES, "resources/machineclasses", "resources/mc"]
SPEC = {"match_labels": ["omni.sidero.dev/arch = amd64"]}


@pytest.fixture
def shelf(omni: OmniClient) -> Iterator[str]:
    """The value of a label that several machine classes have, and one more class has not."""
    name = uuid.uuid4().hex[:8]
    ids = [f"{name}-{number}" for number in range(COUNT)]
    for id in ids:
        omni.resources.create(MACHINE_CLASSES, id, SPEC, labels={"shelf": name})
    omni.resources.create(MACHINE_CLASSES, f"{name}-other", SPEC, labels={"shelf": "other"})
    yield name
    for id in [*ids, f"{name}-other"]:
        with suppress(NotFound):  # the test may have removed it
            omni.resources.remove(MACHINE_CLASSES, id)


Done = Callable[[str], dict[str, Any]]
Ended = Callable[[Any], dict[str, Any]]


@pytest.fixture
def done(api: Caller, wait_until: Callable[..., Any]) -> Done:
    """Return the operation of a URL after its end."""

    def wait(url: str) -> dict[str, Any]:
        return dict(wait_until(lambda: (read := api.get(url).json)["done"] and read, 60, "the operation's end"))

    return wait


@pytest.fixture
def ended(done: Done) -> Ended:
    """Return the operation of a 202 after its end."""

    def wait(answer: Any) -> dict[str, Any]:
        assert answer.status_code == 202, answer.text
        return done(answer.headers["Operation-Location"])

    return wait


def labels(api: Caller, shelf: str) -> dict[str, dict[str, str]]:
    """Return the labels of each class of a shelf, whichever label says so now."""
    found = api.get("machineclasses", query_string={"search": shelf, "page_size": 100}).json
    return {item["id"]: item["labels"] for item in found}


def test_without_a_selector_nothing_is_begun(api: Caller, shelf: str) -> None:
    answers = [
        api.patch("machineclasses", json={"labels": {"a": "b"}}),
        api.delete("machineclasses"),
        api.delete("machineclasses?label_selector="),
        api.post("machines/actions/reboot"),
        api.patch("resources/machineclasses", json={"labels": {"a": "b"}}),
        api.delete("resources/machineclasses"),
    ]
    assert {(each.status_code, each.json["code"]) for each in answers} == {(422, "validation")}
    assert all("all=true" in each.json["detail"] for each in answers)
    assert len(labels(api, shelf)) == COUNT + 1


@pytest.mark.parametrize("connected", ["true", "false"])
def test_a_filter_by_a_truth_value_is_one(api: Caller, connected: str) -> None:
    shown = {each["id"] for each in api.get(f"machines?connected={connected}&page_size=1000").json}
    planned = api.post(f"machines/actions/reboot?connected={connected}&dry_run=true")

    assert planned.status_code == 200, planned.text
    assert {each["id"] for each in planned.json["details"]["results"]} == shown


def test_a_patch_reaches_the_selected_objects_and_no_other(api: Caller, shelf: str, ended: Ended) -> None:
    operation = ended(api.patch(f"machineclasses?label_selector=shelf={shelf}", json={"labels": {"a": "b"}}))

    assert operation["state"] == "succeeded"
    assert operation["details"]["counts"] == {"updated": COUNT}
    assert {id for id, each in labels(api, shelf).items() if each.get("a") == "b"} == {
        each["id"] for each in operation["details"]["results"]
    }


def test_a_delete_removes_the_selected_objects_and_no_other(api: Caller, shelf: str, ended: Ended) -> None:
    operation = ended(api.delete(f"machineclasses?label_selector=shelf={shelf}"))

    assert operation["details"]["counts"] == {"deleted": COUNT}
    assert list(labels(api, shelf)) == [f"{shelf}-other"]


@pytest.mark.parametrize("further", ["", "&label_selector=shelf={shelf}"])
def test_a_regular_expression_of_ids_selects_those_objects_and_no_other(
    api: Caller, shelf: str, ended: Ended, further: str
) -> None:
    operation = ended(api.delete(f"machineclasses?id_matches=^{shelf}-[01]${further.format(shelf=shelf)}"))

    assert [each["id"] for each in operation["details"]["results"]] == [f"{shelf}-0", f"{shelf}-1"]
    assert {f"{shelf}-{number}" for number in range(2, COUNT)} <= set(labels(api, shelf))


def test_a_dry_run_answers_at_once_with_a_diff_each_and_changes_nothing(api: Caller, shelf: str) -> None:
    before = labels(api, shelf)
    query = f"machineclasses?label_selector=shelf={shelf}&dry_run=true"
    patched = api.patch(query, json={"labels": {"a": "b"}})
    removed = api.delete(query)

    assert (patched.status_code, patched.json["state"], removed.json["state"]) == (200, "planned", "planned")
    diffs = [each["diff"] for each in patched.json["details"]["results"]]
    assert diffs == [[{"op": "add", "path": "/labels/a", "value": "b"}]] * COUNT
    assert removed.json["details"]["counts"] == {"deleted": COUNT}
    assert labels(api, shelf) == before


def refused(id: str, method: str = "*/Update", code: int = 7, **options: int) -> pb.Rule:
    """Return the rule by which Omni refuses calls about one machine class."""
    return pb.Rule(method=method, resource_id=id, error=pb.Error(code=code, message="not this one"), **options)


def test_an_object_that_cannot_be_written_has_its_problem_and_the_others_are_written(
    api: Caller, simulator: RunningSimulator, shelf: str, ended: Ended
) -> None:
    with simulator.faults.during(refused(f"{shelf}-2")):
        operation = ended(api.patch(f"machineclasses?label_selector=shelf={shelf}", json={"labels": {"a": "b"}}))

    assert (operation["state"], operation["details"]["counts"]) == ("failed", {"failed": 1, "updated": COUNT - 1})
    failed = next(each for each in operation["details"]["results"] if each["action"] == "failed")
    assert (failed["id"], failed["problem"]["status"], failed["problem"]["code"]) == (
        f"{shelf}-2",
        403,
        "omni-forbidden",
    )


def test_after_so_many_failures_the_rest_is_not_written(
    api: Caller, simulator: RunningSimulator, shelf: str, ended: Ended
) -> None:
    query = f"machineclasses?label_selector=shelf={shelf}&max_failures=2&parallelism=1"
    with simulator.faults.during(refused(f"{shelf}-*")):
        operation = ended(api.patch(query, json={"labels": {"a": "b"}}))

    assert operation["details"]["counts"] == {"failed": 2, "not-written": COUNT - 2}
    assert operation["error"] == "The limit of failures was reached."


def test_while_omni_refuses_more_calls_the_operation_slows_down_and_goes_on(
    api: Caller, simulator: RunningSimulator, shelf: str, ended: Ended
) -> None:
    with simulator.faults.during(refused(f"{shelf}-*", code=8, times=3)):
        operation = ended(api.patch(f"machineclasses?label_selector=shelf={shelf}", json={"labels": {"a": "b"}}))

    assert operation["details"]["counts"] == {"updated": COUNT}


def test_nothing_is_written_atomically_if_one_object_cannot_be(
    api: Caller, simulator: RunningSimulator, shelf: str, ended: Ended
) -> None:
    query = f"machineclasses?label_selector=shelf={shelf}&atomic=true"
    with simulator.faults.during(refused(f"{shelf}-3", "*/Get", 3)):
        operation = ended(api.patch(query, json={"labels": {"a": "b"}}))

    assert operation["details"]["counts"] == {"failed": 1, "not-written": COUNT - 1}
    assert all("a" not in each for each in labels(api, shelf).values())


@pytest.mark.parametrize("collection", ["machineclasses", CLASSES])
def test_an_atomic_patch_is_reverted_when_an_object_fails_in_the_middle(
    api: Caller, simulator: RunningSimulator, shelf: str, ended: Ended, collection: str
) -> None:
    before = labels(api, shelf)
    query = f"{collection}?label_selector=shelf={shelf}&atomic=true&parallelism=1"
    with simulator.faults.during(refused(f"{shelf}-3")):
        operation = ended(api.patch(query, json={"labels": {"a": "b", "shelf": "another"}}))

    assert operation["details"]["counts"] == {"failed": 1, "reverted": 3, "not-written": COUNT - 4}
    assert [each["state"] for each in operation["stages"]] == ["succeeded", "failed"]
    assert labels(api, shelf) == before


def test_what_cannot_be_taken_back_is_not_atomic(api: Caller, shelf: str) -> None:
    answer = api.delete(f"machineclasses?label_selector=shelf={shelf}&atomic=true")

    assert (answer.status_code, list(answer.json["errors"])) == (422, ["atomic"])
    assert len(labels(api, shelf)) == COUNT + 1


def test_an_entity_tag_of_many_objects_fails(api: Caller, shelf: str) -> None:
    answer = api.delete(f"machineclasses?label_selector=shelf={shelf}", headers={"If-Match": '"1"'})

    assert (answer.status_code, answer.json["code"]) == (412, "stale-precondition")
    assert len(labels(api, shelf)) == COUNT + 1


def test_a_repeated_request_is_not_carried_out_again(api: Caller, shelf: str, ended: Ended) -> None:
    send: dict[str, Any] = {"json": {"labels": {"a": "b"}}, "headers": {"Idempotency-Key": f"bulk-{shelf}"}}
    query = f"machineclasses?label_selector=shelf={shelf}"
    first = api.patch(query, **send)
    again = api.patch(query, **send)

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json["id"] == first.json["id"]
    ended(again)


def test_each_object_is_audited_as_by_a_request_of_its_own(
    api: Caller, shelf: str, ended: Ended, wait_until: Callable[..., Any]
) -> None:
    answer = api.patch(f"machineclasses?label_selector=shelf={shelf}", json={"labels": {"a": "b"}})
    ended(answer)

    def audited() -> set[str]:
        found = api.get("audit", query_string={"request_id": answer.headers["X-Request-ID"], "page_size": 100}).json
        return {each["object_id"] for each in found if each["outcome"] == "done"}

    everything = {f"{shelf}-{number}" for number in range(COUNT)}
    wait_until(lambda: everything <= audited(), what="the entries of the audit log")


def test_the_audit_names_the_cluster_of_each_object_and_of_the_request_if_it_is_one(
    api: Caller, omni: OmniClient, shelf: str, ended: Ended
) -> None:
    patches = {f"{shelf}-{number}": f"{shelf}-{cluster}" for number, cluster in enumerate("aab")}
    for id, cluster in patches.items():
        spec = {"data": "machine:\n  network: {}\n"}
        omni.resources.create(CONFIG_PATCHES, id, spec, labels={LABEL_CLUSTER: cluster, "shelf": shelf})

    named = []
    with audit_lines() as lines:
        for selector in (f"shelf={shelf},{LABEL_CLUSTER}={shelf}-a", f"shelf={shelf}"):
            del lines[:]
            answer = api.delete("configpatches", query_string={"label_selector": selector, "dry_run": "true"})
            assert answer.status_code == 200, answer.text
            named.append({line["object_id"]: line["cluster"] for line in lines})
    ended(api.delete(f"configpatches?label_selector=shelf={shelf}"))

    assert named == [{f"{shelf}-0": f"{shelf}-a", f"{shelf}-1": f"{shelf}-a", "": f"{shelf}-a"}, {**patches, "": ""}]


def test_an_action_starts_an_operation_for_each_object(api: Caller, ended: Ended) -> None:
    ids = sorted(each["id"] for each in api.get("machines?connected=true&page_size=2").json)
    found = [ended(api.post(f"machines/actions/reboot?search={id}")) for id in ids]

    results = [each for operation in found for each in operation["details"]["results"]]
    assert [(each["id"], each["action"]) for each in results] == [(id, "started") for id in ids]
    assert {api.get(each["operation"]).status_code for each in results} == {200}


@pytest.mark.parametrize("url", NAMES)
def test_a_patch_of_a_type_reaches_the_selected_objects_and_no_other(
    api: Caller, shelf: str, ended: Ended, url: str
) -> None:
    before = api.get(f"{url}?search={shelf}").json
    operation = ended(api.patch(f"{url}?label_selector=shelf={shelf}", json={"labels": {"a": "b"}}))

    assert (operation["state"], operation["details"]["counts"]) == ("succeeded", {"updated": COUNT})
    assert (operation["details"]["resource"], operation["_links"]["target"]) == (CLASSES, f"/api/v1/{CLASSES}")
    expected = [
        (each["id"], each["spec"], {**each["labels"], **({"a": "b"} if each["labels"]["shelf"] == shelf else {})})
        for each in before
    ]
    after = api.get(f"{url}?search={shelf}").json
    assert [(each["id"], each["spec"], each["labels"]) for each in after] == expected


def test_a_delete_of_a_type_removes_the_selected_objects_and_no_other(api: Caller, shelf: str, ended: Ended) -> None:
    operation = ended(api.delete(f"{CLASSES}?label_selector=shelf={shelf}"))

    assert operation["details"]["counts"] == {"deleted": COUNT}
    assert list(labels(api, shelf)) == [f"{shelf}-other"]


def test_a_dry_run_of_a_type_plans_what_the_request_does(api: Caller, shelf: str, ended: Ended) -> None:
    query, change = f"{CLASSES}?label_selector=shelf={shelf}", {"spec": {"match_labels": ["a = b"]}}
    single = api.patch(f"{CLASSES}/{shelf}-0?dry_run=true", json=change).json["_dry_run"]["diff"]
    before = api.get(query).json
    planned = [api.patch(f"{query}&dry_run=true", json=change), api.delete(f"{query}&dry_run=true")]
    untouched = api.get(query).json
    done = [ended(api.patch(query, json=change)), ended(api.delete(query))]

    assert [(each.status_code, each.json["state"]) for each in planned] == [(200, "planned")] * 2
    assert [each["diff"] for each in planned[0].json["details"]["results"]] == [single] * COUNT
    assert untouched == before
    assert [each.json["details"]["counts"] for each in planned] == [each["details"]["counts"] for each in done]
    assert [each.json["_links"]["target"] for each in planned] == [each["_links"]["target"] for each in done]


def test_secrets_are_kept_by_a_patch_of_a_type_that_is_reverted(
    api: Caller, omni: OmniClient, simulator: RunningSimulator, shelf: str, ended: Ended
) -> None:
    ids = sorted(str(uuid.uuid4()) for _ in range(2))
    for id in ids:
        ipmi = {"address": "192.0.2.1", "port": 623, "username": "admin", "password": f"s3cret-{id}"}
        omni.resources.create(INFRA_MACHINE_BMC_CONFIGS, id, {"ipmi": ipmi}, labels={"shelf": shelf})
    query = f"resources/inframachinebmcconfigs?label_selector=shelf={shelf}&atomic=true&parallelism=1"
    with simulator.faults.during(refused(ids[1])):
        operation = ended(api.patch(query, json={"spec": {"ipmi": {"password": "another"}}}))

    assert operation["details"]["counts"] == {"failed": 1, "reverted": 1}
    held = [omni.resources.get(INFRA_MACHINE_BMC_CONFIGS, id)["spec"]["ipmi"]["password"] for id in ids]
    for id in ids:
        omni.resources.remove(INFRA_MACHINE_BMC_CONFIGS, id)
    assert held == [f"s3cret-{id}" for id in ids]


@pytest.mark.parametrize(
    ("type", "status", "code", "text"),
    [
        ("machinestatuses", 403, "omni-forbidden", "Omni lets no user"),
        ("jointokens", 403, "forbidden", "The ids of JoinTokens.omni.sidero.dev are secrets."),
        ("machineclassses", 404, "not-found", "did you mean 'machineclasses'"),
        ("ms", 404, "not-found", "short for several types"),
    ],
)
@pytest.mark.parametrize("query", ["all=true", "all=true&dry_run=true"])
def test_a_type_that_cannot_be_written_is_refused_before_anything_is_done(
    api: Caller, type: str, status: int, code: str, text: str, query: str
) -> None:
    answers = [
        api.patch(f"resources/{type}?{query}", json={"labels": {"a": "b"}}),
        api.delete(f"resources/{type}?{query}"),
    ]

    assert [(each.status_code, each.json["code"]) for each in answers] == [(status, code)] * 2
    assert all(text in each.json["detail"] for each in answers)


def test_what_cannot_be_taken_back_is_not_atomic_for_a_type_either(api: Caller, shelf: str) -> None:
    answer = api.delete(f"{CLASSES}?label_selector=shelf={shelf}&atomic=true")

    assert (answer.status_code, list(answer.json["errors"])) == (422, ["atomic"])
    assert len(labels(api, shelf)) == COUNT + 1


def test_a_type_takes_the_role_of_its_single_requests(
    app: Flask, settings: Settings, reader: Caller, api: Caller, shelf: str
) -> None:
    operator = Caller(app.test_client(), Store(settings.database_url).tokens.create("by type", "operator", None)[1])
    change = {"json": {"labels": {"a": "b"}}}
    answers = [
        reader.patch(f"{CLASSES}?label_selector=shelf={shelf}", **change),
        reader.delete(f"{CLASSES}?label_selector=shelf={shelf}"),
        operator.patch("resources/inframachinebmcconfigs?all=true", **change),
        operator.delete("resources/inframachinebmcconfigs?all=true"),
        operator.delete("resources/users?all=true&dry_run=true"),
    ]

    assert [(each.status_code, each.json["code"]) for each in answers] == [(403, "forbidden")] * len(answers)
    assert all("a" not in each for each in labels(api, shelf).values())


def test_a_caller_of_some_clusters_reaches_the_objects_of_a_type_that_are_theirs(
    app: Flask, settings: Settings, omni: OmniClient, shelf: str, ended: Ended
) -> None:
    tokens = Store(settings.database_url).tokens
    held = Caller(app.test_client(), tokens.create("held", "operator", None, [f"{shelf}-a"])[1])
    for number, cluster in enumerate("aab"):
        of_cluster = {LABEL_CLUSTER: f"{shelf}-{cluster}", "shelf": shelf}
        omni.resources.create(CONFIG_PATCHES, f"{shelf}-{number}", {"data": "machine: {}\n"}, labels=of_cluster)
    url = "resources/ConfigPatches.omni.sidero.dev"
    with audit_lines() as lines:
        planned = held.delete(f"{url}?label_selector=shelf={shelf}&dry_run=true")
        operation = ended(held.delete(f"{url}?label_selector=shelf={shelf}"))

    assert [each["id"] for each in planned.json["details"]["results"]] == [f"{shelf}-0", f"{shelf}-1"]
    assert operation["details"]["counts"] == {"deleted": 2}
    assert {(line["resource"], line["cluster"]) for line in lines} == {(url, f"{shelf}-a")}
    assert {line["object_id"] for line in lines} == {"", f"{shelf}-0", f"{shelf}-1"}
    assert omni.resources.get(CONFIG_PATCHES, f"{shelf}-2")["metadata"]["phase"] == "running"
    omni.resources.remove(CONFIG_PATCHES, f"{shelf}-2")


def test_a_caller_of_some_clusters_writes_no_objects_of_a_type_that_are_of_none(
    app: Flask, settings: Settings, api: Caller, shelf: str, ended: Ended
) -> None:
    tokens = Store(settings.database_url).tokens
    held = Caller(app.test_client(), tokens.create("held", "operator", None, [f"{shelf}-a"])[1])
    operation = ended(held.patch(f"{CLASSES}?label_selector=shelf={shelf}", json={"labels": {"a": "b"}}))

    assert operation["details"]["counts"] == {"failed": COUNT}
    assert {each["problem"]["code"] for each in operation["details"]["results"]} == {"forbidden"}
    assert all("a" not in each for each in labels(api, shelf).values())


def test_ids_that_mean_something_in_urls_are_ids_of_their_objects_only(
    api: Caller, omni: OmniClient, shelf: str, ended: Ended
) -> None:
    odd = ["/", "%2F", "%", " ", "?a=b", "#c", "..", "ä", "+", ";d", "\\", "&all=true", "a/actions/b"]
    ids = sorted(f"{shelf}{text}" for text in odd)
    for id in ids:
        omni.resources.create(MACHINE_CLASSES, id, SPEC, labels={"odd": shelf})
    patched = ended(api.patch(f"{CLASSES}?label_selector=odd={shelf}", json={"labels": {"a": "b"}}))
    written = {id: omni.resources.get(MACHINE_CLASSES, id)["metadata"]["labels"].get("a") for id in ids}
    removed = ended(api.delete(f"{CLASSES}?label_selector=odd={shelf}"))

    assert [each["details"]["counts"] for each in (patched, removed)] == [{"updated": len(ids)}, {"deleted": len(ids)}]
    assert written == dict.fromkeys(ids, "b")
    assert set(labels(api, shelf)) == {*(f"{shelf}-{number}" for number in range(COUNT)), f"{shelf}-other"}


def test_an_operation_is_read_by_its_caller_and_by_admins_only(
    api: Caller, reader: Caller, app: Flask, settings: Settings, shelf: str, ended: Ended
) -> None:
    other = Caller(app.test_client(), Store(settings.database_url).tokens.create("other", "operator", None)[1])
    own = other.patch(f"machineclasses?label_selector=shelf={shelf}", json={"labels": {"a": "b"}})
    url = own.headers["Operation-Location"]

    assert ended(own)["state"] == "succeeded"  # read by an admin
    assert (other.get(url).status_code, reader.get(url).status_code) == (200, 404)


@pytest.fixture
def left_behind(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Put the record in place that a killed process leaves: two objects are begun, one has its outcome.

    Returns a function that returns the URL of the operation; the background task that looks for such records runs.
    """
    monkeypatch.setattr("omni_gateway.tasks.lease.TAKEN_OVER_AFTER_SECONDS", 0.1)
    monkeypatch.setattr("omni_gateway.rest.bulk.runner.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("omni_gateway.rest.bulk.runner.IDLE_LOOK_SECONDS", 0.05)
    store = Store(settings.database_url)
    assert settings.omni is not None
    key = settings.omni.service_account_key
    origin = Origin("http", "localhost", "", "localhost", "80", "127.0.0.1", uuid.uuid4().hex)

    def leave(
        work: Work,
        ids: list[str],
        first: Action,
        body: bytes = b"",
        *,
        before: Sequence[Resource] = (),
        revoked: bool = False,
    ) -> str:
        token = store.tokens.create("killed", "operator", None)[0]
        if revoked:
            store.tokens.revoke(token.id)
        caller = Principal("killed", Role.OPERATOR, f"token:{token.id}")
        record = BulkRecord.new(uuid.uuid4().hex, work, caller, origin, ids)
        record.sealed = record.seal(body, key)
        if before:
            record.seal_before(before, key)
            record.phase = "writing"
        record.begun = 2
        record.outcomes[0] = Outcome(first)
        assert Lease(store.leases, f"bulk/{record.id}").acquire()
        record.create(store)
        return record.operation().url

    ending = Event()
    context = TaskContext(cast(Gateway, app.extensions[EXTENSION]).own_omni, store, None, None, ending)
    task = Thread(target=runner_of(app).task().run, args=(context,))
    task.start()
    yield leave
    ending.set()
    task.join(60)


#: The members of a record by which another process finds the objects: of a plugin, and of any Omni type.
KINDS = [("machineclasses", ""), ("resources", CLASSES.partition("/")[2])]


@pytest.mark.parametrize(("resource", "type"), KINDS)
def test_a_patch_that_a_killed_process_has_left_is_carried_on(
    api: Caller, shelf: str, left_behind: Callable[..., str], done: Done, resource: str, type: str
) -> None:
    ids = [f"{shelf}-{number}" for number in range(COUNT)]
    work = Work(resource, "patch", media_type="application/json", parallelism=2, type=type)
    operation = done(left_behind(work, ids, "updated", b'{"labels": {"a": "b"}}'))

    assert operation["details"]["counts"] == {"updated": COUNT}
    changed = {id for id, each in labels(api, shelf).items() if each.get("a") == "b"}
    assert changed == set(ids[1:])  # the first was done before: its outcome is in the record


@pytest.mark.parametrize(("resource", "type"), KINDS)
def test_an_atomic_patch_that_a_killed_process_has_left_is_reverted_if_an_object_fails(
    api: Caller,
    simulator: RunningSimulator,
    shelf: str,
    left_behind: Callable[..., str],
    done: Done,
    resource: str,
    type: str,
) -> None:
    before = labels(api, shelf)
    ids = [f"{shelf}-{number}" for number in range(COUNT)]
    for id in ids[:2]:  # the second one's outcome did not reach the record
        api.patch(f"machineclasses/{id}", json={"labels": {"a": "b"}})
    work = Work(resource, "patch", "", "", "application/json", atomic=True, parallelism=1, type=type)
    contents = [Resource(id, SPEC, before[id], {}) for id in ids]
    with simulator.faults.during(refused(f"{shelf}-3")):
        operation = done(left_behind(work, ids, "updated", b'{"labels": {"a": "b"}}', before=contents))

    assert operation["details"]["counts"] == {"failed": 1, "not-written": 2, "reverted": 3}
    assert labels(api, shelf) == before


@pytest.mark.parametrize(("resource", "type"), KINDS)
def test_a_removal_that_a_killed_process_has_left_is_carried_on(
    api: Caller, shelf: str, left_behind: Callable[..., str], done: Done, resource: str, type: str
) -> None:
    ids = [f"{shelf}-{number}" for number in range(COUNT)]
    for id in ids[:2]:  # the second one's outcome did not reach the record
        api.delete(f"machineclasses/{id}")
    operation = done(left_behind(Work(resource, "delete", parallelism=2, type=type), ids, "deleted"))

    assert operation["details"]["counts"] == {"deleted": COUNT}
    assert list(labels(api, shelf)) == [f"{shelf}-other"]


def test_an_action_that_may_have_been_done_is_not_repeated_after_a_kill(
    api: Caller, left_behind: Callable[..., str], done: Done
) -> None:
    ids = sorted(each["id"] for each in api.get("machines?connected=true&page_size=3").json)
    operation = done(left_behind(Work("machines", "action", "reboot", parallelism=2), ids, "started"))

    results = operation["details"]["results"]
    assert [each["action"] for each in results] == ["started", "unknown", "started"]
    assert results[1]["problem"]["code"] == "outcome-unknown"


def test_what_was_left_of_a_caller_whose_token_is_revoked_is_not_written(
    api: Caller, shelf: str, left_behind: Callable[..., str], done: Done
) -> None:
    ids = [f"{shelf}-{number}" for number in range(COUNT)]
    operation = done(left_behind(Work("machineclasses", "delete", parallelism=2), ids, "deleted", revoked=True))

    assert operation["details"]["counts"] == {"deleted": 1, "not-written": COUNT - 1}
    assert len(labels(api, shelf)) == COUNT + 1
