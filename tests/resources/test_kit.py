"""What the conformance kit gives beside its checks: fixtures, and the reasons why checks do not apply."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from omni_gateway.plugins.discovery import discover
from omni_gateway.sdk import ResourcePlugin
from omni_gateway.sdk.testing import EmbeddedOmni
from omni_gateway.simulator.faults import Faults
from omni_gateway.stubs import simulator_faults_pb2 as pb
from omni_gateway.testing.conditions import checks_of

from .built_in import classes
from .test_machine_settings import TestMachineClasses as MachineClasses
from .test_reads import TestLinks as Links

Api = Callable[..., httpx.Client]
CLASSES = "MachineClasses.omni.sidero.dev"


def reasons(case: type) -> dict[str, str]:
    return dict(checks_of(case))


def test_a_check_that_does_not_apply_has_a_reason() -> None:
    found = reasons(Links)
    assert found["test_a_second_object_of_an_id_is_refused"] == "no role for `create`"
    assert found["test_a_dry_run_of_a_write_changes_nothing"] == ""


def test_nearly_every_check_applies_to_a_resource_with_all_verbs() -> None:
    assert sum(not reason for reason in reasons(MachineClasses).values()) > 100


def test_each_built_in_resource_with_verbs_has_a_class() -> None:
    plugins = [found.plugin for found in discover() if found.distribution == "omni-gateway"]
    with_verbs = {plugin.name for plugin in plugins if isinstance(plugin, ResourcePlugin) and plugin.roles}
    assert with_verbs == {case.plugin.name for case in classes()}


def test_clients_have_the_roles_and_the_clusters_that_they_are_asked_for_with(api: Api) -> None:
    assert api("reader").post("machineclasses", json={"id": "kit"}).status_code == 403
    assert api("operator", clusters=["prod-*"]).get("auth/whoami").json()["token"]["clusters"] == ["prod-*"]
    assert api(None).get("machineclasses").status_code == 401


def test_an_object_that_is_put_into_omni_is_read(api: Api, omni: EmbeddedOmni) -> None:
    omni.put(CLASSES, "put-by-the-kit", {"match_labels": ["a = b"]})
    # Past the cache, which learns of the object a moment later.
    answer = api("reader").get("machineclasses/put-by-the-kit", headers={"Cache-Control": "no-cache"})
    assert answer.json()["match_labels"] == ["a = b"]


def test_a_fresh_omni_has_nothing_of_the_shared_one(omni: EmbeddedOmni, fresh_omni: EmbeddedOmni) -> None:
    omni.put(CLASSES, "shared", {})
    assert (omni.spec(CLASSES, "shared"), fresh_omni.spec(CLASSES, "shared")) == ({}, None)


def test_a_fault_of_omni_is_what_callers_see(api: Api, faults: Faults) -> None:
    faults.add(pb.Rule(method="*/Get", error=pb.Error(code=14, message="away")))
    answer = api("reader").get("machineclasses/any", headers={"Cache-Control": "no-cache"})
    assert answer.status_code in (502, 503)
