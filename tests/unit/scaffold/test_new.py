"""``omni-gateway plugin new``: what it writes, what it asks, and what it refuses."""

from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path

import pytest

from omni_gateway.plugins import discovery
from omni_gateway.sdk import SDK_VERSION

from .conftest import Run

TUNNELS = ("new", "--type", "GRPCTunnelConfigs")
RACKS = ("new", "racks", "--kind", "own-backend")
FOLDER = Path("omni-gateway-plugin-grpc-tunnel-configs")


def test_a_type_is_enough_for_a_whole_package(run: Run) -> None:
    answer = run(*TUNNELS)
    assert answer.exit_code == 0, answer.output
    assert sorted(str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*") if file.is_file()) == [
        ".github/workflows/test.yml",
        ".gitignore",
        ".omni-gateway-plugin.toml",
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "omni_gateway_grpc_tunnel_configs/__init__.py",
        "omni_gateway_grpc_tunnel_configs/py.typed",
        "omni_gateway_grpc_tunnel_configs/schemas.py",
        "pyproject.toml",
        "tests/test_grpc_tunnel_configs.py",
    ]


def test_it_ends_with_what_to_do_next(run: Run) -> None:
    lines = run(*TUNNELS).output.splitlines()
    assert 4 <= len(lines) <= 5
    assert f"cd {FOLDER} && pip install -e .[test]" in lines[1]


def test_installed_plugins_are_looked_for_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[None] = []

    def counted() -> EntryPoints:
        looked.append(None)
        return entry_points()

    monkeypatch.setattr(discovery, "entry_points", counted)
    run(*TUNNELS)
    assert len(looked) == 1


def test_the_package_names_its_entry_point_its_licence_and_the_sdk_that_it_was_written_for(run: Run) -> None:
    run(*TUNNELS, "--licence", "MIT", "--author", "Ada Lovelace")
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["omni_gateway.resources"] == {
        "grpc-tunnel-configs": "omni_gateway_grpc_tunnel_configs:plugin"
    }
    assert (project["license"], project["authors"]) == ("MIT", [{"name": "Ada Lovelace"}])
    assert "Ada Lovelace" in (FOLDER / "LICENSE").read_text()
    major, minor, _ = SDK_VERSION.split(".")
    module = (FOLDER / "omni_gateway_grpc_tunnel_configs" / "__init__.py").read_text()
    assert f'sdk=">={major}.{minor},<{int(major) + 1}"' in module


def test_of_own_objects_the_schema_has_the_fields_that_were_named(run: Run) -> None:
    answer = run(*RACKS, "--field", "title:string", "--field", "steps:strings", "--field", "lease:duration")
    assert answer.exit_code == 0, answer.output
    schema = Path("omni-gateway-plugin-racks/omni_gateway_racks/schemas.py").read_text()
    assert "    title = fields.String(" in schema
    assert "    steps = fields.List(fields.String()," in schema
    assert "    lease = wire.Duration(" in schema


