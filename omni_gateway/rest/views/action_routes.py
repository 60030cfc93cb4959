"""The routes of a plugin's actions and computed documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from omni_gateway.auth import Role
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.openapi.events import STREAMS
from omni_gateway.rest.actions import Action, ComputedDocument
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.operations import OperationSchema
from omni_gateway.rest.parameters import NoQuery, WriteQuery
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.views import actions
from omni_gateway.rest.views.descriptions import paragraphs
from omni_gateway.rest.views.openapi import (
    IF_MATCH,
    IF_NONE_MATCH_WRITE,
    IF_RANGE,
    LAST_EVENT_ID,
    OBJECT_HEADERS,
    PLANNED,
    RANGE,
    STEPPED,
    WRITTEN_HEADERS,
)
from omni_gateway.rest.views.route import Request, Responses, Route

#: Characters of paths that operationIds do not have.
_WORD = str.maketrans("-/.", "___")


def action_route(
    action: Action,
    adapter: ResourceAdapter,
    representation: Representation,
    noun: str,
    parent: ResourceAdapter | None = None,
) -> Route:
    """Return the route of an action; like every declared POST it takes an ``Idempotency-Key``.

    ``noun`` is the end of its operationId, ``parent`` the adapter of its object if that is another plugin's.
    """
    headers: Sequence[str] = ()
    if action.operation is not None:
        answers: dict[int, tuple[Any, str]] = {202: (OperationSchema, "Started"), **PLANNED}
    else:
        answers = {200: (action.answers or representation.schema, "Done")}
        headers = ("Cache-Status",) if action.answers else WRITTEN_HEADERS
    view = actions.action_view(
        adapter,
        representation,
        action.run,
        with_body=action.body is not None,
        operation=action.operation.name if action.operation else "",
        answers=action.answers is not None,
        writes=action.role > Role.READER,
        cluster_independent=action.cluster_independent,
        parent=parent,
    )
    word = action.name.replace("-", "_")
    return Route(
        method="POST",
        rule=f"/actions/{action.name}" if action.on_collection else f"/<id>/actions/{action.name}",
        operation_id=f"{word}_{noun}",
        role=action.role,
        authorized_by_omni=adapter.authorized_by_omni,
        view=idempotent(view, forget=frozenset(action.returned_once), certain=adapter.authorized_by_omni),
        summary=action.summary,
        description=paragraphs(action.description, STEPPED if action.steps else ""),
        request=Request(
            query=action.query(),
            body=action.body() if action.body else None,
            example=action.example,
            headers=[] if action.on_collection else [IF_MATCH, IF_NONE_MATCH_WRITE],
        ),
        responses=Responses(
            answers=answers,
            media_types=STREAMS if action.steps else (action.media_type,) if action.media_type else (),
            line=action.steps() if action.steps else None,
            dry_run=action.role > Role.READER,
            headers={200: headers},
            problems=dict.fromkeys((404, 409, 412), ""),
        ),
    )


def document_route(
    computed: ComputedDocument,
    adapter: ResourceAdapter,
    representation: Representation,
    noun: str,
    parent: ResourceAdapter | None = None,
) -> Route:
    """Return the route of a computed document; as a POST it takes what any declared POST takes.

    ``noun`` is the first part of its operationId after ``get``, ``parent`` the adapter of its object if that is another
    plugin's.
    """
    answer: Any = computed.answers(many=computed.many) if computed.answers else None
    view = actions.computed_view(
        adapter,
        representation,
        computed.run,
        with_body=computed.body is not None,
        writes=computed.role > Role.READER,
        cluster_independent=computed.cluster_independent,
        scoped=computed.scoped,
        conditional=computed.conditional,
        parent=parent,
    )
    word = re.sub(r"[<>:]", "", computed.path).translate(_WORD)
    parts = [part for part in ("" if computed.on_collection else "<id>", computed.path) if part]
    if computed.media_type and not computed.events:
        ranges = ("Accept-Ranges", "ETag") if computed.ranged else ()
        headers: Sequence[str] = ("Content-Disposition", *ranges)
    elif computed.events:
        headers = ()
    else:
        headers = OBJECT_HEADERS if computed.conditional else ("Cache-Status", "Age")
    return Route(
        method="GET" if computed.body is None else "POST",
        rule="".join(f"/{part}" for part in parts),
        operation_id="_".join(part for part in ("get", noun, word) if part),
        role=computed.role,
        authorized_by_omni=adapter.authorized_by_omni,
        view=view if computed.body is None else idempotent(view, certain=adapter.authorized_by_omni),
        summary=computed.summary,
        description=computed.description,
        request=Request(
            query=(computed.query or NoQuery)() if computed.body is None else WriteQuery(),
            body=computed.body() if computed.body else None,
            example=computed.example,
            headers=[LAST_EVENT_ID] if computed.events else [RANGE, IF_RANGE] if computed.ranged else [],
        ),
        responses=Responses(
            answers={200: (None if computed.media_type else answer, computed.summary)}
            | ({206: (None, "The part of it that `Range` names")} if computed.ranged else {}),
            line=answer if computed.media_type else None,
            media_types=STREAMS if computed.events else (computed.media_type,) if computed.media_type else (),
            headers={200: headers, 206: (*headers, "Content-Range") if computed.ranged else ()},
            problems=dict.fromkeys((404, 409, *([410] if computed.events else [416] if computed.ranged else [])), ""),
        ),
        conditional=computed.conditional,
    )
