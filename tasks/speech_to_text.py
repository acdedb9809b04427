"""The `speech_to_text` task, which transcribes recordings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from models.base import EngineUnavailable
from models.diarization.capability import DIARIZATION
from models.diarization.voices import Diarizer, VoiceEncoder
from models.speech.capability import SPEECH_TO_TEXT
from models.speech.transcriber import SpokenWord, Transcriber
from models.translation.speech_codes import language_name
from tasks.base import Parts, Progress, Specialist, TaskRequest, unreported
from tasks.errors import InputError
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tasks.redaction import Redactor
from tasks.result import Result, ResultLine, SourceLine, json_text, lines_below, texts_in
from tasks.speech.cutter import Window, window_at
from tasks.speech.listening import Heard, listen
from tasks.speech.phrases import Phrase, joined_text, phrases, spaced
from tasks.speech.speakers import SpeakerTurns
from tasks.speech.turns import PhraseEmitter, label_words, speaker_label
from tasks.tools import Tool
from tasks.wording.transcripts import SpeechOptions, parse_speech

CAPABILITY = "speech_to_text"
PULL = "openfaze pull speech_to_text"
_FOREIGN_BELOW = 0.3
"""The speech is probably in another language if the probability of the language that an engine assumes is below
this."""
_UNCLEAR = 0.5
"""Mean word probability below which much of a text is wrong."""
_LEAST_SPEECH_S = 3.0
"""The language can be recognised, and words are expected, in at least this many seconds of speech."""
_HUNDREDTH = 0.01
_KEYS_OF_QUALITY = frozenset({"language_probability", "low_confidence", "missing_seconds"})
"""Keys that describe the transcription and not the speech."""
_SHORTEST_S = 0.3
"""A phrase is shown for at least this time, in seconds, if the next one leaves room."""
_CUT_OFF = "The recording ends {missing:.1f} seconds before the length that its header announces: it is cut off."


def check_language(engine: Transcriber, language: str | None) -> None:
    """Check that `engine` knows `language`. Raises EngineUnavailable otherwise."""
    if language is not None and engine.languages is not None and language not in engine.languages:
        raise EngineUnavailable(
            CAPABILITY,
            f"'{engine.name}' understands {_language_names(engine)} only, not {language_name(language)}: run `{PULL}` "
            "for a multilingual engine.",
        )


def check_translates(engine: Transcriber) -> None:
    """Check that `engine` can translate. Raises EngineUnavailable otherwise."""
    if not engine.can_translate:
        raise EngineUnavailable(
            CAPABILITY,
            f"'{engine.name}' does not translate: run `{PULL}` for one that does, and choose it "
            "(OPENFAZE_SPEECH_TO_TEXT=whisper-small).",
        )


def is_unclear(heard: Heard) -> bool:
    """True if much of the text is likely to be wrong or missing."""
    if not heard.words:
        return heard.speech_s >= _LEAST_SPEECH_S
    foreign = heard.language_probability is not None and heard.language_probability < _FOREIGN_BELOW
    return foreign or _mean_probability(heard.words) < _UNCLEAR


def _mean_probability(words: Sequence[SpokenWord]) -> float:
    return fmean(word.probability for word in words) if words else 0.0


def _language_names(engine: Transcriber) -> str:
    return " and ".join(map(language_name, sorted(engine.languages or ())))


class Chunk(TypedDict):
    timestamp: tuple[float, float]
    """Start and end in seconds with at most two decimals. Chunks overlap only if two channels speak at once."""
    text: str
    """Text of the chunk, without surrounding white space."""
    speaker: NotRequired[str]
    """Label of the speaker; `SPEAKER_00` is the one who speaks first."""


class SpeechData(TypedDict):
    text: str
    """Texts of all chunks, joined by spaces, or by nothing in scripts without spaces."""
    chunks: list[Chunk]
    language: str | None
    """Spoken language (ISO 639-1); None if nobody speaks."""
    language_probability: NotRequired[float]
    """Probability of the language, two decimals; 1.0 if the request names it, absent if nobody speaks or the engine
    cannot detect it."""
    low_confidence: NotRequired[Literal[True]]
    """Present if much of the text is likely to be wrong or missing."""
    missing_seconds: NotRequired[float]
    """Present if the file ends before the length that its header announces: the seconds that are missing, one
    decimal."""


class SpeechResult(Result[SpeechData]):
    def text(self) -> str:
        return self.data["text"]

    def warnings(self) -> Iterator[str]:
        if missing := self.data.get("missing_seconds"):
            yield _CUT_OFF.format(missing=missing)

    def _result_lines(self) -> Iterator[ResultLine]:
        for chunk in self.data["chunks"]:
            start, end = chunk["timestamp"]
            speaker = f" {chunk['speaker']}:" if "speaker" in chunk else ""
            yield ResultLine(f"[{start}–{end}]{speaker} {chunk['text'].strip()}")
        if not self.data["chunks"]:
            yield ResultLine(json_text(self.data))

    def passages(self) -> Iterator[Iterator[SourceLine]]:
        # The whole text would repeat the chunks, which have times as well.
        left_out = _KEYS_OF_QUALITY | {"text"} if self.data["chunks"] else _KEYS_OF_QUALITY
        yield lines_below(self.data, left_out=left_out)

    def texts_for_guard(self) -> Iterator[str]:
        return texts_in(self.data, frozenset({"chunks"}))

    def mapped(self, redactor: Redactor) -> Result[SpeechData]:
        """Return the result without personal data. If a chunk has nothing but the end of such data, its time is added
        to the previous chunk."""
        texts = list(spaced(chunk["text"] for chunk in self.data["chunks"]))
        chunks: list[Chunk] = []
        redacted = redactor.pieces(texts)
        for chunk, text, old_text in zip(self.data["chunks"], redacted, texts, strict=True):
            if chunks and old_text.strip() and not text.strip():
                start, end = chunks[-1]["timestamp"]
                chunks[-1]["timestamp"] = (start, max(end, chunk["timestamp"][1]))
            else:
                chunks.append({**chunk, "text": text.strip()})
        text = joined_text(chunk["text"] for chunk in chunks)
        return SpeechResult({**self.data, "text": text, "chunks": chunks})


def chunks_of(phrases: Sequence[Phrase], least_s: float = 0.0) -> list[Chunk]:
    """Return one chunk per phrase, in order. A chunk lasts at least `least_s` if the next one leaves room. Chunks
    overlap only if two channels speak at once."""
    chunks: list[Chunk] = []
    for index, phrase in enumerate(phrases):
        start, end = phrase.place
        end = max(end, round(start + _HUNDREDTH, 2))
        if end - start < least_s:
            room = phrases[index + 1].start if index + 1 < len(phrases) else start + least_s
            end = max(end, round(min(start + least_s, room), 2))
        chunk = Chunk(timestamp=(start, end), text=phrase.text)
        if phrase.speaker is not None:
            chunk["speaker"] = phrase.speaker
        chunks.append(chunk)
    return chunks


def speech_result(
    chunks: list[Chunk],
    language: str | None,
    language_probability: float | None = None,
    *,
    low_confidence: bool = False,
    missing_seconds: float = 0.0,
) -> SpeechResult:
    data = SpeechData(text=joined_text(chunk["text"] for chunk in chunks), chunks=chunks, language=language)
    if language_probability is not None:
        data["language_probability"] = round(language_probability, 2)
    if low_confidence:
        data["low_confidence"] = True
    if missing_seconds:
        data["missing_seconds"] = round(missing_seconds, 1)
    return SpeechResult(data)


@dataclass(frozen=True, slots=True)
class Transcript:
    language: str | None
    """Spoken language (ISO 639-1); None if nobody speaks."""
    seconds: float
    """Length of the recording in seconds."""
    phrases: Sequence[Phrase]
    """Phrases in order of their start; single words if the request asks for words."""
    chunks: list[Chunk]
    """One chunk per phrase."""
    windows: Sequence[Window]
    """The window of sound in which each phrase begins."""
    language_probability: float | None = None
    """Probability of the language; 1.0 if the request names it, None if nobody speaks or the engine cannot detect
    it."""
    low_confidence: bool = False
    """True if much of the text is likely to be wrong or missing."""
    missing_seconds: float = 0.0
    """Seconds by which the file ends before the length that its header announces."""

    @property
    def words(self) -> Sequence[SpokenWord]:
        """All words in order of time. Their times are in seconds of the recording."""
        return sorted((word for phrase in self.phrases for word in phrase.words), key=lambda w: (w.start, w.end))

    @property
    def text(self) -> str:
        return joined_text(chunk["text"] for chunk in self.chunks)


class SpeechToTextTask:
    """Transcribes speech with times and, on request, speakers.

    `transcriber` and `voices` are called only if there is sound; `voices` raises EngineUnavailable if no engine can
    distinguish voices.
    """

    name = "speech_to_text"

    def __init__(
        self,
        transcriber: Callable[[], Transcriber],
        loader: MediaLoader,
        voices: Callable[[], VoiceEncoder | Diarizer],
    ) -> None:
        self._transcriber = transcriber
        self._loader = loader
        self._voices = voices

    async def run(self, request: TaskRequest[SpeechOptions]) -> SpeechResult:
        """Transcribe the request's recording. Raises InputError (no recording, more than one, `no_audio`, an
        undecodable recording), EngineOverloaded, EngineUnavailable (also for a language that the engine does not know)
        and EngineFailed."""
        if not request.sources:
            raise InputError(
                "task 'speech_to_text' needs a recording: attach audio or a video, or put its URL in the text"
            )
        if len(request.sources) > 1:
            raise InputError(
                f"task 'speech_to_text' takes one recording per request, got {len(request.sources)}: send a request "
                "for each, or ask without the task tag",
                param=request.sources[1].param,
            )
        transcript = await self.transcribe(request.sources[0], request.options, request.progress)
        return speech_result(
            transcript.chunks,
            transcript.language,
            transcript.language_probability,
            low_confidence=transcript.low_confidence,
            missing_seconds=transcript.missing_seconds,
        )

    async def transcribe(
        self,
        source: Source,
        options: SpeechOptions,
        progress: Progress = unreported,
        tell: Callable[[Phrase], None] | None = None,
    ) -> Transcript:
        """Transcribe one recording. `tell` receives each phrase, in order, as soon as later sound cannot change it. It
        is not called if speakers are requested, because labelling them takes the whole recording. Raises the errors of
        `run`."""
        engine = self._transcriber()
        check_language(engine, None if options.to_english else options.source_language)
        if options.to_english:
            check_translates(engine)

        def report(done: float, total: float) -> None:
            progress(self.name, min(round(done), round(total)), round(total))

        emitter = PhraseEmitter(tell) if tell is not None and not options.diarize else None
        async with await self._loader.open_recording(source) as recording:
            turns = SpeakerTurns(self._voices()) if options.diarize else None
            with turns or nullcontext():
                heard = await listen(recording, engine, options, reached=report, turns=turns, emitter=emitter)
                speakers = await _label_speakers(heard, options, turns) if turns is not None else {}
                missing_seconds = recording.missing_seconds(heard.seconds)
        report(heard.seconds, heard.seconds)
        if emitter is not None:
            emitter.finish()
        return _build_transcript(heard, options, speakers, missing_seconds)


async def _label_speakers(heard: Heard, options: SpeechOptions, turns: SpeakerTurns) -> dict[int | None, list[str]]:
    """Return the speaker label of each word, per track."""
    if heard.by_channel and options.speakers in (None, 2):
        order = sorted(heard.tracks, key=lambda channel: heard.tracks[channel][0].start)
        return {channel: [speaker_label(order.index(channel))] * len(words) for channel, words in heard.tracks.items()}
    found = await turns.finish(options.speakers)
    speakers_of_words = {channel: label_words(words, found) for channel, words in heard.tracks.items()}
    starts_and_speakers = [
        (word.start, speaker)
        for channel in speakers_of_words
        for word, speaker in zip(heard.tracks[channel], speakers_of_words[channel], strict=True)
    ]
    # Speakers are numbered in the order of their first words, because a turn without words may be a cough.
    order = list(dict.fromkeys(speaker for _, speaker in sorted(starts_and_speakers)))
    return {
        channel: [speaker_label(order.index(speaker)) for speaker in speakers]
        for channel, speakers in speakers_of_words.items()
    }


def _build_transcript(
    heard: Heard, options: SpeechOptions, speakers: Mapping[int | None, Sequence[str]], missing_seconds: float
) -> Transcript:
    """Build the transcript. Phrases or words of channels that speak at once are ordered by time."""
    spoken = [
        (part, window_at(heard.windows[channel], phrase.start))
        for channel, words in heard.tracks.items()
        for phrase in phrases(words, speakers.get(channel))
        for part in (phrase.by_word() if options.by_word else [phrase])
    ]
    spoken.sort(key=lambda pair: pair[0].place)
    parts = [phrase for phrase, _ in spoken]
    return Transcript(
        heard.language,
        heard.seconds,
        parts,
        chunks_of(parts, 0.0 if options.by_word else _SHORTEST_S),
        [window for _, window in spoken],
        heard.language_probability if heard.tracks else None,
        is_unclear(heard) or missing_seconds > 0.0,
        missing_seconds,
    )


def _build(parts: Parts) -> SpeechToTextTask:
    use = parts.engines.use
    return SpeechToTextTask(partial(use, SPEECH_TO_TEXT), parts.loader, partial(use, DIARIZATION))


TASK = Specialist(
    SpeechToTextTask.name,
    _build,
    SpeechOptions,
    parse_speech,
    Tool("Transcribe the speech in a recording or a video, with times.", SpeechData, is_for_llm=False),
    reads=frozenset({"audio", "video"}),
    uses=(SPEECH_TO_TEXT, DIARIZATION),
    aliases=("stt",),
    precontext_name="stt",
    restore=SpeechResult,
    order=60,
)
