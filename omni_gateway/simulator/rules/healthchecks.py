"""Rules of KubernetesHealthChecks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni_gateway.simulator.documents import strict_yaml
from omni_gateway.simulator.documents.strict_yaml import Records
from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.documents import documents
from omni_gateway.simulator.rules.durations import seconds
from omni_gateway.simulator.state.resource import Resource

_RUNNER = "omni-healthcheck-"
_LONGEST_NAME = 253
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# Only as far as a text is recognisable as a manifest.
_JOB: Records = {
    "job": {"metadata": "metadata", "spec": "spec", "apiVersion": "string", "kind": "string", "status": "any"},
    "metadata": {"name": "string", "namespace": "string", "labels": "{}string", "annotations": "{}string"},
    "spec": {"template": "template", "backoffLimit": "int32", "activeDeadlineSeconds": "int64"},
    "template": {"metadata": "metadata", "spec": "{}any"},
}
_SHORTEST_INTERVAL = 5.0


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check id, job and interval."""
    runner = _RUNNER + new.id
    if len(runner) > _LONGEST_NAME or not all(_DNS_LABEL.fullmatch(part) for part in runner.split(".")):
        yield f"the id makes no name of a Kubernetes job: {runner[:80]!r} is no DNS name"
    yield from _job(new.spec.get("job") or "")
    if 0 < seconds(new.spec.get("interval")) < _SHORTEST_INTERVAL:
        yield f"the interval must be {_SHORTEST_INTERVAL:g} seconds or more"


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


def _job(text: str) -> Iterator[str]:
    """Yield why a manifest is no job; keys that Kubernetes does not know are no problem."""
    if not text:
        yield "the job is missing"
        return
    for node in list(documents(text))[:1]:
        if isinstance(node, str):
            yield node
        else:
            found = strict_yaml.check(node, "job", _JOB)
            yield from (f"the job: {problem}" for problem in found if not problem.text.startswith("is "))


RULES = Rules("KubernetesHealthChecks.omni.sidero.dev", create, update)
