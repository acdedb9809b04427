"""What a request's text says about speakers."""

from tasks.wording.transcripts import asks_for_speakers, number_of_speakers
from tests.conftest import each_case


@each_case(
    "text",
    [
        "Transcribe the audio and identify the speakers.",
        "transcribe, diarize",
        "Transcribe with diarization",
        "Please diarise this recording",
        "Tell me who said what.",
        "Who is speaking in this recording?",
        "Add speaker labels.",
        "Transcribe and separate the two speakers",
        "Transcribe this call by speaker",
        "label each speaker",
        "Transkribiere das Gespräch und erkenne die Sprecher.",
        "Schreib auf, wer was sagt.",
        "Bitte mit Sprechererkennung",
        "Die beiden Sprecher bitte trennen",
        "Transcris et identifie les locuteurs.",
        "Qui parle ?",
        "Transcribe el audio e identifica a los hablantes",
        "¿Quién dice qué?",
        "Sprecher erkennen",
        "Chi parla?",
        "请标注说话人",
        "Transcribe con diarización",
    ],
)
def test_asking_who_speaks_is_understood(text: str) -> None:
    assert asks_for_speakers(text)


@each_case(
    "text",
    [
        "Transcribe this.",
        "Transcribe the audio file and summarize it",
        "Transcribe what the speaker says about loudspeakers.",
        "Who won the match?",
        "Transcribe by word",
        "Transcribe without speaker labels.",
        "Do not diarize.",
        "Don't identify the speakers",
        "Transkribiere ohne Sprechererkennung",
        "Transcribe sin diarización",
        "Sans identifier les locuteurs",
    ],
)
def test_other_requests_and_refusals_are_left_alone(text: str) -> None:
    assert not asks_for_speakers(text)


@each_case(
    ("text", "number"),
    [
        ("Identify the two speakers", 2),
        ("diarize, 2 speakers", 2),
        ("There are three people in the room.", 3),
        ("a dialogue between two", 2),
        ("an interview with four politicians", 4),
        ("Diarize: 12 participants", 12),
        ("Five different voices can be heard", 5),
        ("Es sprechen drei Personen", 3),
        ("ein Gespräch zwischen zwei Ärzten", 2),
        ("Identifie les deux locuteurs", 2),
        ("une conversation entre trois personnes", 3),
        ("Hay cuatro hablantes", 4),
        ("un diálogo entre dos amigos", 2),
        ("BOTH SPEAKERS", 2),
        ("a two-speaker recording", 2),
        ("due persone", 2),
    ],
)
def test_the_number_of_speakers_is_read_from_the_text(text: str, number: int) -> None:
    assert number_of_speakers(text) == number


@each_case(
    "text",
    [
        "Identify the speakers",
        "two or three speakers",
        "2-3 speakers",
        "at least two speakers",
        "mindestens zwei Sprecher",
        "give each chunk one speaker",
        "2.5 people",
        "99 speakers",
        "Transcribe the first two minutes, diarize",
        "zwei oder drei Personen",
    ],
)
def test_a_number_that_is_missing_or_not_exact_is_not_guessed(text: str) -> None:
    assert number_of_speakers(text) is None
