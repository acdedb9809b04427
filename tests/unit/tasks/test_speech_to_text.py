"""The speech_to_text task on real engines and decoders, and on an engine that says what a test wants to hear."""

import asyncio
import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.diarization.voices import VoiceEncoder
from models.speech.transcriber import RATE, SpeechWindow, SpokenWord, Transcriber, WindowText
from models.speech.whisper import Whisper
from models.speech.whisper_files import TINY_EN, files_of
from tasks.base import Progress, unreported
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.speech_to_text import SpeechData, SpeechResult, SpeechToTextTask
from tests.kit.audio.recordings import plain_wav
from tests.kit.audio.speech import (
    JFK,
    SENTENCES,
    VOICES,
    Samples,
    in_a_row,
    pause,
    plain_words,
    say,
    transcribed,
    word_errors,
)
from tests.kit.chats.requests import request_of


class Direct:
    """A loaded engine, without a host. It hears the same window alike each time, so it hears it once."""

    name = "whisper-tiny-en"
    languages: frozenset[str] | None = frozenset({"en"})
    can_translate = False
    window_s = 15.0

    def __init__(self, engine: Whisper) -> None:
        self._engine = engine
        self._one_at_a_time = asyncio.Lock()
        self._heard: dict[tuple[object, ...], WindowText] = {}

    async def transcribe(self, window: SpeechWindow, *, wait: bool = True) -> WindowText:
        key = (window.samples.tobytes(), window.language, window.translate, window.prompt)
        async with self._one_at_a_time:
            if key not in self._heard:
                [heard] = await asyncio.to_thread(transcribed, self._engine.run, [window])
                assert isinstance(heard, WindowText), heard
                self._heard[key] = heard
        return self._heard[key]


class Scripted:
    """Hears a word a second, in languages that a test names."""

    name = "scripted"
    window_s = 15.0
    can_translate = True

    def __init__(
        self,
        detected: Sequence[tuple[str, float | None]] = (("en", 1.0),),
        probability: float = 0.9,
        languages: frozenset[str] | None = None,
    ) -> None:
        self.languages = languages
        self.windows: list[SpeechWindow] = []
        self.calls: list[tuple[bool, bool]] = []
        self._detected = detected
        self._probability = probability

    async def transcribe(self, window: SpeechWindow, *, wait: bool = True) -> WindowText:
        language, probability = self._detected[min(len(self.windows), len(self._detected) - 1)]
        self.windows.append(window)
        self.calls.append(wait)
        await asyncio.sleep(0)
        seconds = int(len(window.samples) / RATE)
        words = tuple(SpokenWord(f" w{second}", second, second + 0.9, self._probability) for second in range(seconds))
        return WindowText(words, window.language or language, 1.0 if window.language else probability, 0.0, -0.2, 1.0)


class NoVoices:
    async def embed(self, windows: Sequence[Samples]) -> Samples:
        raise EngineUnavailable("diarization", "none in this test")


def no_voices() -> VoiceEncoder:
    return NoVoices()


@pytest.fixture(scope="module")
def engine() -> Iterator[Direct]:
    whisper = Whisper(files_of(TINY_EN, EngineConfig()), threads=1, fills_windows=False)
    whisper.load()
    yield Direct(whisper)
    whisper.close()


Ask = Callable[..., "asyncio.Future[SpeechData]"]


@pytest.fixture
def ask(engine: Direct, loader: MediaLoader) -> Ask:
    return asking(lambda: engine, loader)


def asking(transcriber: Callable[[], Transcriber], loader: MediaLoader) -> Ask:
    task = SpeechToTextTask(transcriber, loader, no_voices)

    async def ask(*files: bytes, text: str = "", progress: Progress = unreported) -> SpeechData:
        return (await task.run(request_of("speech_to_text", text, tuple(map(source, files)), progress))).data

    return ask  # type: ignore[return-value]


def source(file: bytes) -> Source:
    return Source.from_reference(base64.b64encode(file).decode(), origin=Origin("p"))


def wav(*parts: Samples) -> bytes:
    return plain_wav(in_a_row(parts)[None])


