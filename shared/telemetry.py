"""Metrics for Prometheus and, only where an endpoint is set, traces for OpenTelemetry.

Labels and spans name route templates, never addresses with ids or query strings.
"""

import contextlib
import os
from collections.abc import Iterator
from functools import lru_cache

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
METRICS_TYPE = CONTENT_TYPE_LATEST
UNMATCHED = "unmatched"
"""The route label of requests that no route answers."""

_OFF = contextlib.nullcontext(trace.INVALID_SPAN)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUESTS = Counter(
    "bangfu_http_requests", "Requests answered.", ("service", "method", "route", "status")
)
_SECONDS = Histogram(
    "bangfu_http_request_duration_seconds",
    "Time from a request's arrival to the end of its answer.",
    ("service", "method", "route"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)


def observe_request(service: str, method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request. ``route`` is the template, ``/v1/households/{household_id}``."""
    known = method if method in _METHODS else "OTHER"
    answered, duration = _series(service, known, route, status)
    answered.inc()
    duration.observe(seconds)


@lru_cache(maxsize=4096)
def _series(service: str, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return (
        _REQUESTS.labels(service, method, route, str(status)),
        _SECONDS.labels(service, method, route),
    )


def metrics() -> bytes:
    """Every metric of this process in Prometheus' text form (METRICS_TYPE)."""
    return generate_latest()


def configure(service: str) -> TracerProvider | None:
    """Export spans to the endpoint that OTEL_EXPORTER_OTLP_ENDPOINT names; without it do nothing.

    Call once a process; the provider returned must be shut down so that the last spans leave.
    """
    if not os.environ.get(ENDPOINT):
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": f"bangfu-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def request_span(method: str, traceparent: str | None) -> contextlib.AbstractContextManager[Span]:
    """The span of one request, a child of the caller's; does nothing while tracing is off."""
    return _span(method, traceparent) if os.environ.get(ENDPOINT) else _OFF


@contextlib.contextmanager
def _span(method: str, traceparent: str | None) -> Iterator[Span]:
    carrier = {} if traceparent is None else {"traceparent": traceparent}
    known = method if method in _METHODS else "OTHER"
    with trace.get_tracer("bangfu").start_as_current_span(
        known,
        context=propagate.extract(carrier),
        kind=SpanKind.SERVER,
        attributes={"http.request.method": known},
        # an exception's text may quote a row
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        yield span


def name_span(span: Span, method: str, route: str, status: int) -> None:
    """What is known of a request only once it has been routed and answered."""
    span.update_name(f"{method if method in _METHODS else 'OTHER'} {route}")
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
