"""Each rule of Omni's validators that a dry run predicts: the dry run and the real run refuse alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, types
from omni_gateway.rest.predictions import refuse_predicted

from .conftest import Caller

CLUSTER_LABEL = "omni.sidero.dev/cluster"
SET_LABEL = "omni.sidero.dev/machine-set"
WORKER = {"omni.sidero.dev/role-worker": ""}
CONTROLS = {"omni.sidero.dev/role-controlplane": ""}
OF_CLUSTER = {"labels": {CLUSTER_LABEL: "{name}"}}
MANIFEST = "apiVersion: v1\nkind: Namespace\n"
POLICY_TEST = {"name": "t", "user": {"name": "a@b.c"}, "cluster": {"name": "x"}, "expected": {"role": "Reader"}}
MEDIA = {"architecture": 1}


@pytest.fixture(scope="module")
def cluster(app: Any, tokens: dict[str, str]) -> Iterator[dict[str, str]]:
    """A cluster with a set of workers, without machines, and names that go with it."""
    api, name = Caller(app.test_client(), tokens["admin"]), f"rules-{uuid4().hex[:6]}"
    made = api.post("clusters", json={"id": name})
    assert made.status_code == 201, made.text
    labels = {CLUSTER_LABEL: name}
    for id, role in ((f"{name}-workers", WORKER), (f"{name}-control-planes", CONTROLS)):
        body = {"id": id, "labels": {**labels, **role}, "spec": {}}
        assert api.post("resources/machinesets", json=body).status_code == 201
    yield {"name": name, "workers": f"{name}-workers", "talos": made.json["talos_version"]}
    api.delete(f"clusters/{name}")


def refused_alike(api: Caller, method: str, url: str, body: dict[str, Any]) -> str:
    """Send a body as a dry run and for real; return Omni's reason, which both must have."""
    dry, real = (getattr(api, method)(f"{url}{query}", json=body) for query in ("?dry_run=true", ""))
    assert (dry.status_code, dry.json["code"]) == (422, "refused-by-omni"), dry.text
    assert (real.status_code, real.json["code"]) == (422, "refused-by-omni"), real.text
    return str(dry.json["detail"])


