"""Targets as Prometheus reads them: https://prometheus.io/docs/prometheus/latest/http_sd/."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import Caller
from .discovery_world import MINE, NOW, THEIRS, World, discovery_world, running, served
from .prometheus_server import BINARY, Prometheus, running_prometheus

URL = "discovery/prometheus"
META = "__meta_omni_"
DOCS = Path(__file__).parents[2] / "docs" / "discovery.md"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., Any]) -> Iterator[World]:
    with discovery_world(tmp_path_factory.mktemp("prometheus"), wait_until) as made:
        yield made


def groups(caller: Caller, query: str = "") -> dict[str, Any]:
    """Return the target groups by the machine's id."""
    answer = caller.get(f"{URL}?{query}", headers=NOW)
    assert answer.status_code == 200, answer.text
    found = {group["labels"][f"{META}machine_id"]: group for group in answer.json}
    assert len(found) == len(answer.json)
    return found


def test_the_answer_has_the_form_that_prometheus_requires(world: World) -> None:
    answer = world.reader.get(URL)
    assert answer.headers["Content-Type"] == "application/json"
    assert len(answer.json) == 6
    for group in answer.json:
        assert group.keys() == {"targets", "labels"}
        assert all(re.fullmatch(r"[0-9.]+:50000", target) for target in group["targets"])
        assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in group["labels"])
        assert all(isinstance(value, str) for value in group["labels"].values())


def test_no_targets_are_an_empty_list(world: World) -> None:
    answer = world.reader.get(f"{URL}?cluster=there-is-none")
    assert (answer.status_code, answer.json) == (200, [])


def test_labels_say_what_the_machine_is(world: World) -> None:
    machine = world.machine(world.worker)
    labels = groups(world.reader)[world.worker]["labels"]
    expected = {
        "machine_hostname": machine["hostname"],
        "machine_address": machine["network"]["addresses"][0].partition("/")[0],
        "machine_management_address": machine["management_address"],
        "cluster": MINE,
        "machine_set": f"{MINE}-workers",
        "machine_role": "worker",
        "machine_connected": "true",
        "machine_maintenance": "false",
        "machine_talos_version": machine["talos_version"],
        "machine_platform": machine["platform"],
        "machine_arch": machine["arch"],
    }
    assert {name: labels.get(META + name) for name in expected} == expected


def test_labels_of_users_have_names_that_prometheus_allows(world: World) -> None:
    world.label(world.worker, **{"example.org/rack-id": "7", "spare": ""})
    labels = groups(world.reader)[world.worker]["labels"]
    assert labels[f"{META}machine_label_example_org_rack_id"] == "7"
    assert labels[f"{META}machine_labelpresent_example_org_rack_id"] == "true"
    assert labels[f"{META}machine_labelpresent_spare"] == "true"
    assert [name for name in labels if "omni_sidero_dev" in name] == []


@pytest.mark.parametrize(
    ("query", "port", "members"),
    [
        ("endpoint=talos", 50000, ["control_plane", "worker", "theirs", "free"]),
        ("endpoint=kubelet", 10250, ["control_plane", "worker", "theirs"]),
        ("endpoint=kubernetes", 6443, ["control_plane", "theirs"]),
        ("endpoint=kubelet&port=9100", 9100, ["control_plane", "worker", "theirs"]),
        (f"cluster={MINE}", 50000, ["control_plane", "worker"]),
        ("label_selector=!omni.sidero.dev/cluster", 50000, ["free"]),
        ("connected=true", 50000, ["control_plane", "worker", "theirs", "free"]),
        ("connected=false", 50000, []),
    ],
)
def test_the_query_selects_machines_and_ports(world: World, query: str, port: int, members: list[str]) -> None:
    found = groups(world.reader, query)
    named = {"control_plane": [world.control_plane], "worker": [world.worker], "theirs": [world.theirs]}
    expected = [id for name in members for id in (named | {"free": world.free})[name]]
    assert sorted(found) == sorted(expected)
    assert {target.rpartition(":")[2] for group in found.values() for target in group["targets"]} <= {str(port)}


def test_several_ports_are_several_targets(world: World) -> None:
    group = groups(world.reader, f"cluster={THEIRS}&port=9100,9101")[world.theirs]
    address = group["labels"][f"{META}machine_address"]
    assert group["targets"] == [f"{address}:9100", f"{address}:9101"]


def test_a_management_address_stands_in_brackets(world: World) -> None:
    group = groups(world.reader, "address=management")[world.worker]
    assert group["targets"] == [f"[{world.machine(world.worker)['management_address']}]:50000"]


