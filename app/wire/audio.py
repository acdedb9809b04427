"""The requests and responses of POST /v1/audio/transcriptions and /v1/audio/translations, with OpenAI's fields."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, Self, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from app.errors import BadRequest
from app.wire.parse import first_problem
from app.wire.response import ResponseModel, absent
from models.translation.speech_codes import language_code

_INDEX = re.compile(r"\[\d*\]$")
"""Pattern of the index with which clients mark the fields of a list: `name[]`, `name[0]`."""

_PATH = re.compile(r"[.\[]")


@dataclass(frozen=True, slots=True)
class Cue:
    start: float
    """Seconds."""
    end: float
    text: str
    speaker: str | None = None


def srt(cues: Iterable[Cue]) -> str:
    """Return cues as SubRip: numbered, with a comma before the milliseconds and the speaker before the text."""
    blocks = (
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{_cue_text(cue)}\n"
        for number, cue in enumerate(cues, start=1)
    )
    return "\n".join(blocks)


def vtt(cues: Iterable[Cue]) -> str:
    """Return cues as WebVTT (W3C, 2019), with the speaker as the voice of a cue. `&`, `<` and `>` are escaped, so that
    no text can end a cue."""
    blocks = (f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{_voiced(cue)}\n" for cue in cues)
    return "\n".join(["WEBVTT\n", *blocks])


def _cue_text(cue: Cue) -> str:
    text = _one_line(cue.text)
    return f"[{cue.speaker}] {text}" if cue.speaker else text


def _voiced(cue: Cue) -> str:
    text = escape(_one_line(cue.text), quote=False)
    return f"<v {escape(cue.speaker)}>{text}" if cue.speaker else text


def _one_line(text: str) -> str:
    """Return `text` on one line, because an empty line would end the cue."""
    return " ".join(text.split())


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    whole, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{point}{milliseconds:03}"


class _FormRequest(BaseModel):
    """A request sent as a form, in which all values are texts: "0.2" stands for a number, and "true" for a boolean.
    Unknown fields are permitted."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    @classmethod
    def read(cls, values: Mapping[str, Sequence[str]]) -> Self:
        """Parse the fields of a form. Empty fields are ignored. A list is sent as repeated fields `name[]` or `name`,
        or as fields `name[0]`, `name[1]` and so on. Raises BadRequest with a message that names the field and its
        bound."""
        given: dict[str, str | list[str]] = {}
        sent: dict[str, list[str]] = {}
        for key, found in values.items():
            name = _INDEX.sub("", key)
            if name not in cls.model_fields and (known := _PATH.split(name)[0]) in cls.model_fields:
                raise BadRequest(f"Field '{key}': should be '{known}[]' or '{known}'", param=known)
            sent.setdefault(name, []).extend(filter(None, found))
        for name, field in cls.model_fields.items():
            if texts := sent.get(name):
                given[name] = texts if get_origin(field.annotation) is list else texts[-1]
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            problem = first_problem(error)
            raise BadRequest(problem.message, param=problem.path) from None


class TranslationRequest(_FormRequest):
    model: str
    prompt: str | None = None
    """Names and spellings to prefer."""
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = "json"
    temperature: float = Field(default=0, ge=0, le=1, allow_inf_nan=False)
    """Accepted without effect: the likeliest words are chosen, and none are sampled at random."""


class TranscriptionRequest(_FormRequest):
    model: str
    language: str | None = None
    """Language spoken in the recording (ISO 639-1)."""
    languages: list[str] = []
    """Languages that may be spoken in the recording; a single one counts as `language`."""
    prompt: str | None = None
    """Names and spellings to prefer."""
    keywords: list[str] = []
    """Names and spellings to prefer."""
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"] = "json"
    temperature: float = Field(default=0, ge=0, le=1, allow_inf_nan=False)
    """Accepted without effect: the likeliest words are chosen, and none are sampled at random."""
    timestamp_granularities: list[Literal["word", "segment"]] = []
    """Accepted with `verbose_json` only, which returns segments unless only `word` is requested."""
    stream: bool = False
    """Accepted with `json`, `text` and `diarized_json`."""
    include: list[str] = []
    known_speaker_names: list[str] = []
    known_speaker_references: list[str] = []

    @field_validator("language", "languages", mode="after")
    @classmethod
    def _known(cls, value: str | list[str] | None) -> str | list[str] | None:
        if isinstance(value, list):
            return [_code(name) for name in value]
        return value and _code(value)

    def check(self) -> None:
        """Check the request. Raises BadRequest for fields that exclude each other, and for options not offered here."""
        if self.timestamp_granularities and self.response_format != "verbose_json":
            raise _refusal("timestamp_granularities[]", "needs response_format 'verbose_json'")
        if self.stream and self.response_format not in ("json", "text", "diarized_json"):
            raise _refusal(
                "stream", f"response_format '{self.response_format}' is not streamed; json, text and diarized_json are"
            )
        if self.include:
            raise _refusal(
                "include[]",
                "no log probabilities of tokens are given; 'verbose_json' has their mean for each segment",
            )
        for name in ("known_speaker_names", "known_speaker_references"):
            if getattr(self, name):
                raise _refusal(f"{name}[]", "speakers are distinguished but not identified: leave this field out")


