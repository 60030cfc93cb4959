"""What Omni told one caller of its types is kept for the others; what it did not tell is not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from omni_gateway.http.problems import Problem
from omni_gateway.omni import OmniClient
from omni_gateway.omni.errors import PermissionDenied
from omni_gateway.rest.any_type.definitions import Definitions

WIDGETS = {"spec": {"type": "Widgets.omni.sidero.dev", "defaultNamespace": "default", "allAliases": ["wdg"]}}


def caller(*items: Any, refused: bool = False, asked: list[str] | None = None) -> OmniClient:
    """Return an identity that Omni tells these types, or refuses; ``asked`` notes each time that it is asked."""

    def list(*_: Any) -> Any:
        if asked is not None:
            asked.append("list")
        if refused:
            raise PermissionDenied(grpc.StatusCode.PERMISSION_DENIED, "no access", "List")
        return SimpleNamespace(items=items)

    identity = SimpleNamespace(fingerprint="refused" if refused else "told")
    return cast(OmniClient, SimpleNamespace(resources=SimpleNamespace(list=list), identity=identity))


def test_a_caller_whom_omni_refuses_takes_no_types_away_from_others() -> None:
    definitions = Definitions()
    with pytest.raises(Problem):
        definitions.find(caller(refused=True), "wdg")
    assert definitions.find(caller(WIDGETS), "wdg").type == "Widgets.omni.sidero.dev"


def test_the_types_that_are_known_here_are_there_for_whom_omni_refuses() -> None:
    assert Definitions().find(caller(refused=True), "clusters").type == "Clusters.omni.sidero.dev"


def test_what_omni_told_is_kept() -> None:
    definitions = Definitions()
    definitions.all(caller(WIDGETS))
    assert definitions.find(caller(), "wdg").type == "Widgets.omni.sidero.dev"


def test_omni_is_not_asked_for_each_document_as_whom_it_refuses() -> None:
    definitions = Definitions()
    asked: list[str] = []
    for _ in range(3):
        definitions.find(caller(refused=True, asked=asked), "clusters")
    assert asked == ["list"]
