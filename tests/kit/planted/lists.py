"""Mistakes in lists."""

from __future__ import annotations

from dataclasses import replace

from omni_gateway.sdk import Listing, ListQuery, Resource
from omni_gateway.sdk.adapters import select

from ..sound import RackAdapter, racks
from .entry import Planted


class NewestFirst(RackAdapter):
    def list(self, query: ListQuery) -> Listing:
        found = super().list(replace(query, offset=0, limit=0)).items
        if not query.sort:
            found = sorted(found, key=lambda item: item.updated or "", reverse=True)
        end = query.offset + query.limit if query.limit else None
        return Listing(found[query.offset : end], len(found))


class Unsorted(RackAdapter):
    def list(self, query: ListQuery) -> Listing:
        return super().list(replace(query, sort=()))


class SortedByNothing(RackAdapter):
    def list(self, query: ListQuery) -> Listing:
        return select(self.items(query.filters), query, frozenset())  # but `sortable` has names


class SelectsNothing(RackAdapter):
    def list(self, query: ListQuery) -> Listing:
        return super().list(replace(query, selector=None))


class FindsEverything(RackAdapter):
    def list(self, query: ListQuery) -> Listing:
        return super().list(replace(query, search=""))


class CountsThePage(RackAdapter):
    def list(self, query: ListQuery) -> Listing:
        items = super().list(query).items
        return Listing(items, len(items))


class Overlapping(RackAdapter):
    def list(self, query: ListQuery) -> Listing:
        # BETWEEN offset AND offset + limit, which takes both ends.
        return super().list(replace(query, limit=query.limit + 1 if query.limit else 0))


class WholePagesOnly(RackAdapter):
    def list(self, query: ListQuery) -> Listing:
        found = super().list(query)
        whole = not query.limit or query.offset == 0 or query.offset + query.limit <= found.total
        return found if whole else Listing([], found.total)


class LimitsToNone(RackAdapter):
    def list(self, query: ListQuery) -> Listing:
        found = super().list(query)
        return found if query.limit else Listing([], found.total)  # LIMIT 0


class BriefInLists(RackAdapter):
    def list(self, query: ListQuery) -> Listing:
        found = super().list(query)
        return Listing([self._brief(item) for item in found.items], found.total)

    def _brief(self, item: Resource) -> Resource:
        return replace(item, spec={name: value for name, value in item.spec.items() if name != "contact"})


class BriefAndSaidToBeWhole(BriefInLists):
    lists_whole_objects = True


unstable_order = racks("unstable-order", NewestFirst)
ignores_the_sort = racks("ignores-the-sort", Unsorted)
refuses_a_documented_sort = racks("refuses-a-documented-sort", SortedByNothing)
ignores_the_selector = racks("ignores-the-selector", SelectsNothing)
ignores_the_search = racks("ignores-the-search", FindsEverything)
wrong_total = racks("wrong-total", CountsThePage)
pages_overlap = racks("pages-overlap", Overlapping)
last_page_is_empty = racks("last-page-is-empty", WholePagesOnly)
no_limit_is_nothing = racks("no-limit-is-nothing", LimitsToNone)
list_shows_less_than_the_object = racks("list-shows-less-than-the-object", BriefInLists)
brief_objects_are_written = racks("brief-objects-are-written", BriefAndSaidToBeWhole)

PLANTED = [
    Planted(
        unstable_order,
        "lists begin with what was written last",
        "lists are ordered by id, so that pages fit together whatever is written meanwhile",
        found_by=("test_a_change_of_an_object_does_not_move_it_in_the_list",),
    ),
    Planted(
        ignores_the_sort,
        "the adapter takes no notice of `query.sort`",
        "`sort` sorts",
        found_by=("test_descending_order_is_ascending_order_reversed",),
    ),
    Planted(
        refuses_a_documented_sort,
        "`list` sorts by other names than those that `sortable` documents",
        "`sort` takes the names that the document gives",
        found_by=("test_a_list_can_be_sorted_by_a_field_that_the_adapter_names[title]",),
    ),
    Planted(
        ignores_the_selector,
        "the adapter takes no notice of `query.selector`",
        "`label_selector` selects",
        found_by=("test_a_selector_finds_the_objects_with_a_label",),
    ),
    Planted(
        ignores_the_search,
        "the adapter takes no notice of `query.search`",
        "`search` finds what has the text in its id",
        found_by=("test_a_search_for_what_is_not_there_finds_nothing",),
    ),
    Planted(
        no_limit_is_nothing,
        "the adapter takes a limit of 0 for none, which means all",
        "`id_matches` finds what has an id that matches",
        found_by=("test_an_expression_finds_the_object_whose_id_it_matches",),
    ),
    Planted(
        wrong_total,
        "the total is that of the page",
        "`X-Pagination` has the number of all that match",
        found_by=("test_the_total_is_the_number_of_objects",),
    ),
    Planted(
        pages_overlap,
        "each page takes the next one's first object as well",
        "each object is on one page, and a page has as many as were asked for",
        found_by=("test_pages_cover_the_list_once_in_its_order",),
    ),
    Planted(
        last_page_is_empty,
        "only whole pages are served",
        "each object is on one page, those of the last page too",
        found_by=("test_the_last_page_has_what_is_left",),
    ),
    Planted(
        list_shows_less_than_the_object,
        "lists leave a field out, to be quick",
        "an object in a list is the object that is got by its id",
        found_by=("test_an_object_in_a_list_is_the_object_that_is_read",),
    ),
    Planted(
        brief_objects_are_written,
        "lists leave a field out, and the adapter says that they have whole objects",
        "a patch of many objects keeps what it does not name",
        found_by=("test_a_patch_of_a_collection_keeps_the_members_that_it_does_not_name",),
    ),
]
