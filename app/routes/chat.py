"""POST /v1/chat/completions."""

import time
from collections.abc import Sequence

import pydantic_core
from fastapi import APIRouter, Request
from starlette.responses import Response

from app import runnable_commands
from app.access.admission import Admission
from app.batches.lines import LineResponse
from app.chat import render
from app.chat.call import ChatCall
from app.chat.render import ChunkOptions, Envelope
from app.errors import BadRequest
from app.events import Event
from app.feed import Feed, TimeLimit
from app.http.body import read_body
from app.http.disconnect import until_disconnect
from app.http.event_stream import EventStreamResponse
from app.http.headers import PRECONTEXT_HEADER, PROGRESS_HEADER, asks_to_be_forgotten, is_on, skips_planning
from app.http.large_response import json_response
from app.openapi import DirectRoute, json_body
from app.routes.status import check_model
from app.services import Services
from app.telemetry import Stages
from app.wire.json_pieces import completion_json
from app.wire.parse import parse_off_loop
from app.wire.request import ChatRequest
from app.wire.response import ChatCompletion, CompletionUsage

BOOKING = {
    "type": "object",
    "properties": {"guest": {"type": "string"}, "nights": {"type": "integer"}},
    "required": ["guest", "nights"],
    "additionalProperties": False,
}
_EXAMPLES = {
    "Read a picture, without an LLM": runnable_commands.BODY,
    "Fill a schema, and tell where each field comes from": {
        "model": "interfaze-beta",
        "messages": [{"role": "user", "content": "Room 7 is for Anna Kowalski, who stays for 3 nights."}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "booking", "schema": BOOKING}},
        "evidence": True,
    },
    "Answer word by word": {
        "model": "interfaze-beta",
        "messages": [{"role": "user", "content": "What is OCR?"}],
        "stream": True,
        "max_tokens": 100,
    },
}


router = APIRouter(prefix="/v1/chat", tags=["chat"], route_class=DirectRoute)


@router.post(
    "/completions",
    response_model=ChatCompletion,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    openapi_extra=json_body(ChatRequest, _EXAMPLES),
)
async def chat_completions(request: Request) -> Response:
    """`<task>NAME</task>` in a system message sends the request to one specialist: its raw result is the answer.
    Without it, an LLM answers from what the specialists found, with your schema and tools. With `stream`, the answer
    is sent as server-sent events."""
    services: Services = request.app.state.services
    stages: Stages = request.state.stages
    body = await read_body(request, services.max_request_bytes)
    chat = await parse_off_loop(ChatRequest, body, services.wire, services.memory.hold)
    check_model(chat.model, param="model")
    request.state.log = {"model": chat.model, "stream": bool(chat.stream), "stages": stages.milliseconds}
    envelope = Envelope(request.state.request_id, int(time.time()), chat.model)
    limit_s = services.settings.request_timeout_s
    feed = Feed(services.pipeline.run(call_of(request, chat)), limit_s, stages.seconds)
    if chat.stream:
        options = ChunkOptions(
            include_usage=bool(chat.stream_options and chat.stream_options.include_usage),
            show_precontext=is_on(request, PRECONTEXT_HEADER),
            show_progress=is_on(request, PROGRESS_HEADER),
            show_reasoning=chat.shows_reasoning,
        )
        pieces = render.stream(feed, envelope, options, services.wire)
        return EventStreamResponse(feed, pieces, stages, render.failure(envelope.id))

    content, _ = await until_disconnect(request.receive, _complete(services, feed, envelope, chat))
    stages.done("render")
    return await json_response(content, {"server-timing": stages.header})


def call_of(request: Request, chat: ChatRequest) -> ChatCall:
    """Return the pipeline's call for `request`, whose body is `chat`."""
    services: Services = request.app.state.services
    stages: Stages = request.state.stages
    return ChatCall(
        chat,
        request.state.caller,
        skip_planning=skips_planning(request),
        fresh=asks_to_be_forgotten(request),
        stages=stages,
        limit=TimeLimit.of(services.settings.request_timeout_s, stages.seconds),
        admission=request.state.admission,
    )


async def answer_line(services: Services, chat: ChatRequest, admission: Admission, request_id: str) -> LineResponse:
    """Answer a line of a batch."""
    if chat.stream:
        raise BadRequest("Field 'stream': a line of a batch is not streamed", param="stream")
    check_model(chat.model, param="model")
    limit_s = services.settings.request_timeout_s
    call = ChatCall(chat, admission.caller, limit=TimeLimit.of(limit_s), admission=admission)
    feed = Feed(services.pipeline.run(call), limit_s)
    content, usage = await _complete(services, feed, Envelope(request_id, int(time.time()), chat.model), chat)
    return LineResponse(content, usage)


async def _complete(
    services: Services, feed: Feed[Event], envelope: Envelope, chat: ChatRequest
) -> tuple[Sequence[bytes], CompletionUsage]:
    """Return the pieces of a whole answer's JSON."""
    completion = await render.completion(feed, envelope, show_reasoning=chat.shows_reasoning)
    answer = completion.answer
    if answer.is_short and not completion.texts:
        return [pydantic_core.to_json(answer)], answer.usage
    return await services.wire.run(completion_json, answer, completion.texts), answer.usage