@pytest.mark.parametrize(
    ("type", "body", "why"),
    [
        ("accesspolicies", {"id": "other", "spec": {}}, "only access policy"),
        ("accesspolicies", {"id": "access-policy", "spec": {"rules": [{"role": "King"}]}}, "no role"),
        ("accesspolicies", {"id": "access-policy", "spec": {"tests": [POLICY_TEST]}}, "the rules give"),
        ("accesspolicies", {"id": "access-policy", "spec": {"tests": [{"name": "t"}]}}, "names no user"),
        ("accesspolicies", {"id": "access-policy", "spec": {"tests": [{}]}}, "no name"),
        ("accesspolicies", {"id": "access-policy", "spec": {"user_groups": {"g": {"users": [{}]}}}}, "has one of"),
        (
            "accesspolicies",
            {"id": "access-policy", "spec": {"cluster_groups": {"g": {"clusters": [{"match": "[a"}]}}}},
            "not valid",
        ),
        ("samllabelrules", {"spec": {"assign_role": "King"}}, "`assign_role`"),
        ("samllabelrules", {"spec": {"assign_role": "Reader", "assign_role_on_registration": "x"}}, "no longer"),
        ("samllabelrules", {"spec": {"assign_role": "Reader", "match_labels": ["a = (b"]}}, "no label selector"),
        ("eulaacceptances", {"spec": {"accepted_by_name": "x"}}, "`accepted_by_email`"),
        ("machineclasses", {"spec": {"match_labels": ["a b c"]}}, "no label selector"),
        ("machineclasses", {"spec": {"match_labels": ["omni.sidero.dev/no-manual-allocation"]}}, "cannot be selected"),
        ("machineclasses", {"spec": {"auto_provision": {"provider_id": "x"}}}, "no infra provider"),
        ("machinerequests", {"spec": {}}, "infra-provider-id is missing"),
        ("machinerequestsets", {"spec": {"provider_id": "x", "talos_version": "9"}}, "knows no Talos"),
        ("machinerequestsets", {"spec": {"kernel_args": ["\u0007"], "talos_version": "{talos}"}}, "control characters"),
        ("kernelargs", {"spec": {"args": ["x"] * 65}}, "more than 64"),
        (
            "extensionsconfigurations",
            {"labels": {CLUSTER_LABEL: "{name}"}, "spec": {"extensions": ["x"]}},
            "no extension",
        ),
        ("installationmediaconfigs", {"spec": {}}, "architecture"),
        ("installationmediaconfigs", {"spec": {**MEDIA, "cloud": {"platform": "x"}}}, "no cloud platform"),
        ("installationmediaconfigs", {"spec": {**MEDIA, "sbc": {"overlay": "x"}}}, "no board"),
        ("installationmediaconfigs", {"spec": {**MEDIA, "talos_version": "9"}}, "knows no Talos"),
        ("installationmediaconfigs", {"spec": {**MEDIA, "kernel_args": "x" * 5000}}, "at most 4096 bytes"),
        (
            "installationmediaconfigs",
            {"spec": {**MEDIA, "talos_version": "1.9.5", "embedded_machine_config": "x"}},
            "hold no machine configuration",
        ),
        ("installationmediaconfigs", {"spec": {**MEDIA, "install_extensions": ["x"]}}, "no extension"),
        ("installationmediaconfigs", {"spec": {**MEDIA, "image_factory_url": "x"}}, "image factory"),
        ("inframachineconfigs", {"spec": {"requested_reboot_id": "x" * 200}}, "at most 128"),
        ("nodeforcedestroyrequests", {"spec": {}}, "in no cluster"),
        ("kubernetesmanifestgroups", {"spec": {"mode": 1, "data": MANIFEST}}, "cluster is missing"),
        ("kubernetesmanifestgroups", {"labels": {CLUSTER_LABEL: "x"}, "spec": {"data": MANIFEST}}, "mode"),
        ("kubernetesmanifestgroups", {"labels": {CLUSTER_LABEL: "x"}, "spec": {"mode": 1, "data": "a: 1"}}, "manifest"),
        ("kuberneteshealthchecks", {"id": "Not_DNS", **OF_CLUSTER, "spec": {"job": "x"}}, "DNS name"),
        ("kuberneteshealthchecks", {**OF_CLUSTER, "spec": {}}, "job is missing"),
        ("kuberneteshealthchecks", {**OF_CLUSTER, "spec": {"job": "text"}}, "no manifest"),
        ("kuberneteshealthchecks", {**OF_CLUSTER, "spec": {"job": "x", "interval": "1s"}}, "interval"),
        ("machineinstalldiskconfigs", {"spec": {}}, "Either a disk"),
        ("machineinstalldiskconfigs", {"spec": {"disk_selector": "disk.size"}}, "does not compile"),
        ("etcdmanualbackups", {"id": "{name}", "spec": {"backup_at": "2020-01-01T00:00:00Z"}}, "within 60 seconds"),
        ("machinesets", {"labels": {CLUSTER_LABEL: "{name}"}, "spec": {}}, "role label"),
        ("machinesets", {"labels": {CLUSTER_LABEL: "{name}", **WORKER}, "spec": {}}, "must begin with"),
        ("machinesets", {"id": "{name}-x", "labels": {CLUSTER_LABEL: "{name}", **CONTROLS}}, "of no other"),
        (
            "machinesets",
            {
                "id": "{name}-x",
                "labels": {CLUSTER_LABEL: "{name}", **WORKER},
                "spec": {"machine_allocation": {"name": "x", "allocation_type": 1, "machine_count": 2}},
            },
            "no machine count",
        ),
        (
            "machinesets",
            {
                "id": "{name}-x",
                "labels": {CLUSTER_LABEL: "{name}", **WORKER},
                "spec": {"bootstrap_spec": {"cluster_uuid": "x", "snapshot": "y"}},
            },
            "Only a control plane",
        ),
        ("machinesetnodes", {"labels": {CLUSTER_LABEL: "{name}", SET_LABEL: "x"}, "spec": {}}, "no machine set"),
    ],
)
def test_a_dry_run_refuses_a_new_object_that_omni_will_refuse(
    api: Caller, cluster: dict[str, str], type: str, body: dict[str, Any], why: str
) -> None:
    body = filled({"id": f"rule-{uuid4().hex[:6]}", **body}, cluster)
    assert why in refused_alike(api, "post", f"resources/{type}", body)


