"""POST /v1/audio/transcriptions and /v1/audio/translations: turn the speech of a recording into text.

The text has the requested format, and is sent whole or as a stream.
"""

import io
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from string import ascii_uppercase
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response

from app.access.admission import Admission
from app.assembly.services import Services
from app.chat.call import Work, as_progress
from app.chat.render import failure
from app.events import Progress
from app.http.form import UploadForm
from app.http.request import PROGRESS_HEADER, body_chunks, is_on, until_disconnect, within
from app.http.stream import EventStream
from app.monitoring.metrics import Stages
from app.routes.openapi import body_schema
from app.wire import audio
from app.wire.audio import (
    DiarizedTranscription,
    Transcription,
    TranscriptionRequest,
    TranslationRequest,
    VerboseTranscription,
)
from app.wire.model_names import TRANSCRIPTION_ALIASES
from app.wire.parse import check_model
from app.wire.response import DONE, encode_model, encode_progress
from models.language.llm import estimate_tokens
from models.speech.transcriber import PROMPT_CHARS
from models.translation.speech_codes import language_name
from tasks.inputs.source import Origin, Source
from tasks.speech.phrases import Phrase, separator, spaced
from tasks.speech_to_text import SpeechToTextTask, Transcript
from tasks.wording.transcripts import SpeechOptions

TranscriptionEvent = Progress | Phrase | Transcript
"""Event of a transcription. Progress comes first, then phrases as soon as they are final, and the transcript last."""
_SEEK_HZ = 100
"""Number of Whisper's frames per second. The field `seek` counts these frames."""
_LONG_FIELDS = dict.fromkeys(("prompt", "known_speaker_references", "known_speaker_references[]"), 1024 * 1024)
"""Largest sizes, in bytes, of the fields that may be long. Only the end of a prompt is used, as in OpenAI's API. Clips
of known speakers are refused; they are read only so that the error can name them."""


async def hear(
    task: SpeechToTextTask, source: Source, options: SpeechOptions, stages: Stages
) -> AsyncGenerator[TranscriptionEvent, None]:
    """Yield the events of a transcription. Raises InputError and ModelError."""
    work = Work[Progress | Phrase, Transcript](
        lambda report: task.transcribe(source, options, as_progress(report), report)
    )
    async with aclosing(work.reports()) as reports:
        async for report in reports:
            if isinstance(report, Phrase):
                stages.answers()
            yield report
    stages.done("task")
    stages.answers()
    yield work.result


def transcription(transcript: Transcript, request: audio.TranscriptionRequest) -> BaseModel | str:
    match request.response_format:
        case "diarized_json":
            return audio.DiarizedTranscription(
                duration=_seconds(transcript),
                text=transcript.text,
                segments=_spoken_segments(transcript),
                low_confidence=_low_confidence(transcript),
                usage=_usage(transcript),
            )
        case "verbose_json":
            language = language_name(transcript.language).lower() if transcript.language else ""
            granularities = request.timestamp_granularities or ["segment"]
            return _verbose(
                transcript, "transcribe", language, words="word" in granularities, segments="segment" in granularities
            )
        case plain:
            return _plain(transcript, plain)


def translation(transcript: Transcript, request: audio.TranslationRequest) -> BaseModel | str:
    if request.response_format == "verbose_json":
        return _verbose(transcript, "translate", "english", words=False, segments=True)
    return _plain(transcript, request.response_format)


class StreamEncoder:
    """Encodes the events of a transcription as server-sent events."""

    def __init__(self, *, diarized: bool, show_progress: bool) -> None:
        self._diarized = diarized
        self._show_progress = show_progress
        self._last = ""
        """Text of the last phrase."""

    async def encode(self, event: TranscriptionEvent) -> bytes:
        match event:
            case Progress(stage, done, total):
                return encode_progress(stage, done, total) if self._show_progress else b""
            case Phrase():
                delta = separator(self._last, event.text) + event.text
                self._last = event.text
                return encode_model(audio.TranscriptTextDelta(delta=delta))
            case Transcript():
                end = audio.TranscriptTextDone(
                    text=event.text, low_confidence=_low_confidence(event), usage=_usage(event)
                )
                return b"".join([*self._segments(event), encode_model(end), DONE])

    def _segments(self, transcript: Transcript) -> list[bytes]:
        if not self._diarized:
            return []
        segments = _spoken_segments(transcript)
        deltas = spaced(segment.text for segment in segments)
        pairs = [
            (audio.TranscriptTextDelta(delta=delta, segment_id=segment.id), segment)
            for delta, segment in zip(deltas, segments, strict=True)
        ]
        return [encode_model(event) for pair in pairs for event in pair]


