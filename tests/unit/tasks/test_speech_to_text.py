"""The speech_to_text task on real engines and decoders, and on an engine that says what a test wants to hear."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.diarization.voices import VoiceEncoder, VoiceTurn
from models.speech.transcriber import LONGEST_S, RATE, SpeechWindow, SpokenWord, Transcriber, WindowText
from models.speech.whisper import Whisper
from models.speech.whisper_files import packaged_tiny_en
from tasks.base import Progress, TaskRequest, unreported
from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.speech_to_text import SpeechData, SpeechResult, SpeechToTextTask
from tests.pages import single_line
from tests.recordings import encoded, filmed, plain_wav
from tests.speech import (
    FOREIGN,
    JFK,
    SENTENCES,
    VOICES,
    Samples,
    decoded,
    in_a_row,
    noisy,
    pause,
    plain_words,
    say,
    transcribed,
    word_errors,
)

GREY = np.full((64, 64, 3), 128, np.uint8)


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
        self.running = self.most_running = 0
        self._detected = detected
        self._probability = probability

    async def transcribe(self, window: SpeechWindow, *, wait: bool = True) -> WindowText:
        language, probability = self._detected[min(len(self.windows), len(self._detected) - 1)]
        self.windows.append(window)
        self.calls.append(wait)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(0)
        self.running -= 1
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
    whisper = Whisper(packaged_tiny_en(EngineConfig()), threads=1, fills_windows=False)
    whisper.load()
    yield Direct(whisper)
    whisper.close()


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    yield loader
    await loader.close()


Ask = Callable[..., "asyncio.Future[SpeechData]"]


@pytest.fixture
def ask(engine: Direct, loader: MediaLoader) -> Ask:
    return asking(lambda: engine, loader)


def asking(transcriber: Callable[[], Transcriber], loader: MediaLoader) -> Ask:
    task = SpeechToTextTask(transcriber, loader, no_voices)

    async def ask(*files: bytes, text: str = "", progress: Progress = unreported) -> SpeechData:
        return (await task.run(TaskRequest(text, tuple(map(source, files)), progress))).data

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


@pytest.mark.parametrize(
    "extension", ["m4a", "webm", *(pytest.param(other, marks=pytest.mark.deep) for other in ("mp3", "opus", "mkv"))]
)
async def test_the_container_makes_no_difference(ask: Ask, shared: Path, extension: str) -> None:
    samples = decoded(shared / "samples" / "speech_jfk.flac")
    result = await ask(encoded(samples[None], extension, rate=RATE))
    assert plain_words(result["text"]) == plain_words(JFK)


async def test_a_video_is_heard(ask: Ask) -> None:
    words = "I went to the market and bought three apples, a loaf of bread and some cheese."
    made = say(words)
    times = np.arange(round(len(made) / RATE * 44_100)) / 44_100
    sound = np.interp(times, np.arange(len(made)) / RATE, made).astype(np.float32)
    video = filmed([GREY], "mp4", frames_each=125, sound=sound[None])
    errors, count = word_errors(words, (await ask(video))["text"])
    assert errors <= 0.2 * count


async def test_each_channel_of_a_call_is_heard_by_itself(ask: Ask, shared: Path) -> None:
    result = await ask((shared / "samples" / "speech_two_speakers.wav").read_bytes())
    assert "vanished behind the curtain on the left." in result["text"]
    assert "The horizon seems extremely distant." in result["text"]


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


async def test_a_spelled_name_is_one_word_by_word_and_one_speakers(loader: MediaLoader) -> None:
    class Spells(Scripted):
        async def transcribe(self, window: SpeechWindow, *, wait: bool = True) -> WindowText:
            text = await super().transcribe(window, wait=wait)
            pieces = [" K", "-O", "-W", "-A", "-L", "-S", "-K", "-I."]
            each = len(window.samples) / RATE / len(pieces)
            words = [SpokenWord(piece, at * each, (at + 1) * each, 0.9) for at, piece in enumerate(pieces)]
            return replace(text, words=tuple(words))

    class TurnsWithin:
        async def diarize(self, recording: Path, speakers: int | None) -> Sequence[VoiceTurn]:
            return [VoiceTurn(0.0, 1.5, "one"), VoiceTurn(1.5, 9.0, "two")]

    task = SpeechToTextTask(lambda: Spells(languages=frozenset({"en"})), loader, lambda: TurnsWithin())
    for text in ("Identify the speakers", "Identify the speakers, by word"):
        result = (await task.run(TaskRequest(text, (source(wav(say("K O W A L S K I."))),), unreported))).data
        assert [chunk["text"] for chunk in result["chunks"]] == ["K-O-W-A-L-S-K-I."]


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


@pytest.mark.parametrize(
    "text",
    [
        "Hello.",
        *(pytest.param(text, marks=pytest.mark.deep) for text in ("Yes.", "Thank you.")),
        pytest.param("K O W A L S K I.", marks=pytest.mark.deep),
        pytest.param("My number is 0 4 1 5 7 7 2 9 8.", marks=pytest.mark.deep),
        pytest.param("My name is Anna Kowalski and I live in Warsaw.", marks=pytest.mark.deep),
    ],
)
@pytest.mark.parametrize("voice", ["en-gb-scotland", pytest.param("en-029+f1", marks=pytest.mark.deep)])
async def test_english_that_is_short_or_unclear_is_written_down(ask: Ask, text: str, voice: str) -> None:
    for samples in (say(text, voice), noisy(say(text, voice), 10)):
        result = await ask(wav(pause(0.3), samples, pause(0.3)))
        assert result["language"] in ("en", None)
        assert (result["language"] is None) == (result["text"] == "")


async def test_what_is_written_down_of_another_language_is_said_to_be_in_doubt(loader: MediaLoader) -> None:
    engine = Scripted([("en", 0.05)], languages=frozenset({"en"}))
    result = await asking(lambda: engine, loader)(wav(say("Guten Morgen.", "de")))
    assert (result["language"], result["language_probability"], result["low_confidence"]) == ("en", 0.05, True)


@pytest.mark.parametrize(("probability", "is_low"), [(0.9, False), (0.3, True)])
async def test_unlikely_words_are_said_to_be_in_doubt(loader: MediaLoader, probability: float, is_low: bool) -> None:
    engine = Scripted([("en", None)], probability, frozenset({"en"}))
    result = await asking(lambda: engine, loader)(wav(*(say(text) for text in SENTENCES[:3])))
    assert result.get("low_confidence", False) is is_low
    assert "language_probability" not in result


async def test_a_recording_that_is_cut_off_is_said_to_be(loader: MediaLoader) -> None:
    engine = Scripted([("en", None)], 0.9, frozenset({"en"}))
    whole = wav(*(say(text) for text in SENTENCES[:3]))
    task = SpeechToTextTask(lambda: engine, loader, no_voices)
    result = await task.run(TaskRequest("", (source(whole[: len(whole) // 2]),), unreported))
    assert result.data["low_confidence"] is True
    missing = result.data["missing_seconds"]
    assert missing == pytest.approx((len(whole) - 44) / 2 / (2 * RATE), abs=0.1)
    kept = SpeechResult(result.kept())
    assert list(kept.warnings()) == [
        f"The recording ends {missing} seconds before the length that its header announces: it is cut off."
    ]
    assert "missing_seconds" not in (await task.run(TaskRequest("", (source(whole),), unreported))).data


async def test_a_language_that_the_request_names_is_sure(loader: MediaLoader) -> None:
    engine = Scripted([("en", 0.05)], languages=frozenset({"en"}))
    result = await asking(lambda: engine, loader)(wav(say(SENTENCES[0])), text="The audio is English.")
    assert result["language_probability"] == 1.0


class LeavesOut(Scripted):
    """Hears nothing after a pause, as Whisper does at times."""

    async def transcribe(self, window: SpeechWindow, *, wait: bool = True) -> WindowText:
        text = await super().transcribe(window, wait=wait)
        return replace(text, words=text.words if len(self.windows) > 1 else self.first(len(window.samples) / RATE))

    def first(self, seconds: float) -> tuple[SpokenWord, ...]:
        return (SpokenWord(" hello", 0.3, 0.7, 0.9), SpokenWord(" there", 0.7, 1.2, 0.9))


class Stretches(LeavesOut):
    """The same, with the times of a word reaching over what it left out."""

    def first(self, seconds: float) -> tuple[SpokenWord, ...]:
        return (
            SpokenWord(" hello", 0.3, 0.7, 0.9),
            SpokenWord(" there", 0.7, 1.2, 0.9),
            SpokenWord(" you", 1.2, seconds, 0.5),
        )


@pytest.mark.parametrize(("engine", "phrase"), [(LeavesOut, "Oak Street."), (Stretches, "Forty seven Oak Street.")])
async def test_a_phrase_that_the_engine_left_out_is_heard_again(
    loader: MediaLoader, engine: type[Scripted], phrase: str
) -> None:
    heard = engine(languages=frozenset({"en"}))
    await asking(lambda: heard, loader)(wav(pause(0.3), say("Hello there."), pause(0.9), say(phrase)))
    again = heard.windows[1:]
    assert len(again) == 1
    assert 1.0 < len(again[0].samples) / RATE < 2.6


class LeavesOutMuch(LeavesOut):
    """Hears single words, far from each other, and nothing else."""

    def first(self, seconds: float) -> tuple[SpokenWord, ...]:
        return tuple(SpokenWord(" well", start, start + 0.2, 0.9) for start in np.arange(0.5, seconds, 1.5))


async def test_the_longest_of_many_phrases_that_the_engine_left_out_are_heard_again(loader: MediaLoader) -> None:
    heard = LeavesOutMuch(languages=frozenset({"en"}))
    await asking(lambda: heard, loader)(wav(say(" ".join(SENTENCES[:3]))[: 14 * RATE]))
    assert len(heard.windows) == 1 + 3


@pytest.mark.deep
async def test_silence_around_speech_is_not_filled_with_words(ask: Ask) -> None:
    result = await ask(wav(pause(40), say("The train leaves from platform nine."), pause(40)))
    assert len(plain_words(result["text"])) <= 8
    for chunk in result["chunks"]:
        assert 39.5 <= chunk["timestamp"][0] < chunk["timestamp"][1] <= 43.5


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


@pytest.mark.deep
async def test_two_hours_in_times_are_still_right(ask: Ask) -> None:
    """Nearly all of it is silence, in which nothing may be lost or drift either."""
    made = say("The meeting was moved from Tuesday to Thursday.")
    lead = float(np.flatnonzero(np.abs(made) > 0.02)[0]) / RATE
    starts = np.array([1.0, 600.11, 3598.53, 5400.29, 7190.0])
    samples = np.zeros((1, 7200 * RATE), np.float32)
    for start in starts:
        samples[0, round(start * RATE) : round(start * RATE) + len(made)] = made
    result = await ask(encoded(samples, "flac", rate=RATE))
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


@pytest.mark.deep
async def test_speech_without_any_pause_is_cut_and_joined(ask: Ask, shared: Path) -> None:
    """The clip's own pauses are taken out, so that cuts have to fall into speech."""
    samples = decoded(shared / "samples" / "speech_jfk.flac")
    dense = in_a_row([samples[round(first * RATE) : round(last * RATE)] for first, last in ((5.3, 7.7), (8.2, 10.6))])
    result = await ask(wav(np.tile(dense, 14)))
    said = "what your country can do for you ask what you can do for your country " * 14
    errors, words = word_errors(said, result["text"])
    assert errors <= 0.1 * words
    assert is_well_formed(result)


