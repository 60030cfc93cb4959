"""Every operation of the document, called with what the document allows and with what it does not.

No answer may be a 5xx, carry a status, media type or header that the document does not name, or a body that its schema
does not allow; what breaks the document's rules must be refused. The examples are the same in each run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from omni_gateway.app import create_app
from omni_gateway.omni import OmniConfig
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import running_simulator
from omni_gateway.store import Store

from .conftest import NO_RATES, Caller

pytestmark = pytest.mark.slow

#: Of each operation in each mode; `make fuzz` takes more.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "1"))
CLUSTER = "fuzzed"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: With the first an answer ends only when the caller goes; the second asks for less than the schema requires.
LEFT_OUT = ("follow", "fields")


@dataclass
class World:
    """A gateway of this module's own, for what the examples remove is gone."""

    document: Any
    api: Caller
    headers: dict[str, str]

    def ids(self) -> dict[str, list[str]]:
        """Return the ids of what is there, by collection."""
        lists = [path for path in self.document.raw_schema["paths"] if path.count("{") == 0]
        found = {}
        for path in lists:
            answer = self.api.get(f"{path}?page_size=3")
            if answer.status_code == 200 and answer.mimetype == "application/json" and isinstance(answer.json, list):
                found[path] = [item["id"] for item in answer.json if "id" in item]
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., Any]) -> Iterator[World]:
    with running_simulator(fleet=12, speed=60, db=None) as simulator:
        omni = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
        # The caller in this test leaves streams for the garbage collector to close.
        configured = Settings(
            omni=omni,
            state_dir=tmp_path_factory.mktemp("fuzz"),
            max_streams=10_000,
            max_streams_per_caller=10_000,
            **NO_RATES,
        )
        app = create_app(configured)
        token = Store(configured.database_url).tokens.create("fuzz", "admin", None)[1]
        document = schemathesis.openapi.from_wsgi("/openapi.json", app)
        api = Caller(app.test_client(), token)
        _make_cluster(api, wait_until)
        _make_examples(api, document.raw_schema)
        yield World(document, api, {"Authorization": f"Bearer {token}"})


def _make_cluster(api: Caller, wait_until: Callable[..., Any]) -> None:
    free = api.get("machines?label_selector=omni.sidero.dev/available&page_size=2").json
    body = {"id": CLUSTER, "control_plane": {"machines": [free[0]["id"]]}, "workers": [{"machines": [free[1]["id"]]}]}
    assert api.post("clusters", json=body).status_code == 201
    wait_until(lambda: api.get(f"operations/cluster-create/{CLUSTER}").json["done"], 30, "the cluster")


def _make_examples(api: Caller, document: dict[str, Any]) -> None:
    """Make one of each kind, as far as the document's own examples stand alone."""
    for path, item in document["paths"].items():
        content = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        if "{" not in path and "/actions/" not in path and "example" in content:
            api.post(path, json=json.loads(json.dumps(content["example"]).replace("my-cluster", CLUSTER)))


def is_removal(method: str, path: str) -> bool:
    return method == "DELETE" or path.endswith(("/destroy", "/reset"))


KINDS: dict[str, Callable[[str, str], bool]] = {
    "reads": lambda method, path: method == "GET",
    "writes": lambda method, path: method != "GET" and not is_removal(method, path),
    "removals": is_removal,
}


def for_each_example(operation: Any, mode: GenerationMode, ids: list[str], use: Callable[[Any], None]) -> None:
    """Call ``use`` with requests of an operation; three in four name an object that is there."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=[Phase.generate],
        database=None,
    )
    @given(case=operation.as_strategy(generation_mode=mode), pick=st.integers(0, 3))
    def call(case: Any, pick: int) -> None:
        if ids and pick and "id" in case.path_parameters:
            case.path_parameters["id"] = ids[pick % len(ids)]
        for name in LEFT_OUT:
            case.query.pop(name, None)
        use(case)

    call()


def is_wrong_as_sent(case: Any) -> bool:
    """Whether what breaks the rules went over the wire: an empty list in a query does not, a credential always does."""
    wrong = {place.value for place, part in case.meta.components.items() if part.mode is GenerationMode.NEGATIVE}
    return bool(wrong - {"query", "header", "cookie"}) or ("query" in wrong and [] not in case.query.values())


def complaint(world: World, case: Any, checks: list[Any]) -> str:
    """Send a request; return what is wrong with the answer, or nothing."""
    answer = case.call(headers=world.headers)
    if not is_wrong_as_sent(case):
        checks = [check for check in checks if check is not negative_data_rejection]
    try:
        case.validate_response(answer, checks=checks)
    except FailureGroup as wrong:
        text = "; ".join(str(failure)[:300] for failure in wrong.exceptions)
        return f"{text} <- {answer.status_code} {answer.text[:300]} <- {case.as_curl_command()[:300]}"
    except Failure as wrong:
        return f"{wrong} <- {answer.status_code} {answer.text[:300]} <- {case.as_curl_command()[:300]}"
    return ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_no_answer_differs_from_the_document(world: World, kind: str, mode: GenerationMode) -> None:
    known = world.ids()
    checks = CHECKS if mode is GenerationMode.POSITIVE else [*CHECKS, negative_data_rejection]
    complaints: dict[str, list[str]] = {}
    for found in world.document.get_all_operations():
        operation = found.ok()
        if KINDS[kind](operation.method.upper(), operation.path):
            texts = complaints.setdefault(operation.label, [])
            ids = known.get(operation.path.split("/{")[0], [])
            for_each_example(
                operation, mode, ids, lambda case, texts=texts: texts.append(complaint(world, case, checks))
            )
    wrong = [f"{label}: {next(filter(None, texts))}" for label, texts in complaints.items() if any(texts)]
    assert not wrong, "\n\n".join(wrong)
    assert len(complaints) > 20
