"""POST /v1/audio/transcriptions and /v1/audio/translations: a recording in, what is said in it out."""

import io
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response

from app.audio import render
from app.audio.render import Heard, hear
from app.chat.event_driver import Feed
from app.files.form import UploadForm
from app.middleware import until_disconnect
from app.routes.body import body_pieces, is_on
from app.routes.event_stream import EventStream
from app.routes.models import check_model
from app.services import Services
from app.telemetry import Stages
from app.wire.audio import (
    MODELS,
    DiarizedTranscription,
    Transcription,
    TranscriptionRequest,
    TranslationRequest,
    VerboseTranscription,
)
from tasks.inputs.source import Origin, Source
from tasks.speech_to_text import SpeechToTextTask, Transcript
from tasks.wording.transcripts import SpeechOptions

_FIELD_BYTES = 1024 * 1024
"""Of one field besides the file: clips of known speakers, which are refused by name, are the longest."""

router = APIRouter(prefix="/v1/audio", tags=["audio"])


def _described(form: type[BaseModel], *also: str) -> dict[str, Any]:
    """The route's OpenAPI: `form` with a file, and the content types of its answer besides JSON."""
    schema = form.model_json_schema()
    for name in [name for name, field in schema["properties"].items() if field.get("type") == "array"]:
        schema["properties"][f"{name}[]"] = schema["properties"].pop(name)
    schema["properties"] = {"file": {"type": "string", "format": "binary"}, **schema["properties"]}
    schema["required"] = ["file", *schema["required"]]
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}},
        "responses": {"200": {"content": {kind: {"schema": {"type": "string"}} for kind in also}}},
    }


@router.post(
    "/transcriptions",
    response_model=Transcription | VerboseTranscription | DiarizedTranscription,
    openapi_extra=_described(TranscriptionRequest, "text/plain", "text/event-stream"),
)
async def transcribe(request: Request) -> Response:
    """What is said, in the language in which it is said."""
    stages = Stages()
    form, file = await _read(request)
    asked = TranscriptionRequest.read(form.values)
    asked.check()
    options = SpeechOptions(
        language=asked.language or (asked.languages[0] if len(asked.languages) == 1 else None),
        diarize=asked.response_format == "diarized_json",
        prompt=", ".join(filter(None, [asked.prompt, *asked.keywords])) or None,
    )
    feed = _feed(request, asked.model, file, form.filename, options, stages, stream=asked.stream)
    if asked.stream:
        pieces = render.stream(feed, diarized=options.diarize, show_progress=is_on(request, "x-interfaze-progress"))
        return EventStream(feed, pieces, stages, request.state.request_id)
    return _answer(render.transcription(await _transcript(request, feed), asked), stages)


@router.post(
    "/translations",
    response_model=Transcription | VerboseTranscription,
    openapi_extra=_described(TranslationRequest, "text/plain"),
)
async def translate(request: Request) -> Response:
    """What is said, in English."""
    stages = Stages()
    form, file = await _read(request)
    asked = TranslationRequest.read(form.values)
    options = SpeechOptions(translate=True, prompt=asked.prompt)
    feed = _feed(request, asked.model, file, form.filename, options, stages)
    return _answer(render.translation(await _transcript(request, feed), asked), stages)


async def _read(request: Request) -> tuple[UploadForm, bytes]:
    """The form, and the bytes of its file. Raises BadRequest, PayloadTooLarge and ClientGone."""
    services: Services = request.app.state.services
    form = UploadForm(request.headers.get("content-type", ""), needs="model", field_bytes=_FIELD_BYTES)
    file = io.BytesIO()
    async with aclosing(body_pieces(request, services.max_request_bytes)) as pieces:
        async for piece in pieces:
            file.write(form.feed(piece))
    form.finish()
    await services.prepare(SpeechToTextTask.name)
    return form, file.getvalue()


def _feed(
    request: Request,
    model: str,
    file: bytes,
    filename: str | None,
    options: SpeechOptions,
    stages: Stages,
    *,
    stream: bool = False,
) -> Feed[Heard]:
    """Raises NotFound for a model that nobody knows."""
    services: Services = request.app.state.services
    if model not in MODELS:
        check_model(model, param="model")
    request.state.log = {"model": model, "stream": stream, "stages": stages.milliseconds}
    stages.done("read")
    source = Source(Origin("file"), data=file, filename=filename)
    return Feed(hear(services.task_of(SpeechToTextTask), source, options, stages), services.settings.request_timeout_s)


async def _transcript(request: Request, feed: Feed[Heard]) -> Transcript:
    """The last event. The work ends when the client hangs up."""

    async def complete() -> Transcript:
        async with feed:
            [transcript] = [event async for event in feed.events() if isinstance(event, Transcript)]
            return transcript

    return await until_disconnect(request.receive, complete())


def _answer(answer: BaseModel | str, stages: Stages) -> Response:
    body = answer if isinstance(answer, str) else answer.model_dump_json()
    stages.done("render")
    headers = {"server-timing": stages.header}
    if isinstance(answer, str):
        return PlainTextResponse(body, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