async def test_an_engine_of_english_asked_for_another_language_says_what_to_pull(ask: Ask) -> None:
    with pytest.raises(EngineUnavailable, match="understands English only.*German.*openfaze pull speech_to_text"):
        await ask(wav(say("Guten Morgen.", "de")), text="Transcribe this in German")


async def test_speakers_without_a_word_leave_no_gap_between_the_others(loader: MediaLoader) -> None:
    class CoughFirst:
        async def diarize(self, recording: Path, speakers: int | None) -> Sequence[VoiceTurn]:
            return [VoiceTurn(0.0, 0.01, "cough"), VoiceTurn(0.1, 5.0, "one"), VoiceTurn(5.0, 60.0, "two")]

    task = SpeechToTextTask(lambda: Scripted(), loader, lambda: CoughFirst())
    file = wav(*(say(text) for text in SENTENCES[:3]))
    result = (await task.run(TaskRequest("Identify the speakers", (source(file),), unreported))).data
    assert [*dict.fromkeys(chunk["speaker"] for chunk in result["chunks"])] == ["SPEAKER_00", "SPEAKER_01"]


async def test_the_language_of_the_first_words_is_that_of_the_rest(loader: MediaLoader) -> None:
    engine = Scripted([("fr", 0.9), ("it", 0.9)])
    result = await asking(lambda: engine, loader)(wav(*(say(text) for text in SENTENCES)))
    assert result["language"] == "fr"
    assert [window.language for window in engine.windows] == [None] + ["fr"] * (len(engine.windows) - 1)


