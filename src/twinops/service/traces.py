"""Hand spans to an OTLP receiver, where the environment names one as OpenTelemetry does.

OpenTelemetry's own exporter posts them, from a thread of its own, and some thousand wait in memory: a receiver that is
slow, silent or gone costs spans and no answer. What is in one is settled where it is made (`app.Door`): act and status.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

from twinops.errors import ParamsError

ENDPOINT, TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
NAME = "OTEL_SERVICE_NAME"
WAIT_S = 2.0
"""What is waited for a receiver unless the environment says otherwise: a service that stops waits for it too."""
_log = logging.getLogger(__name__)


def configured() -> TracerProvider | None:
    """What makes spans and hands them on; None: no receiver is named.

    Raises:
        ParamsError: its address is none of http or https.
    """
    said = os.environ.get(TRACES) or os.environ.get(ENDPOINT)
    if not said:
        return None
    if not said.startswith(("http://", "https://")):
        raise ParamsError(
            "The address of the receiver of traces is not understood.", hint=f"{ENDPOINT}=http://host:4318"
        )
    made = TracerProvider(resource=Resource.create({} if os.environ.get(NAME) else {SERVICE_NAME: "twinops"}))
    made.add_span_processor(BatchSpanProcessor(Handed(timeout=None if any(map(os.environ.get, TIMEOUTS)) else WAIT_S)))
    return made


class Handed(trace_exporter.OTLPSpanExporter):
    """OpenTelemetry's exporter, which has its address from the environment; what it would say often is said once."""

    silent = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Post them; it is said once when a receiver falls silent."""
        found = super().export(spans)
        taken = found is SpanExportResult.SUCCESS
        if not taken and not self.silent:
            _log.warning("The receiver of traces takes none; answers go on.")
        self.silent = not taken
        return found


# each batch that is not taken, and each time it is tried again
logging.getLogger(trace_exporter.__name__).setLevel(logging.CRITICAL)
