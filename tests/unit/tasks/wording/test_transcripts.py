"""What a request's words ask of the transcript."""

from tasks.wording.transcripts import SpeechOptions, asks_for_speakers, number_of_speakers, parse_speech
from tests.conftest import each_case


@each_case(
    ("text", "asks"),
    [
        ("Transcribe the audio and identify the speakers.", True),
        ("transcribe, diarize", True),
        ("Tell me who said what.", True),
        ("Who is speaking in this recording?", True),
        ("Add speaker labels.", True),
        ("Transcribe this call by speaker", True),
        ("Transkribiere das Gespräch und erkenne die Sprecher.", True),
        ("Schreib auf, wer was sagt.", True),
        ("Sprecher erkennen", True),
        ("Qui parle ?", True),
        ("¿Quién dice qué?", True),
        ("请标注说话人", True),
        ("Transcribe this.", False),
        ("Transcribe what the speaker says about loudspeakers.", False),
        ("Who won the match?", False),
        ("Transcribe without speaker labels.", False),
        ("Don't identify the speakers", False),
        ("Transkribiere ohne Sprechererkennung", False),
    ],
)
def test_asking_who_speaks_is_understood(text: str, asks: bool) -> None:
    assert asks_for_speakers(text) is asks


@each_case(
    ("text", "number"),
    [
        ("diarize, 2 speakers", 2),
        ("There are three people in the room.", 3),
        ("a dialogue between two", 2),
        ("Five different voices can be heard", 5),
        ("Es sprechen drei Personen", 3),
        ("une conversation entre trois personnes", 3),
        ("BOTH SPEAKERS", 2),
        ("a two-speaker recording", 2),
        ("Identify the speakers", None),
        ("two or three speakers", None),
        ("2-3 speakers", None),
        ("at least two speakers", None),
        ("give each chunk one speaker", None),
        ("2.5 people", None),
        ("99 speakers", None),
        ("Transcribe the first two minutes, diarize", None),
    ],
)
def test_the_number_of_speakers_is_read_from_the_text_but_not_guessed(text: str, number: int | None) -> None:
    assert number_of_speakers(text) == number


@each_case(
    ("text", "options"),
    [
        ("Transcribe by word", SpeechOptions(by_word=True)),
        ("I need word timestamps", SpeechOptions(by_word=True)),
        ("Transkribiere das bitte Wort für Wort", SpeechOptions(by_word=True)),
        ("mot à mot", SpeechOptions(by_word=True)),
        ("逐字", SpeechOptions(by_word=True)),
        ("In other words, transcribe it", SpeechOptions()),
        ("What are the words of the song?", SpeechOptions()),
        ("Transcribe this in German", SpeechOptions(source_language="de")),
        ("auf Deutsch", SpeechOptions(source_language="de")),
        ("The audio is French. Transcribe it.", SpeechOptions(source_language="fr")),
        ("spoken in Dutch", SpeechOptions(source_language="nl")),
        ("Transcribe the Italian interview", SpeechOptions(source_language="it")),
        ("language: de", SpeechOptions(source_language="de")),
        ("Расшифруй запись на русском", SpeechOptions(source_language="ru")),
        ("Translate the Spanish podcast into English", SpeechOptions(source_language="es")),
        ("Translate this audio to German", SpeechOptions()),
        ("Summarise it in German", SpeechOptions()),
        ("Polish the transcript", SpeechOptions()),
        ("Transcribe the meeting in the latin quarter", SpeechOptions()),
        ("Who said that?", SpeechOptions(diarize=True)),
        ("Transcribe, with two speakers", SpeechOptions(diarize=True, speakers=2)),
    ],
)
def test_wishes_become_options(text: str, options: SpeechOptions) -> None:
    assert parse_speech(text) == options


def test_wishes_stand_at_either_end_of_a_long_text() -> None:
    filling = "This is what it is about. " * 1000
    for text in (f"By word, please. {filling}", f"{filling} By word, please."):
        assert parse_speech(text).by_word
    assert not parse_speech(f"{filling} By word, please. {filling}").by_word
