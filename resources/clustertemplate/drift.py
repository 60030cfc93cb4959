"""Drift: a background task compares kept templates with their clusters, and syncs those that are to be enforced."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from omni_gateway.sdk import Problem, Resource
from omni_gateway.sdk.extensions import Counter, Gauge, PluginContext, Task
from omni_gateway.sdk.omni import OmniError, Outcome, count_outcomes
from resources.clustertemplate import sync
from resources.clustertemplate.adapter import TEMPLATES
from resources.clustertemplate.comparison import Comparison, compare, objects_of
from resources.clustertemplate.content import template_of
from resources.clustertemplate.schemas import DRIFTED, FAILED, MOST_NAMED, NONE

log = logging.getLogger(__name__)

DRIFTED_TEMPLATES = Gauge(
    "drifted", "Kept templates that report or enforce, and whose clusters differ", combination="mostrecent"
)
ENFORCED = Counter("enforced", "Syncs of templates that are enforced", labels=["outcome"])


def follow(context: PluginContext) -> None:
    """Compare each template that reports or enforces, and note what has changed."""
    templates = context.bound(TEMPLATES)
    drifted = 0
    for template in templates.items({}):
        if template.spec["sync"] == "manual":
            continue
        before = template.spec.get("drift") or {"state": ""}
        found = _drift(context, template) or before
        drifted += found["state"] in (DRIFTED, FAILED)
        if found is not before and any(found[name] != before.get(name) for name in ("state", "objects", "error")):
            template.spec["drift"] = {**found, "since": sync.now()}
            # A write of the template that came between is compared the next time.
            context.store.documents.replace(
                TEMPLATES.collection,
                template.id,
                template.version,
                template.spec,
                template.labels,
                template.annotations,
            )
    DRIFTED_TEMPLATES.set(drifted)


def _drift(context: PluginContext, template: Resource) -> dict[str, Any] | None:
    """Return how a cluster differs, after the sync of an enforced one; None while Omni does not answer."""
    try:
        wanted = template_of({"text": template.spec["text"]})
        comparison = compare(context.omni, template.id, objects_of(wanted))
        outcomes = sync.planned(comparison, atomic=False, write=context.apply)
        if template.spec["sync"] == "enforce" and _differ(outcomes) and all(outcome.done for outcome in outcomes):
            return _enforce(context, comparison)
    except OmniError as error:
        log.warning("cluster template %s cannot be compared: %s", template.id, type(error).__name__)
        return None
    except Problem as problem:
        return _found([], problem.detail or problem.code)
    if any(outcome.problem is not None and outcome.problem.status >= 500 for outcome in outcomes):
        return None
    return _found(outcomes)


def _enforce(context: PluginContext, comparison: Comparison) -> dict[str, Any]:
    outcomes = sync.as_itself(context, comparison)
    done = all(outcome.done for outcome in outcomes)
    ENFORCED.inc(outcome="done" if done else "failed")
    log.info("cluster template %s: synced, %s", comparison.cluster, count_outcomes(outcomes))
    return _found([] if done else outcomes)


def _differ(outcomes: Sequence[Outcome]) -> bool:
    return any(outcome.action != "unchanged" for outcome in outcomes)


def _found(outcomes: Sequence[Outcome], error: str = "") -> dict[str, Any]:
    objects: list[Mapping[str, Any]] = [
        {"type": outcome.type, "id": outcome.id, "action": outcome.action}
        for outcome in outcomes
        if outcome.action != "unchanged"
    ]
    problem = next((outcome.problem for outcome in outcomes if outcome.problem), None)
    error = error or (problem.detail or problem.code if problem else "")
    state = FAILED if error else DRIFTED if objects else NONE
    return {"state": state, "objects": objects[:MOST_NAMED], "error": error}


FOLLOW = Task("follow-drift", follow, per="deployment", every=15.0)
