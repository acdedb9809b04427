"""The pair of engines that hear right after install: one for English, one for other languages."""

import hashlib

import pytest

from models.capability import EngineConfig
from models.speech.english_first import EnglishFirst
from models.speech.transcriber import SpeechWindow, SpokenWord, WindowText
from models.speech.whisper_files import BASE, files_of, read_parts


class Engine:
    """An engine that says what it was asked. Stands for a HostedTranscriber."""

    languages = None
    can_translate = True

    def __init__(self, name: str, window_s: float, probability: float | None = None, clear: float = 0.9) -> None:
        self.name = name
        self.window_s = window_s
        self.asked: list[SpeechWindow] = []
        self._probability = probability
        self._words = (SpokenWord("Hello", 0.0, 1.0, clear),)

    async def transcribe(self, window: SpeechWindow, *, wait: bool = True) -> WindowText:
        self.asked.append(window)
        return WindowText(self._words, self.name, self._probability, 0.0, -0.1, 1.0)


@pytest.mark.parametrize(
    ("language", "translate", "english", "heard_by"),
    [
        (None, False, 0.9, ["en"]),
        (None, False, 0.1, ["en", "other"]),
        (None, False, None, ["en", "other"]),
        ("en", False, 1.0, ["en"]),
        ("de", False, 0.9, ["other"]),
        ("en", True, 1.0, ["other"]),
        (None, True, 0.9, ["other"]),
    ],
)
async def test_speech_is_heard_by_the_engine_of_its_language(
    language: str | None, translate: bool, english: float | None, heard_by: list[str]
) -> None:
    engines = Engine("en", 15.0, english), Engine("other", 30.0)
    pair = EnglishFirst(*engines)  # type: ignore[arg-type]
    assert (pair.name, pair.window_s) == ("other", 15.0)
    heard = await pair.transcribe(SpeechWindow([], language, translate))  # type: ignore[arg-type]
    assert [engine.name for engine in engines if engine.asked] == heard_by
    assert heard.language == heard_by[-1]


@pytest.mark.parametrize("clear", [0.3, 0.7])
@pytest.mark.parametrize(("language", "kept"), [("en", "first"), ("de", "de")])
async def test_unclear_words_are_english_if_both_engines_say_so(language: str, kept: str, clear: float) -> None:
    pair = EnglishFirst(Engine("first", 15.0, 0.9, clear=clear), Engine(language, 30.0))  # type: ignore[arg-type]
    assert (await pair.transcribe(SpeechWindow([]))).language == kept  # type: ignore[arg-type]


def test_the_halves_of_the_weights_make_the_file_of_their_authors() -> None:
    files = files_of(BASE, EngineConfig())
    contents = read_parts(files)
    assert contents is not None
    assert sorted(contents) == ["config.json", "model.bin", "tokenizer.json", "vocabulary.txt"]
    original = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
    assert hashlib.sha256(contents["model.bin"]).hexdigest() == original
