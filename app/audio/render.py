"""A transcript in the form that a client asked for, whole or as the events of a stream."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from string import ascii_uppercase
from typing import Literal

from pydantic import BaseModel

from app.chat.event_driver import Feed, Progress
from app.chat.render import FIRST_PING_S, PING_S
from app.chat.work import Work, as_progress
from app.telemetry import Stages
from app.wire import audio, sse
from app.wire import audio as subtitles
from tasks.inputs.source import Source
from tasks.speech.languages import language_name
from tasks.speech.phrases import Phrase, separator, spaced
from tasks.speech_to_text import SpeechToTextTask, Transcript
from tasks.wording.transcripts import SpeechOptions

Heard = Progress | Phrase | Transcript
"""What comes out, in order: phrases as soon as they are sure, the transcript last."""


async def hear(
    task: SpeechToTextTask, source: Source, options: SpeechOptions, stages: Stages
) -> AsyncGenerator[Heard, None]:
    """Raises InputError and ModelError."""
    work = Work[Progress | Phrase, Transcript](
        lambda report: task.transcribe(source, options, as_progress(report), report)
    )
    async with aclosing(work.reports()) as reports:
        async for report in reports:
            yield report
    stages.done("task")
    yield work.result


_SEEK_HZ = 100
"""Whisper's frames a second."""


def transcription(transcript: Transcript, request: audio.TranscriptionRequest) -> BaseModel | str:
    match request.response_format:
        case "diarized_json":
            return audio.DiarizedTranscription(
                duration=_seconds(transcript),
                text=transcript.text,
                segments=_spoken_segments(transcript),
                low_confidence=_low(transcript),
                usage=_usage(transcript),
            )
        case "verbose_json":
            language = language_name(transcript.language).lower() if transcript.language else ""
            asked = request.timestamp_granularities or ["segment"]
            return _verbose(transcript, "transcribe", language, words="word" in asked, segments="segment" in asked)
        case plain:
            return _plain(transcript, plain)


def translation(transcript: Transcript, request: audio.TranslationRequest) -> BaseModel | str:
    if request.response_format == "verbose_json":
        return _verbose(transcript, "translate", "english", words=False, segments=True)
    return _plain(transcript, request.response_format)


def stream(feed: Feed[Heard], *, diarized: bool, show_progress: bool) -> AsyncGenerator[bytes, None]:
    """The events of a stream. Failures are raised, as by `app.chat.render.stream`."""
    return feed.encoded(_Events(diarized=diarized, show_progress=show_progress).of, sse.PING, FIRST_PING_S, PING_S)


class _Events:
    def __init__(self, *, diarized: bool, show_progress: bool) -> None:
        self._diarized = diarized
        self._show_progress = show_progress
        self._last = ""
        """The text of the phrase before."""

    def of(self, heard: Heard) -> list[bytes]:
        match heard:
            case Progress(stage, done, total):
                return [sse.progress(stage, done, total)] if self._show_progress else []
            case Phrase():
                delta = separator(self._last, heard.text) + heard.text
                self._last = heard.text
                return [sse.data(audio.TextDelta(delta=delta))]
            case Transcript():
                end = audio.TextDone(text=heard.text, low_confidence=_low(heard), usage=_usage(heard))
                return [*self._segments(heard), sse.data(end), sse.DONE]

    def _segments(self, transcript: Transcript) -> list[bytes]:
        if not self._diarized:
            return []
        segments = _spoken_segments(transcript)
        deltas = spaced(segment.text for segment in segments)
        pairs = [
            (audio.TextDelta(delta=delta, segment_id=segment.id), segment)
            for delta, segment in zip(deltas, segments, strict=True)
        ]
        return [sse.data(event) for pair in pairs for event in pair]


def _plain(transcript: Transcript, form: Literal["json", "text", "srt", "vtt"]) -> BaseModel | str:
    match form:
        case "json":
            return audio.Transcription(text=transcript.text, low_confidence=_low(transcript), usage=_usage(transcript))
        case "text":
            return f"{transcript.text}\n"
        case "srt":
            return subtitles.srt(_cues(transcript))
        case "vtt":
            return subtitles.vtt(_cues(transcript))


def _verbose(
    transcript: Transcript, task: Literal["transcribe", "translate"], language: str, *, words: bool, segments: bool
) -> audio.VerboseTranscription:
    probability = transcript.language_probability
    return audio.VerboseTranscription(
        task=task,
        language=language,
        language_probability=None if probability is None else round(probability, 2),
        low_confidence=_low(transcript),
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


def _segments(transcript: Transcript) -> list[audio.Segment]:
    return [
        audio.Segment(
            id=number,
            seek=round(window.start * _SEEK_HZ),
            start=chunk["timestamp"][0],
            end=chunk["timestamp"][1],
            text=chunk["text"],
            tokens=[token for word in phrase.words for token in word.tokens],
            avg_logprob=round(window.mean_logprob, 4),
            compression_ratio=round(window.compression_ratio, 4),
            no_speech_prob=round(window.no_speech, 4),
        )
        for number, (phrase, chunk, window) in enumerate(
            zip(transcript.phrases, transcript.chunks, transcript.windows, strict=True)
        )
    ]


def _spoken_segments(transcript: Transcript) -> list[audio.SpokenSegment]:
    """Speakers are letters, as OpenAI's are: `A` is SPEAKER_00."""
    labels = sorted({chunk["speaker"] for chunk in transcript.chunks})
    return [
        audio.SpokenSegment(
            id=f"seg_{number}",
            start=chunk["timestamp"][0],
            end=chunk["timestamp"][1],
            text=chunk["text"],
            speaker=_letters(labels.index(chunk["speaker"])),
        )
        for number, chunk in enumerate(transcript.chunks)
    ]


def _letters(number: int) -> str:
    """A to Z, then AA, BB and so on."""
    rounds, letter = divmod(number, len(ascii_uppercase))
    return ascii_uppercase[letter] * (rounds + 1)


def _cues(transcript: Transcript) -> Sequence[subtitles.Cue]:
    return [subtitles.Cue(*chunk["timestamp"], chunk["text"]) for chunk in transcript.chunks]


def _seconds(transcript: Transcript) -> float:
    return round(transcript.seconds, 2)


def _low(transcript: Transcript) -> Literal[True] | None:
    return True if transcript.low_confidence else None


def _usage(transcript: Transcript) -> audio.Duration:
    return audio.Duration(seconds=_seconds(transcript))
