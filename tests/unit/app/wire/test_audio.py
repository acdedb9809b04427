"""What the audio routes take and answer: OpenAI's fields, from a form's text."""

import json
from dataclasses import replace

import pydantic
import pytest
from openai.types.audio import (
    TranscriptionDiarized,
    TranscriptionStreamEvent,
    TranscriptionVerbose,
)

from app.errors import BadRequest
from app.routes import audio
from app.routes.audio import TranscriptionEvent
from app.wire.audio import TranscriptionRequest
from models.speech.transcriber import SpokenWord
from tasks.speech.cutter import Window
from tasks.speech.phrases import Phrase
from tasks.speech_to_text import Transcript, chunks_of
from tests.conftest import each_case

PHRASES = [
    Phrase([SpokenWord(" Good", 0.31, 0.6, 0.9, (1, 2)), SpokenWord(" morning.", 0.6, 1.004, 0.8, (3,))], "SPEAKER_00"),
    Phrase([SpokenWord(" Who?", 31.0, 31.5, 0.7, (4, 5))], "SPEAKER_01"),
]
WINDOWS = [Window(0.0, 0.01, -0.2, 1.1), Window(29.96, 0.02, -0.3, 1.2)]
TRANSCRIPT = Transcript("en", 32.004, PHRASES, chunks_of(PHRASES, 0.3), WINDOWS)
SILENCE = Transcript(None, 3.0, [], [], [])


def asked(**values: str | list[str]) -> TranscriptionRequest:
    form = {name: [value] if isinstance(value, str) else value for name, value in values.items()}
    return TranscriptionRequest.read({"model": ["whisper-1"], **form})


def rendered(request: TranscriptionRequest, transcript: Transcript = TRANSCRIPT) -> str:
    answer = audio.transcription(transcript, request)
    return answer if isinstance(answer, str) else answer.model_dump_json()


@pytest.mark.parametrize(("sent", "code"), [("en", "en"), ("pt-BR", "pt"), ("ZH", "zh"), ("German", "de")])
def test_a_language_may_have_a_region_or_be_named(sent: str, code: str) -> None:
    assert asked(language=sent).language == code


@each_case(
    ("values", "message"),
    [
        ({"temperature": "1.5"}, "Field 'temperature': Input should be less than or equal to 1"),
        ({"temperature": "nan"}, "Field 'temperature': Input should be a finite number"),
        ({"temperature": "warm"}, "Field 'temperature': Input should be a valid number"),
        ({"response_format": "xml"}, "Field 'response_format': Input should be 'json', 'text'"),
        ({"language": "xx"}, "Field 'language': Input should be the ISO 639-1 code of a language"),
        ({"stream": "perhaps"}, "Field 'stream': Input should be a valid boolean"),
        (
            {"timestamp_granularities[]": "line", "response_format": "verbose_json"},
            "Input should be 'word' or 'segment'",
        ),
        ({"timestamp_granularities[]": "word"}, "Field 'timestamp_granularities[]': needs response_format"),
        ({"stream": "true", "response_format": "srt"}, "Field 'stream': response_format 'srt' is not streamed"),
        ({"include[]": "logprobs"}, "Field 'include[]': no log probabilities"),
        ({"known_speaker_names[]": "Ann"}, "Field 'known_speaker_names[]': speakers are distinguished"),
    ],
)
def test_what_is_wrong_is_said_with_the_field(values: dict[str, str], message: str) -> None:
    with pytest.raises(BadRequest) as failure:
        asked(**values).check()
    assert message in failure.value.message
    assert failure.value.param


def test_verbose_json_gives_each_phrase_with_the_numbers_of_its_window() -> None:
    answer = TranscriptionVerbose.model_validate_json(rendered(asked(response_format="verbose_json")), strict=True)
    assert (answer.language, answer.duration, answer.text, answer.words) == (
        "english",
        32.0,
        "Good morning. Who?",
        None,
    )
    assert [segment.model_dump() for segment in answer.segments or []] == [
        {
            "id": 0, "seek": 0, "start": 0.31, "end": 1.0, "text": "Good morning.", "tokens": [1, 2, 3],
            "temperature": 0.0, "avg_logprob": -0.2, "compression_ratio": 1.1, "no_speech_prob": 0.01,
        },
        {
            "id": 1, "seek": 2996, "start": 31.0, "end": 31.5, "text": "Who?", "tokens": [4, 5],
            "temperature": 0.0, "avg_logprob": -0.3, "compression_ratio": 1.2, "no_speech_prob": 0.02,
        },
    ]  # fmt: skip


def test_diarized_json_names_speakers_by_letters() -> None:
    answer = TranscriptionDiarized.model_validate_json(rendered(asked(response_format="diarized_json")), strict=True)
    assert [(segment.id, segment.speaker, segment.text) for segment in answer.segments] == [
        ("seg_0", "A", "Good morning."),
        ("seg_1", "B", "Who?"),
    ]


@pytest.mark.parametrize("form", ["json", "text", "srt", "vtt", "verbose_json", "diarized_json"])
def test_silence_has_every_form(form: str) -> None:
    answer = rendered(asked(response_format=form), SILENCE)
    if form.endswith("json"):
        assert json.loads(answer)["text"] == ""
        assert json.loads(answer).get("segments", []) == []
    else:
        assert answer.strip() in ("", "WEBVTT")


UNCLEAR = replace(TRANSCRIPT, language_probability=0.456, low_confidence=True)


@pytest.mark.parametrize("form", ["json", "verbose_json", "diarized_json"])
def test_a_text_in_doubt_says_so(form: str) -> None:
    assert json.loads(rendered(asked(response_format=form), UNCLEAR))["low_confidence"] is True
    assert "low_confidence" not in json.loads(rendered(asked(response_format=form)))


async def streamed(*events: TranscriptionEvent, diarized: bool = False, show_progress: bool = False) -> str:
    encoder = audio.StreamEncoder(diarized=diarized, show_progress=show_progress)
    return b"".join([await encoder.encode(event) for event in events]).decode()


def events_in(stream: str) -> list[TranscriptionStreamEvent]:
    adapter: pydantic.TypeAdapter[TranscriptionStreamEvent] = pydantic.TypeAdapter(TranscriptionStreamEvent)
    lines = [line.removeprefix("data: ") for line in stream.splitlines() if line.startswith("data: {")]
    return [adapter.validate_python({**json.loads(line), "usage": None}) for line in lines]


async def test_deltas_make_up_the_text() -> None:
    events = events_in(await streamed(*PHRASES, TRANSCRIPT))
    assert [event.type for event in events] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == TRANSCRIPT.text
    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == TRANSCRIPT.text


async def test_a_diarized_stream_has_each_segment_behind_its_text() -> None:
    events = events_in(await streamed(TRANSCRIPT, diarized=True))
    assert [event.type.rpartition(".")[2] for event in events] == ["delta", "segment", "delta", "segment", "done"]
    assert events[0].type == "transcript.text.delta"
    assert events[0].segment_id == "seg_0"
