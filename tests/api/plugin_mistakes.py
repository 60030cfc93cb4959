"""Mistakes that authors of plugins make, each as a change of one plugin that is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

RIGHT = '''\
"""Tunnels of machines, as a plugin of a third party."""

import time
from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from omni_gateway.sdk import READ, READ_WRITE, Filter, Listing, ListQuery, OmniResourceAdapter, Resource
from omni_gateway.sdk import ResourceAdapter, ResourcePlugin, ResourceSchema, Role, SpecSchema, SubResource, fields
from omni_gateway.sdk.actions import Action, ComputedDocument
from omni_gateway.sdk.omni import types


class AcmeAdapter(OmniResourceAdapter):
    """The adapter of tunnels."""


class AcmeTunnelSchema(ResourceSchema):
    """The tunnel of a machine."""

    enabled = fields.Boolean(
        metadata={"description": "Whether WireGuard is carried over gRPC", "example": True},
    )


def restart(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Resource:
    """Restart a tunnel."""
    return adapter.get(id)


RESTART = Action(
    "restart",
    role=Role.OPERATOR,
    summary="Restart a tunnel",
    description="The machine opens its tunnel again; traffic stops for a second.",
    run=restart,
)

plugin = ResourcePlugin(
    name="acme-tunnels",
    singular="acme-tunnel",
    title="tunnel",
    schema=AcmeTunnelSchema,
    adapter=AcmeAdapter(types.GRPC_TUNNEL_CONFIGS, sortable=["enabled"]),
    roles=READ_WRITE,
    filters=[],
    actions=[RESTART],
    documents=[],
    subresources=[],
    description="Whether a machine reaches Omni through a gRPC tunnel.",
    after_write="Omni tells the machine, which opens the tunnel.",
    after_delete="Omni's default applies again.",
    group="Machines",
    example={"id": "m1", "enabled": True},
    sdk=">=2.0,<3",
)
'''

METADATA = """\
Metadata-Version: 2.4
Name: acme-tunnels
Version: 1.0
License-Expression: MIT
Requires-Dist: omni-gateway

# acme-tunnels

`/api/v1/acme-tunnels` serves the tunnels of machines.
"""


@dataclass(frozen=True)
class Mistake:
    """A mistake.

    :param change: text of the right plugin → the wrong text in its place.
    :param at: text of the line that the finding names.
    :param says: what the finding has to say: the mistake, and how to mend it.
    :param rule: the rule that finds it.
    :param entry_points: the entry points, where these are wrong.
    :param metadata: the metadata of the distribution, where they are wrong.
    """

    name: str
    rule: str
    at: str
    says: tuple[str, ...]
    change: dict[str, str] = field(default_factory=dict)
    entry_points: str = "[omni_gateway.resources]\nacme-tunnels = acme_tunnels:plugin\n"
    metadata: str = METADATA

    @property
    def source(self) -> str:
        """Return the module with the mistake."""
        text = RIGHT
        for right, wrong in self.change.items():
            assert text.count(right) == 1, right
            text = text.replace(right, wrong)
        return text

    @property
    def line(self) -> int:
        """Return the number of the line that the finding names."""
        lines = self.source.splitlines()
        found = [number for number, line in enumerate(lines, 1) if self.at in line]
        assert len(found) == 1, (self.at, found)
        return found[0]


def write(folder: Path, mistake: Mistake) -> None:
    """Write an installed distribution ``acme-tunnels`` 1.0 with the mistake into a folder."""
    (folder / "acme_tunnels.py").write_text(mistake.source)
    info = folder / "acme_tunnels-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(mistake.metadata)
    (info / "entry_points.txt").write_text(mistake.entry_points)


_ADAPTER = 'AcmeAdapter(types.GRPC_TUNNEL_CONFIGS, sortable=["enabled"])'
_ENABLED = "enabled = fields.Boolean("
_BASE = "class AcmeAdapter(OmniResourceAdapter):"
_READ_ONLY = """class AcmeAdapter(ResourceAdapter):
    def list(self, query):
        return Listing([], 0)

    def get(self, id):
        return Resource(id, {})
