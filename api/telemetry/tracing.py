"""Where spans go: to the collector that the settings name, or to the SDK that the process was started with."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace

from api.settings import TracesSettings
from api.version import read_version
from core.errors import ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

EXPORT_WITHIN_S = 5.0


@asynccontextmanager
async def open_tracing(settings: TracesSettings) -> AsyncIterator[trace.TracerProvider | None]:
    """Yield what spans are made by, and send what is left when it is over; None if nobody wants any.

    Raises:
        ConfigurationError: a collector is named and the extra is not installed.
    """
    if settings.endpoint is None:
        found = trace.get_tracer_provider()  # set by `opentelemetry-instrument`, or by whoever embeds us
        yield None if isinstance(found, trace.ProxyTracerProvider) else found
        return
    provider = build_provider(settings)
    try:
        yield provider
    finally:
        await asyncio.to_thread(provider.shutdown)


def build_provider(settings: TracesSettings) -> "TracerProvider":
    """Return a provider that sends spans to a collector, in batches and from a thread of its own.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415
    except ImportError as e:
        raise ConfigurationError(
            "LATTICE_TRACES__ENDPOINT: traces need an extra: pip install crystal-lattice[otel]"
        ) from e
    resource = Resource.create({"service.name": settings.service_name, "service.version": read_version()})
    provider = TracerProvider(ParentBased(TraceIdRatioBased(settings.sample_ratio)), resource)
    address = f"{settings.endpoint}".rstrip("/") + "/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(address, timeout=EXPORT_WITHIN_S)))
    return provider
