"""The client's other services against the embedded Omni."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import orjson
import pytest

from omni_gateway.omni import OmniClient, OmniConfig, errors
from omni_gateway.simulator.embedded import RunningSimulator
from tests.omni_client.scripted_omni import make_key


@pytest.fixture
def omni(simulator: RunningSimulator) -> Iterator[OmniClient]:
    with OmniClient(OmniConfig(simulator.endpoint, simulator.key)) as client:
        yield client


def test_validation_speaks_before_anything_is_written(omni: OmniClient) -> None:
    omni.management.validate_config("machine: {}")
    with pytest.raises(errors.InvalidArgument):
        omni.management.validate_config("machine: [")


def test_a_machine_that_is_not_there_is_not_found(omni: OmniClient) -> None:
    with pytest.raises(errors.NotFound):
        omni.machines.version("00000000-0000-0000-0000-000000000000")


def test_access_files_are_yaml(omni: OmniClient) -> None:
    assert b"apiVersion" in omni.management.kubeconfig("any-cluster")
    assert b"contexts" in omni.management.talosconfig("any-cluster")
    assert b"contexts" in omni.management.omniconfig()


def test_a_service_account_made_here_can_call_and_is_gone_when_destroyed(
    omni: OmniClient, simulator: RunningSimulator
) -> None:
    name = f"ci-{secrets.token_hex(4)}"
    key = make_key(name)
    key_id = omni.management.create_service_account(name, str(key.certificate), role="Reader")
    with OmniClient(OmniConfig(simulator.endpoint, key.text)) as account:
        account.ping()
        (listed,) = [known for known in omni.management.list_service_accounts() if known.name == name]
        assert (listed.role, [known.id for known in listed.keys]) == ("Reader", [key_id])
        assert key_id == account.identity.fingerprint
        omni.management.destroy_service_account(name)
        with pytest.raises(errors.CredentialRefused):
            account.ping()


def test_a_machine_says_what_it_runs_and_what_it_logged(omni: OmniClient) -> None:
    (machine, *_) = omni.resources.list(
        "MachineStatuses.omni.sidero.dev", selectors=["omni.sidero.dev/connected"]
    ).items
    name = machine["metadata"]["id"]
    assert omni.machines.version(name).tag == machine["spec"]["talos_version"]
    with omni.management.machine_logs(name, tail_lines=3) as lines:
        assert all("msg" in orjson.loads(line) for line in lines)


def test_a_support_bundle_ends_in_a_zip(omni: OmniClient) -> None:
    with omni.management.support_bundle("any-cluster", timeout=10) as parts:
        *_, last = parts
    assert isinstance(last, bytes) and last.startswith(b"PK")


def test_the_audit_log_is_for_auditors(omni: OmniClient, simulator: RunningSimulator) -> None:
    with omni.management.read_audit_log() as records:
        assert all(orjson.loads(record.line)["event_type"] for record in records)
    operator = OmniClient(OmniConfig(simulator.endpoint, simulator.make_key("Operator")))
    with operator, operator.management.read_audit_log() as records, pytest.raises(errors.PermissionDenied):
        next(records)
