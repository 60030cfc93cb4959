"""Templates as people write them, and as they should not: what chance does not find."""

from __future__ import annotations

from tests.templates.case import Case

_A, _B, _C, _D = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abcd")
_HEAD = "kind: Cluster\nname: one\nkubernetes: {version: v1.34.1}\ntalos: {version: v1.11.5}\n"
_CONTROL_PLANE = "---\nkind: ControlPlane\n"
_SMALL = _HEAD + _CONTROL_PLANE
_SYSCTLS = "machine:\n  sysctls:\n    a.b: '1'\n"

_TEXTS: dict[str, str | tuple[str, dict[str, str]]] = {
    "smallest": _SMALL,
    "empty": "",
    "only-a-comment": "# nothing\n",
    "empty-documents": f"---\n---\n{_SMALL}",
    "trailing-separator": f"{_SMALL}---\n",
    "a-list": f"- {_A}\n",
    "no-yaml": "kind: Cluster\nname: 'one\n",
    "key-twice": f"{_HEAD}name: two\n{_CONTROL_PLANE}",
    "key-twice-within": f"{_SMALL}labels:\n  a: '1'\n  a: '2'\n",
    "anchors-and-merges": f"""\
{_HEAD}labels: &labels
  team: a
  tier: b
patches:
  - name: first
    labels: *labels
    inline: &patch
      machine: {{sysctls: {{a.b: '1'}}}}
  - name: second
    annotations:
      <<: *labels
      tier: c
    inline:
      <<: *patch
      cluster: {{proxy: {{disabled: true}}}}
{_CONTROL_PLANE}""",
    "unquoted-texts": f"""\
{_HEAD}labels: {{number: 1, float: 1.10, yes: yes, boolean: true, nothing: , date: 2026-08-01, octal: 0755}}
{_CONTROL_PLANE}machineClass:
  name: 17
  size: 3
systemExtensions: [1.5, true, text]
""",
    "unquoted-versions": "kind: Cluster\nname: 12\nkubernetes: {version: 1.34}\ntalos: {version: v1.11}\n"
    + _CONTROL_PLANE,
    "values-of-a-manifest": """\
kind: Cluster
name: one
talos: {version: v1.11.5}
kubernetes:
  version: v1.34.1
  manifests:
    - name: values
      mode: full
      inline:
        integers: [0, -0, 0x1F, 0o17, 0b11, 017, 1_000, 9223372036854775807, 18446744073709551615]
        floats: [1.0, 1.50, 1e3, 1E-7, .5, 123456.0, 1234567.0, 0.0001, 0.00001, 12345678901234567890123, .inf, -.INF]
        words: [yes, No, on, off, y, n, true, False, ~, null, '', 'null', 'true', '5', "0x1F", 1:30, 1:30:15, '<<', '=']
        texts:
          - 'it''s'
          - "tab\\there"
          - "bell\\a"
          - 'a #b'
          - 'a: b'
          - '- a'
          - '? a'
          - '*a'
          - '&a'
          - '!a'
          - '%a'
          - '@a'
          - '`a'
          - '|'
          - '>'
          - '{a'
          - 'a]'
          - "[a"
          - ' a'
          - 'a '
          - ''
          - 'é ü 漢 😀'
          - "---"
          - "..."
          - "-"
          - "a:"
          - ":a"
          - "1.2.3"
          - "2026-08-01"
          - "2026-08-01T10:00:00Z"
          - "+1"
          - "1e3"
          - "."
          - "0o17"
          - "1__0"
        lines:
          - "a\\nb"
          - "a\\nb\\n"
          - "a\\n\\nb\\n\\n"
          - "\\na"
          - "  a\\nb"
          - "a \\nb"
          - "a\\n  b\\n"
          - "a\\tb\\nc"
          - "\\n"
          - "\\n\\n"
          - " \\n "
        keys: {a10: 1, a9: 2, a09: 3, a: 4, B: 5, b: 6, _c: 7, 'c d': 8, a-b: 9, a.b: 10, ab: 11, "é": 12, 'on': 13,
               '1': 14, '10': 15, '9': 16, a1b: 17, a1: 18, '': 19}
        nested: [[[1, 2], [3]], [{a: 1, b: [{c: 2}, {d: []}]}], [], {}, [{}], {a: {}}]
        long: 'LONG'
""".replace("LONG", "word " * 40 + "end")
    + _CONTROL_PLANE,
    "null-everywhere": f"""\
{_HEAD}labels:
annotations: ~
features:
patches: null
systemExtensions:
kernelArgs: null
{_CONTROL_PLANE}machines:
machineClass:
upgradeStrategy:
bootstrapSpec: null
""",
    "empty-lists": f"""\
{_HEAD}systemExtensions: []
kernelArgs: []
{_CONTROL_PLANE}machines: [{_A}, {_B}]
systemExtensions: []
kernelArgs: []
---
kind: Machine
name: {_A}
systemExtensions: []
kernelArgs: [quiet]
""",
    "kernel-args-of-each-level": f"""\
{_HEAD}kernelArgs: [cluster]
{_CONTROL_PLANE}machines: [{_A}, {_B}]
kernelArgs: [set]
---
kind: Workers
machines: [{_C}, {_D}]
---
kind: Machine
name: {_A}
kernelArgs: [machine]
---
kind: Machine
name: {_B}
---
kind: Machine
name: {_C}
""",
    "patch-ids-and-names": (
        f"""\
{_HEAD}patches:
  - {{idOverride: 100-own, inline: {{machine: {{sysctls: {{a.b: '1'}}}}}}}}
  - {{idOverride: 101-own, name: with a name, inline: {{machine: {{sysctls: {{a.b: '1'}}}}}}}}
  - {{name: 'a name / with strange? signs', inline: {{machine: {{sysctls: {{a.b: '1'}}}}}}}}
  - {{file: patches/a b.yaml}}
  - {{file: patches/a b.yaml, name: renamed}}
  - {{file: patches/a b.yaml, idOverride: 102-own, annotations: {{name: other}}}}
{_CONTROL_PLANE}""",
        {"patches/a b.yaml": _SYSCTLS},
    ),
    "patch-of-many-documents-in-a-file": (
        f"{_HEAD}patches: [{{file: many.yaml}}]\n{_CONTROL_PLANE}",
        {"many.yaml": f"{_SYSCTLS}---\napiVersion: v1alpha1\nkind: KmsgLogConfig\nname: a\nurl: tcp://10.0.0.1:1/\n"},
    ),
    "patch-file-is-empty": (f"{_HEAD}patches: [{{file: empty.yaml}}]\n{_CONTROL_PLANE}", {"empty.yaml": ""}),
    "patch-file-is-a-comment": (
        f"{_HEAD}patches: [{{file: empty.yaml}}]\n{_CONTROL_PLANE}",
        {"empty.yaml": "# none\n"},
    ),
    "patch-file-of-own-field": (
        f"{_HEAD}patches: [{{file: own.yaml}}]\n{_CONTROL_PLANE}",
        {"own.yaml": f"{_SYSCTLS}---\ncluster:\n  id: abc\n"},
    ),
    "patch-file-is-no-yaml": (f"{_HEAD}patches: [{{file: a.yaml}}]\n{_CONTROL_PLANE}", {"a.yaml": "machine: [\n"}),
    "patch-is-empty": f"{_HEAD}patches: [{{name: a, inline: {{}}}}]\n{_CONTROL_PLANE}",
    "patch-is-an-empty-list": f"{_HEAD}patches: [{{name: a, inline: []}}]\n{_CONTROL_PLANE}",
    "patch-is-an-empty-text": f"{_HEAD}patches: [{{name: a, inline: ''}}]\n{_CONTROL_PLANE}",
    "patch-deletes": f"{_HEAD}patches: [{{name: a, inline: {{machine: {{time: {{$patch: delete}}}}}}}}]\n"
    + _CONTROL_PLANE,
    "patch-of-no-field-of-talos": f"{_HEAD}patches: [{{name: a, inline: {{machine: {{sysctl: {{a.b: '1'}}}}}}}}]\n"
    + _CONTROL_PLANE,
    "question-mark-within-braces": f"{_HEAD}labels: {{a: what? that}}\n{_CONTROL_PLANE}",
    "old-booleans": f"{_HEAD}features: {{diskEncryption: yes, enableWorkloadProxy: On, enableNodeAuditSkip: n}}\n"
    + _CONTROL_PLANE,
    "boolean-as-text": f"{_HEAD}features: {{diskEncryption: 'true'}}\n{_CONTROL_PLANE}",
    "interval-as-number": f"{_HEAD}features: {{backupConfiguration: {{interval: 3600000000000}}}}\n{_CONTROL_PLANE}",
    "interval-below-zero": f"{_HEAD}features: {{backupConfiguration: {{interval: -1h}}}}\n{_CONTROL_PLANE}",
    "ids-of-other-forms": f"{_SMALL}machines: ['{_A.replace('-', '').upper()}', '{{{_B}}}', 'urn:uuid:{_C}']\n",
    "machine-twice-as-a-document": f"{_SMALL}machines: [{_A}]\n"
    + f"---\nkind: Machine\nname: {_A}\nlabels: {{a: b}}\n" * 2,
    "labels-of-sets-and-machines": f"""\
{_SMALL}machines: [{_A}]
labels: {{set: a}}
---
kind: Workers
name: more
labels: {{set: b}}
annotations: {{c: d}}
machines: [{_B}]
---
kind: Machine
name: {_B}
locked: true
labels: {{machine: e}}
annotations: {{f: g}}
""",
    "version-with-build": _SMALL.replace("v1.34.1", "v1.34.1+build.5").replace("v1.11.5", "v1.11.5-2-gabc"),
    "version-with-zeros": "kind: Cluster\nname: one\nkubernetes: {version: v01.034.1}\ntalos: {version: vv1.11.5}\n"
    + _CONTROL_PLANE,
    "name-in-other-letters": _SMALL.replace("name: one", "name: größe٣"),
    "disk-selectors": f"""\
{_SMALL}machines: [{_A}, {_B}]
---
kind: Machine
name: {_A}
install: {{diskSelector: 'disk.size >= 10u * GB && !disk.readonly && disk.model.startsWith("Samsung")'}}
---
kind: Machine
name: {_B}
install: {{disk: /dev/sda}}
""",
}


def cases() -> list[Case]:
    """Return the templates."""
    return [
        Case(f"handmade-{name}", *((value,) if isinstance(value, str) else value)) for name, value in _TEXTS.items()
    ]
