"""Write what a template wants, then remove what it no longer has, in two phases.

Machine sets and members go first, and what else goes only when they are gone, so that no machine is configured anew
while it leaves. That may take minutes: the request waits for a moment, and a background task removes the rest. A record
in the store, one for each cluster, says what the last sync did and what is left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from omni_gateway.sdk import (
    NotFound,
    OmniClient,
    OmniResourceAdapter,
    Operation,
    OperationKind,
    Problem,
    Resource,
    ResourceAdapter,
)
from omni_gateway.sdk.actions import State, current_gateway, current_principal, stages_in_order
from omni_gateway.sdk.adapters import MISSING, find, object_url, update
from omni_gateway.sdk.clusters import member_waits
from omni_gateway.sdk.extensions import PluginContext, Task
from omni_gateway.sdk.omni import Outcome, apply, label_names, refuse_incomplete, types
from resources.clustertemplate.comparison import Comparison, Key

#: :func:`apply`, or what does the same as the gateway itself.
Write = Callable[..., list[Outcome]]

RECORDS = "cluster-template-syncs"
WRITTEN, SETS_GONE, REST_GONE = "objects written", "machine sets and members gone", "everything else gone"
#: How long a request waits for machine sets and members to go: without machines they do so at once.
_WAIT_SECONDS = 1.0
_POLL_SECONDS = 0.05
#: Outcomes that an operation shows.
_MOST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Record:
    """The last sync of a cluster.

    :param first: the machine sets and members that it removed, or that were going already.
    :param rest: what is to be removed once they are gone.
    :param lock: whether the cluster is locked after that.
    :param finished: whether Omni has accepted the removal of ``rest``, and the lock.
    :param by_caller: whether only the next sync removes ``rest``: what a caller with an Omni identity of its own asks
        for is not done with that of the gateway.
    :param results: the outcome of each object.
    :param error: why the rest could not be removed.
    """

    cluster: str
    started: str
    first: Sequence[Key]
    rest: Sequence[Key]
    lock: bool
    finished: bool
    by_caller: bool
    results: Sequence[Mapping[str, Any]]
    error: str = ""

    def to_spec(self) -> dict[str, Any]:
        """Return the record as JSON members."""
        return {
            "started": self.started,
            "first": [list(key) for key in self.first],
            "rest": [list(key) for key in self.rest],
            "lock": self.lock,
            "finished": self.finished,
            "by_caller": self.by_caller,
            "results": list(self.results),
            "error": self.error,
        }


def _read(id: str, spec: Mapping[str, Any]) -> Record:
    first, rest = ([(type, name) for type, name in spec[part]] for part in ("first", "rest"))
    others = {name: spec[name] for name in ("started", "lock", "finished", "by_caller", "results", "error")}
    return Record(cluster=id, first=first, rest=rest, **others)


def planned(comparison: Comparison, *, atomic: bool, write: Write = apply) -> list[Outcome]:
    """Return the outcome that each object would have; nothing is written."""
    outcomes = write(comparison.wanted, destroy=comparison.removed, dry_run=True, atomic=atomic)
    return _with_lock(write, comparison, outcomes, dry_run=True)


def synced(adapter: ResourceAdapter, comparison: Comparison, *, atomic: bool) -> Operation:
    """Write and remove objects; return the operation of what is left. Raises 422 with the outcomes if one failed."""
    if atomic and comparison.removed:
        refuse_incomplete(planned(comparison, atomic=True), dry_run=False)
    by_caller = current_principal().omni is not None
    outcomes, record = _carry_out(apply, adapter.omni, comparison, atomic=atomic, by_caller=by_caller)
    if record is not None:
        _keep(adapter, record)
    refuse_incomplete(outcomes, dry_run=False)
    assert record is not None  # nothing failed
    return _operation(adapter.omni, record)


def as_itself(context: PluginContext, comparison: Comparison) -> Sequence[Outcome]:
    """Write and remove objects as the gateway, and return the outcomes; what is left is removed later."""
    outcomes, record = _carry_out(context.apply, context.omni, comparison, atomic=False, by_caller=False)
    if record is not None:
        _keep(context, record)
    return outcomes


def _carry_out(
    write: Write, omni: OmniClient, comparison: Comparison, *, atomic: bool, by_caller: bool
) -> tuple[list[Outcome], Record | None]:
    """Return the outcomes and the record of a sync; None if something was not written, so that nothing is left."""
    outcomes = write(comparison.wanted, destroy=comparison.first, atomic=atomic)
    if not all(outcome.done for outcome in outcomes):
        return outcomes, None
    finished = _wait_until_gone(omni, comparison.awaited, _WAIT_SECONDS if comparison.rest else 0.0)
    if finished and comparison.rest:
        outcomes += write([], destroy=comparison.rest)
    if finished:
        outcomes = _with_lock(write, comparison, outcomes)
    rest = [(each.type, each.id) for each in comparison.rest]
    results = [outcome.to_dict() for outcome in outcomes[:_MOST_SHOWN]]
    lock = comparison.lock is not None
    return outcomes, Record(comparison.cluster, now(), comparison.awaited, rest, lock, finished, by_caller, results)


def _with_lock(write: Write, comparison: Comparison, outcomes: list[Outcome], **options: Any) -> list[Outcome]:
    """Lock the cluster if the template says so and everything else is written; return the outcomes with that in it."""
    if comparison.lock is None or not all(outcome.done for outcome in outcomes):
        return outcomes
    [locked] = write([comparison.lock], **options)
    cluster = next(outcome for outcome in outcomes if outcome.key == locked.key)
    locked.index = cluster.index
    if locked.done and cluster.action == "created":
        locked.action = cluster.action
    return [locked if outcome is cluster else outcome for outcome in outcomes]


def now() -> str:
    """Return the present time (RFC 3339)."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _wait_until_gone(omni: OmniClient, keys: Sequence[Key], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not _are_gone(omni, keys):
        if time.monotonic() >= until:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _are_gone(omni: OmniClient, keys: Sequence[Key]) -> bool:
    """Return whether no object is left of those that are being removed, and end the removal of one that may go.

    Omni 1.7 ends it by itself only while the call that began it is open, and a gateway that is killed leaves none.
    """
    left = [each for key in keys if (each := find(omni, *key)) is not None]
    for each in left:
        if each.tearing_down and not each.finalizers:
            OmniResourceAdapter(each.type).bind(omni).delete(each)
    return not left


