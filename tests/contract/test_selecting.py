"""A list takes what a machine class takes, and picks the same machines: from the cache, and from Omni."""

from __future__ import annotations

import pytest

from omni_gateway.omni import OmniClient

from .conftest import Caller

MEM, CORES = "omni.sidero.dev/mem", "omni.sidero.dev/cores"


@pytest.fixture(scope="module")
def labels(omni: OmniClient) -> dict[str, str]:
    """The labels of one machine."""
    return dict(omni.resources.list("MachineStatuses.omni.sidero.dev").items[0]["metadata"]["labels"])


@pytest.mark.parametrize(
    "text",
    [
        "{mem}>1",
        "{mem} > 1Gi",
        "{mem}<={held_mem}",
        "{mem}<{held_mem}",
        "{cores}>={held_cores}, {cores}",
        "{cores}<1",
        '{mem}="{held_mem}"',
        '{mem} in ("{held_mem}", "a, b")',
        "!{mem}",
        "{mem} in ()",
        "{mem} notin ()",
    ],
)
def test_a_list_picks_the_machines_that_a_class_picks(api: Caller, labels: dict[str, str], text: str) -> None:
    selector = text.format(mem=MEM, cores=CORES, held_mem=labels[MEM], held_cores=labels[CORES])
    picked = api.post("machineclasses/actions/match", json={"match_labels": [selector]}).json["machines"]

    for head in ({}, {"Cache-Control": "no-cache"}):
        query = {"label_selector": selector, "page_size": 1000}
        listed = api.get("machines", query_string=query, headers=head)
        assert listed.status_code == 200, listed.text
        assert sorted(item["id"] for item in listed.json) == picked


def test_a_filter_beside_a_selector_stays_a_condition_of_its_own(api: Caller) -> None:
    query = {"label_selector": 'a="', "cluster": '"'}
    answer = api.get("configpatches", query_string=query)
    assert (answer.status_code, answer.json["code"]) == (422, "bad-selector")