"""
_STATUS = '''class AcmeStatusSchema(ResourceSchema):
    """Its status."""


LINKS = OmniResourceAdapter(types.LINKS)


'''

NONE = Mistake("none", "", "", ())

#: Found at the start, before any request, and by ``omni-gateway plugin check``.
AT_START = (
    Mistake(
        "missing-adapter-method",
        "adapter-methods",
        "roles=READ_WRITE",
        ("'create'", "AcmeAdapter has no method create", "write it"),
        {_BASE: _READ_ONLY, _ADAPTER: "AcmeAdapter()"},
    ),
    Mistake(
        "missing-items",
        "adapter-methods",
        "roles=READ,",
        ("AcmeAdapter has no method items",),
        {
            _BASE: "from omni_gateway.sdk.adapters import CallAdapter\nclass AcmeAdapter(CallAdapter):",
            _ADAPTER: "AcmeAdapter()",
            "roles=READ_WRITE": "roles=READ",
        },
    ),
    Mistake(
        "adapter-class",
        "adapter-instance",
        "adapter=AcmeAdapter,",
        ("the adapter is the class AcmeAdapter", "AcmeAdapter(...)"),
        {_ADAPTER: "AcmeAdapter"},
    ),
    Mistake(
        "wrong-field-name",
        "schema-fields",
        "enable = fields",
        ("'enable'", "did you mean 'enabled'"),
        {_ENABLED: "enable = fields.Boolean(", ', sortable=["enabled"]': "", '"enabled": True}': '"enable": True}'},
    ),
    Mistake(
        "wrong-field-type",
        "schema-field-types",
        "enabled = ma",
        ("'enabled'", "bool", "fields.Boolean"),
        {_ENABLED: "enabled = ma.fields.String(", '"enabled": True}': '"enabled": "yes"}'},
    ),
    Mistake(
        "one-value-as-a-list",
        "schema-field-types",
        "enabled = ma",
        ("'enabled'", "no list"),
        {_ENABLED: "enabled = ma.fields.List(fields.Boolean(), ", '"enabled": True}': '"enabled": [True]}'},
    ),
    Mistake(
        "wrong-nested-field-name",
        "schema-fields",
        "max_paralelism =",
        ("'update_strategy_config.rolling.max_paralelism'", "did you mean 'max_parallelism'"),
        {
            "class AcmeTunnelSchema": '''class AcmeRolling(SpecSchema):
    """How many at once."""

    max_paralelism = fields.Integer()


class AcmeStrategy(SpecSchema):
    """The strategy."""

    rolling = fields.Message(AcmeRolling)


class AcmeTunnelSchema''',
            _ENABLED: "update_strategy_config = fields.Message(AcmeStrategy,",
            ', sortable=["enabled"]': "",
            "GRPC_TUNNEL_CONFIGS": "MACHINE_SETS",
            ', "enabled": True}': "}",
        },
    ),
    Mistake(
        "enum-with-other-numbers",
        "schema-field-types",
        "update_strategy = fields",
        ("'update_strategy'", "Rolling", "enum"),
        {
            "class AcmeTunnelSchema": """from enum import IntEnum
Strategy = IntEnum("Strategy", {"Rolling": 0, "Unset": 1})


