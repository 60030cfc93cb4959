"""Which machines a list is about."""

from __future__ import annotations

from typing import Any

import pytest

from omni_gateway.model import label_names
from omni_gateway.omni import selectors
from omni_gateway.sdk import ListQuery, Resource
from omni_gateway.sdk.omni import types
from resources.machine.join import Machine, join
from resources.machine.selection import FILTERS, chosen, selectors_for_statuses


def machine(labels: dict[str, str] | None = None, *, connected: bool = True, reported: bool = True) -> Machine:
    spec = {"network": {"hostname": "Talos-Abc", "addresses": ["10.0.0.5/24"]}, "cluster": "c1"}
    status = Resource("m1", spec, labels or {}) if reported else None
    return join(Resource("m1", {"connected": connected, "management_address": "fd00::1"}), status, None, None)


def query(selector: str = "", **members: Any) -> ListQuery:
    return ListQuery(selector=selectors.parse(selector) if selector else None, **members)


@pytest.mark.parametrize("text", ["m1", "abc", "TALOS", "10.0.0.5", "fd00", "c1"])
def test_search_looks_at_id_host_name_cluster_and_addresses(text: str) -> None:
    assert chosen(query(search=text), machine())
    assert not chosen(query(search=text + "?"), machine())


def test_a_machine_that_has_not_reported_fulfils_what_asks_for_no_label() -> None:
    assert chosen(query("!rack"), machine(reported=False))
    assert chosen(query("rack!=r1"), machine(reported=False))
    assert not chosen(query("rack"), machine(reported=False))


@pytest.mark.parametrize("connected", [True, False])
def test_connection_is_the_machine_s_own(connected: bool) -> None:
    matches = next(each.matches for each in FILTERS if each.name == "connected")
    assert matches is not None
    assert matches(machine(connected=connected), connected)
    assert not matches(machine(connected=connected), not connected)


@pytest.mark.parametrize("selector", ["rack=r1", "rack in (r1,r2)", "rack", "rack,!row"])
def test_omni_selects_where_only_reported_machines_can_be_meant(selector: str) -> None:
    assert selectors_for_statuses(query(selector)) == [selectors.parse(selector).to_omni()]


@pytest.mark.parametrize("selector", ["", "!rack", "rack!=r1", "rack notin (r1)"])
def test_omni_selects_nothing_where_an_unreported_machine_may_be_meant(selector: str) -> None:
    assert selectors_for_statuses(query(selector)) == []


def test_names_of_omni_are_spelt_as_omni_spells_them() -> None:
    assert types.MACHINE_STATUSES == "MachineStatuses.omni.sidero.dev"
    assert label_names.control_planes("c1") == "c1-control-planes"