def _present(omni: OmniClient, keys: Sequence[Key]) -> list[Key]:
    return [key for key in keys if find(omni, *key) is not None]


def _keep(holder: ResourceAdapter | PluginContext, record: Record) -> None:
    documents = holder.store.documents
    while not documents.create(RECORDS, record.cluster, record.to_spec(), {}, {}):
        present = documents.find(RECORDS, record.cluster)
        if present is not None and documents.replace(
            RECORDS, record.cluster, present.version, record.to_spec(), {}, {}
        ):
            return


def _operation(omni: OmniClient, record: Record) -> Operation:
    sets_gone = not _present(omni, record.first)
    rest_gone = sets_gone and not _present(omni, record.rest)
    state: State = "failed" if record.error else "succeeded" if rest_gone else "running"
    labels = label_names.LABEL_CLUSTER, record.cluster
    hint = ""
    if sets_gone and record.by_caller and not record.finished and (record.rest or record.lock):
        hint = "Send the sync again: what is left is removed with your own Omni identity."
    return Operation(
        SYNC.name,
        record.cluster,
        state,
        "Everything is as the template says." if state == "succeeded" else _what_is_left(record),
        record.error,
        object_url("clusters", record.cluster),
        {"results": list(record.results)},
        started=record.started,
        stages=stages_in_order([(WRITTEN, True), (SETS_GONE, sets_gone), (REST_GONE, rest_gone)], state),
        waiting_for=[] if sets_gone else member_waits.leaving_members(omni, *labels),
        hint=hint,
    )


def _what_is_left(record: Record) -> str:
    keys = [*record.first, *record.rest]
    names = ", ".join(f"{type.partition('.')[0]} {id!r}" for type, id in keys[:5])
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return f"Being removed: {names}{more}."


def _read_operation(omni: OmniClient, id: str) -> Operation:
    document = current_gateway().store.documents.find(RECORDS, id)
    if document is None:
        raise NotFound(id)
    return _operation(omni, _read(id, document.spec))


SYNC = OperationKind(
    "cluster-template-sync",
    _read_operation,
    "The last sync of a cluster with a template; `succeeded` when what the template no longer has is gone",
)


def finish(context: PluginContext) -> None:
    """Remove what syncs have left until their machine sets and members are gone."""
    for document in context.store.documents.list(RECORDS):
        record = _read(document.id, document.spec)
        if record.finished or record.by_caller or not _are_gone(context.omni, record.first):
            continue
        errors = [error for key in record.rest if (error := _removal_error(context.omni, record.cluster, key))]
        if record.lock and not errors:
            _lock(context.omni, record.cluster)
        spec = {**document.spec, "finished": True, "error": errors[0] if errors else ""}
        context.store.documents.replace(RECORDS, document.id, document.version, spec, {}, {})


def _lock(omni: OmniClient, cluster: str) -> None:
    """Lock a cluster, if it is still there."""

    def locked(existing: Resource) -> Resource:
        return replace(existing, annotations={**existing.annotations, label_names.ANNOTATION_CLUSTER_LOCKED: ""})

    with suppress(*MISSING):
        update(OmniResourceAdapter(types.CLUSTERS).bind(omni), cluster, locked)


def _removal_error(omni: OmniClient, cluster: str, key: Key) -> str:
    """Remove an object of a cluster; return why Omni refuses it, empty if it does not."""
    type, id = key
    existing = find(omni, type, id)
    if existing is None or existing.labels.get(label_names.LABEL_CLUSTER, cluster) != cluster:
        return ""
    try:
        OmniResourceAdapter(type).bind(omni).delete(existing)
    except Problem as problem:
        return f"{type} {id!r} could not be removed: {problem.detail}"
    return ""


FINISH = Task("finish-syncs", finish, per="deployment", every=2.0)
