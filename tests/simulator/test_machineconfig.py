"""Config patches: what they may say, and what a machine's configuration becomes of them."""

from __future__ import annotations

import pytest

from omni_gateway.simulator.errors import InvalidArgument
from omni_gateway.simulator.machineconfig import render as render
from omni_gateway.simulator.machineconfig.patch import check_patch

INPUTS = render.Inputs("c1", "uuid", "10000", 1, "1.35.6", "1.13.7", "abc", "/dev/vda")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        ("---\n", ["empty"]),
        ("machine: [", ["YAML"]),
        ("just words", ["document 1", "mapping"]),
        ("- op: add\n  path: /machine\n", ["document 1", "mapping"]),
        ("machine:\n  env:\n    A: b\n  nonsense: 1\n", ["document 1", "line 4", "machine.nonsense"]),
        ("machine: 7\n", ["machine", "mapping"]),
        ("machine:\n  env:\n    A: b\n---\ntypo: 1\n", ["document 2", "line 5", "typo"]),
        ("apiVersion: v1alpha1\nkind: NoSuchConfig\n", ["NoSuchConfig"]),
        ("apiVersion: v1alpha1\nkind: KubeClusterConfig\n", ["KubeClusterConfig"]),
        ("cluster:\n  clusterName: other\n", ["cluster.clusterName"]),
        ("cluster:\n  controlPlane:\n    endpoint: https://x\n", ["cluster.controlPlane.endpoint"]),
        ("machine:\n  install:\n    disk: /dev/sda\n", ["machine.install.disk"]),
        ("machine:\n  token: abc\n", ["machine.token"]),
        (
            "machine:\n  features:\n    kubernetesTalosAPIAccess:\n      allowedRoles: [os:admin]\n",
            ["os:admin"],
        ),
    ],
)
def test_anything_else_is_refused_and_the_message_says_where(text: str, words: list[str]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_patch(text)

    assert all(word in caught.value.message for word in words), caught.value.message


def test_several_problems_are_told_together() -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_patch("one: 1\ntwo: 2\n")

    assert "one" in caught.value.message
    assert "two" in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 100_000,
        "machine: &a\n  env: *a\n",
        "machine:\n  env:\n    a: &a0 [x, x]\n"
        + "".join(f"    b{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)),
        "x" * (5 * 1024 * 1024),
    ],
    ids=["nested", "endless", "unfolding", "long"],
)
def test_yaml_that_would_exhaust_the_reader_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        check_patch(text)


def test_later_patches_win_and_maps_are_merged() -> None:
    patches = ["machine:\n  sysctls:\n    a: '1'\n    b: '1'\n", "machine:\n  sysctls:\n    b: '2'\n"]

    documents = render.render(INPUTS, patches)

    assert documents[0]["machine"]["sysctls"] == {"a": "1", "b": "2"}


def test_a_patch_can_remove_a_section_and_append_to_a_list() -> None:
    patches = ["machine:\n  nodeLabels:\n    $patch: delete\n  certSANs: [a.example.org]\n"]

    documents = render.render(INPUTS, patches)

    assert "nodeLabels" not in documents[0]["machine"]
    assert documents[0]["machine"]["certSANs"] == ["a.example.org"]


def test_a_document_of_another_kind_is_added_or_merged_into_its_namesake() -> None:
    patches = ["apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: db\n---\nkind: SysctlConfig\nname: x\n"]

    documents = render.render(INPUTS, patches)

    assert next(doc for doc in documents if doc.get("kind") == "HostnameConfig")["hostname"] == "db"
    assert documents[-1] == {"kind": "SysctlConfig", "name": "x"}


def test_versions_of_components_are_read_back_from_their_images() -> None:
    patch = render.to_yaml([render.component_patch({"kube-apiserver": "1.35.7"})])

    documents = render.render(INPUTS, [patch])

    assert render.components(documents, 1) == {
        "kube-apiserver": "1.35.7",
        "kube-controller-manager": "1.35.6",
        "kube-scheduler": "1.35.6",
        "kubelet": "1.35.6",
    }


def test_a_configuration_holds_no_secret() -> None:
    text = render.to_yaml(render.render(INPUTS, []))

    assert "jointoken=******" in text
    assert all(
        line.endswith(("'******'", '""', "''")) for line in text.splitlines() if " key:" in line or " token:" in line
    )