def _plain(transcript: Transcript, form: Literal["json", "text", "srt", "vtt"]) -> BaseModel | str:
    match form:
        case "json":
            return audio.Transcription(
                text=transcript.text, low_confidence=_low_confidence(transcript), usage=_usage(transcript)
            )
        case "text":
            return f"{transcript.text}\n"
        case "srt":
            return audio.srt(_cues(transcript))
        case "vtt":
            return audio.vtt(_cues(transcript))


def _verbose(
    transcript: Transcript, task: Literal["transcribe", "translate"], language: str, *, words: bool, segments: bool
) -> audio.VerboseTranscription:
    probability = transcript.language_probability
    return audio.VerboseTranscription(
        task=task,
        language=language,
        language_probability=None if probability is None else round(probability, 2),
        low_confidence=_low_confidence(transcript),
        duration=_seconds(transcript),
        text=transcript.text,
        words=_words(transcript) if words else None,
        segments=_segments(transcript) if segments else None,
        usage=_usage(transcript),
    )


def _words(transcript: Transcript) -> list[audio.TimedWord]:
    return [
        audio.TimedWord(word=word.text.strip(), start=round(word.start, 2), end=round(word.end, 2))
        for word in transcript.words
    ]


def _segments(transcript: Transcript) -> list[audio.TranscriptionSegment]:
    return [
        audio.TranscriptionSegment(
            id=index,
            seek=round(window.start * _SEEK_HZ),
            start=chunk["timestamp"][0],
            end=chunk["timestamp"][1],
            text=chunk["text"],
            tokens=[token for word in phrase.words for token in word.tokens],
            avg_logprob=round(window.mean_logprob, 4),
            compression_ratio=round(window.compression_ratio, 4),
            no_speech_prob=round(window.no_speech, 4),
        )
        for index, (phrase, chunk, window) in enumerate(
            zip(transcript.phrases, transcript.chunks, transcript.windows, strict=True)
        )
    ]


def _spoken_segments(transcript: Transcript) -> list[audio.SpokenSegment]:
    """Return the segments in OpenAI's form, in which letters stand for the speakers: `A` for SPEAKER_00."""
    labels = sorted({chunk["speaker"] for chunk in transcript.chunks})
    return [
        audio.SpokenSegment(
            id=f"seg_{index}",
            start=chunk["timestamp"][0],
            end=chunk["timestamp"][1],
            text=chunk["text"],
            speaker=_letters(labels.index(chunk["speaker"])),
        )
        for index, chunk in enumerate(transcript.chunks)
    ]


def _letters(number: int) -> str:
    """Return the letters that stand for speaker `number`: A to Z, then AA, BB and so on."""
    rounds, letter = divmod(number, len(ascii_uppercase))
    return ascii_uppercase[letter] * (rounds + 1)


def _cues(transcript: Transcript) -> Sequence[audio.Cue]:
    return [audio.Cue(*chunk["timestamp"], chunk["text"]) for chunk in transcript.chunks]


def _seconds(transcript: Transcript) -> float:
    return round(transcript.seconds, 2)


def _low_confidence(transcript: Transcript) -> Literal[True] | None:
    return True if transcript.low_confidence else None


def _usage(transcript: Transcript) -> audio.Duration:
    return audio.Duration(seconds=math.ceil(_seconds(transcript)))


router = APIRouter(prefix="/v1/audio", tags=["audio"])


def _describe_form(form: type[BaseModel], *also: str) -> dict[str, Any]:
    """Return the OpenAPI of a route that takes `form` with a file. `also` lists content types of responses other than
    JSON."""

    def make() -> dict[str, Any]:
        schema = form.model_json_schema()
        for name in [name for name, field in schema["properties"].items() if field.get("type") == "array"]:
            schema["properties"][f"{name}[]"] = schema["properties"].pop(name)
        schema["properties"] = {"file": {"type": "string", "format": "binary"}, **schema["properties"]}
        schema["required"] = ["file", *schema["required"]]
        return schema

    content = {"multipart/form-data": {"schema": body_schema(form.__name__, make)}}
    return {
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"content": {kind: {"schema": {"type": "string"}} for kind in also}}},
    }


