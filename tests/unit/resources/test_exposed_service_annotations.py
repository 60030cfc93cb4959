"""Annotations by which a Service is exposed at one or several host ports."""

from __future__ import annotations

from typing import Any

import pytest

from resources.exposedservice.annotations import adding, host_ports, port_of, removing

WEB = {"service": "web", "service_namespace": "default"}


def applied(notes: dict[str, str], changes: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**notes, **changes}.items() if value is not None}


def added(notes: dict[str, str], several: bool = True, **spec: Any) -> dict[str, str]:
    return applied(notes, adding(notes, {**WEB, **spec}, several))


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("30080", [30080]),
        (" 30081:http , 30080", [30081, 30080]),
        ("30080,30080:x", [30080]),
        ("x,0,65536,30080,", [30080]),
        ("", []),
    ],
)
def test_host_ports_are_read_as_omni_reads_them(text: str, ports: list[int]) -> None:
    assert list(host_ports({"port": text})) == ports


def test_a_first_port_has_words_of_its_own() -> None:
    assert added({}, port=30080, label="Web") == {"port": "30080", "label-30080": "Web"}


def test_an_older_omni_gets_annotations_without_a_port() -> None:
    assert added({}, several=False, port=30080, label="Web", prefix="w") == {
        "port": "30080",
        "label": "Web",
        "prefix": "w",
    }


def test_a_second_port_takes_nothing_of_the_first() -> None:
    by_hand = {"port": "30080", "label": "Web", "icon": "aQ==", "prefix": "web", "other": "x"}
    assert added(by_hand, port=30081, service_port="admin") == {
        "port": "30080,30081:admin",
        "label-30080": "Web",
        "icon-30080": "aQ==",
        "prefix-30080": "web",
        "other": "x",
    }


def test_the_service_port_stays_when_it_is_not_named() -> None:
    notes = {"port": "30080:http,30081:admin"}
    assert added(notes, port=30081, label="Admin") == {"port": "30080:http,30081:admin", "label-30081": "Admin"}
    assert added(notes, port=30081, service_port="9000") == {"port": "30080:http,30081:9000"}


@pytest.mark.parametrize(
    ("notes", "spec"),
    [
        ({"port": "30080", "label": "Web"}, {"port": 30080, "label": "Web"}),
        ({"port": "30080"}, {"port": 30080, "label": "web.default"}),
        ({"port": "30080,30081"}, {"port": 30081, "label": "web.default:30081"}),
        ({"port": "30080:http", "prefix-30080": "w"}, {"port": 30080, "prefix": "w"}),
    ],
)
def test_what_is_shown_already_changes_nothing(notes: dict[str, str], spec: dict[str, Any]) -> None:
    assert adding(notes, {**WEB, **spec}, True) == {}


def test_words_that_are_not_named_any_more_go() -> None:
    assert added({"port": "30080", "label": "Web", "icon-30080": "aQ=="}, port=30080) == {"port": "30080"}
    common = {"port": "30080,30081", "label": "Both", "label-30081": "Second"}
    assert added(common, port=30081) == {"port": "30080,30081", "label": "Both"}


def test_hiding_one_port_leaves_the_others() -> None:
    notes = {"port": "30080:http,30081", "label-30081": "Second", "label-30080": "First", "label": "Both"}
    assert applied(notes, removing(notes, 30081)) == {"port": "30080:http", "label-30080": "First", "label": "Both"}


def test_hiding_the_last_port_leaves_nothing() -> None:
    notes = {"port": "30080", "label": "Web", "prefix-30080": "w", "icon-30081": "aQ=="}
    assert applied(notes, removing(notes, 30080)) == {}


@pytest.mark.parametrize(
    ("shown", "annotated", "port"),
    [(30053, "30053,30099", 30053), (None, "30053", 30053), (0, "30053", 30053), (0, "", 0)],
)
def test_a_service_that_omni_could_not_expose_is_hidden_at_the_port_of_its_annotation(
    shown: int | None, annotated: str, port: int
) -> None:
    notes = {"port": annotated}

    changes = removing(notes, port_of({"port": shown}, notes))

    assert str(port) not in (changes.get("port") or "").split(",")
