"""The HTTP contract, on config patches: they need no machines, so every Omni can hold them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient

from .conftest import Served

PATCHES = "ConfigPatches.omni.sidero.dev"
DATA = 'machine:\n  sysctls:\n    net.core.somaxconn: "4096"\n'
OTHER_DATA = 'machine:\n  sysctls:\n    net.core.somaxconn: "8192"\n'

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def make(api: httpx.Client, made: Callable[[str], str], unique: Callable[[str], str]) -> Make:
    """Create a patch of this test's own; returns it as the API answered."""

    def create(**body: Any) -> dict[str, Any]:
        id = body.pop("id", None) or unique("patch")
        answer = api.post("configpatches", json={"id": id, "data": DATA, **body})
        assert answer.status_code == 201, answer.text
        made(f"configpatches/{id}")
        return dict(answer.json())

    return create


@pytest.fixture
def group(make: Make, unique: Callable[[str], str]) -> tuple[str, list[str]]:
    """Five patches that share a label's value; returns the selector that finds them, and their ids in order."""
    name = unique("group")
    return f"e2e-group={name}", [make(id=f"{name}-{number}", labels={"e2e-group": name})["id"] for number in range(5)]


def at(api: httpx.Client, url: str) -> str:
    """Return a URL that the API gave as one that the client can follow: httpx would put its base before it."""
    return str(api.base_url.join(url))


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()]


class TestLists:
    def test_pages_cover_a_list_once_and_link_to_each_other(
        self, api: httpx.Client, group: tuple[str, list[str]]
    ) -> None:
        selector, expected = group
        url, seen = f"/api/v1/configpatches?page_size=2&label_selector={selector}", []
        while url:
            answer = api.get(at(api, url))
            seen += ids(answer)
            url = answer.links.get("next", {}).get("url", "")
        assert seen == expected
        assert json.loads(answer.headers["X-Pagination"])["total"] == 5

    def test_a_list_can_be_sorted_by_time_with_the_id_last(
        self, api: httpx.Client, group: tuple[str, list[str]]
    ) -> None:
        assert ids(api.get("configpatches", params={"label_selector": group[0], "sort": "created,id"})) == group[1]

    @pytest.mark.parametrize(
        ("selector", "found"),
        [("{0},!nothing", 5), ("{0},nothing", 0), ("e2e-group in ({1},x)", 5), ("e2e-group notin ({1}),{0}", 0)],
    )
    def test_selectors_mean_what_they_mean_in_kubernetes(
        self, api: httpx.Client, group: tuple[str, list[str]], selector: str, found: int
    ) -> None:
        text = selector.format(group[0], group[0].split("=")[1])
        assert len(ids(api.get("configpatches", params={"label_selector": text}))) == found

    def test_a_filter_that_names_a_missing_cluster_finds_nothing(self, api: httpx.Client) -> None:
        assert ids(api.get("configpatches", params={"cluster": "there-is-no-such-cluster"})) == []

    @pytest.mark.parametrize(
        ("query", "code", "named"),
        [
            ("page=0", "validation", "page"),
            ("page=x", "validation", "page"),
            ("pagesize=5", "unknown-parameter", "page_size"),
            ("label_selector==b", "bad-selector", "label_selector"),
            ("fields=dta", "validation", "data"),
            ("cluster=a,b", "validation", "cluster"),
            ("search=", "validation", "search"),
        ],
    )
    def test_a_bad_parameter_is_named(self, api: httpx.Client, query: str, code: str, named: str) -> None:
        answer = api.get(f"configpatches?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert named in json.dumps(answer.json())


class TestObjects:
    def test_what_is_created_is_what_omni_holds(self, make: Make, omni: OmniClient) -> None:
        patch = make(labels={"a": "b"}, annotations={"name": "n"})
        held = omni.resources.get(PATCHES, patch["id"])
        assert held["spec"]["data"] == patch["data"] == DATA
        assert (held["metadata"]["labels"], held["metadata"]["annotations"]) == ({"a": "b"}, {"name": "n"})

    def test_a_created_object_says_where_it_is(
        self, api: httpx.Client, unique: Callable[[str], str], made: Callable[[str], str]
    ) -> None:
        id = unique("patch")
        answer = api.post("configpatches", json={"id": id, "data": DATA})
        made(f"configpatches/{id}")
        assert answer.headers["Location"] == f"/api/v1/configpatches/{id}"
        assert api.get(at(api, answer.headers["Location"])).headers["ETag"] == answer.headers["ETag"]

    def test_one_that_exists_is_409_and_says_where(self, api: httpx.Client, make: Make) -> None:
        patch = make()
        answer = api.post("configpatches", json={"id": patch["id"], "data": DATA})
        assert (answer.status_code, answer.json()["code"]) == (409, "exists")
        assert answer.headers["Location"] == patch["_links"]["self"]

    def test_put_replaces_spec_labels_and_annotations(self, api: httpx.Client, make: Make) -> None:
        patch = make(labels={"a": "b"}, annotations={"name": "n"})
        after = api.put(
            f"configpatches/{patch['id']}", json={"id": patch["id"], "data": OTHER_DATA, "labels": {"c": "d"}}
        )
        assert (after.status_code, after.json()["data"]) == (200, OTHER_DATA)
        assert (after.json()["labels"], after.json()["annotations"]) == ({"c": "d"}, {})

    def test_delete_is_204_and_then_it_is_gone(
        self, api: httpx.Client, make: Make, gone: Callable[[str, str], bool]
    ) -> None:
        patch = make()
        assert api.delete(f"configpatches/{patch['id']}").status_code == 204
        assert gone(PATCHES, patch["id"])

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            ({"id": "x"}, "data"),
            ({"id": "x", "data": 5}, "data"),
        ],
    )
    def test_a_bad_field_is_named_and_nothing_is_made(
        self, api: httpx.Client, body: dict[str, Any], named: str, gone: Callable[[str, str], bool]
    ) -> None:
        answer = api.post("configpatches", json=body)
        assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
        assert any(field.startswith(named) for field in answer.json()["errors"]), answer.json()["errors"]
        assert gone(PATCHES, "x")

    def test_omnis_refusal_of_a_value_is_422_with_its_reason(self, api: httpx.Client) -> None:
        answer = api.post("configpatches", json={"id": "x", "data": "machine:\n  nonsense: true\n"})
        assert (answer.status_code, answer.json()["code"]) == (422, "refused-by-omni")
        assert "nonsense" in answer.json()["detail"]

    @pytest.mark.parametrize("id", ["with space", "ünï-code", "percent%41", "a.b:c"])
    def test_an_odd_id_lives_like_any_other(
        self, api: httpx.Client, make: Make, unique: Callable[[str], str], id: str
    ) -> None:
        patch = make(id=f"{unique('odd')}-{id}")
        assert api.get(at(api, patch["_links"]["self"])).json()["id"] == patch["id"]


