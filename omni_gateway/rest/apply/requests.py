"""Apply objects as the current caller: ``POST /apply`` and plugins write by the same plan, checks and order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import request

from omni_gateway.http.changed_fields import note_documents
from omni_gateway.model.resource import Resource
from omni_gateway.omni import deadline
from omni_gateway.rest.any_type.catalogue import Catalogue, current_catalogue
from omni_gateway.rest.apply.documents import document_of, named
from omni_gateway.rest.apply.outcomes import Outcome
from omni_gateway.rest.apply.plan import Plan
from omni_gateway.rest.apply.write import write_all_or_nothing, write_each
from omni_gateway.rest.apply.writer import CallerWriter, GatewayWriter
from omni_gateway.rest.gateway import Gateway, current_gateway

#: Additional time of an apply for each object: with a slow Omni, one may need a few calls of 100 ms each.
SECONDS_PER_OBJECT = 1.0


def apply(
    resources: Sequence[Resource], *, destroy: Sequence[Resource] = (), dry_run: bool = False, atomic: bool = False
) -> list[Outcome]:
    """Write and remove objects of any of Omni's types as the current caller; return an outcome of each, in order.

    The caller's role and clusters are checked for each object, as at the routes of its type. Objects are written in the
    order that Omni requires; an equal one is not written, and locks that an object does not name are kept. Removals
    come after all writes, in the order given, and only if everything was written.

    :param resources: the objects, with labels, annotations and spec as they shall be.
    :param destroy: the objects to remove; the outcome is ``destroyed`` when Omni has accepted that.
    :param dry_run: check everything, write nothing; each outcome has the ``diff`` that would result.
    :param atomic: write nothing if the check of any object fails, and revert earlier writes when one fails.

    What fails is in the outcomes; raises nothing for it.
    """
    keys = [(resource.type, resource.id) for resource in destroy]
    return apply_documents([document_of(each) for each in resources], keys, dry_run=dry_run, atomic=atomic)


def apply_documents(
    documents: Sequence[Any],
    destroy: Sequence[tuple[str, str]] = (),
    *,
    dry_run: bool = False,
    atomic: bool = False,
) -> list[Outcome]:
    """Do what :func:`apply` does with unchecked documents in omnictl's format, and with types and ids of removals."""
    note_documents(request.environ, [*map(named, documents), *destroy])
    deadline.extend(SECONDS_PER_OBJECT * (len(documents) + len(destroy)))
    writer = CallerWriter(current_gateway())
    plan = Plan(writer, current_catalogue(), documents, destroy, dry_run=dry_run, atomic=atomic)
    return _carry_out(plan, dry_run=dry_run, atomic=atomic)


def apply_as_itself(gateway: Gateway) -> Callable[..., list[Outcome]]:
    """Return a function like :func:`apply` that writes as the gateway, for background tasks."""
    writer, catalogue = GatewayWriter(gateway), Catalogue(gateway, gateway.own_omni)

    def write(
        resources: Sequence[Resource], *, destroy: Sequence[Resource] = (), dry_run: bool = False, atomic: bool = False
    ) -> list[Outcome]:
        documents, keys = [document_of(each) for each in resources], [(each.type, each.id) for each in destroy]
        plan = Plan(writer, catalogue, documents, keys, dry_run=dry_run, atomic=atomic)
        return _carry_out(plan, dry_run=dry_run, atomic=atomic)

    return write


def _carry_out(plan: Plan, *, dry_run: bool, atomic: bool) -> list[Outcome]:
    if dry_run:
        for outcome in plan.pending():
            plan.show_changes(outcome)
    elif atomic:
        write_all_or_nothing(plan)
    else:
        write_each(plan)
    return plan.outcomes
