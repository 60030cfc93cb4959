"""Host names in the place of machines' ids: ``/machines/worker-3``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from itertools import islice
from typing import Any
from urllib.parse import quote

from flask import Response, current_app, has_request_context, request
from marshmallow import fields

from omni_gateway.http.problems import Problem
from omni_gateway.model.label_names import LABEL_CLUSTER_MACHINE, LABEL_MACHINE
from omni_gateway.model.lookup import find
from omni_gateway.model.omni_objects import resources_of
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, types
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.errors import MISSING
from omni_gateway.rest.gateway import READING, current_gateway
from omni_gateway.rest.links import object_url

#: The plugin whose objects the names stand for; without it there are no names.
MACHINES = "machines"
#: Candidates that the problem of an ambiguous name lists.
MOST_CANDIDATES = 20
#: Ids of machines have this form, with few exceptions; a host name of this form is not looked up.
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: Methods whose responses represent the object of the URL.
_REPRESENTED = READING | {"PUT", "PATCH"}


def machine_id(name: str) -> str:
    """Return the id of the machine that a caller means: of the one with this id, else of the one with this host name.

    Returns ``name`` itself if there is no such machine. Machines that the caller may not read do not count. Raises 409
    with the candidates if several machines have the name.

    Host names are read from the informer of the machines' statuses; a write reads them again from Omni.
    """
    if _UUID.fullmatch(name):
        return name
    gateway = current_gateway()
    machines = gateway.plugins.get(MACHINES)
    if machines is None:
        return name
    adapter = gateway.reading(machines.adapter)
    if _is_readable(adapter, name):
        return name
    confirmed = _readable_by_name(adapter, gateway.reader, name)
    if request.method not in READING:
        confirmed = (id for id in confirmed if _hostname(find(gateway.omni, types.MACHINE_STATUSES, id)) == name)
    found = list(islice(confirmed, MOST_CANDIDATES))
    if len(found) > 1:
        raise _ambiguous(name, found)
    return found[0] if found else name


class MachineId(fields.String):
    """The id of a machine in a body; a host name becomes the id, see :func:`machine_id`."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        return machine_id(text) if has_request_context() and text else text


def with_machine_ids(labels: dict[str, str]) -> dict[str, str]:
    """Return labels in which those that name a machine have its id."""
    named = {label: labels[label] for label in (LABEL_CLUSTER_MACHINE, LABEL_MACHINE) if labels.get(label)}
    return {**labels, **{label: machine_id(name) for label, name in named.items()}} if named else labels


def by_machine_name(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a view that is called with a machine's id where its URL has the host name.

    Its response names the URL with the id in ``Content-Location``. Apply it below the response cache: a stored response
    then depends on all that the name was looked up in.
    """

    @wraps(view)
    def named(*args: Any, id: str, **path: Any) -> Any:
        machine = machine_id(id)
        if machine == id:
            return view(*args, id=id, **path)
        assert request.view_args is not None and request.url_rule is not None
        request.view_args["id"] = machine  # the audit names the machine, not what it was called
        response: Response = current_app.make_response(view(*args, id=machine, **path))
        if request.method in _REPRESENTED:
            response.headers["Content-Location"] = request.url_rule.rule.replace("<id>", quote(machine, safe=""))
        return response

    return named


def _readable_by_name(adapter: ResourceAdapter, omni: OmniClient, name: str) -> Iterator[str]:
    """Yield the ids of the machines with a host name that the caller may read."""
    for status in resources_of(omni.resources.list(types.MACHINE_STATUSES)):
        if status.derived("hostname", _hostname) == name and _is_readable(adapter, status.id):
            yield status.id


def _is_readable(adapter: ResourceAdapter, id: str) -> bool:
    try:
        adapter.get(id)
    except MISSING:
        return False
    return True


def _hostname(status: Resource | None) -> str:
    """Return the host name that a machine has reported; empty if there is none."""
    network = status.spec.get("network") if status is not None else None
    return str((network or {}).get("hostname") or "")


def _ambiguous(name: str, ids: list[str]) -> Problem:
    candidates = [{"id": id, "url": object_url(MACHINES, id)} for id in ids]
    return Problem(
        409,
        "ambiguous-name",
        f"Several machines have the host name {name!r}.",
        hint="Use the id of one of the `candidates`.",
        extra={"candidates": candidates},
    )
