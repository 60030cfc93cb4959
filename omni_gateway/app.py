"""The application factory: settings → Flask → Api → discover plugins → mount.

Nothing here calls Omni, opens a database or starts a thread: that happens on first use, in the worker process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from flask import Flask
from werkzeug.wrappers import Response

from omni_gateway import __version__, audit
from omni_gateway.api import can_i, gateway_metrics, health, index, operations, prometheus, stream_tickets
from omni_gateway.api.any_type import views as generic
from omni_gateway.api.apply import views as applying
from omni_gateway.auth import FailedLogins, Role
from omni_gateway.cache.client import CachingClient
from omni_gateway.http import (
    admission,
    cross_site,
    document,
    forwarded,
    guard,
    headers,
    hosts,
    idempotency,
    metrics,
    metrics_listener,
    pages,
    paths,
    problem_pages,
    process_metrics,
    rate_limit,
    request_deadline,
    request_id,
    request_record,
    route_access,
    type_nouns,
    unexpected_errors,
)
from omni_gateway.http.api import GatewayApi, freeze
from omni_gateway.http.document import DocumentForms
from omni_gateway.http.openapi import security
from omni_gateway.http.openapi.schema_names import SchemaNames, SchemaNameTaken
from omni_gateway.http.readiness import Readiness
from omni_gateway.http.store_errors import readiness_check
from omni_gateway.http.stream_tickets import StreamTickets
from omni_gateway.http.unexpected_errors import PluginOrigin
from omni_gateway.lru import ByteBoundedLRU
from omni_gateway.plugin_check.rule import Fault
from omni_gateway.plugins.additions import AddedByPlugin
from omni_gateway.plugins.discovery import BrokenPlugin, Found, discover, mount_failure
from omni_gateway.plugins.settings import known_variables, load_plugin_settings
from omni_gateway.rest.any_type import catalogue as any_type
from omni_gateway.rest.any_type.kinds import OPERATION
from omni_gateway.rest.bulk import runner as bulk
from omni_gateway.rest.extension_routes import extend
from omni_gateway.rest.gateway import EXTENSION, Gateway
from omni_gateway.rest.service_plugin import ServicePlugin
from omni_gateway.rest.views.openapi import shared_responses
from omni_gateway.settings import Settings, SettingsError
from omni_gateway.settings.authentication import authenticator, issuer_checks
from omni_gateway.settings.storage import store_of
from omni_gateway.watch.stream_response import StreamLimiter

log = logging.getLogger(__name__)

#: The least bytes of rendered responses, also where objects are not cached, or in a small cache only.
LEAST_RENDERED = 16 * 1024 * 1024

DESCRIPTION = """\
A REST API for [Sidero Omni](https://omni.siderolabs.com): Talos machines and Kubernetes clusters.

Every list is paged (`page`, `page_size`), filtered (`label_selector` and named filters), searched, sorted and can be
watched (`Accept: text/event-stream`). Every object has an ETag; writes take `If-Match` and `?dry_run=true`. Long work
answers 202 with an operation. Errors are RFC 9457 problem documents.
"""


def create_app(
    settings: Settings | None = None, *, omni: CachingClient | None = None, plugins: Sequence[Found] | None = None
) -> Flask:
    """Return the WSGI application.

    :param plugins: the plugins to mount; by default those that :func:`discover` finds.
    :raises SettingsError: a setting is invalid, or no Omni is configured.
    :raises BrokenPlugin: a plugin cannot be loaded or mounted, unless the settings say to skip it.
    """
    settings = settings or Settings.load()
    skip = settings.plugin_errors == "skip"
    found = discover(disabled=settings.plugins_disabled, skip_broken=skip) if plugins is None else [*plugins]
    omni = omni or _client(settings)
    while True:
        try:
            app = _assemble(settings, omni, found)
        except BrokenPlugin as broken:
            if not skip:
                raise
            # Flask takes no route back, so a plugin that failed half-way is left out of a new application.
            found = [item.without_plugin(broken.fault) if item is broken.found else item for item in found]
        else:
            for item in found:
                if item.state == "broken":
                    log.error("%s is left out: %s", item, item.problem)
            return app


def _assemble(settings: Settings, omni: CachingClient, found: Sequence[Found]) -> Flask:
    """Return an application with the plugins found. Raises :class:`BrokenPlugin` for one that cannot be mounted."""
    app = Flask("omni_gateway", static_folder=None)
    app.url_map.strict_slashes = False
    # Werkzeug redirects to an absolute URL of the client's Host where it would merge slashes or leave defaults out.
    app.url_map.merge_slashes = app.url_map.redirect_defaults = False
    app.config.update(
        API_TITLE="omni-gateway",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {
                "description": DESCRIPTION,
                "contact": {"name": "The operators of this gateway"},
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "security": [{security.NAME: []}],
            "servers": [{"url": "/", "description": "This gateway"}],
            "externalDocs": {"description": "Sidero Omni", "url": "https://omni.siderolabs.com"},
        },
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        PROPAGATE_EXCEPTIONS=False,
    )
    store = store_of(settings)
    streams = StreamLimiter(settings.max_streams, settings.max_streams_per_caller)
    watches = StreamLimiter(settings.max_watches, settings.max_watches_per_caller)
    readiness = Readiness(settings.readiness_requires)
    rendered = ByteBoundedLRU(max(settings.cache_bytes // 2, LEAST_RENDERED))
    gateway = Gateway(omni, streams, watches, store, lambda: issuer_checks(settings), rendered, readiness)
    gateway.samples.add(process_metrics.sample)
    gateway.samples.add(partial(gateway_metrics.sample, gateway, found))
    readiness.add("omni", health.omni_check(gateway.own_omni))
    readiness.add("store", lambda: readiness_check(store))
    app.extensions[EXTENSION] = gateway
    metrics_listener.init_app(app, settings.metrics_bind)
    paths.init_app(app)
    type_nouns.init_app(app)
    request_id.init_app(app)
    request_record.init_app(app)
    forwarded.init_app(app, settings.trusted_proxies)
    request_deadline.init_app(app, gateway.own_omni.config.timeout)
    headers.init_app(app, settings.cors_origins, simulator=settings.embedded)
    logins = FailedLogins(settings.limits_of("failed_logins"), settings.limits_of("failed_logins_in_all"))
    tickets = StreamTickets(store.stream_tickets)
    guard.init_app(app, authenticator(settings, store, gateway.own_omni), logins, tickets)
    rate_limit.init_app(app, settings.limits_of("rate_limit"), settings.redis_url)
    hosts.init_app(app, settings.allowed_hosts, only_loopback=settings.open_on_loopback)
    cross_site.init_app(app, settings.cors_origins)
    idempotency.init_app(app, store.idempotency)
    audit.init_app(app, store.audit, _retention(settings), settings.audit_file)
    metrics.init_app(app)
    route_access.init_app(app)
    admission.init_app(app)
    gateway.own_omni.observe_calls(request_record.count_call)
    gateway.own_omni.cache.max_size = settings.cache_bytes // 2
    api = GatewayApi(app)
    api.document_responses(shared_responses())
    known = known_variables(found)
    for item in found:
        if item.plugin is not None:
            _load_settings(item, gateway, settings.environ, known)
            _note_origin(item, app)
        _mount(item, api, lambda plugin: plugin.register(api, gateway))
    if unknown := sorted(set(settings.readiness_requires) - set(readiness.names)):
        known_checks = ", ".join(readiness.names)
        raise SettingsError(f"OMNI_GATEWAY_READINESS_REQUIRES takes {known_checks}, not {', '.join(unknown)}")
    for item in found:
        # Once all are registered, for each of them may be the one that is extended.
        _mount(item, api, lambda plugin: extend(plugin, api, gateway, settings.plugins_disabled))
    try:
        _add_own_routes(app, settings, api, gateway, found)
    except SchemaNameTaken as error:
        raise _schema_clash(error, api.schema_names, found) from error
    app.after_request(_accept_patch)
    route_access.declare(app)
    return app


def _add_own_routes(app: Flask, settings: Settings, api: GatewayApi, gateway: Gateway, found: Sequence[Found]) -> None:
    """Add the gateway's own routes, and those of the document, which is complete then.

    Raises :class:`SchemaNameTaken` if a plugin's schema has a name that the gateway needs.
    """
    api.schema_names.owner = ""
    catalogue = app.extensions[any_type.EXTENSION] = any_type.Catalogue(gateway)
    gateway.operations[OPERATION] = catalogue.removal()
    gateway.operation_roles[OPERATION] = Role.READER  # of any type; its reader asks for the role of the type in the id
    bulk.init_app(app, gateway)
    api.register_blueprint(generic.blueprint(catalogue))
    api.register_blueprint(applying.blueprint())
    api.register_blueprint(can_i.blueprint())
    api.register_blueprint(operations.blueprint(gateway))
    api.register_blueprint(operations.kinds_blueprint())
    api.register_blueprint(stream_tickets.blueprint())
    api.register_blueprint(index.blueprint(found))
    api.register_blueprint(
        prometheus.blueprint(gateway, [item.plugin.metrics_registry for item in found if item.plugin])
    )
    forms = DocumentForms(freeze(api))  # the routes of the API are all there
    api.app.register_blueprint(document.blueprint(forms))
    api.app.register_blueprint(pages.blueprint(forms, _links(found), simulator=settings.embedded))
    api.app.register_blueprint(problem_pages.blueprint)
    api.app.register_blueprint(health.blueprint(found, embedded=settings.embedded))


def _schema_clash(error: SchemaNameTaken, names: SchemaNames, found: Sequence[Found]) -> Exception:
    """Return the :class:`BrokenPlugin` for a name that was found to be taken when all plugins were mounted.

    The last of the plugins that it is about is the broken one; ``error`` itself is returned if there is none.
    """
    owners = {name: names.owner_of(name) or "the gateway itself" for name in error.names}
    plugins = [item for item in found if str(item) in owners.values()]
    if not plugins:
        return error
    problem, _, mend = str(error).partition("; ")
    brought = ", ".join(f"{name!r} is of {owner}" for name, owner in owners.items())
    place = plugins[-1].plugin.declared_at if plugins[-1].plugin else None
    return BrokenPlugin(plugins[-1], Fault(f"{problem} ({brought})", mend, place))


def _links(found: Sequence[Found]) -> list[pages.IndexLink]:
    """Return the links of the index to the plugins' pages."""
    mounted = [item.plugin for item in found if item.plugin]
    return [
        pages.IndexLink(page.url(plugin.name), page.title, page.role.value if page.role else "")
        for plugin in mounted
        for page in plugin.pages
    ]


def _retention(settings: Settings) -> audit.Retention:
    return audit.Retention(timedelta(days=settings.audit_retention_days), settings.audit_max_rows)


def _client(settings: Settings) -> CachingClient:
    if settings.omni is None:
        raise SettingsError(
            "OMNI_ENDPOINT is not set. Set it with OMNI_SERVICE_ACCOUNT_KEY, or use `omni-gateway serve`,"
            " which starts the embedded Omni when there is none."
        )
    return CachingClient(settings.omni)


def _load_settings(item: Found, gateway: Gateway, environ: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Read the settings of a plugin. Raises :class:`BrokenPlugin` if they are wrong."""
    assert item.plugin is not None
    try:
        gateway.plugin_settings[item.plugin.name] = load_plugin_settings(item, environ, known)
    except SettingsError as error:
        raise BrokenPlugin(item, Fault(str(error), "", None)) from error  # the place is the environment


def _note_origin(item: Found, app: Flask) -> None:
    """Have unexpected errors of a third party's plugin name the plugin."""
    if item.plugin is not None and item.third_party:
        module = item.target.partition(":")[0]
        origin = PluginOrigin(item.plugin.name, item.distribution, item.version, module)
        unexpected_errors.origins_of(app).add(origin)


def _mount(item: Found, api: GatewayApi, add: Callable[[ServicePlugin], None]) -> None:
    """Let a plugin add to the application. Raises :class:`BrokenPlugin` if it cannot, or adds more than it may."""
    if item.plugin is None:
        return
    added = AddedByPlugin(api.app)
    api.schema_names.owner = str(item)
    try:
        add(item.plugin)
        added.check()
    except Exception as error:
        raise mount_failure(item, error) from error


def _accept_patch(response: Response) -> Response:
    """Add ``Accept-Patch`` to responses of URLs that allow PATCH (RFC 5789 §3.1)."""
    allow = response.headers.get("Allow", "")
    if "PATCH" in allow:
        response.headers.setdefault("Accept-Patch", "application/merge-patch+json, application/json")
    return response
