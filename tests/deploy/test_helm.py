"""The Helm chart, by the real helm: it renders what Kubernetes takes, and refuses values that are wrong in words."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from omni_gateway.server.application import GRACEFUL_SECONDS
from omni_gateway.settings import Settings
from tests.deploy import kubernetes_schemas, tools, values_schema

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "omni-gateway"
CONFIGURATIONS = sorted((CHART / "ci").glob("*.yaml"))
LEAST, POSTGRESQL = CONFIGURATIONS[:2]
HELM, KUBECONFORM = tools.command("helm"), tools.command("kubeconform")
CUSTOM = [tools.SCHEMAS / Path(module).name for module in tools.CUSTOM_RESOURCES]

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.skipif(HELM is None, reason="helm is missing: `make test-deploy` builds it where there is Go"),
]
each_configuration = pytest.mark.parametrize("values", CONFIGURATIONS, ids=lambda path: path.stem)


def helm(*arguments: str | Path, **values: Any) -> subprocess.CompletedProcess[str]:
    """Run helm with the chart; ``values`` are added to those of the arguments."""
    command = [str(HELM), *map(str, arguments), "--values", "/dev/stdin"]
    return subprocess.run(command, input=yaml.safe_dump(values), capture_output=True, text=True, timeout=60)


def rendered(configuration: Path = LEAST, *, upgrade: bool = False, **values: Any) -> str:
    hooks = ["--is-upgrade"] if upgrade else []
    ran = helm("template", "omni", CHART, "--namespace", "gateways", "--values", configuration, *hooks, **values)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def manifests(*arguments: Any, **values: Any) -> Mapping[str, Any]:
    """Return the rendered objects by their kinds; there is one of each."""
    return {each["kind"]: each for each in yaml.safe_load_all(rendered(*arguments, **values)) if each}


def container_of(workload: Mapping[str, Any]) -> Mapping[str, Any]:
    [container] = workload["spec"]["template"]["spec"]["containers"]
    return dict(container)


def environ_of(workload: Mapping[str, Any]) -> Mapping[str, str]:
    return {each["name"]: each["value"] for each in container_of(workload)["env"] if "value" in each}


def validated(text: str, schemas: Sequence[Path]) -> subprocess.CompletedProcess[str]:
    if KUBECONFORM is None:
        pytest.skip("kubeconform is missing: `make test-deploy` builds it where there is Go")
    if missing := [folder.name for folder in schemas if not folder.exists()]:
        pytest.skip(f"the schemas of {', '.join(missing)} are missing: `make test-deploy` gets them where there is Go")
    locations = [f"-schema-location={folder}/{kubernetes_schemas.LOCATION}" for folder in schemas]
    command = [KUBECONFORM, "-strict", "-summary", *locations]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)


@each_configuration
def test_lint_has_nothing_to_say(values: Path) -> None:
    ran = helm("lint", "--strict", CHART, "--values", values)
    assert "0 chart(s) failed" in ran.stdout, ran.stdout
    assert "[WARNING]" not in ran.stdout


@pytest.mark.parametrize("version", tools.KUBERNETES)
@each_configuration
def test_kubernetes_takes_all_that_is_rendered(values: Path, version: str) -> None:
    text = rendered(values, upgrade=True)
    ran = validated(text, [tools.SCHEMAS / version, *CUSTOM])
    assert ran.returncode == 0, ran.stdout
    assert "Invalid: 0, Errors: 0, Skipped: 0" in ran.stdout


def test_a_field_that_kubernetes_does_not_know_would_be_found() -> None:
    text = rendered().replace("readOnlyRootFilesystem", "readonlyRootFilesystem")
    ran = validated(text, [tools.SCHEMAS / tools.KUBERNETES[-1]])
    assert ran.returncode == 1
    assert "readonlyRootFilesystem" in ran.stdout


def test_the_gateway_reads_each_setting_as_it_was_written() -> None:
    """Every setting, with a value of its own where that is any: large numbers, fractions, lists, truth values."""
    defaults = {each.name.removeprefix("OMNI_GATEWAY_"): each.field.default for each in values_schema.variables()}
    values = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in defaults.items()
        if value is not None
    } | {"CACHE_BYTES": 268_435_456, "OMNI_TIMEOUT": 12.5, "CORS_ORIGINS": ["https://a.example", "https://b.example"]}
    environ = environ_of(manifests(settings=values)["Deployment"])
    read = Settings.load({name: value for name, value in environ.items() if name.startswith("OMNI_GATEWAY_")})
    assert read == Settings.load(
        {"OMNI_GATEWAY_BIND": "0.0.0.0:8080", "OMNI_GATEWAY_STATE_DIR": "/var/lib/omni-gateway"}
        | {"OMNI_GATEWAY_CACHE_BYTES": "268435456", "OMNI_GATEWAY_OMNI_TIMEOUT": "12.5"}
        | {"OMNI_GATEWAY_CORS_ORIGINS": "https://a.example,https://b.example"}
    )


@each_configuration
def test_no_secret_is_made_and_no_token_is_mounted(values: Path) -> None:
    made = manifests(values, upgrade=True)
    assert "Secret" not in made
    for kind in {"Deployment", "Job"} & set(made):
        assert made[kind]["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_secrets_are_files_and_not_in_the_environment() -> None:
    deployment = manifests(POSTGRESQL)["Deployment"]
    [volume] = [each for each in deployment["spec"]["template"]["spec"]["volumes"] if each["name"] == "secrets"]
    mounted = {
        (each["secret"]["name"], item["key"]): f"/etc/omni-gateway/secrets/{item['path']}"
        for each in volume["projected"]["sources"]
        for item in each["secret"]["items"]
    }
    environ = environ_of(deployment)
    assert mounted == {
        ("omni-key", "service-account-key"): environ["OMNI_SERVICE_ACCOUNT_KEY_FILE"],
        ("omni-gateway", "store-url"): environ["OMNI_GATEWAY_STORE_URL_FILE"],
        ("omni-gateway", "redis-url"): environ["OMNI_GATEWAY_REDIS_URL_FILE"],
        ("omni-gateway", "bootstrap-token"): environ["OMNI_GATEWAY_BOOTSTRAP_TOKEN_FILE"],
    }


def test_a_sqlite_file_has_one_writer() -> None:
    made = manifests()
    assert made["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}
    assert made["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert "PodDisruptionBudget" not in made  # it would hold up the drain of a node


def test_replicas_over_postgresql_are_replaced_one_by_one() -> None:
    made = manifests(POSTGRESQL)
    assert made["Deployment"]["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert made["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert "PersistentVolumeClaim" not in made


def test_tables_are_brought_up_to_date_before_an_upgrade() -> None:
    job = manifests(POSTGRESQL, upgrade=True)["Job"]
    assert container_of(job)["command"] == ["omni-gateway", "db", "upgrade"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-upgrade"
    assert container_of(job)["image"] == container_of(manifests(POSTGRESQL)["Deployment"])["image"]


@pytest.mark.parametrize("settings", [{"DRAIN": 20}, {"DRAIN": 0.5}, {}])
def test_a_pod_has_time_to_drain_and_to_finish_its_requests(settings: Mapping[str, Any]) -> None:
    deployment = manifests(settings=settings)["Deployment"]
    drain = float(environ_of(deployment)["OMNI_GATEWAY_DRAIN"])
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > drain + GRACEFUL_SECONDS


def test_the_start_has_more_time_than_it_waits_for_the_store() -> None:
    probe = container_of(manifests()["Deployment"])["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > 2 * Settings().store_start_timeout


def test_probes_name_a_host_that_the_gateway_answers_to() -> None:
    container = container_of(manifests(settings={"ALLOWED_HOSTS": [".example.com"]})["Deployment"])
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "example.com"}]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"settings": {"WORKER": 2}}, "additional properties 'WORKER' not allowed"),
        ({"settings": {"WORKERS": "two"}}, "at '/settings/WORKERS': got string, want integer"),
        ({"settings": {"AUTH": "token"}}, "at '/settings/AUTH': got string, want array"),
        ({"settings": {"ALLOWED_HOSTS": ["a,b"]}}, "'a,b' does not match pattern"),
        ({"settings": {"PLUGIN_ERRORS": "ignore"}}, "value must be one of 'stop', 'skip'"),
        ({"settings": {"BOOTSTRAP_TOKEN": "x" * 40}}, "additional properties 'BOOTSTRAP_TOKEN' not allowed"),
        ({"settings": {"BIND": "0.0.0.0:80"}}, "additional properties 'BIND' not allowed"),
        ({"image": {"repository": ""}}, "at '/image/repository': minLength"),
        ({"image": {"digest": "latest"}}, "at '/image/digest': 'latest' does not match pattern"),
        ({"omni": {"endpoint": "omni.example.com"}}, "at '/omni/endpoint': 'omni.example.com' does not match pattern"),
        ({"omni": {"keySecret": {"name": ""}}}, "omni.keySecret.name: name the Secret with the key"),
        ({"omni": {"key": "abc"}}, "additional properties 'key' not allowed"),
        ({"replicas": 0}, "at '/replicas': minimum: got 0, want 1"),
        ({"replicas": 2}, "SQLite serves one replica; set store.kind to postgresql for more"),
        ({"store": {"kind": "mysql"}}, "value must be one of 'sqlite', 'postgresql'"),
        ({"store": {"kind": "postgresql"}}, "store.postgresql.urlSecret.name: name the Secret"),
        ({"ingress": {"enabled": True}}, "at '/ingress/hosts': minItems: got 0, want 1"),
        ({"httpRoute": {"enabled": True}}, "httpRoute.parentRefs: name the Gateway"),
        ({"serviceMonitor": {"enabled": True}}, "serviceMonitor.tokenSecret.name: name the Secret"),
        (
            {
                "serviceMonitor": {"enabled": True, "tokenSecret": {"name": "metrics"}},
                "settings": {"ALLOWED_HOSTS": ["api.example.com"]},
            },
            "which settings.ALLOWED_HOSTS refuses",
        ),
        ({"networkPolicy": {"egressPorts": [0]}}, "minimum: got 0, want 1"),
        ({"runAsUser": 0}, "at '/runAsUser': minimum: got 0, want 1"),
    ],
)
def test_wrong_values_are_refused_in_words(values: Mapping[str, Any], words: str) -> None:
    ran = helm("template", "omni", CHART, "--values", LEAST, **values)
    assert ran.returncode != 0
    assert words in ran.stderr
