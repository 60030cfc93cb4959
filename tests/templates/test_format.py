"""What a user sees of a template that is wrong, and the fields that omnictl does not have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omni_gateway.sdk.templates import (
    Cluster,
    Duration,
    Fault,
    Machine,
    Patch,
    TemplateFaults,
    read,
    read_documents,
    render,
)
from tests.examples import examples

MACHINE = "aaaaaaaa-0000-4000-8000-000000000000"
CLUSTER = """\
kind: Cluster
name: one
kubernetes:
  version: v1.34.1
talos:
  version: v1.11.5
"""
TEMPLATE = f"{CLUSTER}---\nkind: ControlPlane\n"


def faults_of(text: str | bytes, files: dict[str, bytes] | None = None) -> list[Fault]:
    with pytest.raises(TemplateFaults) as caught:
        read(text, files or {})
    return caught.value.faults


def test_all_faults_are_told_at_once_each_with_its_document_line_and_field() -> None:
    text = f"""\
kind: Cluster
name: a b
kubernetes:
  version: v1.34.1
  manifests:
    - name: one
      inline: {{kind: Namespace}}
talos:
  verison: v1.11.5
---
kind: ControlPlane
machines:
  - {MACHINE}
---
kind: Machine
name: {MACHINE}
locked: true
"""

    faults = faults_of(text)

    assert faults == [
        Fault(0, 2, "name", "Must have letters, digits, hyphens and underscores only."),
        Fault(0, 6, "kubernetes.manifests.0.mode", "Is required: full or one-time."),
        Fault(0, 8, "talos.version", "Is required."),
        Fault(0, 9, "talos.verison", "Unknown field; did you mean 'version'?"),
        Fault(2, 17, "locked", "A machine of the control plane cannot be locked."),
    ]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("machineclass", "machineClass"), ("updateStrategi", "updateStrategy"), ("kernelargs", "kernelArgs")],
)
def test_an_unknown_field_names_the_nearest_one(wrong: str, right: str) -> None:
    (fault,) = faults_of(f"{TEMPLATE}{wrong}: []\n")

    assert (fault.line, fault.field) == (9, wrong)
    assert repr(right) in fault.message


def test_the_json_form_has_the_same_faults_without_lines() -> None:
    with pytest.raises(TemplateFaults) as caught:
        read_documents([{"kind": "Cluster", "name": 5}, {"kind": "ControlPlane", "locked": True}])

    assert [(fault.document, fault.line, fault.field) for fault in caught.value.faults] == [
        (0, None, "name"),
        (0, None, "kubernetes.version"),
        (0, None, "talos.version"),
        (1, None, "locked"),
    ]


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../secret.yaml", "patches/../../secret.yaml", "absent.yaml", "..", "C:\\a.yaml", "a\\..\\b"],
)
def test_a_file_outside_of_what_was_sent_is_a_fault(path: str) -> None:
    text = f"{CLUSTER}patches:\n  - file: '{path}'\n---\nkind: ControlPlane\n"

    (fault,) = faults_of(text, {"secret.yaml": b"machine: {}\n", "../secret.yaml": b"machine: {}\n"})

    assert (fault.document, fault.line, fault.field) == (0, 8, "patches.0.file")


def test_a_file_is_inlined_under_its_name() -> None:
    text = f"{CLUSTER}patches:\n  - file: ./patches/a.yaml\n---\nkind: ControlPlane\n"

    template = read(text, {"patches/a.yaml": b"machine: {}\n"})

    assert template.cluster.patches == [Patch(name="./patches/a.yaml", inline="machine: {}\n")]


def test_a_locked_cluster_has_the_annotation_of_the_lock() -> None:
    (cluster, *_) = render(read(TEMPLATE.replace("name: one", "name: one\nlocked: true")))

    assert cluster.annotations["omni.sidero.dev/cluster-locked"] == ""


@pytest.mark.parametrize(("given", "locked"), [("", None), ("locked: false\n", False), ("locked: true\n", True)])
def test_a_cluster_that_says_nothing_of_its_lock_is_told_from_one_that_is_not_locked(
    given: str, locked: bool | None
) -> None:
    template = read(given + TEMPLATE)

    assert (template.cluster.locked, read_documents(template.to_documents())) == (locked, template)


@pytest.mark.parametrize(
    "text",
    [
        b"kind: \xff",
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
            for before, name in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "---\nkind: Machine\n" * 2001,
        "[" * 100,
        "kind: &a [*a]\n",
        "? [a]\n: b\n",
        "!!python/object:os.system {}\n",
    ],
    ids=["no UTF-8", "aliases", "documents", "depth", "recursive", "key", "tag"],
)
def test_a_text_beyond_the_bounds_is_a_fault(text: str | bytes) -> None:
    assert faults_of(text)


@pytest.mark.parametrize(
    "content",
    [
        "{apiVersion: v1alpha1, kind: KubeClusterConfig}",
        "{apiVersion: v1alpha1, kind: KubeServiceAccountConfig, issuer: {privateKey: a}}",
        "{apiVersion: v1alpha1, kind: KubeTalosAPIAccessConfig, allowedRoles: ['os:admin']}",
    ],
)
def test_a_patch_of_a_newer_talos_may_not_set_what_omni_sets_either(content: str) -> None:
    (fault,) = faults_of(f"{CLUSTER}patches:\n  - name: a\n    inline: {content}\n---\nkind: ControlPlane\n")

    assert (fault.document, fault.line, fault.field) == (0, 9, "patches.0.inline")


def test_a_template_is_named_by_its_cluster() -> None:
    assert read(TEMPLATE).name == "one"


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_the_text_of_a_duration_reads_as_the_same_duration(nanoseconds: int) -> None:
    assert Duration.read(str(Duration(nanoseconds))) == nanoseconds


FIELDS = [
    "kind",
    "name",
    "labels",
    "locked",
    "kubernetes",
    "version",
    "manifests",
    "patches",
    "inline",
    "file",
    "job",
    "machines",
    "machineClass",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([".inf", "9" * 5000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=10,
)


@settings(max_examples=examples(25, fuzz=300), suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["Cluster", "ControlPlane", "Workers", "Machine"]), st.dictionaries(st.sampled_from(FIELDS), VALUES)
)
def test_any_document_is_a_template_or_has_faults(kind: str, document: dict[str, Any]) -> None:
    with pytest.raises(TemplateFaults) as caught:
        read_documents([{"kind": kind, **document}])

    assert caught.value.faults


@settings(max_examples=examples(25, fuzz=300), suppress_health_check=list(HealthCheck))
@given(st.text(alphabet="kind: Cluster\n-[]{}&*!?|>'\"#0.e~"))
def test_any_text_is_a_template_or_has_faults(text: str) -> None:
    assert faults_of(text)


def test_documents_are_made_without_a_text_too() -> None:
    template = read(TEMPLATE + f"machines: [{MACHINE}]\n")

    template.documents.append(Machine(name=MACHINE, kernel_args=["quiet"]))

    assert isinstance(template.documents[0], Cluster)
    assert [each.type for each in render(template)][-1] == "KernelArgs.omni.sidero.dev"