def test_a_caller_held_to_a_cluster_gets_its_machines_and_free_ones(world: World) -> None:
    assert sorted(groups(world.held)) == sorted([world.control_plane, world.worker, *world.free])
    assert groups(world.held, f"cluster={THEIRS}") == {}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("port=0", "validation"),
        ("port=65536", "validation"),
        ("port=a", "validation"),
        ("port=", "validation"),
        ("port=" + ",".join(["1"] * 17), "validation"),
        ("endpoint=etcd", "validation"),
        ("address=public", "validation"),
        ("label_selector=a=(", "bad-selector"),
        ("clusters=a", "unknown-parameter"),
    ],
)
def test_what_cannot_be_meant_is_refused(world: World, query: str, code: str) -> None:
    answer = world.reader.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_an_unchanged_list_is_a_304_and_a_changed_one_is_not(world: World) -> None:
    first = world.reader.get(URL, headers=NOW)
    tag = first.headers["ETag"]
    assert world.reader.get(URL, headers={"If-None-Match": tag, **NOW}).status_code == 304
    world.label(world.worker, changed="yes")
    answer = world.reader.get(URL, headers={"If-None-Match": tag, **NOW})
    assert (answer.status_code, answer.headers["ETag"] != tag) == (200, True)


def test_a_304_of_one_caller_is_none_of_another_who_may_read_less(world: World) -> None:
    tag = world.reader.get(URL, headers=NOW).headers["ETag"]
    assert world.held.get(URL, headers={"If-None-Match": tag, **NOW}).status_code == 200


class Exporter(BaseHTTPRequestHandler):
    """Answers each scrape with one sample."""

    def do_GET(self) -> None:
        body = b"node_up 1\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: Prometheus scrapes for as long as the test waits."""


def exporters() -> AbstractContextManager[str]:
    """Serve the metrics of all machines on loopback, as an HTTP proxy to them does; gives its address and port.

    There is nothing at the addresses of the simulator's machines.
    """
    return running(ThreadingHTTPServer(("127.0.0.1", 0), Exporter))


def documented_configuration(gateway: str, proxy: str, token: str, folder: Path) -> Any:
    """Return the configuration that docs/discovery.md shows, for machines that are not drained.

    Prometheus waits for an answer no longer than the interval, for discovery and scrapes alike: intervals of a second
    fail on a busy machine.
    """
    (folder / "token").write_text(token)
    authorization = {"type": "Bearer", "credentials_file": str(folder / "token")}
    block = re.search(r"^```yaml\n(scrape_configs:\n.*?)^```$", DOCS.read_text(), flags=re.M | re.S)
    assert block is not None
    configuration = yaml.safe_load(block[1])
    (job,) = configuration["scrape_configs"]
    (discovery,) = job["http_sd_configs"]
    assert discovery["authorization"].keys() == authorization.keys()
    url = discovery["url"].replace("https://gateway.example.com", f"http://{gateway}")
    discovery |= {"url": f"{url}&label_selector=!drained", "authorization": authorization, "refresh_interval": "5s"}
    job |= {"authorization": authorization, "scrape_interval": "5s", "proxy_url": f"http://{proxy}"}
    return configuration


def scraped(prometheus: Prometheus) -> dict[str, Any]:
    """Return the targets that Prometheus reaches, by the machine's id."""
    reached = [target for target in prometheus.targets() if target["health"] == "up"]
    return {target["discoveredLabels"][f"{META}machine_id"]: target for target in reached}


def racks(prometheus: Prometheus) -> dict[str, str | None]:
    """Return the label `rack` of each target that Prometheus reaches, by the machine's id."""
    return {id: target["labels"].get("rack") for id, target in scraped(prometheus).items()}


@pytest.mark.timeout(300)
@pytest.mark.skipif(BINARY is None, reason="prometheus is missing: `make services` installs it")
def test_prometheus_scrapes_the_machines_and_follows_their_changes(
    world: World, tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    expected = groups(world.reader, "endpoint=kubelet&port=9100")
    changed = {world.control_plane: None, world.worker: "7"}
    with served(world.reader.app) as gateway, exporters() as proxy:
        configuration = documented_configuration(gateway, proxy, world.reader.token, tmp_path)
        with running_prometheus(configuration, tmp_path, wait_until) as prometheus:
            wait_until(lambda: scraped(prometheus).keys() == expected.keys(), 120, "the members to be scraped")
            found = scraped(prometheus)
            world.label(world.worker, rack="7")
            world.label(world.theirs, drained="")
            wait_until(lambda: racks(prometheus) == changed, 120, "the changes to reach Prometheus")
    for id, group in expected.items():
        discovered = found[id]["discoveredLabels"]
        assert discovered | group["labels"] | {"__address__": group["targets"][0]} == discovered
    assert found[world.worker]["labels"] == {
        "job": "node-exporter",
        "cluster": MINE,
        "instance": world.machine(world.worker)["hostname"],
    }
