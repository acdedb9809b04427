"""Traces of requests in OpenTelemetry's GenAI semantic conventions.

Each request has a span, and so does each line of a batch, which is a request. Within this span, each call to the LLM
has a span `chat {model}`, and each task has a span `execute_tool {task}`.

Without a collector's address, no span is made. A caller's `traceparent` is passed on to the LLM's server either way.
Spans contain prompts and answers only if a setting permits it, and never if the caller asks that nothing be kept.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from importlib.metadata import version
from typing import Any, Protocol, cast

import pydantic_core
from opentelemetry import context
from opentelemetry.trace import NoOpTracer, Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import Scope

from app.monitoring.metrics import Stages
from models.hosts.measures import reason_of
from models.language.llm import Done, Llm, LlmCall, LlmEvent, TextDelta

_HEADERS = ("traceparent", "tracestate")
_PROPAGATOR = TraceContextTextMapPropagator()
_KEEPS_CONTENT = contextvars.ContextVar("keeps_content", default=False)


class Provider(Protocol):
    """Interface of the SDK's TracerProvider."""

    def get_tracer(self, instrumenting_module_name: str, /) -> Tracer: ...

    def shutdown(self) -> None: ...


class Traces:
    """Traces of one server."""

    def __init__(self, provider: Provider | None = None, *, with_content: bool = False) -> None:
        """Create traces. Without a `provider` there are no spans. If `with_content` is true, spans contain prompts and
        answers."""
        self._provider = provider
        self._tracer = provider.get_tracer("openfaze") if provider else NoOpTracer()
        self._with_content = with_content

    @contextlib.contextmanager
    def request(self, scope: Scope, route: str, stages: Stages, *, keeps_content: bool = True) -> Iterator[Span]:
        """Provide the span of a request, within the caller's span, while the block runs. `record_status` records its
        status. If `keeps_content` is false, the caller asks that nothing be kept."""
        headers = Headers(scope=scope)
        caller = {name: value for name in _HEADERS if (value := headers.get(name))}
        parent = _PROPAGATOR.extract(caller, context.Context())
        attributes = {"http.request.method": scope["method"], "http.route": route}
        span = self._tracer.start_span(f"{scope['method']} {route}", parent, SpanKind.SERVER, attributes)
        with self._around(span, parent, stages, keeps=keeps_content):
            yield span

    @contextlib.contextmanager
    def _around(self, span: Span, parent: context.Context, stages: Stages, *, keeps: bool) -> Iterator[None]:
        token = context.attach(set_span_in_context(span, parent))
        content = _KEEPS_CONTENT.set(self._with_content and keeps)
        try:
            yield
        finally:
            _KEEPS_CONTENT.reset(content)
            context.detach(token)
            if stages.task:
                span.set_attribute("openfaze.task", stages.task)
            if stages.output_tokens:
                span.set_attribute("gen_ai.usage.input_tokens", stages.input_tokens)
                span.set_attribute("gen_ai.usage.output_tokens", stages.output_tokens)
            span.end()

    @contextlib.contextmanager
    def task(self, name: str) -> Iterator[None]:
        """Run the block within the span of a task."""
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
        span = self._tracer.start_span(f"execute_tool {name}", None, SpanKind.INTERNAL, attributes)
        token = context.attach(set_span_in_context(span))
        try:
            with _ended(span):
                yield
        finally:
            context.detach(token)

    def llm(self, llm: Llm) -> Llm:
        """Return `llm` in a wrapper that makes a span for each call. Without a provider, return `llm` itself."""
        return llm if self._provider is None else cast("Llm", _TracedLlm(llm, self._tracer))

    def close(self) -> None:
        """Send the waiting spans. Blocks."""
        if self._provider is not None:
            self._provider.shutdown()


def record_status(span: Span, status: int) -> None:
    """Record the status of a request in its span."""
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_attribute("error.type", str(status))
        span.set_status(Status(StatusCode.ERROR))


def provider_for(url: str) -> Provider:
    """Return a provider that sends spans to `url`, a collector of OTLP over HTTP, off the event loop."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": "openfaze", "service.version": version("openfaze")})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces")))
    return provider


@contextlib.contextmanager
def _ended(span: Span) -> Iterator[None]:
    """End `span` at the end of the block. Only the type of an exception is recorded, because a message may quote a
    request."""
    try:
        yield
    except Exception as error:
        span.set_attribute("error.type", reason_of(error))
        span.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        span.end()


class _TracedLlm:
    """An LLM whose calls are traced. All else is the wrapped LLM's own."""

    def __init__(self, llm: Llm, tracer: Tracer) -> None:
        self._llm = llm
        self._tracer = tracer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._llm, name)

    async def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openfaze",
            "gen_ai.request.model": self._llm.name,
        }
        keeps_content = _KEEPS_CONTENT.get()
        if keeps_content:
            attributes["gen_ai.input.messages"] = await asyncio.to_thread(_as_json, call.messages)
        span = self._tracer.start_span(f"chat {self._llm.name}", None, SpanKind.CLIENT, attributes)
        texts: list[str] = []
        with _ended(span):
            async with aclosing(self._llm.stream(call)) as events:
                # The call is sent before the first event, and its `traceparent` has to name this span. Between two
                # events, the current span is the caller's.
                token = context.attach(set_span_in_context(span))
                try:
                    first = await anext(events)
                finally:
                    context.detach(token)
                _note(span, first, texts)
                yield first
                async for event in events:
                    _note(span, event, texts)
                    yield event
            if keeps_content:
                answer = [{"role": "assistant", "content": "".join(texts)}]
                span.set_attribute("gen_ai.output.messages", _as_json(answer))


def _as_json(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the texts of messages as JSON. Pictures are left out, because they would take megabytes."""
    messages_json = []
    for message in messages:
        content = message.get("content") or ""
        texts = [content] if isinstance(content, str) else [part["text"] for part in content if "text" in part]
        messages_json.append({"role": message["role"], "parts": [{"type": "text", "content": text} for text in texts]})
    return pydantic_core.to_json(messages_json).decode()


def _note(span: Span, event: LlmEvent, texts: list[str]) -> None:
    if isinstance(event, TextDelta):
        texts.append(event.text)
    elif isinstance(event, Done):
        span.set_attribute("gen_ai.response.finish_reasons", [event.finish_reason])
        for name, tokens in (("input", event.prompt_tokens), ("output", event.completion_tokens)):
            if tokens is not None:
                span.set_attribute(f"gen_ai.usage.{name}_tokens", tokens)
