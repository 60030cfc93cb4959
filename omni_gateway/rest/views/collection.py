"""GET of a collection: a page of objects, or a watch of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from omni_gateway.http import pagination, paths
from omni_gateway.model.query import Listing, ListQuery
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.cache_headers import cache_headers
from omni_gateway.rest.filters import Filter, filtered_list
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.machine_names import machine_id
from omni_gateway.rest.parameters import parse_fields, to_list_query
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.views.responses import tagged_response
from omni_gateway.rest.views.watch import watch_response
from omni_gateway.watch import stream_response


@dataclass(frozen=True, slots=True)
class Collection:
    """The adapter, representation and filters that a list view uses."""

    adapter: ResourceAdapter
    representation: Representation
    filters: Sequence[Filter] = ()

    def answer(self, arguments: Mapping[str, Any], forced: Mapping[str, Any] | None = None) -> Response:
        """Return a page for the current request, or a watch if ``Accept`` names a stream format.

        :param arguments: the parsed query parameters.
        :param forced: filter values from the URL's path; they replace those of the query.
        """
        query = self.query(arguments, forced)
        representation = self.representation.views[arguments["view"]]
        fields = parse_fields(arguments.get("fields"), representation.known_fields)
        adapter = current_gateway().reading(self.adapter)
        media = stream_response.negotiate(request)
        if media is not None:
            return watch_response(adapter, representation, query, media, fields)
        page = filtered_list(adapter, query)
        return _page_response(representation, page, query, arguments, fields)

    def query(self, arguments: Mapping[str, Any], forced: Mapping[str, Any] | None = None) -> ListQuery:
        """Return the adapter's query for the parsed parameters; ``forced``: see :meth:`answer`."""
        for each in self.filters:
            if each.names_machine and each.name in arguments:
                arguments = {**arguments, each.name: machine_id(arguments[each.name])}
        return to_list_query(arguments, self.filters, forced)


def _page_response(
    representation: Representation,
    page: Listing,
    query: ListQuery,
    arguments: Mapping[str, Any],
    fields: tuple[str, ...],
) -> Response:
    head = {**cache_headers(), "Vary": "Accept"}
    head |= pagination.page_headers(
        page=arguments["page"],
        page_size=arguments["page_size"],
        total=page.total,
        path=paths.request_path(),
        args=request.args,
    )
    key = (request.environ["PATH_INFO"], request.environ["QUERY_STRING"])
    rendered = current_gateway().pages.page(key, page, representation, fields)
    # A watch that continues a partial list would miss the objects of the other pages.
    if query.offset == 0 and len(page.items) == page.total:
        head["X-Resume-Point"] = rendered.resume_point
    return tagged_response(rendered.etag, head, lambda: rendered.body)


def list_view(collection: Collection) -> Callable[..., Response]:
    """Return the view that lists or watches a collection."""

    def get(arguments: Mapping[str, Any]) -> Response:
        return collection.answer(arguments)

    return get
