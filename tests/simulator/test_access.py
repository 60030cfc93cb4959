"""Roles beyond the matrix, which is tests/conformance/test_access_matrix.py."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulator.caller import Caller, denied


def test_the_simulators_own_bookkeeping_is_nobodys_to_see(admin: Caller) -> None:
    with denied():
        admin.list("EmulatedMachines.simulator.local", namespace="simulator")


def test_an_infra_provider_reads_machines_and_little_else(call_as: Callable[[str], Caller]) -> None:
    provider = call_as("InfraProvider")

    assert len(provider.ids("Machines")) == 4
    for type_ in ("MachineStatuses", "Clusters"):
        with denied():
            provider.list(type_)
