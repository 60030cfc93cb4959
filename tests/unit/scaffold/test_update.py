"""``omni-gateway plugin update``: newer templates reach a package, and its author's changes stay."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from omni_gateway.scaffold import package
from omni_gateway.scaffold.update import FileUpdate, update

from .conftest import Run

FOLDER = Path("omni-gateway-plugin-racks")
README = FOLDER / "README.md"


@pytest.fixture
def made(run: Run) -> Path:
    """A package as this release's templates make it."""
    assert run("new", "racks", "--kind", "own-backend").exit_code == 0
    return FOLDER


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Templates that a later release may have: a test changes them."""
    folder = tmp_path / "templates"
    shutil.copytree(package.TEMPLATES, folder)
    return folder


def replace_in(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def states(changes: list[FileUpdate]) -> dict[str, str]:
    return {change.path: change.state for change in changes}


def test_a_new_package_is_up_to_date(run: Run, made: Path) -> None:
    answer = run("update", str(made), "--check")
    assert (answer.exit_code, answer.output) == (0, "The package is that of this release's templates.\n")


def test_a_file_that_the_author_did_not_touch_becomes_the_newest_one(made: Path, newer: Path) -> None:
    replace_in(newer / "README.md.jinja", "## Development", "## How to work on it")
    assert states(update(made, templates=newer)) == {"README.md": "updated"}
    assert "## How to work on it" in README.read_text()
    assert update(made, templates=newer) == []


def test_a_change_of_the_authors_and_one_of_the_templates_are_both_there_afterwards(made: Path, newer: Path) -> None:
    README.write_text(f"{README.read_text()}\nRacks are counted from the door.\n")
    replace_in(newer / "README.md.jinja", "# {{ a.distribution }}", "# The package {{ a.distribution }}")
    assert states(update(made, templates=newer)) == {"README.md": "merged"}
    assert README.read_text().startswith("# The package omni-gateway-plugin-racks\n")
    assert README.read_text().endswith("\nRacks are counted from the door.\n")


def test_where_both_changed_the_same_lines_the_authors_stay_and_the_newest_file_is_beside_it(
    made: Path, newer: Path
) -> None:
    replace_in(README, "# omni-gateway-plugin-racks", "# Racks")
    replace_in(newer / "README.md.jinja", "# {{ a.distribution }}", "# The package {{ a.distribution }}")
    mine = README.read_text()
    assert states(update(made, templates=newer)) == {"README.md": "conflict"}
    assert README.read_text() == mine
    assert (made / "README.md.new").read_text().startswith("# The package omni-gateway-plugin-racks\n")


def test_without_git_a_file_that_both_changed_stays_too(
    made: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    README.write_text(f"{README.read_text()}\nMine.\n")
    replace_in(newer / "README.md.jinja", "# {{ a.distribution }}", "# The package {{ a.distribution }}")
    assert states(update(made, templates=newer)) == {"README.md": "conflict"}


def test_a_file_that_the_author_has_removed_stays_away(made: Path, newer: Path) -> None:
    (made / ".gitignore").unlink()
    replace_in(newer / "gitignore.jinja", "dist/", "dist/\n*.whl")
    assert update(made, templates=newer) == []
    assert not (made / ".gitignore").exists()


def test_a_file_that_is_new_in_the_templates_is_added(made: Path, newer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (newer / "editorconfig.jinja").write_text("root = true\n")
    monkeypatch.setitem(package._EACH_KIND, "editorconfig", ".editorconfig")
    assert states(update(made, templates=newer)) == {".editorconfig": "added"}
    assert (made / ".editorconfig").read_text() == "root = true\n"


def test_a_file_that_the_templates_no_longer_have_goes_unless_it_was_changed(
    made: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_in(README, "# omni-gateway-plugin-racks", "# Racks")
    monkeypatch.delitem(package._EACH_KIND, "gitignore")
    monkeypatch.delitem(package._EACH_KIND, "README.md")
    assert states(update(made, templates=newer)) == {".gitignore": "removed", "README.md": "kept"}
    assert not (made / ".gitignore").exists()
    assert README.exists()


def test_the_licence_is_the_authors_own(made: Path, newer: Path) -> None:
    (made / "LICENSE").write_text("All rights reserved.\n")
    assert update(made, templates=newer) == []
    assert (made / "LICENSE").read_text() == "All rights reserved.\n"


def test_a_check_names_what_would_change_and_writes_nothing(
    run: Run, made: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_in(newer / "README.md.jinja", "## Development", "## How to work on it")
    before = {file: file.read_bytes() for file in made.rglob("*") if file.is_file()}
    assert states(update(made, templates=newer, write=False)) == {"README.md": "updated"}
    assert {file: file.read_bytes() for file in made.rglob("*") if file.is_file()} == before


def test_the_command_names_each_file_and_fails_where_something_is_left_to_do(run: Run, made: Path) -> None:
    record = made / ".omni-gateway-plugin.toml"
    replace_in(record, "## Development", "## Old heading")
    replace_in(README, "## Development", "## My heading")
    answer = run("update", str(made))
    assert answer.exit_code == 1
    assert answer.output.startswith("README.md: stays as it is: compare it with README.md.new, then remove that\n")
    assert "## Development" in (made / "README.md.new").read_text()
    assert run("update", str(made)).exit_code == 0


def record_of(made_by: str, name: str = "capacity", path: str = "README.md") -> str:
    answers = f'kind = "service"\nname = "{name}"\nsingular = "x"\nschema = "X"\ndescription = "x"\nfields = []'
    return f'made_by = "{made_by}"\n[answers]\n{answers}\n[files]\n"{path}" = ""\n'


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (None, "it was not made by `omni-gateway plugin new`"),
        ("made_by = 1", "cannot be read"),
        (record_of("999.0"), "The package was made by omni-gateway 999.0"),
        (record_of("0.1.0", name="Capacity"), "'Capacity' must be lower-case words"),
        (record_of("0.1.0", path="../README.md"), "'../README.md' is no path of the package"),
    ],
)
def test_a_folder_that_is_no_package_of_this_release_is_refused(
    run: Run, tmp_path: Path, record: str | None, text: str
) -> None:
    if record is not None:
        (tmp_path / ".omni-gateway-plugin.toml").write_text(record)
    answer = run("update")
    assert answer.exit_code == 1
    assert text in answer.stderr
