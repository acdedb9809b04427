"""What a request's words ask of the transcript."""

import pytest

from tasks.wording.transcripts import SpeechOptions, parse_speech
from tests.conftest import each_case


@each_case(
    "text",
    [
        "Transcribe by word",
        "transcribe word by word",
        "Word-level timestamps please",
        "I need word timestamps",
        "Give me each word",
        "timestamps for every word",
        "Transkribiere das bitte Wort für Wort",
        "mot à mot",
        "palabra por palabra",
        "parola per parola",
        "逐字",
    ],
)
def test_a_chunk_a_word_is_asked_for_in_many_ways(text: str) -> None:
    assert parse_speech(text).by_word


@pytest.mark.parametrize(
    "text", ["", "Transcribe this", "What are the words of the song?", "In other words, transcribe it", "Say a word"]
)
def test_other_texts_leave_phrases(text: str) -> None:
    assert parse_speech(text) == SpeechOptions()


@each_case(
    ("text", "language"),
    [
        ("Transcribe this in German", "de"),
        ("auf Deutsch", "de"),
        ("The audio is French. Transcribe it.", "fr"),
        ("The recording is in Portuguese", "pt"),
        ("spoken in Dutch", "nl"),
        ("Transcribe the Italian interview", "it"),
        ("language: de", "de"),
        ("Er spricht Deutsch", "de"),
        ("Transcris cet enregistrement en français", "fr"),
        ("Расшифруй запись на русском", "ru"),
        ("Translate the Spanish podcast into English", "es"),
    ],
)
def test_the_language_spoken_is_taken_from_the_text(text: str, language: str) -> None:
    assert parse_speech(text).source_language == language


@pytest.mark.parametrize(
    "text",
    [
        "Translate this audio to German",
        "Transcribe and translate into French",
        "Übersetze die Aufnahme ins Deutsche",
        "Summarise it in German",
        "Answer in French: what is it about?",
        "Polish the transcript",
        "Transcribe the meeting in the latin quarter",
    ],
)
def test_the_language_of_an_answer_or_a_translation_is_not_the_recordings(text: str) -> None:
    assert parse_speech(text).source_language is None


@pytest.mark.parametrize(
    ("text", "speakers"),
    [
        ("Identify the speakers", None),
        ("diarize", None),
        ("Who said that?", None),
        ("who speaks when", None),
        ("label each speaker", None),
        ("Sprecher erkennen", None),
        ("Transcribe, with two speakers", 2),
        ("There are 3 people in this call", 3),
        ("zwei Personen", 2),
    ],
)
def test_speakers_are_asked_for(text: str, speakers: int | None) -> None:
    assert parse_speech(text).diarize
    assert parse_speech(text).speakers == speakers


def test_wishes_stand_at_either_end_of_a_long_text() -> None:
    filling = "This is what it is about. " * 1000
    for text in (f"By word, please. {filling}", f"{filling} By word, please."):
        assert parse_speech(text).by_word
    assert not parse_speech(f"{filling} By word, please. {filling}").by_word
