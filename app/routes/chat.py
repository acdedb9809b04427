"""POST /v1/chat/completions."""

import time

from fastapi import APIRouter, Request
from starlette.responses import Response

from app import runnable_commands
from app.assembly.services import Services
from app.chat import render
from app.chat.call import ChatCall, TimeLimit
from app.chat.render import ChunkEncoder, ChunkOptions, Envelope
from app.http.request import (
    PRECONTEXT_HEADER,
    PROGRESS_HEADER,
    asks_to_be_forgotten,
    is_on,
    read_body,
    skips_planning,
    until_disconnect,
    within,
)
from app.http.stream import EventStream
from app.monitoring.metrics import Stages
from app.routes.openapi import DirectRoute, json_body
from app.wire.parse import check_model, parse_off_loop
from app.wire.request import ChatRequest
from app.wire.response import ChatCompletion, encode_completion

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
    chat = await parse_off_loop(ChatRequest, await read_body(request, services.max_request_bytes))
    check_model(chat.model, param="model")
    request.state.log = {"model": chat.model, "stream": bool(chat.stream), "stages": stages.milliseconds}
    envelope = Envelope(request.state.request_id, int(time.time()), chat.model)
    limit_s = services.settings.request_timeout_s
    events = services.pipeline.run(call_of(request, chat))
    if chat.stream:
        options = ChunkOptions(
            include_usage=bool(chat.stream_options and chat.stream_options.include_usage),
            show_precontext=is_on(request, PRECONTEXT_HEADER),
            show_progress=is_on(request, PROGRESS_HEADER),
            show_reasoning=chat.shows_reasoning,
        )
        encoder = ChunkEncoder(envelope, options)
        return EventStream(events, encoder.encode, stages, render.failure(envelope.id), limit_s)

    answer = render.completion(events, envelope, show_reasoning=chat.shows_reasoning)
    whole = await until_disconnect(request.receive, within(limit_s, answer, stages.seconds))
    content = await encode_completion(whole)
    stages.done("render")
    return Response(content, headers={"server-timing": stages.header}, media_type="application/json")


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