def is_well_formed(result: SpeechData) -> bool:
    times = [chunk["timestamp"] for chunk in result["chunks"]]
    assert result["text"] == " ".join(chunk["text"] for chunk in result["chunks"])
    assert all(chunk["text"] == chunk["text"].strip() for chunk in result["chunks"])
    assert times == sorted(times)
    assert all(start < end for start, end in times)
    assert all(before[1] <= after[0] for before, after in pairwise(times))
    assert all(round(time, 2) == time for times_ in times for time in times_)
    return True


async def test_real_speech_is_written_down_word_for_word(ask: Ask, shared: Path) -> None:
    result = await ask((shared / "samples" / "speech_jfk.flac").read_bytes())
    assert plain_words(result["text"]) == plain_words(JFK)
    assert result["language"] == "en"
    assert is_well_formed(result)
    assert all(0.3 <= end - start <= 6 for start, end in (chunk["timestamp"] for chunk in result["chunks"]))


async def test_by_word_every_chunk_is_a_word_with_its_time(ask: Ask, shared: Path) -> None:
    result = await ask((shared / "samples" / "speech_jfk.flac").read_bytes(), text="Transcribe by word")
    assert [chunk["text"].strip(" ,.").lower() for chunk in result["chunks"]] == plain_words(JFK)
    assert is_well_formed(result)
    [americans] = [chunk for chunk in result["chunks"] if "Americans" in chunk["text"]]
    assert americans["timestamp"][1] == pytest.approx(2.25, abs=0.2)


async def test_speakers_on_channels_are_told_apart_by_them(ask: Ask, shared: Path) -> None:
    """No engine is needed for it, and in this test there is none."""
    file = (shared / "samples" / "speech_two_speakers.wav").read_bytes()
    result = await ask(file, text="who says what?")
    said = {chunk["speaker"]: chunk["text"] for chunk in result["chunks"]}
    assert set(said) == {"SPEAKER_00", "SPEAKER_01"}
    assert "curtain" in said["SPEAKER_00"]
    assert "horizon" in said["SPEAKER_01"]


@pytest.mark.parametrize("text", ["", "Transcribe by word", "who says what?", "who says what, by word?"])
async def test_who_speaks_at_once_comes_in_order_of_time(ask: Ask, shared: Path, text: str) -> None:
    result = await ask((shared / "samples" / "speech_two_speakers.wav").read_bytes(), text=text)
    times = [chunk["timestamp"] for chunk in result["chunks"]]
    assert times == sorted(times)
    assert any(after[0] < before[1] for before, after in pairwise(times))
    assert result["text"] == " ".join(chunk["text"] for chunk in result["chunks"])


@pytest.mark.parametrize("kind", ["nothing", "silence", "noise", "hum"])
async def test_where_nobody_speaks_there_are_no_words(ask: Ask, kind: str) -> None:
    times = np.arange(35 * RATE) / RATE
    sounds = {
        "nothing": np.zeros(160),
        "silence": np.zeros(len(times)),
        "noise": np.random.default_rng(0).normal(0, 0.05, len(times)),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * times),
    }
    result = await ask(wav(sounds[kind].astype(np.float32)))
    assert result == {"text": "", "chunks": [], "language": None}


async def test_what_is_written_down_of_another_language_is_said_to_be_in_doubt(loader: MediaLoader) -> None:
    engine = Scripted([("en", 0.05)], languages=frozenset({"en"}))
    result = await asking(lambda: engine, loader)(wav(say("Guten Morgen.", "de")))
    assert (result["language"], result["language_probability"], result["low_confidence"]) == ("en", 0.05, True)


