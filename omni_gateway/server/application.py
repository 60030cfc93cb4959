"""The gunicorn application: its settings, worker class and hooks."""

from __future__ import annotations

import gc
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import FrameType
from typing import Any, cast

from flask import Flask
from gunicorn.app.base import BaseApplication

from omni_gateway import __version__, audit, tracing
from omni_gateway.api.health import explain
from omni_gateway.app import create_app
from omni_gateway.http import metrics
from omni_gateway.http.drain import DRAIN
from omni_gateway.omni import OmniError
from omni_gateway.plugins.discovery import BrokenPlugin, Found
from omni_gateway.rest.gateway import EXTENSION, Gateway
from omni_gateway.server import load_metrics, state_lock
from omni_gateway.server.access_log import AccessLogger
from omni_gateway.server.arbiter import InService, NotifyingArbiter
from omni_gateway.server.certificate import CERTIFICATE
from omni_gateway.server.error_responses import RequestRejected
from omni_gateway.server.response_buffer import ResponseBuffer
from omni_gateway.server.worker import BufferingWorker, take_stop
from omni_gateway.settings import Settings, SettingsError
from omni_gateway.store import StoreMisconfigured, StoreUnavailable
from omni_gateway.watch import stream_response

log = logging.getLogger(__name__)

GRACEFUL_SECONDS = 25
MOST_WORKERS = 4
MOST_CONNECTIONS = 4096
"""Per worker; each uses a file descriptor and, while its client is slow, a buffer."""
LONGEST_FIELD = 16 * 1024
"""Bytes of one header field; an Omni key or a token with many groups as the bearer is long."""


class Server(BaseApplication):  # type: ignore[misc]
    """A gunicorn application configured from our settings.

    ``plugins`` are mounted. ``renew`` returns settings and plugins anew at SIGHUP; ``ready`` is called once, when the
    sockets listen.
    """

    def __init__(
        self,
        bind: str,
        settings: Settings,
        plugins: Sequence[Found],
        renew: Callable[[], tuple[Settings, Sequence[Found]]],
        ready: Callable[[], None],
    ) -> None:
        self._bind = bind
        self._settings = settings
        self._plugins = plugins
        self._renew = renew
        self._ready = ready
        self.in_service = InService()
        super().__init__()

    def load_config(self) -> None:
        """Set what differs from gunicorn's defaults."""
        for name, value in gunicorn_options(self._bind, self._settings).items():
            self.cfg.set(name, value)
        self.cfg.set("when_ready", self._when_ready)
        self.cfg.set("post_worker_init", self._post_worker_init)

    def run(self) -> None:
        """Serve until a signal ends the master process."""
        NotifyingArbiter(self).run()

    def _when_ready(self, server: Any) -> None:
        _drain_before_stop(drain_seconds(self._settings), server)
        self._ready()

    def _post_worker_init(self, worker: Any) -> None:
        _start_worker(self._settings.embedded, worker)
        self.in_service.follow(_gateway_of(worker.app.wsgi()).readiness)

    def reload(self) -> None:
        """Read the settings again, for new workers; invalid ones are logged and the present ones kept."""
        try:
            settings, plugins = self._renew()
            self.callable = _ready_to_fork(settings, plugins)
            self._settings, self._plugins = settings, plugins
        except (SettingsError, BrokenPlugin, StoreMisconfigured, StoreUnavailable) as error:
            log.error("SIGHUP: %s; going on with the settings there were", error)
        super().reload()

    def load(self) -> Flask:
        """Create the application before the workers are forked, so that they share its memory."""
        return _ready_to_fork(self._settings, self._plugins)


