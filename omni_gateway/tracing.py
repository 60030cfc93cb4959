"""Traces by OpenTelemetry: a span for each request, with spans of its calls to Omni and to the store.

The package is optional (the extra ``otel``) and imported only where ``OTEL_*`` variables ask for traces, after the
fork, in each worker. Without it the id of the trace is still taken from the caller's ``traceparent`` for the log.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

log = logging.getLogger(__name__)

SERVICE_NAME = "omni-gateway"
#: In a request's environ: its span.
_SPAN = "omni_gateway.span"
#: W3C Trace Context §3.2: later versions than 00 may have more after the flags; 00 has not.
_TRACEPARENT = re.compile(
    r"(?:00(?=.{53}\Z)|(?!00|ff)[0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
_PORT = re.compile(r":\d+$")
#: Characters of one entry of a call's metadata; a ``tracestate`` may be long, and Omni takes no large headers.
_LONGEST_ENTRY = 512
#: Seconds that a worker's end waits for the spans that have not been exported yet.
_FLUSH_SECONDS = 3.0
#: The methods that logs, spans and metrics name.
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

_tracer: Tracer | None = None
_provider: TracerProvider | None = None


def wanted(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether the ``OTEL_*`` variables ask for traces: they name an exporter or its endpoint."""
    environ = os.environ if environ is None else environ
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip()
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return exporter != "none" if exporter else any(environ.get(name) for name in endpoints)


def start(version: str) -> None:
    """Start to export spans from this process, if ``OTEL_*`` variables ask for it; not before a fork.

    What is missing or wrong is logged: a gateway serves without traces rather than not at all.
    """
    global _provider, _tracer  # noqa: PLW0603 (as OpenTelemetry has it, one for the process)
    if not wanted():
        return
    try:
        _provider = _make_provider(version)
    except ImportError as error:
        log.error("OTEL_* variables ask for traces, and %s is missing: install omni-gateway[otel]", error.name)
    except Exception as error:
        log.error("Traces cannot be exported: %s", error)
    else:
        _tracer = _provider.get_tracer("omni_gateway", version)


def stop() -> None:
    """Export the spans that are left, for at most ``_FLUSH_SECONDS``."""
    global _provider, _tracer
    provider, _provider, _tracer = _provider, None, None
    if provider is not None:
        # The exporter of a collector that is away goes on for up to 30 s; a daemon thread ends with the process.
        ending = threading.Thread(target=provider.shutdown, name="spans-flush", daemon=True)
        ending.start()
        ending.join(_FLUSH_SECONDS)


def active() -> bool:
    """Return whether this process exports spans."""
    return _tracer is not None


