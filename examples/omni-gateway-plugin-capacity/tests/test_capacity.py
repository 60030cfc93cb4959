"""The document and the action, asked of a gateway with an embedded Omni; `api` is a fixture of the SDK's test kit."""

from collections.abc import Callable

import httpx
import pytest

Api = Callable[..., httpx.Client]


def test_a_reader_gets_the_counts(api: Api) -> None:
    answer = api("reader").get("capacity")
    assert answer.status_code == 200
    assert answer.json()["machines"] > 0
    assert answer.json()["wanted"] == 0


def test_without_a_credential_there_is_nothing_to_see(api: Api) -> None:
    assert api(None).get("capacity").status_code == 401


@pytest.mark.parametrize(("needed", "enough"), [(0, True), (1_000_000, False)])
@pytest.mark.parametrize("dry_run", ["false", "true"])
def test_an_operator_learns_whether_there_are_enough(api: Api, needed: int, enough: bool, dry_run: str) -> None:
    url = "capacity/actions/check"
    answer = api("operator").post(url, params={"dry_run": dry_run}, json={"machines": needed})
    assert answer.status_code == 200
    assert answer.json()["enough"] is enough


def test_a_reader_may_not_check(api: Api) -> None:
    assert api("reader").post("capacity/actions/check", json={"machines": 1}).status_code == 403


def test_fewer_than_no_machines_are_refused(api: Api) -> None:
    answer = api("operator").post("capacity/actions/check", json={"machines": -1})
    assert answer.status_code == 422
    assert "machines" in answer.json()["errors"]


def get_page(client: httpx.Client) -> httpx.Response:
    return client.get(client.base_url.join("/pages/capacity"))  # the client's URLs are those below /api/v1


def test_the_page_shows_the_counts(api: Api) -> None:
    page = get_page(api("reader"))
    assert page.status_code == 200
    assert f"{api('reader').get('capacity').json()['machines']} machines have joined" in page.text


def test_the_page_is_for_readers(api: Api) -> None:
    assert get_page(api(None)).status_code == 401
