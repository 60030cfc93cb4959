"""docs/operations/runbooks.md: each command prints what the page says, at gateways to which that has happened."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.proxy import certificate
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.stubs import simulator_faults_pb2 as pb
from tests.deploy.host import RUNBOOKS, Host, Operator, needs_openssl, operator
from tests.e2e.conftest import Served
from tests.services.conftest import before, needs_nginx
from tests.services.conftest import postgresql as postgresql  # a fixture
from tests.services.postgres import PostgreSQL
from tests.services.test_rolling_upgrade import Load, wait_for_writes
from tests.shell import console_steps, section

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(900)]

SECONDS = 90.0
PROVIDER = {
    "id": "corporate",
    "name": "Corporate",
    "issuer_url": "https://login.example.com",
    "client_id": "gateway",
    "role_mapping": {"staff": "reader"},
}
Wait = Callable[..., Any]


def runbook(heading: str) -> str:
    return section(RUNBOOKS, heading)


def parts(heading: str) -> list[str]:
    """Return a runbook's blocks of commands, each for itself."""
    blocks = re.split(r"(?=^ *```console$)", runbook(heading), flags=re.M)
    return [block for block in blocks if list(console_steps(block))]


@pytest.fixture(scope="module")
def omni() -> Iterator[RunningSimulator]:
    """An Omni whose account the runbooks may change."""
    with running_simulator(fleet=4, speed=60) as simulator:
        yield simulator


@pytest.fixture
def make_host(omni: RunningSimulator, tmp_path: Path) -> Callable[..., Host]:
    return lambda name="host", **settings: Host(tmp_path / name, omni, settings)


@contextmanager
def serving(host: Host) -> Iterator[Operator]:
    """Open the shell of an operator at a host whose gateway serves, with an admin's token."""
    with operator(host) as at_host:
        at_host.run("systemctl start omni-gateway\nTOKEN=$(omni-gateway token create me --role admin)")
        yield at_host


