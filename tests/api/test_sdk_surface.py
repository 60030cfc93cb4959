"""Plugins that were written for a release of the SDK find, in every later minor, all that they use."""

from __future__ import annotations

from pathlib import Path

import griffe
import pytest
from packaging.version import Version

from omni_gateway.sdk import SDK_VERSION
from tests.sdk_reference import comparison, stubs

RELEASES = sorted((Path(__file__).parent / "data").glob("sdk-*"), key=lambda folder: Version(folder.name[4:]))
PRESENT = Version(SDK_VERSION)


@pytest.fixture(scope="module")
def present(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdk")
    stubs.write(folder)
    return folder


@pytest.mark.parametrize("release", RELEASES, ids=lambda folder: folder.name)
def test_nothing_that_a_release_has_is_gone_or_called_otherwise(release: Path, present: Path) -> None:
    assert comparison.breaks(comparison.load(release), comparison.load(present)) == []


def test_what_has_been_added_has_a_minor_version_of_its_own(present: Path) -> None:
    newest = Version(RELEASES[-1].name[4:])
    if PRESENT.release[:2] == newest.release[:2]:
        assert texts(present) == texts(RELEASES[-1]), (
            f"The SDK differs from {newest}. Raise the minor of SDK_VERSION, and describe what is new in CHANGELOG.md."
        )


def test_every_earlier_minor_of_this_major_is_stored() -> None:
    stored = [Version(folder.name[4:]).release[:2] for folder in RELEASES]
    earlier = [(PRESENT.major, minor) for minor in range(PRESENT.minor)]
    assert [each for each in earlier if each not in stored] == [], "`make sdk-release` stores it, at its release"


OLD = """
LIMIT = 10
class Base:
    kind: str = 'plain'
    def __init__(self, name: str, *, title: str = '') -> None: ...
    def list(self, query: Query) -> Listing: ...
    def get(self, id: str) -> Resource: ...
class Special(Base):
    def get(self, id: str) -> Resource: ...
def select(items: Items, query: Query, *, sortable: Names = ()) -> Listing: ...
"""
BREAKING = {
    "a function removed": ("def select", "def choose", "sdk.select is gone"),
    "a class removed": ("class Special(Base)", "class Other(Base)", "sdk.Special is gone"),
    "a method removed": ("def list", "def items", "sdk.Base.list is gone"),
    "a constant removed": ("LIMIT", "MOST", "sdk.LIMIT is gone"),
    "a method made an attribute": (
        "def list(self, query: Query) -> Listing: ...",
        "list: Listing",
        "sdk.Base.list was of the kind function and is of the kind attribute",
    ),
    "a parameter renamed": ("items: Items", "objects: Items", "sdk.select has no parameter 'items' any more"),
    "a parameter removed": (", *, title: str = ''", "", "sdk.Base.__init__ has no parameter 'title' any more"),
    "a required parameter added": (
        "query: Query, *,",
        "query: Query, *, page: int,",
        "sdk.select requires the new parameter 'page'",
    ),
    "an optional parameter required": (
        "title: str = ''",
        "title: str",
        "sdk.Base.__init__ requires the parameter 'title', which was optional",
    ),
    "a default changed": (
        "Names = ()",
        "Names = None",
        "sdk.select has another default of 'sortable': None, was ()",
    ),
    "a parameter made keyword-only": (
        "query: Query, *,",
        "*, query: Query,",
        "sdk.select takes 'query' keyword-only, was positional or keyword",
    ),
    "parameters swapped": (
        "items: Items, query: Query",
        "query: Query, items: Items",
        "sdk.select takes 'items' at another position",
    ),
    "a base removed": ("Special(Base)", "Special", "sdk.Special has the bases none, had Base"),
    "an attribute's default changed": ("= 'plain'", "= 'other'", "sdk.Base.kind is 'other', was 'plain'"),
    "a constant changed": ("LIMIT = 10", "LIMIT = 20", "sdk.LIMIT is 20, was 10"),
    "an argument that overrides do not take": (
        "def get(self, id: str) -> Resource: ...\nclass",
        "def get(self, id: str, fresh: bool = False) -> Resource: ...\nclass",
        "sdk.Base.get has the new parameter 'fresh', which overrides of it do not take",
    ),
    "a method that subclasses have to define": (
        "    def list",
        "    @abstractmethod\n    def check(self) -> None: ...\n    def list",
        "sdk.Base.check is abstract, so subclasses have to define it",
    ),
}
ADDED = {
    "a function": ("LIMIT = 10", "LIMIT = 10\ndef update() -> None: ..."),
    "a method": ("    def list", "    def check(self) -> None: ...\n    def list"),
    "an optional parameter of a function": ("Names = ()", "Names = (), search: str = ''"),
    "an optional parameter of a declaration": ("title: str = ''", "title: str = '', group: str = ''"),
    "a parameter that may be positional too": ("query: Query, *, sortable", "query: Query, sortable"),
    "a base": ("class Base:", "class Base(Other):"),
    "a default": ("query: Query) -> Listing", "query: Query = None) -> Listing"),
}


@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks_plugins_is_said_in_a_sentence(name: str) -> None:
    before, after, sentence = BREAKING[name]
    assert f"{sentence}; this takes a major version of the SDK" in comparison.breaks(*changed(before, after))


@pytest.mark.parametrize("name", ADDED)
def test_what_is_added_breaks_nothing(name: str) -> None:
    assert comparison.breaks(*changed(*ADDED[name])) == []


def changed(before: str, after: str) -> tuple[griffe.Module, griffe.Module]:
    """Return a surface before and after a change of its text."""
    assert before in OLD
    texts = OLD, OLD.replace(before, after)
    old, new = (griffe.visit("sdk", Path("sdk.pyi"), text) for text in texts)
    return old, new


def texts(folder: Path) -> dict[str, list[str]]:
    """Return the lines of each stub below a folder, without the SDK's version."""
    return {
        str(file.relative_to(folder)): [line for line in file.read_text().splitlines() if "SDK_VERSION" not in line]
        for file in folder.rglob("*.pyi")
    }
