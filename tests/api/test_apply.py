"""``POST /apply``: documents in omnictl's format become objects of Omni's, in order, each with its own result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from omni_gateway.omni import OmniClient, types

from .conftest import Caller

YAML = {"Content-Type": "application/yaml"}
CLASS = "metadata:\n  type: MachineClasses.omni.sidero.dev\n  id: {id}\nspec:\n  matchlabels:\n    - {label}\n"
#: Omni tries a bucket when it is written, and only then: nothing before can tell that it will be refused.
BUCKET = "metadata:\n  type: EtcdBackupS3Configs.omni.sidero.dev\n  id: {id}\nspec:\n  bucket: nowhere\n"
SET = """\
metadata:
  type: MachineSets.omni.sidero.dev
  id: {id}-control-planes
  labels:
    omni.sidero.dev/cluster: {id}
    omni.sidero.dev/role-controlplane: ""
spec:
  updatestrategy: 1
"""
CLUSTER = """\
metadata:
  namespace: default
  type: Clusters.omni.sidero.dev
  id: {id}
  version: 3
  phase: running
spec:
  kubernetesversion: {kubernetes}
  talosversion: {talos}
"""


def joined(*documents: str) -> str:
    return "---\n".join(documents)


@pytest.fixture
def name(api: Caller, omni: OmniClient) -> Iterator[str]:
    """A name that is unused; what is made under it is removed."""
    name = f"apply-{uuid4().hex[:6]}"
    yield name
    for url in (f"clusters/{name}", f"resources/machineclasses/{name}", f"resources/machineclasses/{name}-2"):
        api.delete(url)


@pytest.fixture(scope="session")
def cluster(omni: OmniClient) -> Callable[[str], str]:
    """Return the document of a cluster with versions that this Omni has."""
    newest = sorted(omni.resources.list(types.TALOS_VERSIONS).items, key=lambda item: item["metadata"]["id"])[-1]
    talos, spec = newest["metadata"]["id"], newest["spec"]
    return lambda id: CLUSTER.format(id=id, talos=talos, kubernetes=spec["compatible_kubernetes_versions"][0])


def results(answer: Any) -> dict[str, str]:
    return {item["id"]: item["action"] for item in answer.json["results"]}


def test_documents_become_objects_whatever_their_order(
    api: Caller, omni: OmniClient, name: str, cluster: Callable[[str], str]
) -> None:
    text = joined(SET.format(id=name), cluster(name), CLASS.format(id=name, label="a = b"))
    answer = api.post("apply", data=text, headers=YAML)
    assert answer.status_code == 200, answer.text
    assert answer.json["counts"] == {"created": 3}
    assert omni.resources.get(types.MACHINE_SETS, f"{name}-control-planes")["spec"]["update_strategy"] == 1
    assert omni.resources.get(types.MACHINE_CLASSES, name)["spec"] == {"match_labels": ["a = b"]}


def test_applying_again_changes_nothing(api: Caller, name: str) -> None:
    text = CLASS.format(id=name, label="a = b")
    api.post("apply", data=text, headers=YAML)
    version = api.get(f"resources/machineclasses/{name}").json["metadata"]["version"]
    again = api.post("apply", data=text, headers=YAML)
    assert results(again) == {name: "unchanged"}
    assert api.get(f"resources/machineclasses/{name}").json["metadata"]["version"] == version


def test_what_is_there_is_replaced_whole(api: Caller, omni: OmniClient, name: str) -> None:
    api.post("apply", data=CLASS.format(id=name, label="a = b"), headers=YAML)
    answer = api.post("apply", data=CLASS.format(id=name, label="c = d"), headers=YAML)
    assert results(answer) == {name: "updated"}
    assert omni.resources.get(types.MACHINE_CLASSES, name)["spec"] == {"match_labels": ["c = d"]}


def test_json_is_taken_as_one_document_or_as_a_list(api: Caller, name: str) -> None:
    document = {"metadata": {"type": "machineclasses", "id": name}, "spec": {"match_labels": ["a = b"]}}
    assert results(api.post("apply", json=document)) == {name: "created"}
    assert results(api.post("apply", json=[document])) == {name: "unchanged"}


def test_a_dry_run_tells_the_diff_of_each_document_and_writes_nothing(api: Caller, name: str) -> None:
    api.post("apply", data=CLASS.format(id=name, label="a = b"), headers=YAML)
    text = joined(CLASS.format(id=name, label="c = d"), CLASS.format(id=f"{name}-2", label="a = b"))
    answer = api.post("apply?dry_run=true", data=text, headers=YAML)
    assert results(answer) == {name: "updated", f"{name}-2": "created"}
    change = {"op": "replace", "path": "/spec/match_labels/0", "value": "c = d"}
    assert answer.json["results"][0]["diff"] == [change]
    assert api.get(f"resources/machineclasses/{name}-2").status_code == 404
    assert api.get(f"resources/machineclasses/{name}").json["spec"]["match_labels"] == ["a = b"]


def test_one_bad_document_stops_nothing_that_does_not_depend_on_it(
    api: Caller, name: str, cluster: Callable[[str], str]
) -> None:
    broken = cluster(name).replace("talosversion: ", "talosversion: 99.")
    text = joined(broken, SET.format(id=name), CLASS.format(id=name, label="a = b"))
    answer = api.post("apply", data=text, headers=YAML)
    assert (answer.status_code, answer.json["code"]) == (422, "apply-incomplete")
    failed, skipped, created = answer.json["results"]
    assert (failed["action"], list(failed["problem"]["errors"])) == ("failed", ["spec.talos_version"])
    assert (skipped["action"], skipped["problem"]["code"]) == ("skipped", "conflict")
    assert created["action"] == "created"
    assert api.get(f"resources/machineclasses/{name}").status_code == 200


@pytest.mark.parametrize("number", [1, 25], ids=["read one by one", "read by a list"])
def test_a_type_that_nobody_may_read_stops_nothing_else(api: Caller, name: str, number: int) -> None:
    unreadable = "metadata: {type: MachineRequestSetStatuses, id: x-%d}\nspec: {}\n"
    text = joined(CLASS.format(id=name, label="a = b"), *(unreadable % index for index in range(number)))
    answer = api.post("apply", data=text, headers=YAML)
    assert answer.json["counts"] == {"created": 1, "failed": number}
    assert {item["problem"]["code"] for item in answer.json["results"][1:]} == {"omni-forbidden"}


def test_atomic_writes_nothing_when_a_document_is_known_to_be_bad(api: Caller, name: str) -> None:
    bad = CLASS.format(id=f"{name}-2", label="a = b").replace("matchlabels", "matchlables")
    answer = api.post("apply?atomic=true", data=joined(CLASS.format(id=name, label="a = b"), bad), headers=YAML)
    assert answer.status_code == 422
    assert results(answer) == {name: "not-written", f"{name}-2": "failed"}
    assert "did you mean 'match_labels'" in json.dumps(answer.json["results"][1]["problem"]["errors"])
    assert api.get(f"resources/machineclasses/{name}").status_code == 404


def test_atomic_takes_back_what_was_written_when_omni_refuses_a_later_document(
    api: Caller, omni: OmniClient, name: str, wait_until: Callable[..., Any]
) -> None:
    api.post("apply", data=CLASS.format(id=name, label="a = b"), headers=YAML)
    text = joined(
        CLASS.format(id=name, label="c = d"),
        CLASS.format(id=f"{name}-2", label="a = b"),
        BUCKET.format(id=f"{name}-3"),
    )
    answer = api.post("apply?atomic=true", data=text, headers=YAML)
    assert results(answer) == {name: "taken-back", f"{name}-2": "taken-back", f"{name}-3": "failed"}
    assert omni.resources.get(types.MACHINE_CLASSES, name)["spec"] == {"match_labels": ["a = b"]}
    wait_until(lambda: api.get(f"resources/machineclasses/{name}-2").status_code == 404, what="its end")


def test_a_namespace_in_which_omni_would_never_look_is_refused(api: Caller, name: str) -> None:
    text = CLASS.format(id=name, label="a = b").replace("metadata:\n", "metadata:\n  namespace: elsewhere\n")
    answer = api.post("apply", data=text, headers=YAML)
    assert "metadata.namespace" in answer.json["results"][0]["problem"]["errors"]


def test_two_documents_about_one_object_are_both_refused(api: Caller, name: str) -> None:
    text = joined(CLASS.format(id=name, label="a = b"), CLASS.format(id=name, label="c = d"))
    answer = api.post("apply", data=text, headers=YAML)
    assert [item["action"] for item in answer.json["results"]] == ["failed", "failed"]


def test_each_document_takes_its_types_role(app: Any, tokens: dict[str, str], name: str) -> None:
    operator = Caller(app.test_client(), tokens["operator"])
    document = {"metadata": {"type": "AccessPolicies", "id": "access-policy"}, "spec": {}}
    answer = operator.post("apply", json=document)
    assert answer.status_code == 422
    assert answer.json["results"][0]["problem"]["code"] == "forbidden"


def test_a_reader_applies_nothing(reader: Caller) -> None:
    assert reader.post("apply", data=CLASS.format(id="x", label="a = b"), headers=YAML).status_code == 403


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ("just text", "_"),
        ("metadata: {id: x}", "metadata.type"),
        ("metadata: {type: Clusters, id: x, lables: {}}", "metadata.lables"),
        ("metadata: {type: Clusters, id: x}\nspecs: {}", "specs"),
        ("metadata: {type: Clusters, id: x, labels: {a: [1]}}", "metadata.labels.a"),
        ("metadata: {type: Clusters, id: ''}", "id"),
    ],
)
def test_what_is_wrong_with_a_document_is_named(api: Caller, document: str, where: str) -> None:
    answer = api.post("apply", data=document, headers=YAML)
    assert answer.status_code == 422
    assert where in answer.json["results"][0]["problem"]["errors"], answer.text


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (BOMB, 400, "bad-yaml"),
        ("[" * 100_000, 400, "bad-yaml"),
        ("a: b: c", 400, "bad-yaml"),
        ("a: 1\na: 2", 400, "bad-yaml"),
        ("!!python/object/apply:os.system [ls]", 400, "bad-yaml"),
        ("--- {}\n" * 10_000, 413, "too-large"),
        ("x" * (5 * 1024 * 1024), 413, "too-large"),
        ("", 422, "validation"),
        (b"\xff\xfe\xfa", 400, "bad-yaml"),
    ],
    ids=["aliases", "depth", "syntax", "twice", "tag", "10000 documents", "5 MB", "nothing", "bytes"],
)
def test_a_body_that_is_not_fit_is_refused_within_bounds(api: Caller, body: Any, status: int, code: str) -> None:
    answer = api.post("apply", data=body, headers=YAML)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text[:300]


def test_another_media_type_is_told_what_is_taken(api: Caller) -> None:
    answer = api.post("apply", data="x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert "application/yaml" in answer.headers["Accept-Post"]