def _code(name: str) -> str:
    code = language_code(name)
    if code is None:
        raise PydanticCustomError("language", "Input should be the ISO 639-1 code of a language")
    return code


def _refusal(field: str, reason: str) -> BadRequest:
    return BadRequest(f"Field '{field}': {reason}", param=field)


class Duration(ResponseModel):
    """Usage of a transcription: the length of the recording."""

    type: Literal["duration"] = "duration"
    seconds: int
    """Whole seconds, rounded up, as OpenAI sends them."""


class Transcription(ResponseModel):
    """The answer with `response_format` `json`."""

    text: str
    low_confidence: Literal[True] | None = Field(default=None, exclude_if=absent)
    """True if much of the text is likely to be wrong; otherwise absent."""
    usage: Duration


class TranscriptionSegment(ResponseModel):
    """A phrase. Its `seek`, `avg_logprob`, `compression_ratio` and `no_speech_prob` belong to the whole window of at
    most 30 seconds that contains the phrase."""

    id: int
    seek: int
    """Start of this window, in hundredths of a second."""
    start: float
    """Seconds."""
    end: float
    text: str
    tokens: list[int]
    """Tokens in the engine's vocabulary, if it has one."""
    temperature: float = 0.0
    """Always 0, because nothing is sampled at random."""
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


class TimedWord(ResponseModel):
    word: str
    start: float
    """Seconds."""
    end: float


class VerboseTranscription(ResponseModel):
    """The answer with `response_format` `verbose_json`."""

    task: Literal["transcribe", "translate"]
    language: str
    """Language of the text by its English name in lower case; empty if there is no speech."""
    language_probability: float | None = Field(default=None, exclude_if=absent)
    """Probability, by the engine, that the language found is the one spoken; 1.0 if the request names the language."""
    low_confidence: Literal[True] | None = Field(default=None, exclude_if=absent)
    """True if much of the text is likely to be wrong; otherwise absent."""
    duration: float
    """Seconds."""
    text: str
    words: list[TimedWord] | None = Field(default=None, exclude_if=absent)
    segments: list[TranscriptionSegment] | None = Field(default=None, exclude_if=absent)
    usage: Duration


class SpokenSegment(ResponseModel):
    """A phrase of one speaker; also an event of a stream."""

    type: Literal["transcript.text.segment"] = "transcript.text.segment"
    id: str
    start: float
    """Seconds."""
    end: float
    text: str
    speaker: str
    """Letter of the speaker; `A` is the first to speak."""


class DiarizedTranscription(ResponseModel):
    """The answer with `response_format` `diarized_json`."""

    task: Literal["transcribe"] = "transcribe"
    duration: float
    """Seconds."""
    text: str
    low_confidence: Literal[True] | None = Field(default=None, exclude_if=absent)
    """True if much of the text is likely to be wrong; otherwise absent."""
    segments: list[SpokenSegment]
    usage: Duration


class TranscriptTextDelta(ResponseModel):
    """A phrase, sent as soon as it is final. The deltas together are the text."""

    type: Literal["transcript.text.delta"] = "transcript.text.delta"
    delta: str
    segment_id: str | None = Field(default=None, exclude_if=absent)
    """Id of the SpokenSegment that follows, if speakers are distinguished."""


class TranscriptTextDone(ResponseModel):
    """The end of a stream."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    text: str
    low_confidence: Literal[True] | None = Field(default=None, exclude_if=absent)
    """True if much of the text is likely to be wrong; otherwise absent."""
    usage: Duration
