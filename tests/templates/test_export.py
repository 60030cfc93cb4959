"""From objects back to the template that renders them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import yaml

from omni_gateway.model.resource import Resource
from omni_gateway.templates import Template, TemplateFaults, export, is_same, read, render
from tests.templates.case import read as captured

CLUSTER = Resource("c1", {"talos_version": "1.11.5", "kubernetes_version": "1.34.1"}, type="Clusters.omni.sidero.dev")
CONTROL_PLANE = Resource(
    "c1-control-planes",
    {"update_strategy": 1},
    {"omni.sidero.dev/cluster": "c1", "omni.sidero.dev/role-controlplane": ""},
    type="MachineSets.omni.sidero.dev",
)


def templates() -> Iterator[tuple[str, Template]]:
    """Yield the valid templates of the corpus."""
    for each in captured():
        try:
            yield each.case.name, read(each.case.text, {name: text.encode() for name, text in each.case.files.items()})
        except TemplateFaults:
            continue


def test_objects_of_a_template_are_exported_as_a_template_that_renders_the_same() -> None:
    found = dict(templates())
    assert len(found) > 50
    for name, template in found.items():
        objects = render(template)
        exported = export(objects)
        assert exported.inexact == [], name
        rendered = {(each.type, each.id) for each in render(exported.template)}
        assert rendered == {(each.type, each.id) for each in objects}, name
        assert render(read(yaml.safe_dump_all(exported.template.to_documents()))) == render(exported.template), name


def test_objects_of_omnis_controllers_are_left_out() -> None:
    patch = Resource(
        "950-c1", {"data": "a: b"}, {"omni.sidero.dev/cluster": "c1"}, type="ConfigPatches.omni.sidero.dev", owner="X"
    )
    node = Resource(
        "m1",
        labels={
            "omni.sidero.dev/cluster": "c1",
            "omni.sidero.dev/machine-set": "c1-control-planes",
            "omni.sidero.dev/managed-by-machine-set-node-controller": "",
        },
        type="MachineSetNodes.omni.sidero.dev",
    )
    exported = export([CLUSTER, CONTROL_PLANE, patch, node])
    assert exported.inexact == []
    assert [each.id for each in render(exported.template)] == ["c1", "c1-control-planes"]


def test_an_object_that_a_template_cannot_say_is_named() -> None:
    backups = {**CLUSTER.spec, "backup_configuration": {"interval": "3600s"}}
    cluster = Resource("c1", backups, type=CLUSTER.type)
    exported = export([cluster, CONTROL_PLANE])
    assert exported.inexact == [cluster]


def test_a_cluster_is_needed() -> None:
    with pytest.raises(LookupError):
        export([CONTROL_PLANE])


def test_how_yaml_is_written_is_no_difference() -> None:
    one, other = (
        Resource("p", {"data": text}, {"omni.sidero.dev/cluster": "c1"}, type="ConfigPatches.omni.sidero.dev")
        for text in ("machine:\n    env:\n        a: 'b'\n", "machine: {env: {a: b}}")
    )
    assert is_same(one, other)
    assert not is_same(one, replace(other, spec={"data": "machine: {env: {a: c}}"}))


def test_a_patch_is_exported_as_a_mapping_only_if_that_has_its_text() -> None:
    texts = ["machine:\n    env:\n        a: b\n", "# why\nmachine: {}\n", "machine: ["]
    patches = [
        Resource(f"p{number}", {"data": text}, {"omni.sidero.dev/cluster": "c1"}, type="ConfigPatches.omni.sidero.dev")
        for number, text in enumerate(texts)
    ]
    exported = export([CLUSTER, CONTROL_PLANE, *patches]).template
    assert [each.inline for each in exported.cluster.patches] == [{"machine": {"env": {"a": "b"}}}, *texts[1:]]


@pytest.mark.parametrize(
    ("data", "disk"),
    [("machine:\n    install:\n        disk: /dev/vdb\n", "/dev/vdb"), ("machine:\n  install:\n    wipe: true\n", "")],
)
def test_the_patch_by_which_an_older_omni_has_an_install_disk_is_exported_as_that(data: str, disk: str) -> None:
    labels = {"omni.sidero.dev/cluster": "c1", "omni.sidero.dev/machine-set": "c1-control-planes"}
    node = Resource("m1", {}, labels, type="MachineSetNodes.omni.sidero.dev")
    of_machine = {"omni.sidero.dev/cluster": "c1", "omni.sidero.dev/cluster-machine": "m1"}
    patch = Resource("000-cm-m1-install-disk", {"data": data}, of_machine, type="ConfigPatches.omni.sidero.dev")
    patch.annotations = {"name": "install-disk"}

    documents = export([CLUSTER, CONTROL_PLANE, node, patch]).template.to_documents()

    [machine] = [each for each in documents if each["kind"] == "Machine"]
    assert (machine.get("install", {}).get("disk", ""), "patches" in machine) == (disk, not disk)
