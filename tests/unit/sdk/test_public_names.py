"""The SDK's public names are there and described, and its reference page has each with its signature."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import omni_gateway.sdk
from tests.sdk_reference import page

MODULES = [
    "omni_gateway.sdk",
    *(f"omni_gateway.sdk.{each.name}" for each in pkgutil.iter_modules(omni_gateway.sdk.__path__)),
]


def test_the_reference_is_what_signatures_and_docstrings_say() -> None:
    assert page.PATH.read_text() == page.text(), "not current: run `make sdk-reference`"


def test_every_public_name_and_method_is_described() -> None:
    assert page.undescribed() == []


@pytest.mark.parametrize("name", MODULES)
def test_every_name_that_a_module_lists_is_there(name: str) -> None:
    module = importlib.import_module(name)
    assert [each for each in module.__all__ if not hasattr(module, each)] == []


def test_the_first_page_is_what_a_first_plugin_needs() -> None:
    assert len(omni_gateway.sdk.__all__) <= 22
