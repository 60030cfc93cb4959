"""``/metrics``: what Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import Served

ROUTE = "/api/v1/clusters/<id>"


def values(client: httpx.Client, served: Served) -> dict[tuple[str, ...], float]:
    text = client.get(f"{served.url}/metrics").text
    return {
        (sample.name, *(sample.labels.get(name, "") for name in ("method", "route", "status", "code"))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_status_and_never_by_url(reader: httpx.Client, served: Served) -> None:
    key = ("omni_gateway_requests_total", "GET", ROUTE, "404", "")
    before = values(reader, served).get(key, 0)
    for number in range(3):
        reader.get(f"clusters/never-{number}")
    after = values(reader, served)
    assert after[key] == before + 3
    assert after[("omni_gateway_request_seconds_count", "GET", ROUTE, "", "")] >= 3
    assert "never-1" not in reader.get(f"{served.url}/metrics").text


def test_calls_to_omni_are_counted_with_their_codes(reader: httpx.Client, served: Served) -> None:
    reader.get("clusters/never", headers={"Cache-Control": "no-cache"})  # a call, although the cache has the type
    found = values(reader, served)
    assert [key for key in found if key[0] == "omni_gateway_omni_calls_total" and key[4] == "NOT_FOUND"]
    assert [key for key in found if key[0] == "omni_gateway_omni_call_seconds_count"]


def test_open_streams_are_told(reader: httpx.Client, served: Served, wait_until: Callable[..., Any]) -> None:
    key = ("omni_gateway_open_streams", "", "", "", "")
    wait_until(lambda: values(reader, served)[key] == 0, 30, "the end of other tests' streams")
    with reader.stream("GET", "clusters", headers={"Accept": "application/x-ndjson"}) as stream:
        lines = stream.iter_lines()  # httpx leaves where its iterator ends
        next(lines)
        assert values(reader, served)[key] == 1


def test_a_caller_without_a_credential_reads_none(anonymous: httpx.Client, served: Served) -> None:
    assert anonymous.get(f"{served.url}/metrics").status_code == 401


def test_a_token_is_never_among_them(reader: httpx.Client, served: Served) -> None:
    text = reader.get(f"{served.url}/metrics", params={"token": served.tokens["admin"]}).text
    assert not any(token in text for token in served.tokens.values())
