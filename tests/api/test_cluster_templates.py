"""Cluster templates: kept with their history, checked, rendered, compared, and synced, as Omni's state shows."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
import yaml
from flask import Flask

from omni_gateway.omni import OmniClient, types
from omni_gateway.omni.errors import NotFound
from omni_gateway.rest.apply.requests import apply_as_itself
from omni_gateway.rest.gateway import EXTENSION, Gateway
from omni_gateway.sdk.extensions import PluginContext
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.store import Store
from omni_gateway.stubs import simulator_faults_pb2 as faults
from omni_gateway.testing.audit_lines import audit_lines
from resources.clustertemplate.drift import follow
from resources.clustertemplate.sync import finish

from .conftest import Caller

VERSIONS = {"kubernetes": {"version": "v1.35.6"}, "talos": {"version": "v1.13.7"}}
YAML = {"Content-Type": "application/yaml"}
PATCH = "machine:\n  sysctls:\n    vm.swappiness: '10'\n"
PREFIX = "omni.sidero.dev/"
Wait = Callable[..., Any]
Template = Callable[..., str]


@pytest.fixture
def name(api: Caller, omni: OmniClient) -> Iterator[str]:
    """A name of a cluster that is unused; what is made under it is removed."""
    name = f"tpl-{uuid4().hex[:6]}"
    yield name
    api.delete(f"cluster-templates/{name}")
    api.delete(f"clusters/{name}")


@pytest.fixture
def template(name: str) -> Template:
    """Makes the text of a template: without machines, unless they are given."""

    def text(
        machines: list[str] | None = None, workers: list[str] | None = None, *more: Mapping[str, Any], **cluster: Any
    ) -> str:
        documents = [
            {"kind": "Cluster", "name": name, **VERSIONS, **cluster},
            {"kind": "ControlPlane", "machines": machines or []},
        ]
        if workers is not None:
            documents.append({"kind": "Workers", "machines": workers})
        return "# kept as it is\n" + yaml.safe_dump_all([*documents, *more])

    return text


@pytest.fixture
def machines(api: Caller) -> list[str]:
    """Free machines."""
    return [each["id"] for each in api.get(f"machines?label_selector={PREFIX}available,{PREFIX}connected").json]


def patches(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "inline": yaml.safe_load(PATCH)} for name in names]


def ids(omni: OmniClient, type: str, cluster: str) -> set[str]:
    found = omni.resources.list(type, selectors=[f"{PREFIX}cluster={cluster}"]).items
    return {item["metadata"]["id"] for item in found if not item["metadata"].get("owner")}


def actions(answer: Any) -> dict[str, int]:
    return dict(answer.json["counts"])


def test_a_text_is_kept_as_it_is_and_read_as_documents(api: Caller, name: str, template: Template) -> None:
    text = template(patches=patches("sysctls"))
    made = api.post("cluster-templates", data=text, headers=YAML)
    assert made.status_code == 201, made.text
    assert (made.json["id"], made.json["text"], made.json["sync"]) == (name, text, "manual")
    assert [each["kind"] for each in made.json["documents"]] == ["Cluster", "ControlPlane"]
    assert made.json["documents"][0]["patches"] == patches("sysctls")


def test_the_audit_names_the_cluster_of_each_request(api: Caller, name: str, template: Template) -> None:
    url, sent = "cluster-templates", {"data": template(), "headers": YAML}
    with audit_lines() as lines:
        for action in ("validate", "render", "diff", "sync?dry_run=true", "status", "delete-cluster"):
            api.post(f"{url}/actions/{action}", **sent)
        api.post(url, **sent)
        for action in ("validate", "render", "diff", "sync?dry_run=true", "delete-cluster"):
            api.post(f"{url}/{name}/actions/{action}")
        api.put(f"{url}/{name}", **sent)
        api.delete(f"{url}/{name}")
    assert [(line["path"], line["cluster"]) for line in lines if line["cluster"] != name] == []
    assert len(lines) == 14


def test_each_version_is_kept_with_who_wrote_it(
    api: Caller, name: str, template: Template, app: Flask, tokens: dict[str, str]
) -> None:
    first, second = template(), template(labels={"env": "prod"})
    api.post("cluster-templates", data=first, headers=YAML)
    operator = Caller(app.test_client(), tokens["operator"])
    assert operator.put(f"cluster-templates/{name}", data=second, headers=YAML).json["revision"] == 2
    assert operator.put(f"cluster-templates/{name}", data=second, headers=YAML).json["revision"] == 2  # nothing new
    versions = api.get(f"cluster-templates/{name}/history").json
    assert [(each["number"], each["changed_by"]) for each in versions] == [(2, "test-operator"), (1, "test-admin")]
    assert api.get(f"cluster-templates/{name}/history/1").json["text"] == first
    assert api.get(f"cluster-templates/{name}/history/3").status_code == 404


def test_a_merge_patch_of_the_documents_changes_the_text(api: Caller, name: str, template: Template) -> None:
    documents = api.post("cluster-templates", data=template(), headers=YAML).json["documents"]
    documents[0]["labels"] = {"env": "prod"}
    changed = api.patch(f"cluster-templates/{name}", json={"documents": documents})
    assert [*yaml.safe_load_all(changed.json["text"])] == documents
    both = api.patch(f"cluster-templates/{name}", json={"documents": documents[:1], "text": template()})
    assert both.status_code == 422


def test_files_come_beside_the_template(api: Caller, name: str, template: Template) -> None:
    text = template(patches=[{"name": "sysctls", "file": "patches/sysctls.yaml"}])
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, content in (("template.yaml", text), ("./patches/sysctls.yaml", PATCH)):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
    as_archive = {"data": archive.getvalue(), "headers": {"Content-Type": "application/x-tar"}}
    form = {
        name: (io.BytesIO(text.encode()), name) for name, text in (("template", text), ("patches/sysctls.yaml", PATCH))
    }
    as_form = {"data": form, "content_type": "multipart/form-data"}
    as_json = {"json": {"text": text, "files": {"patches/sysctls.yaml": PATCH}}}
    rendered = [api.post("cluster-templates/actions/render", **sent) for sent in (as_archive, as_form, as_json)]
    assert [answer.status_code for answer in rendered] == [200, 200, 200], rendered
    [patch] = [each for each in rendered[0].json["objects"] if each["metadata"]["type"] == types.CONFIG_PATCHES]
    assert patch["spec"]["data"] == PATCH
    assert rendered[0].json == rendered[1].json == rendered[2].json
    alone = api.post("cluster-templates", data=text, headers=YAML)
    assert (alone.status_code, [*alone.json["errors"]]) == (422, ["documents.0.patches.0.file"])


@pytest.mark.parametrize("path", ["../patch.yaml", "/etc/patch.yaml", "a/../../patch.yaml"])
def test_an_archive_that_leads_out_of_its_folder_is_refused(api: Caller, path: str) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(path))
    refused = api.post(
        "cluster-templates/actions/validate", data=archive.getvalue(), headers={"Content-Type": "application/x-tar"}
    )
    assert (refused.status_code, refused.json["errors"]) == (422, {path: ["Must not lead out of the archive."]})


def test_an_archive_has_no_links(api: Caller) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        link = tarfile.TarInfo("patch.yaml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    refused = api.post(
        "cluster-templates/actions/validate", data=archive.getvalue(), headers={"Content-Type": "application/x-tar"}
    )
    assert (refused.status_code, [*refused.json["errors"]]) == (422, ["patch.yaml"])


def test_all_that_is_wrong_is_named_at_once_with_its_line(api: Caller, name: str) -> None:
    text = f"kind: Cluster\nname: {name}\ntalos:\n  versoin: v1.13.7\n---\nkind: ControlPlane\nmachines: many\n"
    answer = api.post("cluster-templates/actions/validate", data=text, headers=YAML)
    assert (answer.status_code, answer.json["valid"]) == (200, False)
    places = {(each["document"], each["line"], each["field"]) for each in answer.json["faults"]}
    assert {(0, 4, "talos.versoin"), (1, 7, "machines")} <= places
    refused = api.post("cluster-templates", data=text, headers=YAML)
    assert refused.status_code == 422
    assert {"documents.0.talos.versoin", "documents.1.machines"} <= refused.json["errors"].keys()


def test_rendered_yaml_is_what_apply_takes(api: Caller, name: str, template: Template) -> None:
    text = template(patches=patches("sysctls"))
    headers = {**YAML, "Accept": "application/yaml"}
    rendered = api.post("cluster-templates/actions/render", data=text, headers=headers)
    assert rendered.mimetype == "application/yaml"
    applied = api.post("apply?dry_run=true", data=rendered.data, headers=YAML)
    assert applied.json["counts"] == {"created": 3}, applied.text


def test_a_sync_makes_the_cluster_and_then_changes_nothing(
    api: Caller, omni: OmniClient, name: str, template: Template
) -> None:
    api.post("cluster-templates", data=template(patches=patches("sysctls")), headers=YAML)
    url = f"cluster-templates/{name}/actions"
    assert actions(api.post(f"{url}/diff")) == {"created": 3}
    planned = api.post(f"{url}/sync?dry_run=true")
    assert (planned.status_code, planned.json["state"]) == (200, "planned")
    assert [each["action"] for each in planned.json["details"]["results"]] == ["created"] * 3
    assert ids(omni, types.MACHINE_SETS, name) == set()

    synced = api.post(f"{url}/sync")
    assert (synced.status_code, synced.json["state"]) == (202, "succeeded"), synced.text
    assert ids(omni, types.MACHINE_SETS, name) == {f"{name}-control-planes"}
    cluster = omni.resources.get(types.CLUSTERS, name)
    assert f"{PREFIX}managed-by-cluster-templates" in cluster["metadata"]["annotations"]
    assert actions(api.post(f"{url}/diff")) == {"unchanged": 3}
    assert api.get(f"operations/cluster-template-sync/{name}").json["state"] == "succeeded"
    assert api.get(f"cluster-templates/{name}/status").json["exists"] is True


def test_a_sync_removes_what_the_template_has_no_more(
    api: Caller, omni: OmniClient, name: str, template: Template
) -> None:
    url = "cluster-templates/actions"
    api.post(f"{url}/sync", data=template([], [], patches=patches("old", "kept")), headers=YAML)
    text = template(patches=patches("kept", "new"))
    compared = api.post(f"{url}/diff", data=text, headers=YAML)
    gone = {each["id"]: each["text"] for each in compared.json["objects"] if each["action"] == "destroyed"}
    assert f"{name}-workers" in gone
    assert "-    " in gone[f"{name}-workers"] or "-  " in gone[f"{name}-workers"]
    planned = api.post(f"{url}/sync?dry_run=true", data=text, headers=YAML).json["details"]["results"]
    assert [each["action"] for each in planned][-len(gone) :] == ["destroyed"] * len(gone)
    assert ids(omni, types.MACHINE_SETS, name) == {f"{name}-control-planes", f"{name}-workers"}

    api.post(f"{url}/sync", data=text, headers=YAML)
    assert ids(omni, types.MACHINE_SETS, name) == {f"{name}-control-planes"}
    wanted = {each["id"] for each in compared.json["objects"] if "ConfigPatches" in each["type"]} - gone.keys()
    assert ids(omni, types.CONFIG_PATCHES, name) == wanted


def test_a_sync_removes_what_an_earlier_template_gave_a_machine_that_joins(
    api: Caller, omni: OmniClient, template: Template, machines: list[str]
) -> None:
    first, second = machines[:2]
    managed = {f"{PREFIX}managed-by-cluster-templates": ""}
    omni.resources.create(types.MACHINE_INSTALL_DISK_CONFIGS, second, {"disk": "/dev/vdb"}, annotations=managed)
    url, text = "cluster-templates/actions", template([first], [second])
    api.post(f"{url}/sync", data=text, headers=YAML)
    assert second not in {
        each["metadata"]["id"] for each in omni.resources.list(types.MACHINE_INSTALL_DISK_CONFIGS).items
    }
    again = api.post(f"{url}/diff", data=text, headers=YAML)
    assert set(actions(again)) == {"unchanged"}, again.json


def test_machines_join_and_their_patches_go_only_after_them(
    api: Caller,
    omni: OmniClient,
    name: str,
    template: Template,
    machines: list[str],
    wait_until: Wait,
    settings: Settings,
    simulator: RunningSimulator,
) -> None:
    first, second = machines[:2]
    with_patch = {"kind": "Machine", "name": second, "patches": patches("of-machine")}
    url = "cluster-templates/actions"
    api.post(f"{url}/sync", data=template([first], [second], with_patch), headers=YAML)
    labels = omni.resources.get(types.MACHINE_SET_NODES, second)["metadata"]["labels"]
    assert labels.items() >= {f"{PREFIX}cluster": name, f"{PREFIX}machine-set": f"{name}-workers"}.items()
    assert f"{PREFIX}role-worker" in labels
    wait_until(lambda: second in ids_with_owner(omni, types.CLUSTER_MACHINES, name))
    # What Omni adds, and a lock, are no difference.
    lock = {"annotations": {f"{PREFIX}locked": ""}}
    assert api.patch(f"machinesetnodes/{second}", json=lock).status_code == 200
    again = api.post(f"{url}/diff", data=template([first], [second], with_patch), headers=YAML)
    assert set(actions(again)) == {"unchanged"}, again.json
    assert api.patch(f"machinesetnodes/{second}", json={"annotations": {f"{PREFIX}locked": None}}).status_code == 200

    held = ("default", str(types.MACHINE_SET_NODES), second)
    simulator.store.add_finalizer(held, "a-test")
    left = api.post(f"{url}/sync", data=template([first], []), headers=YAML)
    operation = left.headers["Operation-Location"]
    stages = {each["name"]: each["state"] for each in left.json["stages"]}
    assert (left.json["state"], stages["machine sets and members gone"]) == ("running", "running")
    again = api.post(f"{url}/sync", data=template([first], []), headers=YAML)
    assert (again.json["state"], again.json["details"]["results"][-1]["action"]) == ("running", "unchanged")
    assert len(ids(omni, types.CONFIG_PATCHES, name)) == 1, "it leaves with the configuration that it had"
    simulator.store.remove_finalizer(held, "a-test")
    context = PluginContext(omni, Store(settings.database_url), None, None)

    def done() -> bool:
        finish(context)
        return bool(api.get(operation).json["state"] == "succeeded")

    wait_until(done)
    assert ids(omni, types.CONFIG_PATCHES, name) == set()
    assert ids(omni, types.MACHINE_SET_NODES, name) == {first}

    removed = api.post(f"{url}/delete-cluster", data=template([first], []), headers=YAML)
    assert removed.status_code == 202, removed.text
    wait_until(lambda: api.get(removed.headers["Operation-Location"]).json["state"] == "succeeded")
    with pytest.raises(NotFound):
        omni.resources.get(types.CLUSTERS, name)


def ids_with_owner(omni: OmniClient, type: str, cluster: str) -> set[str]:
    found = omni.resources.list(type, selectors=[f"{PREFIX}cluster={cluster}"]).items
    return {item["metadata"]["id"] for item in found}


def test_a_template_locks_its_cluster_unlocks_it_or_leaves_it_as_it_is(
    api: Caller, omni: OmniClient, name: str, template: Template
) -> None:
    locked = []
    for said in ({"locked": True}, {}, {"locked": False}):
        answer = api.post("cluster-templates/actions/sync", data=template(**said), headers=YAML)
        assert answer.status_code == 202, answer.text
        locked.append(f"{PREFIX}cluster-locked" in omni.resources.get(types.CLUSTERS, name)["metadata"]["annotations"])
    assert locked == [True, True, False]


def test_drift_is_reported_and_enforced(
    api: Caller, app: Flask, omni: OmniClient, name: str, template: Template, settings: Settings
) -> None:
    gateway: Gateway = app.extensions[EXTENSION]
    store = Store(settings.database_url)
    context = PluginContext(omni, store, None, None, apply=apply_as_itself(gateway))
    url = f"cluster-templates/{name}"
    api.post("cluster-templates", json={"id": name, "text": template(patches=patches("sysctls")), "sync": "report"})
    api.post(f"{url}/actions/sync")
    follow(context)
    assert api.get(url).json["drift"]["state"] == "none"

    [patch] = ids(omni, types.CONFIG_PATCHES, name)
    assert api.delete(f"configpatches/{patch}").status_code == 204
    follow(context)
    drift = api.get(url).json["drift"]
    assert (drift["state"], drift["objects"]) == (
        "drifted",
        [{"type": types.CONFIG_PATCHES, "id": patch, "action": "created"}],
    )
    assert "omni_gateway_plugin_cluster_templates_drifted 1.0" in api.get("/metrics").text
    assert ids(omni, types.CONFIG_PATCHES, name) == set(), "it is reported only"

    assert api.patch(url, json={"sync": "enforce"}).status_code == 200
    follow(context)
    assert api.get(url).json["drift"]["state"] == "none"
    assert ids(omni, types.CONFIG_PATCHES, name) == {patch}
    assert api.post(f"{url}/actions/delete-cluster").status_code == 409
    assert api.put(url, data=template(patches=patches("sysctls")), headers=YAML).json["sync"] == "enforce"


def test_what_another_cluster_has_is_not_taken(
    api: Caller, omni: OmniClient, name: str, template: Template, machines: list[str]
) -> None:
    url = "cluster-templates/actions"
    api.post(f"{url}/sync", data=template([machines[0]]), headers=YAML)
    other = template([machines[0]]).replace(name, f"{name}-other")
    refused = api.post(f"{url}/sync", data=other, headers=YAML)
    assert (refused.status_code, machines[0] in refused.json["detail"]) == (409, True)
    assert ids(omni, types.MACHINE_SETS, f"{name}-other") == set()


def test_an_atomic_sync_writes_nothing_where_one_object_is_refused(
    api: Caller, omni: OmniClient, name: str, template: Template
) -> None:
    url = "cluster-templates/actions/sync"
    text = template([], None, {"kind": "Workers", "machineClass": {"name": "nowhere", "size": 1}})
    refused = api.post(f"{url}?atomic=true", data=text, headers=YAML)
    assert (refused.status_code, refused.json["code"]) == (422, "apply-incomplete"), refused.text
    assert "created" not in refused.json["counts"]
    assert ids(omni, types.MACHINE_SETS, name) == set()


def test_callers_sync_their_own_clusters_only(
    app: Flask, settings: Settings, name: str, template: Template, reader: Caller
) -> None:
    tokens = Store(settings.database_url).tokens
    theirs = Caller(app.test_client(), tokens.create(f"{name}-theirs", "operator", None, ["other-*"])[1])
    ours = Caller(app.test_client(), tokens.create(f"{name}-ours", "operator", None, ["tpl-*"])[1])
    sent = {"data": template(), "headers": YAML}
    assert reader.post("cluster-templates/actions/sync", **sent).status_code == 403
    for action in ("diff", "sync", "status", "delete-cluster"):
        assert theirs.post(f"cluster-templates/actions/{action}", **sent).status_code == 403
    assert ours.post("cluster-templates", **sent).status_code == 201
    assert theirs.get(f"cluster-templates/{name}/history").status_code == 404
    assert ours.post(f"cluster-templates/{name}/actions/sync").status_code == 202


@pytest.mark.parametrize("locked", [False, True])
def test_a_living_cluster_is_exported_as_a_template_that_changes_nothing(
    api: Caller, name: str, machines: list[str], locked: bool
) -> None:
    body = {"id": name, **cluster_with_everything(machines[:2])}
    assert api.post("clusters", json=body).status_code == 201
    if locked:
        assert api.post(f"clusters/{name}/actions/lock").status_code == 200

    exported = api.get(f"clusters/{name}/exported-template")

    assert exported.status_code == 200, exported.text
    assert exported.json["inexact"] == []
    assert [*yaml.safe_load_all(exported.json["text"])] == exported.json["documents"]
    difference = api.post("cluster-templates/actions/diff", data=exported.json["text"], headers=YAML)
    assert {each["id"]: each["text"] for each in difference.json["objects"] if each["action"] != "unchanged"} == {}


def cluster_with_everything(machines: list[str]) -> dict[str, Any]:
    """Return the body of a POST of a cluster with one of each thing that is more than a machine."""
    return {
        "control_plane": {"machines": machines[:1], "system_extensions": ["siderolabs/gvisor"]},
        "workers": [
            {"machines": machines[1:], "config_patches": [{"name": "of the set", "data": PATCH}], "labels": {"a": "b"}},
            {"name": "later", "machines": [], "delete_strategy": "Rolling"},
        ],
        "machines": [
            {"id": machines[0], "install_disk": "/dev/vda", "labels": {"rack": "12"}, "kernel_args": []},
            {"id": machines[1], "locked": True, "config_patches": [{"name": "own", "id": "zz", "data": PATCH}]},
        ],
        "config_patches": [{"name": "b", "data": PATCH}, {"name": "a", "data": PATCH}],
        "manifests": [
            {"name": "ns", "mode": "one-time", "data": "apiVersion: v1\nkind: Namespace\nmetadata: {name: apps}\n"}
        ],
        "system_extensions": ["siderolabs/iscsi-tools"],
        "kernel_args": ["console=ttyS0"],
        "features": {"enable_workload_proxy": True},
        "labels": {"env": "prod"},
    }


@pytest.mark.parametrize("type", [types.KUBERNETES_HEALTH_CHECKS, types.MACHINE_INSTALL_DISK_CONFIGS])
def test_an_older_omni_has_no_objects_of_the_newer_types(
    api: Caller, name: str, machines: list[str], template: Template, simulator: RunningSimulator, type: str
) -> None:
    """Omni 1.7 refuses types that it does not have with PERMISSION_DENIED."""
    unknown = faults.Rule(method="*", resource_type=type, error=faults.Error(code=7, message="no access is permitted"))
    with simulator.faults.during(unknown):
        difference = api.post("cluster-templates/actions/diff", data=template(machines[:1]), headers=YAML)
    assert difference.status_code == 200, difference.text
    assert actions(difference) == {"created": 3}


def test_an_install_disk_is_a_patch_where_omni_has_no_objects_for_it(
    api: Caller, name: str, machines: list[str], template: Template, simulator: RunningSimulator
) -> None:
    missing = types.MACHINE_INSTALL_DISK_CONFIGS
    unknown = faults.Rule(
        method="*", resource_type=missing, error=faults.Error(code=7, message="no access is permitted")
    )
    url, new, id = "cluster-templates/actions/diff", f"tpl-{uuid4().hex[:6]}", f"000-cm-{machines[0]}-install-disk"
    disk, selector = (
        template(machines[:1], None, {"kind": "Machine", "name": machines[0], "install": install})
        for install in ({"disk": "/dev/vdb"}, {"diskSelector": "!disk.readonly"})
    )
    with simulator.faults.during(unknown):
        difference = api.post(url, data=disk, headers=YAML)
        refused = api.post(url, data=selector, headers=YAML)
        machine = {"id": machines[0], "install_disk": "/dev/vdb"}
        body = {"id": new, "control_plane": {"machines": machines[:1]}, "machines": [machine]}
        planned = api.post("clusters?dry_run=true", json=body)

    compared = {each["id"]: each["type"] for each in difference.json["objects"]}  # the embedded Omni refuses the patch
    assert (compared.get(id), missing in compared.values()) == (types.CONFIG_PATCHES, False), difference.text
    assert (refused.status_code, [*refused.json["errors"]]) == (422, [f"machines.{machines[0]}.install"])
    [patch] = [each for each in planned.json["_dry_run"]["also"] if each["id"] == id]
    assert yaml.safe_load(patch["spec"]["data"]) == {"machine": {"install": {"disk": "/dev/vdb"}}}