async def test_a_language_in_doubt_is_asked_for_again(loader: MediaLoader) -> None:
    engine = Scripted([("cy", 0.3), ("en", 0.95)])
    result = await asking(lambda: engine, loader)(wav(*(say(text) for text in SENTENCES)))
    assert result["language"] == "en"
    assert [window.language for window in engine.windows[:3]] == [None, None, "en"]


async def test_a_language_that_is_named_is_taken_at_its_word(loader: MediaLoader) -> None:
    engine = Scripted([("cy", 0.9)])
    result = await asking(lambda: engine, loader)(wav(say(FOREIGN["sv"], "sv")), text="The recording is in Swedish")
    assert (result["language"], engine.windows[0].language) == ("sv", "sv")


@pytest.mark.deep
async def test_a_long_recording_is_heard_in_few_windows_at_a_time(loader: MediaLoader) -> None:
    engine = Scripted(languages=frozenset({"en"}))
    await asking(lambda: engine, loader)(wav(*(part for text in SENTENCES * 5 for part in (say(text), pause(0.7)))))
    assert len(engine.windows) > 20
    assert engine.most_running <= 16
    assert all(len(window.samples) <= LONGEST_S * RATE for window in engine.windows)


async def test_only_its_first_window_may_be_refused(loader: MediaLoader) -> None:
    engine = Scripted(languages=frozenset({"en"}))
    await asking(lambda: engine, loader)(wav(*(part for text in SENTENCES * 3 for part in (say(text), pause(0.7)))))
    assert engine.calls == [False, *[True] * (len(engine.calls) - 1)]