@pytest.fixture(scope="module")
def reader(omni: RunningSimulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator at a gateway of the module's, whose store the runbook leaves as it is."""
    with serving(Host(tmp_path_factory.mktemp("shared"), omni, {})) as at_host:
        yield at_host


@pytest.fixture
def own_reader(make_host: Callable[..., Host]) -> Iterator[Operator]:
    """An operator at a gateway of the test's own."""
    with serving(make_host()) as at_host:
        yield at_host


def client(reader: Operator, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"{reader.host.url}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=60, verify=False
    )


def token(reader: Operator, variable: str = "TOKEN") -> str:
    return reader.run(f"echo ${variable}").strip()


def answered(send: Callable[[], httpx.Response]) -> bool:
    """Send a request; return whether it was done, and not refused for the load of the machine."""
    return send().status_code != 503


def audited(admin: httpx.Client, who: str) -> set[int]:
    """Return the statuses of the entries of a caller's requests, but of those that were to be sent again."""
    found = admin.get("audit", params={"who": who})
    return {entry["status"] for entry in found.json()} - {503} if found.status_code == 200 else set()


def test_an_admin_without_a_token_makes_one(reader: Operator) -> None:
    reader.walk(runbook("No admin has a token"))


def test_a_leaked_token_is_revoked_and_what_it_did_is_seen(reader: Operator, wait_until: Wait) -> None:
    reader.run("LEAKED=$(omni-gateway token create ci --role operator)")
    with client(reader, token(reader, "LEAKED")) as thief, client(reader, token(reader)) as admin:
        body = {"id": "leaked", "match_labels": ["omni.sidero.dev/platform = metal"]}
        for send in (partial(thief.post, "machineclasses", json=body), partial(thief.delete, "machineclasses/leaked")):
            wait_until(partial(answered, send), SECONDS, "an answer other than 503")
        wait_until(lambda: audited(admin, "ci") == {201, 204}, SECONDS, "entries of the audit")
        reader.walk(runbook("A token has leaked"))
        names = [item["name"] for item in admin.get("auth/tokens").json()]
    assert "ci" not in names
    assert "ci-2" in names


def test_the_gateways_key_is_replaced(reader: Operator, omni: RunningSimulator) -> None:
    reader.walk(runbook("The gateway's Omni key is to be replaced"))
    old, new = (
        (reader.host.etc / name).read_text().strip()
        for name in ("omni-service-account-key.old", "omni-service-account-key")
    )
    assert old == omni.key != new
    assert (reader.host.etc / "omni-service-account-key").stat().st_mode & 0o777 == 0o600


@needs_openssl
def test_a_certificate_is_replaced_without_a_restart(make_host: Callable[..., Host]) -> None:
    host = make_host()
    certificate(host.etc, days=3)
    certificate(host.etc, "new", days=90)
    with (host.etc / "environment").open("a") as environment:
        environment.write(
            f"OMNI_GATEWAY_TLS_CERT_FILE={host.etc}/tls.crt\nOMNI_GATEWAY_TLS_KEY_FILE={host.etc}/tls.key\n"
        )
    with operator(host) as reader:
        reader.run(f"URL=https://127.0.0.1:{host.port}\nsystemctl start omni-gateway")
        started = reader.run("echo $gateway_pid")
        reader.walk(runbook("A certificate is to be replaced"))
        assert reader.run("echo $gateway_pid; kill -0 $gateway_pid") == started


def test_an_omni_that_is_away_is_waited_for(reader: Operator, omni: RunningSimulator) -> None:
    away, back = parts("Omni is away")
    refused = pb.Rule(connections=pb.Connections(mode=pb.Connections.REFUSED))
    with omni.faults.during(refused):
        reader.run("export CURL_HOME=/nowhere")  # here 503 is the answer
        reader.walk(away)
    reader.run(f"export CURL_HOME={reader.host.folder}")
    reader.walk(back)


def test_a_lost_sqlite_store_is_restored_and_revocations_are_repeated(own_reader: Operator, wait_until: Wait) -> None:
    own_reader.run("KEPT=$(omni-gateway token create kept)\nGONE=$(omni-gateway token create gone)")
    own_reader.run("omni-gateway db backup /backup/gateway.sqlite")
    kept, gone = token(own_reader, "KEPT"), token(own_reader, "GONE")
    with (
        client(own_reader, token(own_reader)) as admin,
        client(own_reader, gone) as revoked,
        client(own_reader, kept) as other,
    ):
        [id] = [item["id"] for item in admin.get("auth/tokens").json() if item["name"] == "gone"]
        assert admin.delete(f"auth/tokens/{id}").status_code == 204
        (own_reader.host.state / "gateway.sqlite").write_bytes(b"damaged" * 10_000)
        own_reader.walk(runbook("The store is lost: SQLite"))
        assert (other.get("auth/whoami").status_code, revoked.get("auth/whoami").status_code) == (200, 401)


@pytest.fixture
def database(postgresql: PostgreSQL) -> Iterator[dict[str, str]]:
    """Variables by which PostgreSQL's programs reach a server with a database ``gateway``."""
    url = postgresql.create("gateway")
    path = f"{postgresql.binaries}:{os.environ['PATH']}"
    yield {"PGHOST": str(postgresql.folder), "PGUSER": "gateway", "PATH": path, "STORE_URL": url}
    for name in ("gateway", "gateway_restored", "gateway_new"):
        postgresql.run("dropdb", "-h", str(postgresql.folder), "-U", "gateway", "--if-exists", "--force", name)


def test_a_lost_postgresql_is_restored(make_host: Callable[..., Host], database: dict[str, str]) -> None:
    with operator(make_host(OMNI_GATEWAY_STORE_URL=database["STORE_URL"]), **database) as reader:
        reader.run("TOKEN=$(omni-gateway token create ci --role admin)\nsystemctl start omni-gateway")
        reader.run("pg_dump --format=custom --file=/backup/gateway.dump gateway")
        reader.walk(runbook("The store is lost: PostgreSQL"))


def test_a_move_to_postgresql_takes_the_providers_along(own_reader: Operator, database: dict[str, str]) -> None:
    exports = "".join(f"export {name}='{value}'\n" for name, value in database.items())
    own_reader.run(exports + "omni-gateway token create ci")
    with client(own_reader, token(own_reader)) as admin:
        assert admin.post("oidc/providers", json=PROVIDER).status_code == 201
        own_reader.walk(runbook("From SQLite to PostgreSQL"))
        assert admin.get("auth/whoami").status_code == 401


def test_a_gateway_starts_without_a_broken_plugin(make_host: Callable[..., Host]) -> None:
    host = make_host()
    packages = host.folder / "packages"
    (packages / "acme_things-9.1.dist-info").mkdir(parents=True)
    (packages / "acme_things.py").write_text("raise RuntimeError('no licence')\n")
    info = packages / "acme_things-9.1.dist-info"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-things\nVersion: 9.1\n")
    (info / "entry_points.txt").write_text("[omni_gateway.resources]\nacme = acme_things:plugin\n")
    with operator(host, PYTHONPATH=str(packages)) as reader:
        reader.walk(runbook("A plugin stops the start"))


@needs_nginx
def test_replicas_are_upgraded_and_no_request_is_lost(
    make_host: Callable[..., Host], database: dict[str, str], wait_until: Wait
) -> None:
    settings = {
        "OMNI_GATEWAY_STORE_URL": database["STORE_URL"],
        "OMNI_GATEWAY_DRAIN": "1",
        "OMNI_GATEWAY_TRUSTED_PROXIES": "1",
    }
    once, each = parts("An upgrade without a lost request")
    with ExitStack() as stack:
        readers = [
            stack.enter_context(operator(make_host(name, **settings), **database)) for name in ("first", "second")
        ]
        for reader in readers:
            reader.run("systemctl start omni-gateway")
        admin = readers[0].run("omni-gateway token create me --role admin").strip()
        port = stack.enter_context(before(*(Served(reader.host.url, {}, None) for reader in readers)))  # type: ignore[arg-type]
        load = Load(port, admin)
        load.start()
        wait_until(lambda: len(load.written) > 5 and load.streams, SECONDS, "some load")
        readers[0].walk(once)
        for reader in readers:
            reader.walk(each)
            wait_for_writes(load, wait_until)
        load.stop()
        wait_until(lambda: set(load.written) <= load.seen, SECONDS, "every write in the watch")
        failed = list(load.failed)
    assert failed == []


def test_every_runbook_is_walked_and_in_the_list() -> None:
    text = RUNBOOKS.read_text()
    headings = re.findall(r"^## (.+)$", text, flags=re.M)
    listed = re.findall(r"^- \[(.+)\]\(#", text, flags=re.M)
    walked = re.findall(r"(?:runbook|parts)\(\"(.+?)\"\)", Path(__file__).read_text())
    assert listed == headings
    assert sorted(walked) == sorted(headings[1:])


def test_a_command_that_prints_something_else_than_the_page_fails(reader: Operator) -> None:
    with pytest.raises(AssertionError, match="instead of\n404"):
        reader.walk("```console\n$ curl -s -o /dev/null -w '%{http_code}' $URL/livez\n404\n```\n")
    with pytest.raises(AssertionError, match="exit code 1"):
        reader.walk("```console\n$ omni-gateway token revoke never-was\nError: there is no token 'never-was'\n```\n")
