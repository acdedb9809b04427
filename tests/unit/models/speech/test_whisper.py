"""The Whisper engine on its own weights, and on tiny random ones where a multilingual model is needed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.capability import EngineConfig
from models.speech import whisper
from models.speech.transcriber import RATE, SpeechWindow, WindowText
from models.speech.whisper import Whisper, _Decoded, _Group, _Search
from models.speech.whisper_files import TINY_EN, WhisperFiles, files_of
from tests.kit.audio.speech import (
    FOREIGN,
    JFK,
    SENTENCES,
    Samples,
    decoded,
    in_a_row,
    pause,
    plain_words,
    say,
    transcribed,
    word_errors,
)
from tests.kit.engines.whisper_model import random_whisper


def text_of(heard: WindowText | Exception) -> str:
    assert isinstance(heard, WindowText), heard
    return "".join(word.text for word in heard.words)


@pytest.fixture(scope="module")
def tiny() -> Iterator[Whisper]:
    engine = Whisper(files_of(TINY_EN, EngineConfig()), threads=1, fills_windows=False)
    engine.load()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def random_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whisper")
    random_whisper(folder)
    return folder


@pytest.fixture(scope="module")
def many_languages(random_folder: Path) -> Iterator[Whisper]:
    engine = Whisper(WhisperFiles(random_folder), threads=1)
    engine.load()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def quick(random_folder: Path) -> Iterator[Whisper]:
    """The model of many languages, of windows that are not padded to 30 seconds."""
    engine = Whisper(WhisperFiles(random_folder), threads=1, fills_windows=False)
    engine.load()
    yield engine
    engine.close()


@pytest.fixture
def jfk(shared: Path) -> Samples:
    return decoded(shared / "samples" / "speech_jfk.flac")


def test_real_speech_is_heard_word_for_word(tiny: Whisper, jfk: Samples) -> None:
    [heard] = transcribed(tiny.run, [SpeechWindow(jfk)])
    assert plain_words(text_of(heard)) == plain_words(JFK)


@pytest.mark.deep
def test_a_window_is_heard_the_same_alone_and_in_company(tiny: Whisper) -> None:
    windows = [SpeechWindow(say(text)) for text in SENTENCES[:6]]
    alone = [text_of(transcribed(tiny.run, [window])[0]) for window in windows]
    together = [text_of(heard) for heard in transcribed(tiny.run, windows)]
    # A processor may add up in another order for a batch: a word in twenty may differ, and no text is another's.
    compared = [word_errors(one, other) for one, other in zip(alone, together, strict=True)]
    assert sum(errors for errors, _ in compared) <= 0.05 * sum(words for _, words in compared)


def test_a_window_without_sound_or_of_no_length_has_no_words(tiny: Whisper) -> None:
    rng = np.random.default_rng(0)
    windows = [pause(0.0), pause(0.05), say("Yes.")[:500], rng.normal(0, 1e-4, RATE // 20).astype(np.float32)]
    assert [text_of(heard) for heard in transcribed(tiny.run, [SpeechWindow(samples) for samples in windows])] == [
        ""
    ] * 4


def test_a_window_that_cannot_be_decoded_fails_alone(tiny: Whisper, jfk: Samples) -> None:
    broken = SpeechWindow(np.zeros((2, 5), np.float32))
    good, bad = transcribed(tiny.run, [SpeechWindow(jfk), broken])
    assert text_of(good)
    assert isinstance(bad, Exception)


@pytest.mark.deep
@pytest.mark.parametrize("voice", ["de", *(pytest.param(voice, marks=pytest.mark.deep) for voice in ("pl", "tr"))])
def test_english_and_another_language_are_told_apart(tiny: Whisper, jfk: Samples, voice: str) -> None:
    made = in_a_row([say(SENTENCES[1]), pause(0.4), say(SENTENCES[2])])
    heard = transcribed(tiny.run, [SpeechWindow(samples) for samples in (jfk, made, say(FOREIGN[voice], voice))])
    real, english, foreign = [one.language_probability for one in heard if isinstance(one, WindowText)]
    assert None not in (real, english, foreign)
    assert min(real or 0, english or 0) > 0.8
    assert (foreign or 0) < 0.5


def test_more_tokens_than_can_be_said_are_a_loop_however_likely() -> None:
    made_up = _Decoded([1] * 100, "Bye, " * 50, -0.1, 16.0, 0.2, 24)
    sung = _Decoded([1] * 20, "Bye, " * 10, -0.1, 6.0, 0.2, 24)
    unlikely = _Decoded([1] * 5, "Cypress Avenue.", -0.9, 0.8, 0.2, 24)
    assert made_up.in_doubt
    assert unlikely.is_better_than(made_up)
    assert not sung.in_doubt


@pytest.mark.deep
def test_the_language_of_a_short_window_is_detected_padded_as_in_training(
    many_languages: Whisper, quick: Whisper
) -> None:
    window = SpeechWindow(say("Guten Morgen.", "de"))
    [padded], [told] = transcribed(many_languages.run, [window]), transcribed(quick.run, [window])
    assert isinstance(padded, WindowText)
    assert isinstance(told, WindowText)
    assert (told.language, told.language_probability) == (padded.language, padded.language_probability)


@pytest.mark.deep
def test_windows_in_several_languages_are_decoded_each_in_its_own(
    many_languages: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = many_languages._whisper.model
    spoken = ["de", "en", "de"]

    class Detecting:
        def __getattr__(self, name: str) -> object:
            return getattr(model, name)

        def detect_language(self, encoded: object) -> object:
            assert len(model.detect_language(encoded)) == len(spoken)
            return [[(f"<|{language}|>", 0.75), ("<|fr|>", 0.25)] for language in spoken]

    # Both runs search for the two texts in German as one batch: a search ends at the limit of its longest window.
    monkeypatch.setattr(whisper, "_WORKERS", 1)
    samples = [say(text, "de") for text in ("Guten Morgen.", "Bis zum Abend.", "Auf Wiedersehen.")]
    known = transcribed(
        many_languages.run, [SpeechWindow(one, language) for one, language in zip(samples, spoken, strict=True)]
    )
    monkeypatch.setattr(many_languages._whisper, "model", Detecting())
    detected = transcribed(many_languages.run, [SpeechWindow(one) for one in samples])
    assert detected == [replace(one, language_probability=0.75) for one in known if isinstance(one, WindowText)]


def test_a_prompt_and_a_translation_reach_the_decoder(quick: Whisper, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts: list[list[list[int]]] = []
    model = quick._whisper.model

    class Listening:
        def __getattr__(self, name: str) -> object:
            return getattr(model, name)

        def generate(self, encoded: object, starts: list[list[int]], **options: object) -> object:
            prompts.append(starts)
            return model.generate(encoded, starts, **options)

    monkeypatch.setattr(quick._whisper, "model", Listening())
    transcribed(quick.run, [SpeechWindow(say("Good morning."), "de", translate=True, prompt="abc")])
    tokenizer = quick._whisper.hf_tokenizer
    names = [tokenizer.id_to_token(token) for token in prompts[0][0]]
    assert names[0] == "<|startofprev|>"
    assert names[-4:] == ["<|startoftranscript|>", "<|de|>", "<|translate|>", "<|notimestamps|>"]
    assert len(names) > 5


def test_a_sure_text_that_is_cut_is_searched_for_again_without_the_cut() -> None:
    first = _Search(SpeechWindow(pause(2.0)), _Group(1000, "en", False, "Bye"))
    cut = _Decoded([1] * 25, "Forty-two, seventeen", -0.2, 1.2, 0.2, 24, is_cut=True)
    again = first.after(first.better(cut))
    assert again is not None
    assert again.group == replace(first.group, is_whole=True)
    assert again.best is None
    assert again.after(again.better(replace(cut, is_cut=False))) is None
    looping = again.after(again.better(_Decoded([1] * 100, "Bye, " * 50, -0.1, 16.0, 0.2, 24)))
    assert looping is not None
    assert (looping.group.prompt, looping.group.is_whole) == (None, True)


def test_a_search_first_ends_where_no_more_can_be_spoken(quick: Whisper, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[object] = []
    model = quick._whisper.model

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(model, name)

        def generate(self, encoded: object, starts: list[list[int]], **options: object) -> object:
            limits.append(options["max_length"])
            return model.generate(encoded, starts, **options)

    monkeypatch.setattr(quick._whisper, "model", Counting())
    # Random weights make random texts, which are always in doubt.
    transcribed(quick.run, [SpeechWindow(in_a_row([say("Good morning."), pause(3.0)])[: 3 * RATE], "de")])
    assert limits[0] == 2 * (12 + 3 * 6 + 1)