def _ready_to_fork(settings: Settings, plugins: Sequence[Found]) -> Flask:
    """Return an application whose memory forked processes share as long as they can; no connection, no thread.

    Connections to Omni and to the store are opened on first use, in each process for itself.
    """
    gc.disable()  # most of what is made stays, so that collections would only cost time
    try:
        app = create_app(settings, plugins=plugins)
    finally:
        gc.enable()
    for thread in threading.enumerate():
        if isinstance(
            thread, threading.Timer
        ):  # the rate limiter's memory looks for old entries at once; there are none
            thread.join()
    gc.collect()
    gc.freeze()  # a collection would write to every object, and so copy every page
    return app


def gunicorn_options(bind: str, settings: Settings) -> Mapping[str, Any]:
    """Return gunicorn's configuration: threads for blocking calls, one process per core, time to finish on a stop."""
    return {
        "bind": [bind, settings.metrics_bind] if settings.metrics_bind else bind,
        "worker_class": worker_class(settings),
        "preload_app": True,
        "workers": settings.workers or min(os.cpu_count() or 1, MOST_WORKERS),
        "threads": settings.threads,
        "timeout": 60,
        "graceful_timeout": GRACEFUL_SECONDS,
        "keepalive": 30,
        "worker_connections": _most_connections(settings.threads),
        "limit_request_line": 8190,
        "limit_request_fields": 64,
        "limit_request_field_size": LONGEST_FIELD,
        "sendfile": False,
        "forwarded_allow_ips": "",
        "secure_scheme_headers": {},
        "forwarder_headers": "",
        "certfile": settings.tls_cert_file or None,
        "keyfile": settings.tls_key_file or None,
        "control_socket_disable": True,
        "accesslog": None,
        "errorlog": "-",
        "loglevel": settings.log_level.lower(),
        "logger_class": AccessLogger,
        "when_ready": partial(_drain_before_stop, drain_seconds(settings)),
        "pre_fork": _before_fork,
        "post_worker_init": partial(_start_worker, settings.embedded),
        "worker_exit": _stop_worker,
        "child_exit": _end_worker,
        "proc_name": "omni-gateway",
    }


def worker_class(settings: Settings) -> type[BufferingWorker]:
    """Return the worker with this gateway's bounds."""
    bounds = {
        "request_seconds": settings.request_timeout,
        "answer_seconds": settings.answer_timeout,
        "longest_body": settings.max_body_bytes,
        "starts_within": settings.omni_timeout / 2,
        "threads_per_caller": settings.threads_per_caller,
        "most_waiting": settings.max_waiting,
        "trusted_proxies": settings.trusted_proxies,
    }
    return type("GatewayWorker", (BufferingWorker,), bounds)