@router.post(
    "/transcriptions",
    response_model=Transcription | VerboseTranscription | DiarizedTranscription,
    openapi_extra=_describe_form(TranscriptionRequest, "text/plain", "text/event-stream"),
)
async def transcribe(request: Request) -> Response:
    """Transcribes speech in its own language."""
    stages: Stages = request.state.stages
    form, file = await _read_upload(request)
    wanted = TranscriptionRequest.read(form.values)
    wanted.check()
    options = SpeechOptions(
        source_language=wanted.language or (wanted.languages[0] if len(wanted.languages) == 1 else None),
        diarize=wanted.response_format == "diarized_json",
        prompt=_last_characters(", ".join(filter(None, [wanted.prompt, *wanted.keywords]))),
    )
    events = await _begin(request, wanted.model, file, form.filename, options, stages, stream=wanted.stream)
    if wanted.stream:
        encoder = StreamEncoder(diarized=options.diarize, show_progress=is_on(request, PROGRESS_HEADER))
        limit_s = request.app.state.services.settings.request_timeout_s
        return EventStream(events, encoder.encode, stages, failure(request.state.request_id), limit_s)
    return _answer(transcription(await _transcript(request, events), wanted), stages)


@router.post(
    "/translations",
    response_model=Transcription | VerboseTranscription,
    openapi_extra=_describe_form(TranslationRequest, "text/plain"),
)
async def translate(request: Request) -> Response:
    """Translates speech into English."""
    stages: Stages = request.state.stages
    form, file = await _read_upload(request)
    wanted = TranslationRequest.read(form.values)
    options = SpeechOptions(to_english=True, prompt=_last_characters(wanted.prompt or ""))
    events = await _begin(request, wanted.model, file, form.filename, options, stages)
    return _answer(translation(await _transcript(request, events), wanted), stages)


def _last_characters(prompt: str) -> str:
    """Return the end of `prompt` that engines read."""
    return prompt[-PROMPT_CHARS:]


async def _read_upload(request: Request) -> tuple[UploadForm, bytes]:
    """Return the form and the bytes of its file. Raises BadRequest, PayloadTooLarge and ClientGone."""
    services: Services = request.app.state.services
    form = UploadForm(request.headers.get("content-type", ""), needs="model", long_fields=_LONG_FIELDS)
    file = io.BytesIO()
    async with aclosing(body_chunks(request, services.max_request_bytes)) as pieces:
        async for piece in pieces:
            file.write(form.feed(piece))
    form.finish()
    return form, file.getvalue()


async def _begin(
    request: Request,
    model: str,
    file: bytes,
    filename: str | None,
    options: SpeechOptions,
    stages: Stages,
    *,
    stream: bool = False,
) -> AsyncGenerator[TranscriptionEvent, None]:
    """Admit the request, and return its events.

    Raises NotFound for an unknown model, and the errors of admission.
    """
    services: Services = request.app.state.services
    stages.task = SpeechToTextTask.name
    if model not in TRANSCRIPTION_ALIASES:
        check_model(model, param="model")
    request.state.log = {"model": model, "stream": stream, "stages": stages.milliseconds}
    stages.done("read")
    admission: Admission = request.state.admission
    prompt_tokens = estimate_tokens(options.prompt)
    await admission.reserve(SpeechToTextTask.name, prompt_tokens, answer_tokens=None)
    await services.tasks.prepare(SpeechToTextTask.name)
    source = Source(Origin("file"), data=file, filename=filename)
    transcription_events = hear(services.tasks.of_kind(SpeechToTextTask), source, options, stages)
    return _charged(transcription_events, admission, prompt_tokens)


async def _charged(
    events: AsyncGenerator[TranscriptionEvent, None], admission: Admission, prompt_tokens: int
) -> AsyncGenerator[TranscriptionEvent, None]:
    """Yield `events`, and charge the key for them as `ChatCall.note` does. The transcript counts as the answer."""
    async with aclosing(events):
        async for event in events:
            match event:
                case Phrase():
                    admission.count_text(event.text)
                case Transcript():
                    await admission.settle(prompt_tokens, estimate_tokens(event.text))
            yield event


async def _transcript(request: Request, events: AsyncGenerator[TranscriptionEvent, None]) -> Transcript:
    """Return the transcript, which is the last event. The work ends when the client hangs up."""

    async def complete() -> Transcript:
        async with aclosing(events):
            [transcript] = [event async for event in events if isinstance(event, Transcript)]
            return transcript

    limit_s = request.app.state.services.settings.request_timeout_s
    return await until_disconnect(request.receive, within(limit_s, complete(), request.state.stages.seconds))


def _answer(answer: BaseModel | str, stages: Stages) -> Response:
    body = answer if isinstance(answer, str) else answer.model_dump_json()
    stages.done("render")
    headers = {"server-timing": stages.header}
    if isinstance(answer, str):
        return PlainTextResponse(body, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
