"""The configurations of talosctl and omnictl that are about no single cluster."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.api.conftest import Caller


@pytest.mark.parametrize("name", ["talosconfig", "omniconfig"])
def test_each_is_a_yaml_file_for_readers_that_is_not_kept(reader: Any, name: str) -> None:
    answer = reader.get(name)
    assert (answer.status_code, answer.mimetype) == (200, "application/yaml")
    assert f"filename={name}.yaml" in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_talosconfig_names_omni_and_no_cluster(reader: Any) -> None:
    config = yaml.safe_load(reader.get("talosconfig").data)
    context = config["contexts"][config["context"]]
    assert context["endpoints"]
    assert "cluster" not in context


def test_the_omniconfig_names_whom_omni_is_called_as(reader: Any) -> None:
    config = yaml.safe_load(reader.get("omniconfig").data)
    context = config["contexts"][config["context"]]
    assert context["auth"]["siderov1"]["identity"] == reader.get("auth/whoami").json["identity"]
    assert context["url"]


@pytest.mark.parametrize("name", ["talosconfig", "omniconfig"])
def test_without_a_credential_there_is_none(app: Any, name: str) -> None:
    anonymous: Any = Caller(app.test_client(), None)
    assert anonymous.get(name).status_code == 401
