"""Versions of Talos and Kubernetes: their form, their order, and which go together."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import pytest

from resources.cluster.versions import Catalogue, Parsed, TalosVersion, Version, listed


def talos(version: str, *kubernetes: str, **flags: bool) -> TalosVersion:
    body: dict[str, Any] = {
        "metadata": {"id": version},
        "spec": {"compatible_kubernetes_versions": kubernetes, **flags},
    }
    return TalosVersion.from_omni(body)


CATALOGUE = Catalogue(
    [
        talos("1.12.9", "1.33.5", "1.34.1"),
        talos("1.13.8", "1.34.1", "1.35.7", "1.36.0-rc.1"),
        talos("1.13.10", "1.34.1", "1.35.7"),
        talos("1.14.0-beta.1", "1.36.1"),
        talos("1.14.1", "1.36.1", deprecated=True),
        talos("1.14.2", "1.36.1", unsupported=True),
        talos("1.14.3", "1.36.1", is_enterprise=True),
    ]
)


def test_a_leading_v_is_taken_off() -> None:
    assert Version().deserialize("v1.13.7") == Version().deserialize("1.13.7") == "1.13.7"


@pytest.mark.parametrize("text", ["", "1.13", "latest", "vv1.13.7", "1.13.7\n", "1.13.7 ", "01234567890.1.1"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ma.ValidationError, match="such as"):
        Version().deserialize(text)


def test_versions_are_ordered_by_number_and_a_pre_release_comes_first() -> None:
    given = ["1.14.0", "1.13.8", "1.14.0-beta.1", "1.9.5", "1.13.10"]
    assert sorted(given, key=Parsed.of) == ["1.9.5", "1.13.8", "1.13.10", "1.14.0-beta.1", "1.14.0"]


def test_the_newest_talos_is_the_newest_release_that_omni_offers() -> None:
    assert CATALOGUE.newest_talos(None) == "1.13.10"


def test_the_newest_talos_for_a_kubernetes_version_goes_with_it() -> None:
    assert CATALOGUE.newest_talos("1.33.5") == "1.12.9"
    assert CATALOGUE.newest_talos("1.30.0") is None


def test_the_newest_kubernetes_for_a_talos_version_is_no_pre_release() -> None:
    assert CATALOGUE.newest_kubernetes("1.13.8") == "1.35.7"


def test_a_pair_that_goes_together_has_no_problem_even_when_deprecated() -> None:
    assert CATALOGUE.problems("1.14.1", "1.36.1") == {}


def test_an_unknown_talos_version_is_told_which_are_offered() -> None:
    assert CATALOGUE.problems("9.9.9", "1.35.7") == {
        "talos_version": ["Omni knows no Talos 9.9.9; it offers 1.14.0-beta.1, 1.13.10, 1.13.8, 1.12.9."]
    }


def test_an_incompatible_pair_is_told_the_compatible_ones() -> None:
    assert CATALOGUE.problems("1.13.10", "1.33.5") == {
        "kubernetes_version": ["Kubernetes 1.33.5 does not go with Talos 1.13.10; these do: 1.35.7, 1.34.1."]
    }


def test_a_long_list_of_versions_is_cut_short() -> None:
    text = listed(f"1.{minor}.0" for minor in range(20))
    assert text.startswith("1.19.0, 1.18.0") and text.endswith("and 8 older")
