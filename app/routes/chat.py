"""POST /v1/chat/completions."""

import asyncio
import time

import pydantic_core
from fastapi import APIRouter, Request
from starlette.responses import Response

from app.chat import render
from app.chat.call import Call
from app.chat.feed import Feed
from app.chat.render import Envelope, StreamOptions
from app.disconnect import until_disconnect
from app.routes.body import read_body
from app.routes.event_stream import EventStream
from app.routes.headers import asks_to_be_forgotten, is_on
from app.routes.models import check_model
from app.services import Services
from app.telemetry import Stages
from app.wire.parse import parse_aside
from app.wire.request import ChatRequest
from app.wire.response import ChatCompletion

SKIP_PLANNING = ("x-interfaze-bypass-moa", "x-bypass-moe")

router = APIRouter(prefix="/v1/chat", tags=["chat"])


@router.post(
    "/completions",
    response_model=ChatCompletion,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ChatRequest.model_json_schema()}},
        }
    },
)
async def chat_completions(request: Request) -> Response:
    services: Services = request.app.state.services
    stages = Stages()
    body = await read_body(request, services.max_request_bytes)
    chat = await parse_aside(ChatRequest, body, services.settings.max_json_values)
    check_model(chat.model, param="model")
    request.state.log = {"model": chat.model, "stream": bool(chat.stream), "stages": stages.milliseconds}
    envelope = Envelope(request.state.request_id, int(time.time()), chat.model)
    call = Call(
        chat,
        request.state.caller,
        skip_planning=any(is_on(request, name) for name in SKIP_PLANNING),
        fresh=asks_to_be_forgotten(request),
        stages=stages,
    )
    feed = Feed(services.pipeline.run(call), services.settings.request_timeout_s)
    show_reasoning = chat.shows_reasoning
    if chat.stream:
        options = StreamOptions(
            include_usage=bool(chat.stream_options and chat.stream_options.include_usage),
            show_precontext=is_on(request, "x-show-additional-info"),
            show_progress=is_on(request, "x-interfaze-progress"),
            show_reasoning=show_reasoning,
        )
        return EventStream(feed, render.stream(feed, envelope, options), stages, envelope.id)

    async def complete() -> ChatCompletion:
        async with feed:
            return await render.completion(feed, envelope, show_reasoning=show_reasoning)

    answer = await until_disconnect(request.receive, complete())
    content = await asyncio.to_thread(pydantic_core.to_json, answer)
    stages.done("render")
    return Response(content, headers={"server-timing": stages.header}, media_type="application/json")
