"""Spans of requests, of the calls of the LLM and of tasks, and what they must not hold."""

import contextlib
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.monitoring.metrics import Stages
from app.monitoring.tracing import Traces, record_status
from models.language.llm import LlmBroke, LlmCall, LlmError
from models.language.openai_probe import KnownAbilities
from models.language.openai_server import OpenAiServer
from tests.kit.servers.llm_server import LlmServer, Reply, serving_llm
from tests.kit.servers.server import serving

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"
CONTENT = "Zanzibar"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def llm() -> Iterator[LlmServer]:
    with serving_llm(lambda _: Reply(f"{CONTENT} is an island.")) as llm:
        yield llm


@contextlib.contextmanager
def serving_collector() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a collector, and what it was sent."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{collector.server_port}", bodies
        finally:
            collector.shutdown()
            thread.join()


def traces_to(exporter: InMemorySpanExporter, *, with_content: bool = False) -> Traces:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Traces(provider, with_content=with_content)


@contextlib.asynccontextmanager
async def closing(server: OpenAiServer) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await server.close()


async def asked(traces: Traces, llm: LlmServer, *, keeps_content: bool = True, **headers: str) -> str | None:
    """What a request's call of the LLM says of its trace."""
    scope = {
        "type": "http",
        "method": "POST",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    server = OpenAiServer(llm.base_url, model="scripted", abilities=KnownAbilities(vision=False, tools=True))
    stages = Stages()
    async with closing(server):
        with traces.request(scope, "/v1/chat/completions", stages, keeps_content=keeps_content) as span:
            with traces.task("ocr"):
                pass
            call = LlmCall([{"role": "user", "content": f"What is {CONTENT}?"}])
            async with aclosing(traces.llm(server).stream(call)) as events:
                async for _ in events:
                    pass
            stages.task, stages.input_tokens, stages.output_tokens = "chat", 7, 3
            record_status(span, 200)
    return llm.requests[-1].headers.get("traceparent")


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


async def test_without_spans_a_callers_trace_is_passed_on_as_it_came(llm: LlmServer) -> None:
    assert await asked(Traces(), llm, traceparent=TRACEPARENT) == TRACEPARENT
    assert await asked(Traces(), llm) is None
    assert await asked(Traces(), llm, traceparent="00-nonsense\u00ff") is None


async def test_a_request_is_a_span_of_its_callers_trace_with_the_llm_and_tasks_within(
    exporter: InMemorySpanExporter, llm: LlmServer
) -> None:
    sent = await asked(traces_to(exporter), llm, traceparent=TRACEPARENT)
    spans = by_name(exporter)
    request, chat, tool = (spans[name] for name in ("POST /v1/chat/completions", "chat scripted", "execute_tool ocr"))
    assert request.parent is not None
    assert (f"{request.context.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, CALLER)
    assert chat.parent is not None
    assert tool.parent is not None
    assert chat.parent.span_id == tool.parent.span_id == request.context.span_id
    assert sent == f"00-{TRACE}-{chat.context.span_id:016x}-01"
    assert request.attributes is not None
    assert request.attributes["gen_ai.usage.input_tokens"] == 7
    assert request.attributes["http.response.status_code"] == 200
    assert chat.attributes is not None
    assert chat.attributes["gen_ai.operation.name"] == "chat"
    assert chat.attributes["gen_ai.response.finish_reasons"] == ("stop",)


async def test_a_line_of_a_batch_is_a_span_of_its_own_with_the_tokens_used(exporter: InMemorySpanExporter) -> None:
    traces, stages = traces_to(exporter), Stages()
    with traces.request({"type": "http", "method": "POST", "headers": []}, "/v1/batches", Stages()):
        line = {"type": "http", "method": "POST", "headers": []}
        with traces.request(line, "/v1/chat/completions", stages) as span:
            with traces.task("ocr"):
                pass
            stages.input_tokens, stages.output_tokens = 7, 3
            record_status(span, 503)
        with traces.task("translate"):
            pass
    batches, of_line, ocr, translate = (
        by_name(exporter)[name]
        for name in (
            "POST /v1/batches",
            "POST /v1/chat/completions",
            "execute_tool ocr",
            "execute_tool translate",
        )
    )
    assert of_line.parent is None
    assert ocr.parent is not None
    assert ocr.parent.span_id == of_line.context.span_id
    assert translate.parent is not None
    assert translate.parent.span_id == batches.context.span_id
    assert of_line.attributes is not None
    assert (of_line.attributes["gen_ai.usage.output_tokens"], of_line.status.is_ok) == (3, False)


@pytest.mark.parametrize(
    ("with_content", "keeps_content", "is_there"), [(False, True, False), (True, True, True), (True, False, False)]
)
async def test_content_is_there_where_a_setting_asks_and_the_caller_does_not_forbid_it(
    exporter: InMemorySpanExporter, llm: LlmServer, with_content: bool, keeps_content: bool, is_there: bool
) -> None:
    await asked(traces_to(exporter, with_content=with_content), llm, keeps_content=keeps_content)
    told = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert told.count(CONTENT) == (2 if is_there else 0)


async def test_a_failure_is_told_by_its_kind_and_not_its_words(exporter: InMemorySpanExporter) -> None:
    with serving_llm([Reply(CONTENT, status=400)]) as llm, pytest.raises(LlmError):
        await asked(traces_to(exporter), llm)
    with pytest.raises(LlmBroke), traces_to(exporter).task("translate"):
        raise LlmBroke(CONTENT)
    spans = by_name(exporter)
    for name, kind in (("chat scripted", "refused"), ("execute_tool translate", "broke")):
        attributes = spans[name].attributes
        assert attributes is not None
        assert (attributes["error.type"], spans[name].status.is_ok) == (kind, False)
    assert CONTENT not in "".join(span.to_json() for span in spans.values())


def test_a_server_sends_its_spans_to_a_collector(tmp_path: Path, llm: LlmServer) -> None:
    with serving_collector() as (url, bodies):
        with serving(
            tmp_path / "log",
            llm="openai-server",
            llm_base_url=llm.base_url,
            llm_model="scripted",
            llm_abilities="tools,json_schema",
            traces_url=url,
        ) as server:
            body = {"model": "interfaze-beta", "messages": [{"role": "user", "content": f"Hello, {CONTENT}."}]}
            chat = f"{server.base_url}/v1/chat/completions"
            answer = httpx.post(chat, json=body, headers={"traceparent": TRACEPARENT}, timeout=60, trust_env=False)
            assert answer.status_code == 200, json.dumps(answer.json())
            server.stop()
        spans = [
            span
            for sent in bodies
            for resource in ExportTraceServiceRequest.FromString(sent).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
    ours = {span.name for span in spans if span.trace_id.hex() == TRACE}
    assert ours >= {"POST /v1/chat/completions", "chat scripted"}
    assert not any(CONTENT.encode() in sent for sent in bodies)
    assert llm.requests[0].headers["traceparent"].startswith(f"00-{TRACE}-")
