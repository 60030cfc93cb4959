"""Lists: pages, total, order, selectors, search, sort, fields, views."""

from __future__ import annotations

import json
import re
from typing import Any

from omni_gateway.rest.fields import Enum
from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject, problem


def total_of(response: Any) -> int:
    """Return the total that a page names."""
    return int(json.loads(response.headers["X-Pagination"])["total"])


class ListChecks:
    """Promises of ``GET /<collection>``."""

    @needs("list")
    def test_a_list_has_the_objects_that_are_there(self, subject: Subject) -> None:
        several = subject.several
        assert set(several) <= {item["id"] for item in subject.list()}

    @needs("list")
    def test_a_list_has_each_object_once(self, subject: Subject) -> None:
        assert subject.several
        ids = [item["id"] for item in subject.list()]
        assert len(ids) == len(set(ids))

    @needs("list", "get")
    def test_an_object_in_a_list_is_the_object_that_is_read(self, subject: Subject) -> None:
        existing = subject.existing
        found = next(item for item in subject.list() if item["id"] == existing.id)
        assert found == subject.read(existing.url)

    @needs("list")
    def test_the_total_is_the_number_of_objects(self, subject: Subject) -> None:
        assert subject.several
        response = subject.admin.get(subject.collection, params={"page_size": 2})
        assert total_of(response) == len(subject.list())

    @needs("list", "create", "many")
    def test_the_total_grows_by_one_with_a_new_object(self, subject: Subject) -> None:
        before = total_of(subject.admin.get(subject.collection))
        subject.make()
        assert total_of(subject.admin.get(subject.collection)) == before + 1

    @needs("list")
    def test_pages_cover_the_list_once_in_its_order(self, subject: Subject) -> None:
        assert subject.several
        whole = [item["id"] for item in subject.list()]
        size = max(1, min(100, len(whole) // 3))
        pages = [
            [
                item["id"]
                for item in subject.admin.get(subject.collection, params={"page_size": size, "page": page}).json()
            ]
            for page in range(1, -(-len(whole) // size) + 1)
        ]
        assert [id for page in pages for id in page] == whole
        assert all(len(page) <= size for page in pages)

    @needs("list")
    def test_the_last_page_has_what_is_left(self, subject: Subject) -> None:
        assert subject.several
        whole = [item["id"] for item in subject.list()]
        size = min(1000, len(whole) - 1)
        page = -(-len(whole) // size)
        response = subject.admin.get(subject.collection, params={"page_size": size, "page": page})
        assert [item["id"] for item in response.json()] == whole[(page - 1) * size :]

    @needs("list")
    def test_pages_link_to_their_neighbours(self, subject: Subject) -> None:
        assert len(subject.several) > 1
        first = subject.admin.get(subject.collection, params={"page_size": 1})
        second = subject.admin.get(f"{subject.gateway.url}{first.links['next']['url']}")
        back = subject.admin.get(f"{subject.gateway.url}{second.links['prev']['url']}")
        assert "prev" not in first.links
        assert (back.json(), second.json() != first.json()) == (first.json(), True)

    @needs("list")
    def test_a_page_beyond_the_end_is_empty(self, subject: Subject) -> None:
        response = subject.admin.get(subject.collection, params={"page": 1000, "page_size": 1000})
        assert (response.status_code, response.json()) == (200, [])

    @needs("list")
    def test_a_page_size_of_zero_is_refused(self, subject: Subject) -> None:
        refused = problem(subject.admin.get(subject.collection, params={"page_size": 0}), 422, "validation")
        assert "page_size" in refused["errors"]

    @needs("list")
    def test_a_page_size_beyond_the_bound_is_refused(self, subject: Subject) -> None:
        refused = problem(subject.admin.get(subject.collection, params={"page_size": 1001}), 422, "validation")
        assert "page_size" in refused["errors"]

    @needs("list")
    def test_a_list_keeps_its_order_from_call_to_call(self, subject: Subject) -> None:
        assert subject.several
        no_cache = {"Cache-Control": "no-cache"}
        orders = [
            [
                item["id"]
                for item in subject.admin.get(subject.collection, params={"page_size": 1000}, headers=head).json()
            ]
            for head in (None, None, no_cache, no_cache)
        ]
        assert orders == [orders[0]] * 4

    @needs("list", "changeable", "many")
    def test_a_change_of_an_object_does_not_move_it_in_the_list(self, subject: Subject) -> None:
        older = subject.make() if subject.creates else subject.changing
        if subject.creates:
            subject.make()  # the newest may be the first already
        before = [item["id"] for item in subject.list()]
        subject.alter(older.id)
        assert [item["id"] for item in subject.list()] == before

    @needs("list")
    def test_a_list_can_be_sorted_by_id(self, subject: Subject) -> None:
        assert subject.several
        ids = [item["id"] for item in subject.list(sort="id")]
        assert ids == sorted(ids)

    @needs("list")
    def test_descending_order_is_ascending_order_reversed(self, subject: Subject) -> None:
        assert subject.several
        ids = [item["id"] for item in subject.list(sort="id")]
        assert [item["id"] for item in subject.list(sort="-id")] == ids[::-1]

    @needs("list")
    def test_a_list_can_be_sorted_by_a_field_that_the_adapter_names(self, subject: Subject, sort_key: str) -> None:
        assert subject.several
        ascending = subject.list(sort=f"{sort_key},id")
        descending = {item["id"]: item.get(sort_key) for item in subject.list(sort=f"-{sort_key},-id")}
        # What has changed between the two lists, such as when an account was last used, may have moved.
        same = {item["id"] for item in ascending if descending.get(item["id"], ...) == item.get(sort_key)}
        assert same
        assert [item["id"] for item in ascending if item["id"] in same] == [id for id in descending if id in same][::-1]
        # An enum is shown by name and sorted by number.
        if not isinstance(subject.plugin.schema.fields.get(sort_key), Enum):
            values = [item[sort_key] for item in ascending if isinstance(item.get(sort_key), int | float | str)]
            assert values == sorted(values)

    @needs("list")
    def test_sorting_by_an_unknown_field_is_refused(self, subject: Subject) -> None:
        response = subject.admin.get(subject.collection, params={"sort": "no_such_field"})
        assert response.status_code == 422, response.text[:300]
        assert "sort" in response.json()["errors"]

    @needs("list")
    def test_a_search_finds_an_object_by_its_id(self, subject: Subject) -> None:
        existing = subject.existing.id
        assert existing in {item["id"] for item in subject.list(search=existing)}

    @needs("list")
    def test_a_search_for_what_is_not_there_finds_nothing(self, subject: Subject) -> None:
        response = subject.admin.get(subject.collection, params={"search": f"nothing-has-{subject.token}-this"})
        assert (response.json(), total_of(response)) == ([], 0)

    @needs("list")
    def test_an_expression_finds_the_object_whose_id_it_matches(self, subject: Subject) -> None:
        existing = subject.existing.id
        response = subject.admin.get(subject.collection, params={"id_matches": f"^{re.escape(existing)}$"})
        assert ([item["id"] for item in response.json()], total_of(response)) == ([existing], 1)

    @needs("list", "create", "many", "labels")
    def test_a_selector_finds_the_objects_with_a_label(self, subject: Subject) -> None:
        made = subject.labelled
        found = {item["id"] for item in subject.list(label_selector=f"kit-shelf=left-{subject.token}")}
        assert found == {made[0].id}

    @needs("list", "create", "many", "labels")
    def test_a_selector_leaves_out_the_objects_with_a_label(self, subject: Subject) -> None:
        made = subject.labelled
        found = {item["id"] for item in subject.list(label_selector=f"kit-shelf,kit-shelf!=left-{subject.token}")}
        assert (made[0].id in found, made[1].id in found) == (False, True)

    @needs("list", "create", "many", "labels")
    def test_a_selector_takes_a_set_of_values(self, subject: Subject) -> None:
        made = subject.labelled
        values = f"kit-shelf in (left-{subject.token},right-{subject.token})"
        assert {item["id"] for item in subject.list(label_selector=values)} == {each.id for each in made}

    @needs("list", "create", "many", "labels")
    def test_a_selected_list_counts_the_selected_objects(self, subject: Subject) -> None:
        assert subject.labelled
        query = {"label_selector": f"kit-shelf=left-{subject.token}"}
        assert total_of(subject.admin.get(subject.collection, params=query)) == 1

    @needs("list")
    def test_a_selector_that_nothing_matches_finds_nothing(self, subject: Subject) -> None:
        response = subject.admin.get(subject.collection, params={"label_selector": f"no-such-{subject.token}=x"})
        assert (response.json(), total_of(response)) == ([], 0)

    @needs("list")
    def test_a_selector_that_cannot_be_parsed_is_refused(self, subject: Subject) -> None:
        problem(subject.admin.get(subject.collection, params={"label_selector": "a=("}), 422, "bad-selector")

    @needs("list")
    def test_fields_reduce_the_objects_of_a_list(self, subject: Subject) -> None:
        assert subject.several
        query = {"fields": "labels", "page_size": "3"}
        for item in subject.admin.get(subject.collection, params=query).json():
            assert (set(item), set(item["metadata"])) == ({"id", "labels", "metadata"}, {"version"})

    @needs("list")
    def test_an_unknown_field_is_refused_by_name(self, subject: Subject) -> None:
        refused = problem(subject.admin.get(subject.collection, params={"fields": "no_such_field"}), 422, "validation")
        assert "no_such_field" in refused["errors"]["fields"][0]

    @needs("list")
    def test_the_summary_view_leaves_out_links_and_finalizers(self, subject: Subject) -> None:
        assert subject.several
        for item in subject.admin.get(subject.collection, params={"view": "summary", "page_size": 3}).json():
            assert "_links" not in item
            assert "finalizers" not in item["metadata"]

    @needs("list")
    def test_an_unknown_parameter_of_a_list_is_refused(self, subject: Subject) -> None:
        response = subject.admin.get(subject.collection, params={"no_such_parameter": "1"})
        assert "no_such_parameter" in json.dumps(problem(response, 422, "unknown-parameter"))

    @needs("list")
    def test_a_head_of_a_list_has_the_headers_of_a_get_and_no_body(self, subject: Subject) -> None:
        assert subject.several
        get = subject.admin.get(subject.collection)
        head = subject.admin.head(subject.collection)
        assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", get.headers["ETag"])
        assert head.headers["X-Pagination"] == get.headers["X-Pagination"]

    @needs("list")
    def test_a_list_that_has_not_changed_is_304(self, subject: Subject) -> None:
        assert subject.several
        tag = subject.admin.get(subject.collection).headers["ETag"]
        response = subject.admin.get(subject.collection, headers={"If-None-Match": tag})
        assert (response.status_code, response.content, response.headers["ETag"]) == (304, b"", tag)

    @needs("list", "changeable")
    def test_a_change_of_an_object_changes_the_tag_of_the_list(self, subject: Subject) -> None:
        made = subject.changing
        query = {"search": made.id}
        tag = subject.admin.get(subject.collection, params=query).headers["ETag"]
        subject.alter(made.id)
        response = subject.admin.get(subject.collection, params=query, headers={"If-None-Match": tag})
        assert response.status_code == 200
        assert response.headers["ETag"] != tag