@pytest.mark.deep
async def test_progress_is_told_in_seconds(ask: Ask) -> None:
    told: list[tuple[str, int, int]] = []
    parts = [part for text in SENTENCES[:9] for part in (say(text), pause(1.0))]
    await ask(wav(*parts), progress=lambda *report: told.append(report))
    seconds = round(len(in_a_row(parts)) / RATE)
    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] == ("speech_to_text", seconds, seconds)


async def test_an_engine_that_fails_fails_the_request_and_stops_its_windows(loader: MediaLoader) -> None:
    class Failing(Scripted):
        async def transcribe(self, window: SpeechWindow, *, wait: bool = True) -> WindowText:
            if len(self.windows) == 3:
                raise EngineUnavailable("speech_to_text", "gone")
            return await super().transcribe(window, wait=wait)

    with pytest.raises(EngineUnavailable, match="gone"):
        await asking(lambda: Failing(languages=frozenset({"en"})), loader)(wav(*(say(text) for text in SENTENCES)))
    assert [task for task in asyncio.all_tasks() if "hear" in repr(task.get_coro())] == []


@pytest.mark.parametrize("text", ["", "Transcribe"])
async def test_without_a_recording_the_message_says_so(ask: Ask, text: str) -> None:
    with pytest.raises(InputError, match="needs a recording: attach audio or a video"):
        await ask(text=text)


async def test_two_recordings_are_two_requests(ask: Ask) -> None:
    with pytest.raises(InputError, match="one recording per request, got 2"):
        await ask(wav(pause(1)), wav(pause(1)))


async def test_a_video_without_sound_has_nothing_to_write_down(ask: Ask) -> None:
    with pytest.raises(InputError) as caught:
        await ask(filmed([GREY], "mp4", frames_each=25))
    assert caught.value.code == "no_audio"


@pytest.mark.parametrize("file", [single_line("Hello").encoded(), b"%PDF-1.4\n%%EOF", b"just a text"])
async def test_what_is_no_recording_is_refused(ask: Ask, file: bytes) -> None:
    with pytest.raises(InputError) as caught:
        await ask(file)
    assert caught.value.param == "p"
