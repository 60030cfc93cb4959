"""Resources that are written to Omni as they are: each is made, read, found, changed, refused and removed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Made, Unique, Wait, new_cluster, problem

CLUSTER = "omni.sidero.dev/cluster"
SET = "omni.sidero.dev/machine-set"


@dataclass(frozen=True)
class Kind:
    """A resource: what makes one, what changes it, and what of it is wrong. ``{cluster}`` stands for a cluster's id."""

    type: str
    spec: dict[str, Any]
    patch: dict[str, Any]
    #: Wrong member → the field that is named in the refusal.
    wrong: list[tuple[dict[str, Any], str]]
    #: Whether the id is a machine's, which need not be there.
    of_machine: bool = False
    in_cluster: bool = False
    labels: dict[str, str] = field(default_factory=dict)


KINDS = {
    "machineclasses": Kind(
        "MachineClasses",
        {"match_labels": ["omni.sidero.dev/arch = amd64"]},
        {"match_labels": ["omni.sidero.dev/arch = arm64"]},
        [
            ({"match_labels": "amd64"}, "match_labels"),
            ({"match_labels": [1]}, "match_labels.0"),
            ({"auto_provision": {"provider": "x"}}, "auto_provision.provider"),
        ],
    ),
    "kernel-args": Kind(
        "KernelArgs",
        {"args": ["console=ttyS0"]},
        {"args": ["console=ttyS1", "quiet"]},
        [({"args": "quiet"}, "args"), ({"args": [True]}, "args.0")],
        of_machine=True,
    ),
    "infra-machine-configs": Kind(
        "InfraMachineConfigs",
        {"acceptance_status": "ACCEPTED", "extra_kernel_args": "quiet"},
        {"cordoned": True},
        [({"acceptance_status": "MAYBE"}, "acceptance_status"), ({"cordoned": "yes"}, "cordoned")],
        of_machine=True,
    ),
    "extensions-configurations": Kind(
        "ExtensionsConfigurations",
        {"extensions": ["siderolabs/qemu-guest-agent"]},
        {"extensions": []},
        [({"extensions": "x"}, "extensions"), ({"extensions": [None]}, "extensions.0")],
        in_cluster=True,
    ),
    "machinesets": Kind(
        "MachineSets",
        {"update_strategy": "Rolling"},
        {"update_strategy": "Unset"},
        [
            ({"update_strategy": "Fast"}, "update_strategy"),
            ({"machine_count": 1.5}, "machine_allocation"),
        ],
        in_cluster=True,
        labels={"omni.sidero.dev/role-worker": ""},
    ),
    "machinesetnodes": Kind(
        "MachineSetNodes",
        {},
        {"labels": None},
        [({"labels": {"": "x"}}, "labels"), ({"annotations": []}, "annotations")],
        of_machine=True,
    ),
}
#: Those that stand alone, so that one can be made without a machine set.
MADE = [name for name in KINDS if name != "machinesetnodes"]


@dataclass
class One:
    """An object that was made."""

    url: str
    type: str
    body: dict[str, Any]
    kind: Kind


def unfinished(name: str, unique: Unique, cluster: str) -> dict[str, Any]:
    kind = KINDS[name]
    labels = {**kind.labels, **({CLUSTER: cluster} if kind.in_cluster else {})}
    prefix = f"{cluster}-" if kind.in_cluster else ""
    id = str(uuid.uuid4()) if kind.of_machine else prefix + unique("plain")
    return {"id": id, "labels": labels, **kind.spec}


@pytest.fixture
def new(api: httpx.Client, made: Made, unique: Unique) -> Callable[[str], dict[str, Any]]:
    """A body that can be sent, with the cluster that it needs."""

    def make(name: str) -> dict[str, Any]:
        cluster = ""
        if KINDS[name].in_cluster:
            cluster = unique("plain")
            new_cluster(api, made, cluster)
        return unfinished(name, unique, cluster)

    return make


@pytest.fixture(params=MADE)
def one(request: pytest.FixtureRequest, api: httpx.Client, made: Made, new: Callable[[str], dict[str, Any]]) -> One:
    body = new(request.param)
    answer = api.post(request.param, json=body)
    assert answer.status_code == 201, answer.text
    url = made(f"{request.param}/{body['id']}")
    assert answer.headers["Location"] == f"/api/v1/{url}"
    kind = KINDS[request.param]
    return One(url, f"{kind.type}.omni.sidero.dev", body, kind)


def held(omni: OmniClient, one: One) -> dict[str, Any]:
    return dict(omni.resources.get(one.type, one.body["id"]))


def test_it_is_in_omni_and_is_read_as_it_was_sent(
    api: httpx.Client, omni: OmniClient, one: One, wait_until: Wait
) -> None:
    read = api.get(one.url)
    assert {key: read.json()[key] for key in one.kind.spec} == one.kind.spec
    assert one.body["labels"].items() <= held(omni, one)["metadata"].get("labels", {}).items()

    def still() -> bool:  # Omni's controllers raise a new object's version for a while
        tag = api.get(one.url).headers["ETag"]
        return api.get(one.url, headers={"If-None-Match": tag}).status_code == 304

    wait_until(still, what="a version that stays")


def test_it_is_found_in_the_list(api: httpx.Client, one: One) -> None:
    collection = one.url.split("/")[0]
    found = api.get(collection, params={"search": one.body["id"], "sort": "-created", "page_size": 5})
    assert [item["id"] for item in found.json()] == [one.body["id"]]
    if one.kind.in_cluster:
        mine = api.get(collection, params={"cluster": one.body["labels"][CLUSTER]}).json()
        assert one.body["id"] in [item["id"] for item in mine]
        assert api.get(collection, params={"cluster": "never"}).json() == []


def test_a_patch_is_in_omni(api: httpx.Client, omni: OmniClient, one: One) -> None:
    before = held(omni, one)["spec"]
    answer = api.patch(one.url, json=one.kind.patch)
    assert answer.status_code == 200, answer.text
    assert {key: answer.json()[key] for key in one.kind.patch} == one.kind.patch
    assert held(omni, one)["spec"] != before


def test_a_replace_is_in_omni_and_takes_labels_away(api: httpx.Client, omni: OmniClient, one: One) -> None:
    api.patch(one.url, json={"labels": {"extra": "yes"}})
    answer = api.put(one.url, json=one.body)
    assert answer.status_code == 200, answer.text
    assert "extra" not in held(omni, one)["metadata"].get("labels", {})


def test_it_can_be_removed(api: httpx.Client, one: One, wait_until: Wait) -> None:
    assert api.delete(one.url).status_code in (202, 204)
    wait_until(lambda: api.get(one.url).status_code == 404, 30, "its end")
    problem(api.delete(one.url), 404, "not-found")


WRONG = [(name, wrong, named) for name, kind in KINDS.items() for wrong, named in kind.wrong]


@pytest.mark.parametrize(("name", "wrong", "named"), WRONG, ids=[f"{name}-{field}" for name, _, field in WRONG])
def test_what_is_wrong_is_named(
    api: httpx.Client, unique: Unique, name: str, wrong: dict[str, Any], named: str
) -> None:
    errors = problem(api.post(name, json={**unfinished(name, unique, "never"), **wrong}), 422, "validation")["errors"]
    assert [path for path in errors if path.startswith(named)], errors