class TestDryRun:
    def test_every_check_is_done(self, api: httpx.Client, make: Make) -> None:
        patch = make()
        assert api.post("configpatches?dry_run=true", json={"id": patch["id"], "data": DATA}).status_code == 409
        assert api.post("configpatches?dry_run=true", json={"id": "x", "data": "nonsense: 1"}).status_code == 422
        assert api.patch("configpatches/none?dry_run=true", json={}).status_code == 404


class TestMediaTypes:
    def test_bad_json_is_400_at_its_place(self, api: httpx.Client) -> None:
        answer = api.post("configpatches", content=b'{"id": }', headers={"Content-Type": "application/json"})
        assert (answer.status_code, "column 8" in answer.json()["detail"]) == (400, True)

    def test_too_large_a_body_is_413(self, api: httpx.Client) -> None:
        body = b'{"id":"x","data":"' + b"a" * (5 * 1024 * 1024) + b'"}'
        answer = api.post("configpatches", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


class TestWatch:
    NDJSON = {"Accept": "application/x-ndjson"}

    def follow(self, answer: httpx.Response) -> Any:
        lines = answer.iter_lines()
        return (json.loads(line) for line in lines if line and '"HEARTBEAT"' not in line)

    def test_it_tells_what_is_there_then_each_change(
        self, api: httpx.Client, group: tuple[str, list[str]], make: Make
    ) -> None:
        selector, names = group
        with api.stream("GET", f"configpatches?label_selector={selector}", headers=self.NDJSON) as answer:
            events = self.follow(answer)
            assert [next(events)["object"]["id"] for _ in names] == names
            assert next(events)["type"] == "BOOKMARK"
            api.patch(f"configpatches/{names[0]}", json={"data": OTHER_DATA})
            changed = next(events)
            api.delete(f"configpatches/{names[1]}")
            assert (changed["type"], changed["object"]["data"]) == ("MODIFIED", OTHER_DATA)
            gone = next(event for event in events if event["type"] == "DELETED")
        assert gone["object"]["id"] == names[1]

    def test_events_stream_as_sse_with_resume_points(self, api: httpx.Client, make: Make) -> None:
        url = f"configpatches/{make()['id']}"
        with api.stream("GET", url, headers={"Accept": "text/event-stream"}) as answer:
            lines = answer.iter_lines()
            seen = [next(lines) for _ in range(8)]
        assert "event: ADDED" in seen
        assert any(line.startswith("id: ") for line in seen)


class TestEveryAnswer:
    def test_a_request_id_that_is_unfit_for_a_log_is_replaced(self, api: httpx.Client) -> None:
        assert "bad id" not in api.get("configpatches/none", headers={"X-Request-ID": "bad id"}).headers["X-Request-ID"]

    def test_without_a_setting_there_is_no_cors(self, api: httpx.Client) -> None:
        answer = api.get("configpatches", headers={"Origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]

    def test_a_role_that_is_too_low_is_told_which_it_takes(self, reader: httpx.Client) -> None:
        answer = reader.post("configpatches", json={"id": "x", "data": DATA})
        assert (answer.status_code, "operator" in answer.json()["detail"]) == (403, True)

    def test_cache_status_tells_that_omni_was_asked(self, api: httpx.Client) -> None:
        answer = api.get("configpatches", headers={"Cache-Control": "no-cache"})
        assert answer.headers["Cache-Status"] == "omni-gateway; fwd=request; detail=no-cache"
        assert "Age" not in answer.headers

    def test_cache_status_names_what_only_omni_can_answer(self, api: httpx.Client) -> None:
        answer = api.get("configpatches?search=x")
        assert answer.headers["Cache-Status"] == "omni-gateway; fwd=bypass; detail=search"


class TestHead:
    def test_head_of_a_stream_opens_none(
        self, api: httpx.Client, make: Make, made: Callable[[str], str], unique: Callable[[str], str]
    ) -> None:
        name = unique("c")
        assert api.post("clusters", json={"id": name}).status_code == 201
        made(f"clusters/{name}")
        answer = api.head(f"clusters/{name}/support-bundle")
        assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "application/zip", b"")


class TestCrowds:
    def test_streams_never_starve_requests(
        self,
        api: httpx.Client,
        operator: httpx.Client,
        reader: httpx.Client,
        served: Served,
        wait_until: Callable[..., Any],
    ) -> None:
        """The default is eight streams that hold one of the sixteen threads of a worker, and six of one caller.

        Only Omni can tell what a watch with a search is to be told of.
        """
        head, searched = {"Accept": "application/x-ndjson"}, "configpatches?search=e2e"
        with ExitStack() as open_streams:
            for caller in (api, api, api, api, api, api, operator):
                answer = open_streams.enter_context(caller.stream("GET", searched, headers=head))
                assert answer.status_code == 200
            greedy = api.get(searched, headers=head)
            assert (greedy.status_code, greedy.json()["code"]) == (429, "too-many-own-streams")
            assert open_streams.enter_context(operator.stream("GET", searched, headers=head)).status_code == 200
            refused = reader.get(searched, headers=head)
            assert (refused.status_code, refused.json()["code"]) == (503, "too-many-streams")
            assert int(refused.headers["Retry-After"]) > 0
            assert api.get("configpatches").status_code == 200

        def all_are_closed() -> bool:
            return "omni_gateway_open_streams 0.0" in reader.get(f"{served.url}/metrics").text.splitlines()

        wait_until(all_are_closed, 30, "the end of streams whose callers have left")
        with api.stream("GET", searched, headers=head) as again:
            assert again.status_code == 200
