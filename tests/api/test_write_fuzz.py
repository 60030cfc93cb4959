"""Documents of every type with any JSON value in any field: no 5xx, and a dry run answers what the real run answers.

``make fuzz`` runs 10,000 documents on ``/apply`` and as many on ``/resources/{type}``; the suite a few hundred. The
documents follow from the seed (``FUZZ_SEED``); a failure shows the document and both answers.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from omni_gateway.app import create_app
from omni_gateway.omni import OmniConfig, messages, types
from omni_gateway.omni.messages import Member
from omni_gateway.omni.types import OmniType
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import running_simulator
from omni_gateway.store import Store

from .conftest import NO_RATES, Caller

pytestmark = pytest.mark.slow

DOCUMENTS = int(os.environ.get("FUZZ_DOCUMENTS", "310"))
SEED = int(os.environ.get("FUZZ_SEED", "13"))
TYPES = sorted(item for item in vars(types).values() if isinstance(item, OmniType))
#: Most types are Omni's controllers' own; what users write is drawn as often as all of them together.
WRITABLE = [type for type in TYPES if "create" not in messages.refused_verbs(type)]
SHOWN = 1
#: Omni tries the bucket over the network, which only a real write can do.
TRIED_BY_OMNI = {str(types.ETCD_BACKUP_S3_CONFIGS)}
IDS = ("fuzz-a", "fuzz-b", "fuzz-a-control-planes", "fuzz-a-workers", "access-policy", "")
TEXTS = ("", "x", "a = b", "1.10", "fuzz-a", "fuzz-b", "v1.9.0", "1h", "-1s", "é\u0000", "***", "machine: {}", "Z2c=")
NUMBERS = (0, 1, -1, 3, 77, 2**31, 2**32, 2**53 + 1, -(2**63), 2**64 - 1, 0.5, 1.0, 1e300)
LABELS = (
    "omni.sidero.dev/cluster",
    "omni.sidero.dev/machine-set",
    "omni.sidero.dev/role-worker",
    "omni.sidero.dev/role-controlplane",
    "omni.sidero.dev/cluster-locked",
    "omni.sidero.dev/locked",
    "rack",
    "",
)


@dataclass
class Report:
    """What a run found."""

    documents: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def fail(self, kind: str, sent: Any, dry: Any, real: Any) -> None:
        """Note a failure; only the first ones are shown."""
        self.kinds[kind] += 1
        if self.kinds[kind] <= SHOWN:
            self.failures.append(f"{kind}\n  sent {json.dumps(sent)[:1500]}\n  dry  {dry}\n  real {real}")

    def check(self) -> None:
        """Fail with what was found."""
        print(f"\nseed {SEED}: {self.documents} documents, {dict(sorted(self.statuses.items()))}")
        assert not self.failures, f"{dict(self.kinds)}\n" + "\n".join(self.failures)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """A caller of a gateway and an Omni of this module's own, for what is written stays."""
    with running_simulator(fleet=4, speed=60, db=None) as simulator:
        omni = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
        configured = Settings(omni=omni, state_dir=tmp_path_factory.mktemp("write-fuzz"), **NO_RATES)
        app = create_app(configured)
        token = Store(configured.database_url).tokens.create("fuzz", "admin", None)[1]
        yield Caller(app.test_client(), token)