def _most_connections(threads: int) -> int:
    """Return the bound of connections per worker, which leaves file descriptors for everything else."""
    soft, hard = (
        sys.maxsize if bound == resource.RLIM_INFINITY else bound
        for bound in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    wanted = min(hard, 2 * MOST_CONNECTIONS)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        soft = wanted
    return max(threads + 1, min(MOST_CONNECTIONS, soft * 3 // 4))


def greet_omni(worker: Any, *, embedded: bool) -> None:
    """Log once at the start whether Omni answers, so that a wrong key is noticed before the first request.

    That the embedded Omni answers is logged at DEBUG only.
    """
    if worker.age > 1:
        return
    gateway = _gateway_of(worker.app.wsgi())
    if not gateway.own_omni.identity.fingerprint:
        log.info("the gateway has no key of its own: callers bring theirs")
        return
    try:
        gateway.own_omni.ping()
    except OmniError as error:
        log.error("%s (%s). Requests will fail until that is mended.", explain(error), error.code.name)
    else:
        level = logging.DEBUG if embedded else logging.INFO
        omni = gateway.own_omni
        log.log(level, "Omni answers over %s to the gateway's key %r", omni.transport, omni.identity.name)


def drain_seconds(settings: Settings) -> float:
    """Return how long a server drains at SIGTERM: not at all with an embedded Omni, which nothing balances."""
    return 0.0 if settings.embedded else settings.drain


def _drain_before_stop(seconds: float, server: Any) -> None:
    """Drain at SIGTERM, then stop; stop at once at a second SIGTERM and at SIGINT. Called in the master.

    gunicorn itself would drop the requests in flight at SIGINT. The handlers log nothing: they may interrupt a log.
    """

    def begin() -> None:
        # As gunicorn decides whether to remove the file of a Unix socket.
        shared = server.systemd or server.reexec_pid or server.master_pid
        DRAIN.begin(last=not shared)

    def stop(*_: Any) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        begin()
        server.signal(signal.SIGTERM, None)

    def terminate(*_: Any) -> None:
        if DRAIN.begun or not seconds:
            stop()
        else:
            begin()
            signal.setitimer(signal.ITIMER_REAL, seconds)

    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGTERM, terminate)
    signal.signal(signal.SIGINT, stop)


def _before_fork(server: Any, worker: Any) -> None:
    """Load the certificate, and hold a stop back; called in the arbiter."""
    worker.tls = CERTIFICATE.load(server.cfg)
    _hold_stop()


def _hold_stop() -> None:
    """Block SIGTERM over a fork until the worker handles it.

    Until then a worker has the arbiter's handler, which would swallow it: the stop would take the graceful timeout.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


os.register_at_fork(after_in_parent=take_stop)


def _start_worker(embedded: bool, worker: Any) -> None:
    # Ctrl-C reaches every process of the terminal; the master tells its workers when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    state_lock.release_in_worker()
    tracing.start(__version__)
    if tracing.active():
        worker.wsgi = tracing.traced(worker.wsgi, skip=_only_asks)
    worker.note_refusal = partial(_audit_refusal, worker.app.wsgi())
    call_on(signal.SIGTERM, stream_response.close_all)
    call_on(signal.SIGTERM, _gateway_of(worker.app.wsgi()).tasks.begin_stop)
    greet_omni(worker, embedded=embedded)
    gateway = _gateway_of(worker.app.wsgi())
    gateway.readiness.start()
    gateway.samples.add(partial(load_metrics.sample, worker))
    gateway.samples.start()
    gateway.tasks.start()


def _only_asks(environ: Mapping[str, Any]) -> bool:
    """Return whether a request is passed on only to find out whether its body would be accepted: it comes again."""
    outbox = environ.get("gunicorn.socket")
    return isinstance(outbox, ResponseBuffer) and outbox.asked


def _audit_refusal(app: Flask, refused: RequestRejected, remote: str) -> None:
    audit.note_refusal(app, refused.status, refused.code, remote, refused.start_line)


def _stop_worker(server: Any, worker: Any) -> None:
    """Stop plugins' tasks and write queued audit entries when a worker exits.

    Also called in the arbiter, which may have no application.
    """
    if worker.app.callable is not None:
        _gateway_of(worker.app.callable).tasks.stop()
        audit.writer_of(worker.app.callable).stop()
    tracing.stop()


def _end_worker(server: Any, worker: Any) -> None:
    metrics.worker_ended(worker.pid)


def call_on(number: signal.Signals, first: Callable[[], None]) -> None:
    """Call a function at a signal, before its present handler.

    Open streams and tasks would delay a stop until the graceful timeout.
    """
    before = signal.getsignal(number)

    def first_then_stop(signum: int, frame: FrameType | None) -> None:
        first()
        if callable(before):
            before(signum, frame)

    signal.signal(number, first_then_stop)


def _gateway_of(app: Flask) -> Gateway:
    return cast(Gateway, app.extensions[EXTENSION])


def serve(
    bind: str,
    settings: Settings,
    plugins: Sequence[Found],
    renew: Callable[[], tuple[Settings, Sequence[Found]]],
    ready: Callable[[], None],
) -> None:
    """Serve until SIGTERM, which drains first, or SIGINT; requests in flight finish, streams close.

    SIGHUP calls ``renew``.

    Calls ``ready`` as soon as connections are accepted.
    """
    Server(bind, settings, plugins, renew, ready).run()
