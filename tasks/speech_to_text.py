"""Writing down what is said in a recording: the `speech_to_text` task."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from models.speech.transcriber import Transcriber, Word
from models.speech.voices import Diarizer, VoiceEncoder
from tasks.base import Progress, TaskRequest, unreported
from tasks.errors import InputError
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tasks.speech.listening import Heard, listen
from tasks.speech.phrases import Phrase, phrases
from tasks.speech.result import Chunk, SpeechResult, chunks_of, speech_result
from tasks.speech.spacing import joined_text
from tasks.speech.speakers import SpeakerTurns
from tasks.speech.telling import Teller
from tasks.speech.turns import label_words, speaker_label
from tasks.speech.understanding import check_language, check_translates, check_understood, is_clear, is_unclear
from tasks.speech.windows import Window, window_at
from tasks.wording.transcripts import SpeechOptions, wishes

_SHORTEST_S = 0.3
"""A phrase is shown so long at least, where the next one leaves it the time."""
_LEAST_TOLD = 10
"""Words that must have been heard before any is told early: fewer say little about whether they are understood."""


@dataclass(frozen=True, slots=True)
class Transcript:
    language: str | None
    """ISO 639-1, of what is spoken; None where nobody speaks."""
    seconds: float
    """How long the recording is."""
    phrases: Sequence[Phrase]
    """In order of their beginnings; single words where these were asked for."""
    chunks: list[Chunk]
    """One of each phrase."""
    windows: Sequence[Window]
    """The stretch of sound that each phrase begins in."""
    language_probability: float | None = None
    """1.0 where the request names the language; None where nobody speaks, or the engine cannot tell."""
    low_confidence: bool = False
    """Much of the text is likely to be wrong."""

    @property
    def words(self) -> Sequence[Word]:
        """In order of time, in seconds of the recording."""
        return sorted((word for phrase in self.phrases for word in phrase.words), key=lambda w: (w.start, w.end))

    @property
    def text(self) -> str:
        return joined_text(chunk["text"] for chunk in self.chunks)


class SpeechToTextTask:
    """Words, when they are said and, on request, by whom. `transcriber` and `voices` are asked for only when there is
    something to hear; `voices` raises EngineUnavailable where nothing here tells voices apart."""

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

    async def run(self, request: TaskRequest) -> SpeechResult:
        """Raises InputError (no recording, more than one, `no_audio`, one that cannot be decoded), EngineOverloaded,
        EngineUnavailable (also for a language that the engine does not know) and EngineFailed."""
        if not request.sources:
            raise InputError(
                "task 'speech_to_text' needs a recording: attach audio or a video, or put its URL in the text"
            )
        if len(request.sources) > 1:
            raise InputError(
                f"task 'speech_to_text' takes one recording a request, got {len(request.sources)}: send one request "
                "each, or ask without the task tag",
                param=request.sources[1].param,
            )
        transcript = await self.transcribe(request.sources[0], wishes(request.text), request.progress)
        return speech_result(
            transcript.chunks,
            transcript.language,
            transcript.language_probability,
            low_confidence=transcript.low_confidence,
        )

    async def transcribe(
        self,
        source: Source,
        options: SpeechOptions,
        progress: Progress = unreported,
        tell: Callable[[Phrase], None] | None = None,
    ) -> Transcript:
        """`tell` gets the transcript's phrases, in order, each as soon as nothing that is still to be heard can change
        it; not where speakers are told apart, which takes the whole recording. Raises as `run`."""
        engine = self._transcriber()
        check_language(engine, None if options.translate else options.language)
        if options.translate:
            check_translates(engine)

        def reached(done: float, total: float) -> None:
            progress(self.name, min(round(done), round(total)), round(total))

        def believes(probability: float, words: int) -> bool:
            sure = options.language is not None or engine.languages is None
            return words >= _LEAST_TOLD and (sure or is_clear(probability))

        teller = Teller(tell, believes) if tell is not None and not options.diarize else None
        async with await self._loader.open_recording(source) as recording:
            turns = SpeakerTurns(self._voices(), channels=recording.channels) if options.diarize else None
            with turns or nullcontext():
                heard = await listen(recording, engine, options, reached=reached, turns=turns, teller=teller)
                check_understood(engine, heard, options.language)
                speakers = await _speakers(heard, options, turns) if turns is not None else {}
        reached(heard.seconds, heard.seconds)
        if teller is not None:
            teller.finish()
        return _transcript(heard, options, speakers)


async def _speakers(heard: Heard, options: SpeechOptions, turns: SpeakerTurns) -> dict[int | None, list[str]]:
    """The label of each word of each track."""
    if heard.by_channel and options.speakers in (None, 2):
        order = sorted(heard.tracks, key=lambda channel: heard.tracks[channel][0].start)
        return {channel: [speaker_label(order.index(channel))] * len(words) for channel, words in heard.tracks.items()}
    found = await turns.finish(options.speakers)
    whose = {channel: label_words(words, found) for channel, words in heard.tracks.items()}
    said = [
        (word.start, speaker)
        for channel in whose
        for word, speaker in zip(heard.tracks[channel], whose[channel], strict=True)
    ]
    # Of those who have words: a turn may be a cough.
    order = list(dict.fromkeys(speaker for _, speaker in sorted(said)))
    return {
        channel: [speaker_label(order.index(speaker)) for speaker in speakers] for channel, speakers in whose.items()
    }


def _transcript(heard: Heard, options: SpeechOptions, speakers: Mapping[int | None, Sequence[str]]) -> Transcript:
    """Where two channels speak at once, their phrases, or words, follow each other in order of time."""
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
        is_unclear(heard),
    )