class Documents:
    """Makes documents: mostly of the right shape, with a wrong value here and there."""

    def __init__(self, seed: int, api: Caller) -> None:
        self.random = random.Random(seed)
        talos = api.get("talos-versions?sort=-id&page_size=1").json[0]
        # Versions that go together, so that some of the clusters can be.
        self.texts = [*TEXTS, *[talos["id"]] * 4, *[talos["compatible_kubernetes_versions"][-1]] * 4]

    def type(self) -> OmniType:
        return self.random.choice(TYPES if self.random.random() < 0.5 else WRITABLE)

    def any_value(self, depth: int = 0) -> Any:
        """Return any JSON value."""
        choice = self.random.randrange(7 if depth < 2 else 5)
        if choice == 0:
            return None
        if choice == 1:
            return self.random.choice((True, False))
        if choice == 2:
            return self.random.choice(NUMBERS)
        if choice in (3, 4):
            return self.random.choice(self.texts)
        if choice == 5:
            return [self.any_value(depth + 1) for _ in range(self.random.randrange(3))]
        return {self.random.choice(TEXTS): self.any_value(depth + 1) for _ in range(self.random.randrange(3))}

    def spec(self, type: str, wrong: float) -> Any:
        message = messages.message_of(type)
        if type in TRIED_BY_OMNI:
            return {}
        if message is None or self.random.random() < wrong / 4:
            return self.any_value()
        return self.message(message, wrong, 0)

    def message(self, message: str, wrong: float, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, member in messages.members(message).items():
            if self.random.random() < (0.6 if depth == 0 else 0.4):
                spelled = name.replace("_", "") if self.random.random() < 0.2 else name
                result[spelled] = (
                    self.any_value() if self.random.random() < wrong else self.member(member, wrong, depth)
                )
        if self.random.random() < wrong / 4:
            result["no_such_member"] = self.any_value()
        return result

    def member(self, member: Member, wrong: float, depth: int) -> Any:
        number = self.random.randrange(3)
        if member.many:
            return [self.one(member.type, wrong, depth) for _ in range(number)]
        if member.keyed:
            return {str(self.random.randrange(9)): self.one(member.type, wrong, depth) for _ in range(number)}
        return self.one(member.type, wrong, depth)

    def one(self, type: str, wrong: float, depth: int) -> Any:
        if messages.is_message(type):
            return self.message(type, wrong, depth + 1) if depth < 4 else {}
        if type.startswith("enum "):
            names = messages.enum(type)
            return self.random.choice([*names, *names.values()])
        return self.random.choice(
            {
                "string": self.texts,
                "bool": (True, False),
                "double": (0, 1, 0.5),
                "bytes": ("", "Z2c=", [], [1, 2]),
                "google.protobuf.Duration": ("1h", "90s", {"seconds": 3600, "nanos": 0}, {"seconds": 60}),
                "google.protobuf.Timestamp": ("2026-08-21T10:00:00Z", {"seconds": 1795728858, "nanos": 0}),
            }.get(type, (0, 1, 3, "3"))
        )

    def pairs(self, wrong: float) -> Any:
        if self.random.random() < wrong / 4:
            return self.any_value()
        keys = self.random.sample(LABELS, self.random.randrange(3))
        return {
            key: self.any_value() if self.random.random() < wrong else self.random.choice(("", "fuzz-a", "fuzz-b"))
            for key in keys
        }

    def wrongness(self) -> float:
        return self.random.choice((0.0, 0.0, 0.1, 0.4))

    def id(self) -> Any:
        return f"fuzz-{self.random.randrange(200)}" if self.random.random() < 0.5 else self.random.choice(IDS)

    def document(self) -> dict[str, Any]:
        """Return a document for ``/apply``."""
        type, wrong = self.type(), self.wrongness()
        metadata: dict[str, Any] = {"type": str(type), "id": self.id()}
        if self.random.random() < wrong / 4:
            metadata[self.random.choice(("type", "id", "namespace", "labels", "annotations"))] = self.any_value()
        for name in ("labels", "annotations"):
            if self.random.random() < 0.4:
                metadata[name] = self.pairs(wrong)
        return {"metadata": metadata, "spec": self.spec(str(type), wrong)}

    def body(self, type: OmniType) -> dict[str, Any]:
        """Return a body for ``/resources/{type}``."""
        wrong = self.wrongness()
        body = {"id": self.id(), "spec": self.spec(str(type), wrong)}
        for name in ("labels", "annotations"):
            if self.random.random() < 0.4:
                body[name] = self.pairs(wrong)
        return body


def outcome(problem: Any) -> Any:
    """Return what a dry run and a real run must agree on of a problem."""
    return None if not problem else (problem["status"], problem["code"], sorted(problem.get("errors") or ()))


def applied(answer: Any) -> Any:
    body = answer.json
    if "results" not in body:
        return answer.status_code, outcome(body)
    return answer.status_code, [(item["action"], outcome(item.get("problem"))) for item in body["results"]]


def as_yaml(documents: list[Any]) -> str:
    return str(yaml.safe_dump_all(documents, allow_unicode=False))


def test_apply_answers_alike_in_a_dry_run_and_for_real(api: Caller) -> None:
    made, report = Documents(SEED, api), Report()
    while report.documents < DOCUMENTS:
        documents = [made.document() for _ in range(made.random.randrange(1, 4))]
        query = made.random.choice(("", "", "&atomic=true"))
        options: dict[str, Any] = {"json": documents}
        if made.random.random() < 0.5:
            options = {"data": as_yaml(documents), "headers": {"Content-Type": "application/yaml"}}
        dry = api.post(f"apply?dry_run=true{query}", **options)
        real = api.post(f"apply?{query.removeprefix('&')}", **options)
        report.documents += len(documents)
        compare(report, documents, dry, real, applied)
    report.check()


def test_resources_answer_alike_in_a_dry_run_and_for_real(api: Caller) -> None:
    made, report = Documents(SEED + 1, api), Report()
    while report.documents < DOCUMENTS:
        type = made.type()
        body = made.body(type)
        method = made.random.choice(("post", "post", "put", "patch"))
        path = f"resources/{type}" if method == "post" else f"resources/{type}/{body['id'] or 'none'}"
        send: Callable[..., Any] = getattr(api, method)
        dry, real = send(f"{path}?dry_run=true", json=body), send(path, json=body)
        report.documents += 1
        compare(report, [method, path, body], dry, real, answered)
    report.check()


def answered(answer: Any) -> Any:
    success = answer.status_code < 400
    return (None if success else answer.status_code), (None if success else outcome(answer.json))


def compare(report: Report, sent: Any, dry: Any, real: Any, read: Callable[[Any], Any]) -> None:
    """Note a 5xx, and answers that differ in status, outcome or the fields that they name."""
    for answer in (dry, real):
        report.statuses[str(answer.status_code)] += 1
        if answer.status_code >= 500:
            report.fail("5xx", sent, dry.text[:600], real.text[:600])
            return
    if read(dry) != read(real):
        about = (
            sent[1].split("/")[1]
            if isinstance(sent[0], str)
            else ", ".join(str(one["metadata"]["type"])[:99] for one in sent)
        )
        report.fail(f"disagreement about {about}", sent, dry.text[:900], real.text[:900])