def _make_provider(version: str) -> TracerProvider:
    """Return a provider by ``OTEL_*`` variables: resource, sampler, limits, batches, exporter.

    Raises ``ImportError`` if a package is missing, ``ValueError`` for an exporter that is not known.
    """
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = Resource.create({"service.version": version})
    if named.attributes.get("service.name", "").startswith("unknown_service"):  # type: ignore[union-attr]
        named = named.merge(Resource({"service.name": SERVICE_NAME}))
    provider = TracerProvider(resource=named, shutdown_on_exit=False)
    for exporter in _exporters():
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporters() -> Iterable[SpanExporter]:
    for name in (os.environ.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp").split(","):
        name = name.strip()
        if name == "otlp":
            protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get(
                "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"
            )
            name = "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
        found = [*entry_points(group="opentelemetry_traces_exporter", name=name)]
        if not found:
            raise ValueError(f"no package that is installed has the exporter {name}")
        yield _reporting(found[0].load()())


def _reporting(exporter: SpanExporter) -> SpanExporter:
    """Return an exporter that logs an outage in one line, and its end; the packages' own line a batch is silenced."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Reporting(SpanExporter):
        def __init__(self) -> None:
            self._failing = False

        def export(self, spans: Sequence[Any]) -> SpanExportResult:
            reasons.first = ""
            try:
                result = exporter.export(spans)
            except Exception as error:
                result, reasons.first = SpanExportResult.FAILURE, reasons.first or str(error)
            failing = result is not SpanExportResult.SUCCESS
            if failing and not self._failing:
                log.warning("Traces cannot be exported, and are dropped until they can: %s", reasons.first)
            elif self._failing and not failing:
                log.info("Traces are exported again")
            self._failing = failing
            return result

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            return exporter.force_flush(timeout_millis)

    reasons = _Reasons()
    for name in ("opentelemetry.exporter.otlp", "opentelemetry.sdk"):
        packages = logging.getLogger(name)
        packages.addHandler(reasons)
        packages.propagate = False
    return Reporting()


class _Reasons(logging.Handler):
    """Takes the messages of OpenTelemetry's packages, one or more a batch: holds the first, logs all at DEBUG."""

    first = ""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.name.startswith("opentelemetry.exporter"):
            self.first = self.first or message
        log.debug("%s", message)


# -- a request


def trace_id(environ: Mapping[str, Any]) -> str:
    """Return the id of a request's trace: of its span, else of a valid ``traceparent``; empty if there is neither."""
    span: Span | None = environ.get(_SPAN)
    if span is not None:
        return f"{span.get_span_context().trace_id:032x}"
    header = environ.get("HTTP_TRACEPARENT")
    found = _TRACEPARENT.fullmatch(header) if header else None
    return found[1] if found else ""


def span_id(environ: Mapping[str, Any]) -> str:
    """Return the id of a request's span; empty if it has none."""
    span: Span | None = environ.get(_SPAN)
    return f"{span.get_span_context().span_id:016x}" if span is not None else ""


def known_method(method: str) -> str:
    """Return a method as OpenTelemetry's ``http.request.method`` has it: ``_OTHER`` for one that is not known."""
    return method if method in METHODS else "_OTHER"


Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def traced(application: Application, skip: Callable[[Mapping[str, Any]], bool]) -> Application:
    """Return a WSGI application whose requests have spans; the server ends each by :func:`end_request`.

    ``skip`` returns True for an environ whose request gets none.
    """
    from opentelemetry import context, trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagator = TraceContextTextMapPropagator()
    tracer = _tracer
    assert tracer is not None

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if skip(environ):
            return application(environ, start_response)
        carrier = {
            name: environ[variable]
            for name, variable in (("traceparent", "HTTP_TRACEPARENT"), ("tracestate", "HTTP_TRACESTATE"))
            if variable in environ
        }
        known = known_method(environ["REQUEST_METHOD"])
        attributes = {
            "http.request.method": known,
            "url.scheme": environ["wsgi.url_scheme"],
            "server.address": _PORT.sub("", environ.get("HTTP_HOST") or environ["SERVER_NAME"])[:255],
        }
        span = tracer.start_span(
            known, propagator.extract(carrier, context=context.Context()), trace.SpanKind.SERVER, attributes
        )
        environ[_SPAN] = span
        token = context.attach(trace.set_span_in_context(span))
        try:
            return application(environ, start_response)
        finally:
            context.detach(token)

    return serve


def end_request(environ: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
    """End the span of a request, if it has one, with the attributes that are known at the end of its answer."""
    span: Span | None = environ.get(_SPAN)
    if span is None:
        return
    if span.is_recording():
        from opentelemetry.trace import StatusCode

        span.update_name(f"{attributes['http.request.method']} {attributes['http.route']}")
        span.set_attributes(attributes)
        if attributes["http.response.status_code"] >= 500:
            span.set_status(StatusCode.ERROR)
    span.end()


# -- what it calls


class ClientSpan:
    """The span of a call that the current request makes."""

    def __init__(self, span: Span | None) -> None:
        self._span = span

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the entries that tell the callee of the span: ``traceparent`` and perhaps ``tracestate``."""
        if self._span is None:
            return ()
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, trace.set_span_in_context(self._span))
        return tuple((name, value) for name, value in carrier.items() if len(value) <= _LONGEST_ENTRY)

    def end(self, error: str = "", attributes: Mapping[str, Any] = MappingProxyType({})) -> None:
        """End the span; ``error``: what kind of failure the call ended with, if it failed."""
        if self._span is None:
            return
        self._span.set_attributes(attributes)
        if error:
            from opentelemetry.trace import StatusCode

            self._span.set_attribute("error.type", error)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


_NO_SPAN = ClientSpan(None)


def begin_call(name: str, attributes: Mapping[str, Any]) -> ClientSpan:
    """Begin the span of a call that the current request makes; outside of a request, such as in a watch, there is none.

    Its end may be called in another thread, and twice.
    """
    if _tracer is None:
        return _NO_SPAN
    from opentelemetry import trace

    if not trace.get_current_span().get_span_context().is_valid:
        return _NO_SPAN
    return ClientSpan(_tracer.start_span(name, kind=trace.SpanKind.CLIENT, attributes=dict(attributes)))
