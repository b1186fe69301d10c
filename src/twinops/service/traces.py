"""Hand spans to an OTLP receiver, where the environment names one as OpenTelemetry does.

Spans wait in memory, some thousand at most, and go from a thread of their own: a receiver that is slow, silent or gone
costs spans and no answer. What is in one is settled where it is made (`app.Door`): an act and a status.
"""

from __future__ import annotations

import logging
import os
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import unquote

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from twinops.errors import ParamsError

ENDPOINT, TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
HEADERS, TIMEOUT = "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TIMEOUT"
NAME = "OTEL_SERVICE_NAME"
WAIT_S = 2.0
_log = logging.getLogger(__name__)


def configured(environ: Mapping[str, str] = os.environ) -> TracerProvider | None:
    """What makes spans and hands them on; None: no receiver is named.

    Raises:
        ParamsError: its address is none of http or https.
    """
    said = environ.get(TRACES) or environ.get(ENDPOINT)
    if not said:
        return None
    url = said if environ.get(TRACES) else f"{said.rstrip('/')}/v1/traces"
    if not url.startswith(("http://", "https://")):
        raise ParamsError(
            "The address of the receiver of traces is not understood.", hint=f"{ENDPOINT}=http://host:4318"
        )
    pairs = (pair.partition("=") for pair in environ.get(HEADERS, "").split(",") if "=" in pair)
    headers = {name.strip(): unquote(value.strip()) for name, _, value in pairs}
    made = TracerProvider(resource=Resource.create({} if environ.get(NAME) else {SERVICE_NAME: "twinops"}))
    made.add_span_processor(BatchSpanProcessor(Handed(url, headers, _seconds(environ.get(TIMEOUT, "")))))
    return made


def _seconds(said: str) -> float:
    """OpenTelemetry says it in seconds; what is no number is not gone by."""
    try:
        return float(said) or WAIT_S
    except ValueError:
        return WAIT_S


@dataclass
class Handed(SpanExporter):
    """Posts spans as protobuf over HTTP, each once: what a receiver did not take is gone."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    wait_s: float = WAIT_S
    silent: bool = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Post them; it is said once when a receiver falls silent."""
        headers = {**self.headers, "Content-Type": "application/x-protobuf"}
        request = urllib.request.Request(self.url, _encoded(spans), headers, method="POST")  # noqa: S310  # checked above
        try:
            with urllib.request.urlopen(request, timeout=self.wait_s):  # noqa: S310
                pass
        except (OSError, HTTPException) as problem:
            if not self.silent:
                _log.warning("The receiver of traces takes none (%s); answers go on.", type(problem).__name__)
            self.silent = True
            return SpanExportResult.FAILURE
        self.silent = False
        return SpanExportResult.SUCCESS


def _encoded(spans: Sequence[ReadableSpan]) -> bytes:
    request = ExportTraceServiceRequest()
    of = request.resource_spans.add()
    of.resource.attributes.extend(_pairs(spans[0].resource.attributes))
    scope = of.scope_spans.add()
    scope.scope.name = "twinops.service"
    scope.spans.extend(_span(s) for s in spans)
    return bytes(request.SerializeToString())


def _span(span: ReadableSpan) -> Span:
    at = span.context
    return Span(
        trace_id=at.trace_id.to_bytes(16, "big"),
        span_id=at.span_id.to_bytes(8, "big"),
        parent_span_id=span.parent.span_id.to_bytes(8, "big") if span.parent else b"",
        name=span.name,
        kind=Span.SpanKind.SPAN_KIND_SERVER,
        start_time_unix_nano=span.start_time or 0,
        end_time_unix_nano=span.end_time or 0,
        attributes=_pairs(span.attributes or {}),
    )


def _pairs(told: Mapping[str, object]) -> list[KeyValue]:
    return [KeyValue(key=k, value=AnyValue(int_value=v) if isinstance(v, int) else AnyValue(string_value=str(v)))
            for k, v in sorted(told.items())]  # fmt: skip