def test_on_a_terminal_it_asks_for_what_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni_gateway.cli.plugin_commands._on_terminal", lambda: True)
    answer = run("new", typed="own-backend\nracks\ntitle:string height:integer\nRacks of a hall\nAda\n")
    assert answer.exit_code == 0, answer.output
    folder = Path("omni-gateway-plugin-racks")
    assert "height = wire.Integer(" in (folder / "omni_gateway_racks" / "schemas.py").read_text()
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert (project["description"], project["authors"]) == ("Racks of a hall", [{"name": "Ada"}])


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (["new"], "--kind"),
        (["new", "racks"], "--kind"),
        (["new", "--kind", "omni-type"], "--type"),
        (["new", "--kind", "own-backend"], "NAME"),
        (["new", "--kind", "service"], "NAME"),
    ],
)
def test_without_a_terminal_a_missing_answer_is_named_by_its_flag(run: Run, words: list[str], missing: str) -> None:
    answer = run(*words)
    assert answer.exit_code == 2
    assert f"{missing} is missing" in answer.stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["Racks"], "'Racks' must be lower-case words with hyphens"),
        (["my racks"], "'my racks' must be lower-case words with hyphens"),
        (["rack_units"], "must be lower-case words with hyphens"),
        (["../racks"], "must be lower-case words with hyphens"),
        (["1racks"], "must be lower-case words with hyphens"),
        (["rack"], "must be a plural, such as racks; give --singular"),
        (["status"], "must be a plural, such as statuses"),
        (["r" * 60 + "s"], "at most 50 characters"),
        (["machines"], "'machines' is taken by the plugin 'machines'"),
        (["operations"], "'operations' is taken by the gateway itself"),
        (["blades", "--singular", "machine"], "--singular: 'machine' is taken by the plugin 'machines'"),
        (["racks", "--singular", "Rack"], "--singular: 'Rack' must be lower-case words"),
        (["racks", "--field", "labels:string"], "--field: The field name 'labels' is taken"),
        (["racks", "--field", "Title"], "--field: The field name 'Title' must be lower-case words"),
        (["racks", "--field", "title:text"], "--field: The field 'title' has no kind 'text'; kinds are string, "),
        (["racks", "--field", "a", "--field", "a"], "--field: The field name 'a' is given twice"),
        (["racks", "--type", "Links"], "--type: It is for the kind omni-type"),
        (["racks", "--description", 'a "rack"'], '--description: It must be one line without "'),
        (["racks", "--author", "a\nb"], "--author: It must be one line"),
        (["racks", "--description", "x" * 101], "--description: It must be at most 100 characters"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused_and_nothing_is_written(run: Run, words: list[str], text: str) -> None:
    answer = run("new", *words, "--kind", "own-backend")
    assert answer.exit_code == 1
    assert text in answer.stderr
    assert list(Path().iterdir()) == []


def test_a_mistyped_type_is_told_the_nearest_one(run: Run) -> None:
    answer = run("new", "--type", "GRPCTunelConfigs")
    assert "--type: There is no type 'GRPCTunelConfigs' in Omni; did you mean 'GRPCTunnelConfigs'?" in answer.stderr


def test_a_type_is_found_in_any_case_with_or_without_its_domain(run: Run) -> None:
    assert run("new", "--type", "grpctunnelconfigs.omni.sidero.dev").exit_code == 0
    assert "types.GRPC_TUNNEL_CONFIGS" in (FOLDER / "omni_gateway_grpc_tunnel_configs" / "__init__.py").read_text()


def test_a_folder_with_something_in_it_is_left_alone(run: Run) -> None:
    FOLDER.mkdir()
    (FOLDER / "mine.txt").write_text("mine")
    answer = run(*TUNNELS)
    assert answer.exit_code == 1
    assert "is there already and not empty; name another folder by --dir" in answer.stderr
    assert [file.name for file in FOLDER.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_taken(run: Run) -> None:
    Path("here").mkdir()
    assert run(*TUNNELS, "--dir", "here").exit_code == 0
    assert Path("here/pyproject.toml").exists()


def test_a_package_that_cannot_be_written_whole_is_not_written_at_all(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Path.write_text

    def full(file: Path, *args: object, **options: object) -> int:
        if file.name == "pyproject.toml":
            raise OSError(28, "No space left on device")
        return written(file, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full)
    answer = run(*TUNNELS)
    assert "cannot be written: No space left on device" in answer.stderr
    assert list(Path().iterdir()) == []


def test_a_schema_does_not_take_the_name_of_a_built_in_ones(run: Run) -> None:
    assert run("new", "--type", "ClusterMachineConfigs").exit_code == 0
    package = Path("omni-gateway-plugin-cluster-machine-configs/omni_gateway_cluster_machine_configs")
    assert "class OmniClusterMachineConfigSchema(ResourceSchema):" in (package / "schemas.py").read_text()