async def test_a_recording_that_is_cut_off_is_said_to_be(loader: MediaLoader) -> None:
    engine = Scripted([("en", None)], 0.9, frozenset({"en"}))
    whole = wav(*(say(text) for text in SENTENCES[:3]))
    task = SpeechToTextTask(lambda: engine, loader, no_voices)
    result = await task.run(request_of("speech_to_text", "", (source(whole[: len(whole) // 2]),)))
    assert result.data["low_confidence"] is True
    missing = result.data["missing_seconds"]
    assert missing == pytest.approx((len(whole) - 44) / 2 / (2 * RATE), abs=0.1)
    kept = SpeechResult(result.kept())
    assert list(kept.warnings()) == [
        f"The recording ends {missing} seconds before the length that its header announces: it is cut off."
    ]
    result = await task.run(request_of("speech_to_text", "", (source(whole),)))
    assert "missing_seconds" not in result.data


async def test_a_language_that_the_request_names_is_sure(loader: MediaLoader) -> None:
    engine = Scripted([("en", 0.05)], languages=frozenset({"en"}))
    result = await asking(lambda: engine, loader)(wav(say(SENTENCES[0])), text="The audio is English.")
    assert result["language_probability"] == 1.0


class LeavesOut(Scripted):
    """Hears nothing after a pause, as Whisper does at times."""

    async def transcribe(self, window: SpeechWindow, *, wait: bool = True) -> WindowText:
        text = await super().transcribe(window, wait=wait)
        first = SpokenWord(" hello", 0.3, 0.7, 0.9), SpokenWord(" there", 0.7, 1.2, 0.9)
        return replace(text, words=text.words if len(self.windows) > 1 else first)


async def test_a_phrase_that_the_engine_left_out_is_heard_again(loader: MediaLoader) -> None:
    heard = LeavesOut(languages=frozenset({"en"}))
    await asking(lambda: heard, loader)(wav(pause(0.3), say("Hello there."), pause(0.9), say("Oak Street.")))
    [again] = heard.windows[1:]
    assert 1.0 < len(again.samples) / RATE < 2.6


@pytest.mark.deep
async def test_words_keep_their_times_through_a_long_recording(ask: Ask) -> None:
    """A sentence every minute: each is found within 0.2 s of where it begins, however far in."""
    text = "The meeting was moved from Tuesday to Thursday."
    made = say(text)
    lead = float(np.flatnonzero(np.abs(made) > 0.02)[0]) / RATE
    starts = np.arange(5) * 64.37 + 1.0
    samples = np.zeros(int((starts[-1] + 10) * RATE), np.float32)
    for start in starts:
        samples[round(start * RATE) : round(start * RATE) + len(made)] = made
    result = await ask(wav(samples))
    assert is_well_formed(result)
    assert [chunk["timestamp"][0] for chunk in result["chunks"]] == pytest.approx(starts + lead, abs=0.2)


@pytest.mark.parametrize(
    ("gap", "sentences"),
    [(0.15, 9), *(pytest.param(gap, 26, marks=pytest.mark.deep) for gap in (0.0, 0.15, 0.6, 3.0))],
)
async def test_no_sentence_is_lost_or_said_twice_at_a_cut(ask: Ask, gap: float, sentences: int) -> None:
    said = [SENTENCES[index % len(SENTENCES)] for index in range(sentences)]
    parts = [part for text in said for part in (say(text, VOICES[0]), pause(gap))]
    result = await ask(wav(*parts))
    errors, words = word_errors(" ".join(said), result["text"])
    assert errors <= 0.12 * words
    assert abs(len(plain_words(result["text"])) - words) <= 0.04 * words
    assert is_well_formed(result)


async def test_only_its_first_window_may_be_refused(loader: MediaLoader) -> None:
    engine = Scripted(languages=frozenset({"en"}))
    await asking(lambda: engine, loader)(wav(*(part for text in SENTENCES * 3 for part in (say(text), pause(0.7)))))
    assert engine.calls == [False, *[True] * (len(engine.calls) - 1)]


async def test_an_engine_that_fails_fails_the_request_and_stops_its_windows(loader: MediaLoader) -> None:
    class Failing(Scripted):
        async def transcribe(self, window: SpeechWindow, *, wait: bool = True) -> WindowText:
            if len(self.windows) == 3:
                raise EngineUnavailable("speech_to_text", "gone")
            return await super().transcribe(window, wait=wait)

    with pytest.raises(EngineUnavailable, match="gone"):
        await asking(lambda: Failing(languages=frozenset({"en"})), loader)(wav(*(say(text) for text in SENTENCES)))
    assert [task for task in asyncio.all_tasks() if "hear" in repr(task.get_coro())] == []
