"""What the pages name is there: files that they link to, modules and functions of the code."""

from __future__ import annotations

import importlib
import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "benchmarks", "deploy", "examples")
PAGES = [*sorted(ROOT.glob("*.md")), *(page for folder in FOLDERS for page in sorted((ROOT / folder).rglob("*.md")))]
PACKAGE = "omni_gateway"
#: Pages about the code: there names in backticks may leave the package out, as in `cache.informer`.
ABOUT_CODE = ("architecture.md", "caching.md", "glossary.md", "streams.md")
#: Pages about a package that their reader makes: its files are not here.
ABOUT_OTHER_FILES = ("tutorial.md",)
#: The groups of entry points by which plugins and their commands are found.
NO_MODULES = {f"{PACKAGE}.resources", f"{PACKAGE}.commands"}
PARTS = {path.stem for path in (ROOT / PACKAGE).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert [link for link in links(page) if not leads_somewhere(page, link)] == []


def test_every_file_of_code_that_a_page_names_is_there(page: Path) -> None:
    if page.name in ABOUT_OTHER_FILES:
        pytest.skip("about files that the reader makes")
    named = re.findall(r"(?<![\w./<-])(\w+/(?:\w+/)*(?:\w+\.py)?)(?=[`\s)])", inline_code(page))
    folders = (ROOT, ROOT / PACKAGE)
    files = [name for name in named if name.endswith(".py") or name.split("/")[0] in (PACKAGE, "tests", "resources")]
    assert [name for name in files if not any((folder / name).exists() for folder in folders)] == []


def test_every_dotted_name_of_code_that_a_page_uses_is_there(page: Path) -> None:
    assert [name for name in dotted_names(page) if not resolves(name)] == []


def test_the_picture_of_the_layers_is_what_the_import_rules_say() -> None:
    picture = re.search(r"^```\n(.*?)^```$", (ROOT / "docs" / "architecture.md").read_text(), flags=re.M | re.S)
    assert picture is not None
    drawn = re.findall(r"^  (\w+(?:(?:,| │) \w+)*) ─", picture[1], flags=re.M)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert [re.findall(r"\w+", names) for names in drawn] == [
        *(re.findall(rf"{PACKAGE}\.(\w+)", layer) for layer in layers),
        ["simulator"],
    ]


def links(page: Path) -> Iterator[str]:
    targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S))
    yield from (target for target in targets if "://" not in target and not target.startswith("mailto:"))


def leads_somewhere(page: Path, link: str) -> bool:
    file, _, heading = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    return target.exists() and (not heading or heading in headings(target))


def headings(page: Path) -> set[str]:
    """Return a page's anchors, as GitHub makes them of its headings."""
    texts = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.M)
    return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in texts}


def inline_code(page: Path) -> str:
    """Return what stands in backticks, one line each."""
    return "\n".join(f"`{text}`" for text in re.findall(r"`([^`\n]+)`", page.read_text()))


def dotted_names(page: Path) -> Iterator[str]:
    """Return the dotted names of the package, whole."""
    yield from set(re.findall(rf"\b{PACKAGE}(?:\.\w+)+", page.read_text())) - NO_MODULES
    if page.name not in ABOUT_CODE:
        return
    for text in re.findall(r"`(\w+(?:\.\w+)+)(?:\(\))?`", page.read_text()):
        if text.split(".")[0] in PARTS and not text.endswith(".py"):
            yield f"{PACKAGE}.{text}"


def resolves(name: str) -> bool:
    """Whether a name is a module, or what a module holds; the last module is not run if it is the name itself."""
    words = name.split(".")
    for count in range(len(words), 0, -1):
        module = ".".join(words[:count])
        if not is_module(module):
            continue
        found: object = importlib.import_module(module) if count < len(words) else None
        for word in words[count:]:
            if not hasattr(found, word):
                return False
            found = getattr(found, word)
        return True
    return False


def is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
