"""What the audio routes take and answer: OpenAI's fields, from a form's text."""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace

import pydantic
import pytest
from openai.types.audio import Transcription as OpenAiTranscription
from openai.types.audio import (
    TranscriptionDiarized,
    TranscriptionStreamEvent,
    TranscriptionVerbose,
    TranslationVerbose,
)

from app.errors import BadRequest
from app.events import Progress
from app.routes import audio
from app.routes.audio import TranscriptionEvent
from app.wire.audio import TranscriptionRequest, TranslationRequest
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


def test_a_forms_text_becomes_numbers_and_truth_values() -> None:
    request = asked(temperature="0.2", stream="true", language="de", prompt="Herr Müller")
    assert (request.temperature, request.stream, request.language, request.prompt) == (0.2, True, "de", "Herr Müller")


def test_a_lists_values_come_one_a_field() -> None:
    assert asked(**{"timestamp_granularities[]": ["word", "segment"]}).timestamp_granularities == ["word", "segment"]
    assert asked(timestamp_granularities="word").timestamp_granularities == ["word"]


def test_empty_fields_are_left_out() -> None:
    assert asked(language="", temperature="", response_format="") == asked()


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


def test_a_model_must_be_named() -> None:
    with pytest.raises(BadRequest, match="Field 'model': Field required"):
        TranslationRequest.read({"prompt": ["x"]})


@pytest.mark.parametrize("form", ["diarized_json", "xml"])
def test_a_translation_has_fewer_forms(form: str) -> None:
    with pytest.raises(BadRequest, match="Field 'response_format'"):
        TranslationRequest.read({"model": ["whisper-1"], "response_format": [form]})


def test_json_is_the_text_and_what_was_counted() -> None:
    answer = OpenAiTranscription.model_validate_json(rendered(asked()), strict=True)
    assert answer.text == "Good morning. Who?"
    assert answer.usage is not None
    assert answer.usage.model_dump() == {"type": "duration", "seconds": 32.0}


def test_text_ends_with_its_line() -> None:
    assert rendered(asked(response_format="text")) == "Good morning. Who?\n"


def test_subtitles_have_a_cue_a_phrase() -> None:
    assert rendered(asked(response_format="srt")).count(" --> ") == 2
    assert rendered(asked(response_format="vtt")).startswith("WEBVTT\n\n00:00:00.310 --> 00:00:01.000\nGood morning.\n")


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


def test_words_come_where_they_are_asked_for() -> None:
    only = asked(response_format="verbose_json", timestamp_granularities=["word"])
    both = asked(response_format="verbose_json", timestamp_granularities=["segment", "word"])
    assert json.loads(rendered(only))["words"][1] == {"word": "morning.", "start": 0.6, "end": 1.0}
    assert "segments" not in json.loads(rendered(only))
    assert json.loads(rendered(both)).keys() >= {"words", "segments"}


def test_diarized_json_names_speakers_by_letters() -> None:
    answer = TranscriptionDiarized.model_validate_json(rendered(asked(response_format="diarized_json")), strict=True)
    assert [(segment.id, segment.speaker, segment.text) for segment in answer.segments] == [
        ("seg_0", "A", "Good morning."),
        ("seg_1", "B", "Who?"),
    ]


def test_there_may_be_more_speakers_than_letters() -> None:
    spoken = [Phrase([SpokenWord(" Yes.", at, at + 0.5, 0.9)], f"SPEAKER_{at:02d}") for at in range(28)]
    many = Transcript("en", 30.0, spoken, chunks_of(spoken, 0.0), [TRANSCRIPT.windows[0]] * 28)
    segments = json.loads(rendered(asked(response_format="diarized_json"), many))["segments"]
    assert [segment["speaker"] for segment in segments][24:] == ["Y", "Z", "AA", "BB"]


def test_a_translation_is_english() -> None:
    request = TranslationRequest(model="whisper-1", response_format="verbose_json")
    answer = audio.translation(TRANSCRIPT, request)
    assert isinstance(answer, pydantic.BaseModel)
    assert TranslationVerbose.model_validate_json(answer.model_dump_json(), strict=True).language == "english"
    assert answer.model_dump()["task"] == "translate"


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


def test_verbose_json_has_the_probability_of_the_language() -> None:
    assert json.loads(rendered(asked(response_format="verbose_json"), UNCLEAR))["language_probability"] == 0.46
    assert "language_probability" not in json.loads(rendered(asked(response_format="verbose_json")))


async def test_the_end_of_a_stream_says_that_its_text_is_in_doubt() -> None:
    assert '"low_confidence":true' in (await streamed(*PHRASES, UNCLEAR))
    assert "low_confidence" not in (await streamed(*PHRASES, TRANSCRIPT))


async def streamed(*events: TranscriptionEvent, diarized: bool = False, show_progress: bool = False) -> str:
    async def heard() -> AsyncGenerator[TranscriptionEvent, None]:
        for event in events:
            yield event

    pieces = [piece async for piece in audio.stream(heard(), diarized=diarized, show_progress=show_progress)]
    return b"".join(pieces).decode()


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


async def test_a_stream_ends_with_what_was_counted() -> None:
    stream = await streamed(TRANSCRIPT)
    assert stream.endswith('"text":"Good morning. Who?","usage":{"type":"duration","seconds":32}}\n\ndata: [DONE]\n\n')


async def test_a_diarized_stream_has_each_segment_behind_its_text() -> None:
    events = events_in(await streamed(TRANSCRIPT, diarized=True))
    assert [event.type.rpartition(".")[2] for event in events] == ["delta", "segment", "delta", "segment", "done"]
    assert events[0].type == "transcript.text.delta"
    assert events[0].segment_id == "seg_0"


async def test_progress_is_shown_on_request() -> None:
    progress = Progress("speech_to_text", 5, 32)
    assert (await streamed(progress, TRANSCRIPT, show_progress=True)).startswith(": progress {")
    assert "progress" not in await streamed(progress, TRANSCRIPT)