class AcmeTunnelSchema""",
            _ENABLED: "update_strategy = fields.Enum(Strategy,",
            ', sortable=["enabled"]': "",
            "GRPC_TUNNEL_CONFIGS": "MACHINE_SETS",
            ', "enabled": True}': "}",
        },
    ),
    Mistake(
        "a-field-named-labels",
        "schema-envelope",
        "labels = ma",
        ("'labels'", "envelope", "another name"),
        {_ENABLED: "labels = ma.fields.List(ma.fields.String())\n    enabled = fields.Boolean("},
    ),
    Mistake(
        "a-field-named-metadata",
        "schema-envelope",
        "metadata = ma",
        ("'metadata'", "envelope"),
        {_ENABLED: "metadata = ma.fields.String()\n    enabled = fields.Boolean("},
    ),
    Mistake(
        "a-type-that-does-not-exist",
        "omni-type",
        'AcmeAdapter("GRPCTunelConfigs',
        ("GRPCTunelConfigs.omni.sidero.dev", "did you mean 'GRPCTunnelConfigs.omni.sidero.dev'"),
        {_ADAPTER: 'AcmeAdapter("GRPCTunelConfigs.omni.sidero.dev")'},
    ),
    Mistake(
        "a-misspelt-group",
        "entry-point-group",
        "",
        ("'omni_gateway.resource'", "omni_gateway.resources"),
        entry_points="[omni_gateway.resource]\nacme-tunnels = acme_tunnels:plugin\n",
    ),
    Mistake(
        "a-name-with-a-space",
        "plugin-name",
        'name="acme tunnels"',
        ("'acme tunnels'", "'acme-tunnels'"),
        {'name="acme-tunnels"': 'name="acme tunnels"'},
    ),
    Mistake(
        "an-unknown-verb",
        "loads",
        "plugin = ResourcePlugin(",
        ("'lists'", "did you mean 'list'"),
        {"roles=READ_WRITE": "roles={'lists': Role.READER}"},
    ),
    Mistake(
        "roles-that-are-a-role",
        "loads",
        "plugin = ResourcePlugin(",
        ("roles", "Role.READER", "READ_WRITE"),
        {"roles=READ_WRITE": "roles=Role.READER"},
    ),
    Mistake(
        "a-role-given-as-text",
        "loads",
        "plugin = ResourcePlugin(",
        ("'reader'", "Role.READER"),
        {"roles=READ_WRITE": "roles={'list': 'reader'}"},
    ),
    Mistake(
        "a-role-of-an-action-given-as-text",
        "loads",
        "RESTART = Action(",
        ("'restart'", "'operator'", "Role.OPERATOR"),
        {"role=Role.OPERATOR": 'role="operator"'},
    ),
    Mistake(
        "a-schema-that-is-an-instance",
        "loads",
        "plugin = ResourcePlugin(",
        ("schema", "AcmeTunnelSchema()", "the class"),
        {"schema=AcmeTunnelSchema": "schema=AcmeTunnelSchema()"},
    ),
    Mistake(
        "a-schema-of-another-kind",
        "loads",
        "plugin = ResourcePlugin(",
        ("schema", "ResourceSchema"),
        {"class AcmeTunnelSchema(ResourceSchema)": "class AcmeTunnelSchema(SpecSchema)"},
    ),
    Mistake(
        "a-filter-with-the-name-of-a-common-parameter",
        "loads",
        "plugin = ResourcePlugin(",
        ("'search'", "another name"),
        {"filters=[]": 'filters=[Filter("search", "Only those")]'},
    ),
    Mistake(
        "two-filters-of-one-name",
        "loads",
        "plugin = ResourcePlugin(",
        ("'machine'", "two"),
        {"filters=[]": 'filters=[Filter("machine", "a", lambda v: v), Filter("machine", "b", lambda v: v)]'},
    ),
    Mistake(
        "a-role-without-a-route",
        "loads",
        "plugin = ResourcePlugin(",
        ("GET /acme-tunnels/<id>/status", "twice", "another name"),
        {
            "RESTART = Action(": _STATUS + "RESTART = Action(",
            "documents=[]": 'documents=[ComputedDocument("status", role=Role.ADMIN, summary="S", run=restart)]',
            "subresources=[]": 'subresources=[SubResource("status", LINKS, AcmeStatusSchema, "S")]',
        },
    ),
    Mistake(
        "a-function-without-dry-run",
        "functions",
        "def restart",
        ("'restart'", "dry_run"),
        {", *, dry_run: bool)": ")"},
    ),
    Mistake(
        "a-document-whose-function-takes-no-query",
        "functions",
        "def restart",
        ("'load'", "query"),
        {
            "adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool": "adapter: ResourceAdapter",
            "    actions=[RESTART],\n": "",
            "documents=[]": 'documents=[ComputedDocument("load", role=Role.READER, summary="Its load", run=restart)]',
        },
    ),
    Mistake(
        "a-task-without-a-context",
        "functions",
        "def refresh",
        ("task 'refresh'", "(context)"),
        {
            "def restart": "def refresh() -> None:\n    pass\n\n\ndef restart",
            "RESTART = Action(": "from omni_gateway.sdk.extensions import Task\nRESTART = Action(",
            "documents=[]": 'tasks=[Task("refresh", run=refresh)]',
        },
    ),
    Mistake(
        "changes-of-a-misspelt-type",
        "omni-type",
        "change_handlers=[",
        ("'Cluster.omni.sidero.dev'", "did you mean 'Clusters.omni.sidero.dev'"),
        {
            "def restart": "def handle(adapter: Any, change: Any) -> None:\n    pass\n\n\ndef restart",
            "RESTART = Action(": "from omni_gateway.sdk.extensions import ChangeHandler\nRESTART = Action(",
            "documents=[]": 'change_handlers=[ChangeHandler("Cluster.omni.sidero.dev", handle)]',
        },
    ),
    Mistake(
        "two-actions-of-one-name",
        "loads",
        "plugin = ResourcePlugin(",
        ("POST /acme-tunnels/<id>/actions/restart", "twice"),
        {"actions=[RESTART]": "actions=[RESTART, RESTART]"},
    ),
    Mistake(
        "a-subresource-of-an-adapter-class",
        "adapter-instance",
        "subresources=[SubResource",
        ("'status'", "the class OmniResourceAdapter"),
        {
            "RESTART = Action(": _STATUS + "RESTART = Action(",
            "subresources=[]": 'subresources=[SubResource("status", OmniResourceAdapter, AcmeStatusSchema, "S")]',
        },
    ),
    Mistake(
        "two-plugins-of-one-name",
        "loads",
        "plugin = ResourcePlugin(",
        ("'acme-tunnels'", "taken", "another name"),
        entry_points="[omni_gateway.resources]\nacme-tunnels = acme_tunnels:plugin\nacme = acme_tunnels:plugin\n",
    ),
    Mistake(
        "a-name-of-the-gateway",
        "plugin-name",
        'name="operations"',
        ("'operations'", "taken", "another name"),
        {'name="acme-tunnels"': 'name="operations"'},
    ),
    Mistake(
        "a-range-of-the-sdk-that-cannot-be-read",
        "sdk-range",
        'sdk="soon"',
        ("'soon'", ">=2.1,<3"),
        {'sdk=">=2.0,<3"': 'sdk="soon"'},
    ),
    Mistake(
        "a-range-of-another-sdk",
        "sdk-range",
        'sdk=">=3"',
        (">=3", "install"),
        {'sdk=">=2.0,<3"': 'sdk=">=3"'},
    ),
    Mistake(
        "an-object-that-is-no-plugin",
        "loads",
        "",
        ("AcmeTunnelSchema", "ResourcePlugin"),
        entry_points="[omni_gateway.resources]\nacme-tunnels = acme_tunnels:AcmeTunnelSchema\n",
    ),
    Mistake(
        "a-variable-that-is-not-there",
        "loads",
        "",
        ("'plugins'", "did you mean 'plugin'"),
        entry_points="[omni_gateway.resources]\nacme-tunnels = acme_tunnels:plugins\n",
    ),
    Mistake(
        "an-error-of-the-module",
        "loads",
        "limits = 1 / 0",
        ("ZeroDivisionError", "import"),
        {"def restart": "limits = 1 / 0\n\n\ndef restart"},
    ),
)

#: Found by ``omni-gateway plugin check`` alone: the plugin works, and not as it should.
BY_CHECK = (
    Mistake(
        "a-singular-with-a-space",
        "kebab-case",
        'singular="Acme tunnel"',
        ("'Acme tunnel'", "'acme-tunnel'"),
        {'singular="acme-tunnel"': 'singular="Acme tunnel"'},
    ),
    Mistake(
        "an-example-that-does-not-load",
        "example-loads",
        "example={",
        ("the example", "'enabld'", "unknown", "did you mean 'enabled'"),
        {'"enabled": True}': '"enabld": True}'},
    ),
    Mistake(
        "an-example-of-an-action-that-does-not-load",
        "example-loads",
        "RESTART = Action(",
        ("'restart'", "'reason'", "required"),
        {
            "def restart": '''class AcmeRestartSchema(SpecSchema):
    """Why."""

    reason = ma.fields.String(required=True)


def restart''',
            "    run=restart,": "    run=restart,\n    body=AcmeRestartSchema,\n    example={},",
        },
    ),
    Mistake(
        "a-filter-that-the-adapter-does-not-look-at",
        "filters-used",
        "filters=[Filter(",
        ("'machine'", "id_filter", "selector"),
        {"filters=[]": 'filters=[Filter("machine", "Only that of this machine")]'},
    ),
    Mistake(
        "a-sort-key-that-the-schema-lacks",
        "sort-keys",
        'sortable=["since"]',
        ("'since'",),
        {'sortable=["enabled"]': 'sortable=["since"]'},
    ),
    Mistake(
        "a-write-with-a-lower-role-than-a-read",
        "roles-ordered",
        "roles=READ_WRITE |",
        ("'patch'", "'operator'", "'admin'"),
        {
            "roles=READ_WRITE": "roles=READ_WRITE | {'get': Role.ADMIN, 'list': Role.ADMIN, 'replace': Role.ADMIN}"
            " | {'create': Role.ADMIN}"
        },
    ),
    Mistake(
        "a-private-import",
        "private-imports",
        "from omni_gateway.omni.errors",
        ("omni_gateway.omni.errors", "private", "omni_gateway.sdk"),
        {"class AcmeTunnelSchema": "from omni_gateway.omni.errors import OmniError\n\n\nclass AcmeTunnelSchema"},
    ),
    Mistake(
        "an-action-without-a-description",
        "operation-texts",
        "def restart",
        ("action 'restart'", "description="),
        {'    description="The machine opens its tunnel again; traffic stops for a second.",\n': ""},
    ),
    Mistake(
        "an-unknown-group",
        "group-known",
        'group="Machine"',
        ("'Machine'", "did you mean 'Machines'"),
        {'group="Machines"': 'group="Machine"'},
    ),
    Mistake(
        "a-text-about-a-verb-without-a-role",
        "arguments-used",
        "after_delete=",
        ("after_delete", "'delete'"),
        {"roles=READ_WRITE": "roles=READ", '    after_write="Omni tells the machine, which opens the tunnel.",\n': ""},
    ),
    Mistake(
        "a-credential-in-answers",
        "secret-fields",
        "join_token =",
        ("'join_token'", "fields.Secret"),
        {
            "GRPC_TUNNEL_CONFIGS": "INSTALLATION_MEDIA_CONFIGS",
            ', sortable=["enabled"]': "",
            _ENABLED: "join_token = ma.fields.String(",
            ', "enabled": True}': "}",
        },
    ),
    Mistake(
        "a-credential-in-the-settings",
        "secret-fields",
        "api_key: str",
        ("'api_key'", "secret=True"),
        {
            "RESTART = Action(": "from dataclasses import dataclass\nfrom omni_gateway.sdk.extensions import setting\n"
            "@dataclass(frozen=True)\nclass AcmeSettings:\n    api_key: str = setting('A key')\nRESTART = Action(",
            "documents=[]": "settings=AcmeSettings",
        },
    ),
    Mistake(
        "a-credential-in-the-log",
        "secrets-logged",
        "print(",
        ("'password'", "leave it out"),
        {"    return adapter.get(id)": "    password = str(body)\n    print(password)\n    return adapter.get(id)"},
    ),
    Mistake(
        "a-thread-at-import",
        "import-effects",
        "threading.Thread(",
        ("thread", "first use"),
        {
            "class AcmeTunnelSchema": "import threading\nWORKER = threading.Thread(target=time.time)\n"
            "class AcmeTunnelSchema"
        },
    ),
    Mistake(
        "a-version-from-a-clock",
        "version-from-clock",
        "version=int(time.time())",
        ("clock", "each write"),
        {"    return adapter.get(id)": "    return Resource(id, {}, version=int(time.time()))"},
    ),
    Mistake(
        "a-variable-that-a-request-changes",
        "module-state",
        "SEEN[id]",
        ("'SEEN'", "each worker"),
        {
            "class AcmeTunnelSchema": "SEEN: dict[str, str] = {}\n\n\nclass AcmeTunnelSchema",
            "    return adapter.get(id)": "    SEEN[id] = id\n    return adapter.get(id)",
        },
    ),
    Mistake(
        "an-adapter-that-keeps-a-request",
        "adapter-state",
        "self.last",
        ("AcmeAdapter.get", "'self.last'", "threads"),
        {
            '    """The adapter of tunnels."""': '''    """The adapter of tunnels."""

    cacheable_response = False

    def get(self, id: str) -> Resource:
        """Return a tunnel."""
        self.last = id
        return super().get(id)'''
        },
    ),
    Mistake(
        "a-list-that-is-watched-otherwise",
        "watch-source",
        "def list(",
        ("AcmeAdapter", "watch_source_class"),
        {
            '    """The adapter of tunnels."""': '''    """The adapter of tunnels."""

    cacheable_response = False

    def list(self, query: ListQuery) -> Listing:
        """Return no tunnels."""
        return Listing([], 0)'''
        },
    ),
    Mistake(
        "answers-that-are-not-cached",
        "cache-declared",
        "class AcmeAdapter",
        ("AcmeAdapter", "cacheable_response"),
        {
            '    """The adapter of tunnels."""': '''    """The adapter of tunnels."""

    def get(self, id: str) -> Resource:
        """Return a tunnel."""
        return super().get(id)'''
        },
    ),
    Mistake(
        "a-field-that-nothing-fills",
        "schema-fields",
        "weather = ",
        ("'weather'", "always be read empty"),
        {
            _ENABLED: 'weather = ma.fields.String(dump_only=True, metadata={"description": "x", "example": "x"})\n'
            "    enabled = fields.Boolean("
        },
    ),
    Mistake(
        "a-call-without-a-time-limit",
        "time-limits",
        "requests.get",
        ("requests.get", "timeout="),
        {"    return adapter.get(id)": "    import requests\n\n    requests.get(id)\n    return adapter.get(id)"},
    ),
    Mistake(
        "a-type-like-no-other",
        "omni-type",
        'AcmeAdapter("Weathers',
        ("Weathers.omni.sidero.dev", "types.OmniType('Weathers.omni.sidero.dev')"),
        {_ADAPTER: 'AcmeAdapter("Weathers.omni.sidero.dev")'},
    ),
    Mistake(
        "a-text-for-a-time",
        "schema-field-types",
        "expiration_time = ",
        ("'expiration_time'", "google.protobuf.Timestamp", "fields.Timestamp"),
        {
            "GRPC_TUNNEL_CONFIGS": "JOIN_TOKENS",
            ', sortable=["enabled"]': "",
            _ENABLED: "expiration_time = ma.fields.String(",
            ', "enabled": True}': "}",
        },
    ),
    Mistake(
        "no-range-of-the-sdk",
        "sdk-range-named",
        "plugin = ResourcePlugin(",
        ("no SDK range", "sdk="),
        {'    sdk=">=2.0,<3",\n': ""},
    ),
    Mistake(
        "a-field-without-a-description",
        "field-descriptions",
        "enabled = ",
        ("'enabled'", "description"),
        {'        metadata={"description": "Whether WireGuard is carried over gRPC", "example": True},\n': ""},
    ),
    Mistake(
        "a-list-of-a-plugin-that-is-not-there",
        "sub-collections",
        "subresources=[SubCollection",
        ("'racks'", "name one"),
        {
            "RESTART = Action(": "from omni_gateway.sdk.actions import SubCollection\nRESTART = Action(",
            "subresources=[]": 'subresources=[SubCollection("racks", "racks", "machine", "Its racks")]',
        },
    ),
    Mistake(
        "no-example",
        "example-given",
        "plugin = ResourcePlugin(",
        ("no example", "example="),
        {'    example={"id": "m1", "enabled": True},\n': ""},
    ),
    Mistake(
        "no-description",
        "plugin-description",
        "plugin = ResourcePlugin(",
        ("no description", "description="),
        {'    description="Whether a machine reaches Omni through a gRPC tunnel.",\n': ""},
    ),
    Mistake(
        "no-text-about-a-delete",
        "write-texts",
        "plugin = ResourcePlugin(",
        ("delete", "after_delete="),
        {'    after_delete="Omni\'s default applies again.",\n': ""},
    ),
    Mistake(
        "a-field-without-an-example",
        "field-examples",
        "note = ",
        ("'note'", '"example"'),
        {
            "class AcmeAdapter(OmniResourceAdapter):": "class AcmeAdapter(StoredResourceAdapter):",
            "from omni_gateway.sdk.omni import types": "from omni_gateway.sdk.adapters import StoredResourceAdapter",
            _ADAPTER: 'AcmeAdapter("acme-tunnels/tunnels")',
            _ENABLED: 'note = ma.fields.String(metadata={"description": "A note"})\n    enabled = fields.Boolean(',
        },
    ),
    Mistake(
        "a-print",
        "no-print",
        "print(id)",
        ("logging",),
        {"    return adapter.get(id)": "    print(id)\n    return adapter.get(id)"},
    ),
    Mistake(
        "a-function-without-annotations",
        "type-annotations",
        "def halve",
        ("halve", "size", "what it returns"),
        {"def restart": "def halve(size):\n    return size / 2\n\n\ndef restart"},
    ),
    Mistake(
        "a-version-that-cannot-be-compared",
        "version",
        "plugin = ResourcePlugin(",
        ("'soon'", "PEP 440"),
        metadata=METADATA.replace("Version: 1.0", "Version: soon"),
    ),
    Mistake(
        "no-requirement-of-the-gateway",
        "requires-gateway",
        "plugin = ResourcePlugin(",
        ("omni-gateway", "dependencies"),
        metadata=METADATA.replace("Requires-Dist: omni-gateway\n", ""),
    ),
    Mistake(
        "no-licence",
        "licence",
        "plugin = ResourcePlugin(",
        ("no licence", "license ="),
        metadata=METADATA.replace("License-Expression: MIT\n", ""),
    ),
    Mistake(
        "a-readme-about-something-else",
        "readme",
        "plugin = ResourcePlugin(",
        ("acme-tunnels", "/api/v1/acme-tunnels"),
        metadata=METADATA.partition("\n\n")[0] + "\n",
    ),
    Mistake(
        "an-entry-point-of-another-name",
        "entry-point-name",
        "plugin = ResourcePlugin(",
        ("'tubes'", "acme-tunnels"),
        entry_points="[omni_gateway.resources]\ntubes = acme_tunnels:plugin\n",
    ),
    Mistake(
        "a-hook-of-the-whole-application",
        "app-hooks",
        "before_app_request",
        ("before_app_request", "before_request"),
        {
            "def restart": "def hook(plugin: Any) -> None:\n    plugin.blueprint.before_app_request(time.time)\n"
            "def restart"
        },
    ),
)
