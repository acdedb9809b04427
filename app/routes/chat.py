"""POST /v1/chat/completions."""

import time

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from app.chat import render
from app.chat.call import Call
from app.chat.feed import Feed
from app.chat.render import Envelope, StreamOptions
from app.disconnect import until_disconnect
from app.errors import BadRequest
from app.routes.body import read_body
from app.routes.event_stream import EventStream
from app.routes.models import check_model
from app.services import Services
from app.telemetry import Stages
from app.wire.request import ChatRequest, first_problem
from app.wire.response import ChatCompletion

REASONING_OFF = (None, "off", "none")
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
    chat = parse(await read_body(request, services.max_request_bytes))
    check_model(chat.model, param="model")
    request.state.log = {"model": chat.model, "stream": bool(chat.stream), "stages": stages.milliseconds}
    envelope = Envelope(request.state.request_id, int(time.time()), chat.model)
    call = Call(chat, skip_planning=any(_is_on(request, name) for name in SKIP_PLANNING), stages=stages)
    feed = Feed(services.pipeline.run(call), services.settings.request_timeout_s)
    show_reasoning = chat.reasoning_effort not in REASONING_OFF
    if chat.stream:
        options = StreamOptions(
            include_usage=bool(chat.stream_options and chat.stream_options.include_usage),
            show_precontext=_is_on(request, "x-show-additional-info"),
            show_progress=_is_on(request, "x-interfaze-progress"),
            show_reasoning=show_reasoning,
        )
        return EventStream(feed, render.stream(feed, envelope, options), stages, envelope.id)

    async def complete() -> ChatCompletion:
        async with feed:
            return await render.completion(feed, envelope, show_reasoning=show_reasoning)

    answer = await until_disconnect(request.receive, complete())
    body = answer.model_dump_json()
    stages.done("render")
    return Response(body, headers={"server-timing": stages.header}, media_type="application/json")


def _is_on(request: Request, header: str) -> bool:
    return request.headers.get(header, "").strip().lower() == "true"


def parse(body: bytes) -> ChatRequest:
    """Raises BadRequest naming the field and the bound."""
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        problem = first_problem(error)
        code = None if problem.is_json else "invalid_json"
        raise BadRequest(problem.message, code=code, param=problem.path) from None