@pytest.mark.parametrize(
    ("type", "id", "spec", "why"),
    [
        (types.MACHINE_CLASSES, "x", {}, "either"),
        (types.MACHINE_CLASSES, "x", {"auto_provision": {}}, "provider is missing"),
        (types.EXTENSIONS_CONFIGURATIONS, "x", {"extensions": ["x"]}, "names no cluster"),
        (types.IMPORTED_CLUSTER_SECRETS, "x", {"data": "a: 1"}, "secrets bundle"),
        (types.IMPORTED_CLUSTER_SECRETS, "{name}", {"data": "{{cluster: 1, secrets: 1, certs: 1}}"}, "already"),
    ],
)
def test_what_a_plugin_or_a_read_refuses_first_is_predicted_too(
    omni: OmniClient, cluster: dict[str, str], type: str, id: str, spec: dict[str, Any], why: str
) -> None:
    resource = Resource(id.format(**cluster), filled(spec, cluster), type=type)
    with pytest.raises(Problem, match=why):
        refuse_predicted(omni, resource, None)


def filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    return value.format(**names) if isinstance(value, str) and "{" in value else value


def test_a_machine_set_cannot_leave_its_cluster(api: Caller, cluster: dict[str, str]) -> None:
    body = {"labels": {CLUSTER_LABEL: "elsewhere"}}
    assert "stays in its cluster" in refused_alike(api, "patch", f"resources/machinesets/{cluster['workers']}", body)


def test_a_node_cannot_change_its_machine_set_and_a_locked_one_is_a_workers(
    api: Caller, cluster: dict[str, str]
) -> None:
    machine, controls = str(uuid4()), f"{cluster['name']}-control-planes"
    body = {"id": machine, "labels": {CLUSTER_LABEL: cluster["name"], SET_LABEL: controls}, "spec": {}}
    assert api.post("resources/machinesetnodes", json=body).status_code == 201
    url = f"resources/machinesetnodes/{machine}"
    moved = refused_alike(
        api, "patch", url, {"labels": {SET_LABEL: cluster["workers"], "omni.sidero.dev/role-controlplane": None}}
    )
    locked = refused_alike(api, "patch", url, {"annotations": {"omni.sidero.dev/locked": ""}})
    api.delete(url)
    assert "cannot be changed" in moved
    assert "cannot be locked" in locked


def test_the_default_join_token_must_exist(api: Caller, omni: OmniClient) -> None:
    (default,) = omni.resources.list(types.DEFAULT_JOIN_TOKENS).items
    url = f"resources/defaultjointokens/{default['metadata']['id']}"
    assert "exists" in refused_alike(api, "patch", url, {"spec": {"token_id": "no-such-token"}})


def test_an_accepted_machine_stays_accepted(api: Caller) -> None:
    id = str(uuid4())
    assert (
        api.post("resources/inframachineconfigs", json={"id": id, "spec": {"acceptance_status": 1}}).status_code == 201
    )
    why = refused_alike(api, "patch", f"resources/inframachineconfigs/{id}", {"spec": {"acceptance_status": 0}})
    api.delete(f"resources/inframachineconfigs/{id}")
    assert "stays accepted" in why


@pytest.mark.parametrize("type", ["Links", "MachineStatuses", "ClusterMachines", "TalosVersions"])
def test_a_dry_run_knows_the_types_that_omni_keeps_to_itself(api: Caller, type: str) -> None:
    dry, real = (api.post(f"resources/{type}{query}", json={"id": "x"}) for query in ("?dry_run=true", ""))
    assert (dry.status_code, dry.json["code"]) == (403, "omni-forbidden")
    assert (real.status_code, real.json["code"]) == (403, "omni-forbidden")


def test_a_dry_run_finds_what_the_same_request_creates(api: Caller, cluster: dict[str, str]) -> None:
    id = f"rule-{uuid4().hex[:6]}"
    made = {"metadata": {"type": "machineclass", "id": id}, "spec": {"match_labels": ["a = b"]}}
    labels = {CLUSTER_LABEL: cluster["name"], **WORKER}
    uses = {
        "metadata": {"type": "machineset", "id": f"{cluster['name']}-{id}", "labels": labels},
        "spec": {"machine_allocation": {"name": id, "machine_count": 0}},
    }
    answer = api.post("apply?dry_run=true", json=[uses, made])
    assert answer.json["counts"] == {"created": 2}, answer.text
