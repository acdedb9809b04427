"""The tools: their arguments, their results, and the chat request that a call becomes.

A chat client could have sent the same request, so guard, cache, limits and evidence apply to it unchanged. Typed
arguments become the words that the tasks read.
"""

import base64
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from app.access.key_file import CHAT
from app.chat.shape import is_open
from app.errors import BadRequest, PayloadTooLarge
from app.wire.model_names import MODEL
from app.wire.parse import TooMuchJson, first_problem, parse_json
from app.wire.request import ResponseFormat
from models.translation.speech_codes import language_name
from tasks.code_sandbox import CodeData
from tasks.forecast import ForecastData
from tasks.gui_detection import GuiData
from tasks.object_detection import DetectionData
from tasks.ocr_result import OcrData
from tasks.schema.checker import refuse_large
from tasks.scraper import ScrapedPage
from tasks.speech_to_text import SpeechData
from tasks.translate import TranslateData
from tasks.web_search import FoundPage

Part = dict[str, Any]

_Source = Annotated[
    str, Field(min_length=1, description="A URL (http or https), a data URL, or the id of an uploaded file (file-…).")
]
_Text = Annotated[str, Field(min_length=1, description="The text itself. Give this or `source`.")]
_Language = Annotated[
    str,
    Field(min_length=2, max_length=60, description="English name or ISO 639 code of a language, such as German or de."),
]
SCHEMA = "response_format.json_schema.schema"
"""Place of the schema in a chat request, which the caller knows as the argument `schema`."""
_PAGES = r"^(\d+(\s*[-–]\s*\d+)?(\s*,\s*\d+(\s*[-–]\s*\d+)?)*)?$"
_LONGEST_CODE = 3
LIST = "results"
"""Field with the result, if the result is a list."""
FILE = "file"
"""Field that names the file of a result that is too large."""
_FILE_SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "uri": {"type": "string"}, "bytes": {"type": "integer"}},
    "required": ["id", "uri", "bytes"],
    "description": "Only for a large result: the JSON file under /v1/files that holds it, instead of the other fields.",
}
EXTRACT: Literal["extract"] = "extract"


def _from_json(value: object, info: ValidationInfo) -> object:
    """Return the object or list that a client wrote as a JSON string; any other value unchanged. Raises BadRequest and
    PayloadTooLarge."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    name = str(info.field_name).rstrip("_")
    try:
        return parse_json(value.encode())
    except TooMuchJson as error:
        raise PayloadTooLarge(f"Field '{name}': the JSON in this string {error}.", param=name) from None
    except ValueError as error:
        raise BadRequest(f"Field '{name}': the string is not JSON: {error}", param=name) from None


class Arguments(BaseModel):
    """The arguments of a tool. An argument that is null or empty counts as not given. Raises ValidationError for an
    unknown argument."""

    model_config = ConfigDict(extra="forbid")
    task: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ("source",)
    """Names of arguments, exactly one of which must be given."""

    @model_validator(mode="before")
    @classmethod
    def _leave_out_empty(cls, arguments: Any) -> Any:
        return {name: value for name, value in arguments.items() if value is not None and value != ""}

    def sentences(self) -> Iterator[str]:
        """Yield sentences that state the typed arguments."""
        yield from ()

    def parts(self) -> Iterator[Part]:
        """Yield the parts of the message.

        A text becomes a file, so that it is never an instruction and its links are not followed. Raises BadRequest.
        """
        name = self.given()
        if words := " ".join(self.sentences()):
            yield {"type": "text", "text": words}
        value = str(getattr(self, name))
        file = _file_of_source(value) if name == "source" else _file_of_text(value)
        yield {"type": "file", "file": file}

    def given(self) -> str:
        """Return the name of the argument in `needs` that was given. Raises BadRequest unless exactly one was given."""
        given = [name for name in self.needs if getattr(self, name) is not None]
        if len(given) != 1:
            wanted, got = " or ".join(map(repr, self.needs)), " and ".join(map(repr, given)) or "nothing"
            raise BadRequest(f"Give {wanted}; got {got}.", param=self.needs[0])
        return given[0]

    def request(self) -> dict[str, Any]:
        """Return the body of a chat request. Raises BadRequest and InputError."""
        return {
            "model": MODEL,
            "messages": [
                {"role": "system", "content": f"<task>{self.task}</task>"},
                {"role": "user", "content": list(self.parts())},
            ],
        }


class Instructed(Arguments):
    instructions: str = Field("", max_length=4000, description="Further wishes about the result, in plain words.")

    def sentences(self) -> Iterator[str]:
        if self.instructions:
            yield self.instructions


class Ocr(Instructed):
    task = "ocr"
    source: _Source
    pages: str = Field(
        "",
        max_length=200,
        pattern=_PAGES,
        description="Pages of a document to read: 3, 2-5 or 1, 4-6. Default: all pages.",
    )
    tables: bool = Field(False, description="Also return tables, cell by cell.")
    markdown: bool = Field(False, description="Also return the whole text as Markdown.")

    def sentences(self) -> Iterator[str]:
        yield from super().sentences()
        if self.pages:
            yield f"Pages {self.pages}."

    def request(self) -> dict[str, Any]:
        options = {name: True for name in ("tables", "markdown") if getattr(self, name)}
        return super().request() | ({"ocr": options} if options else {})


class ObjectDetection(Instructed):
    task = "object_detection"
    source: _Source
    labels: Annotated[list[Annotated[str, Field(min_length=1, max_length=60)]], BeforeValidator(_from_json)] = Field(
        default_factory=list,
        max_length=50,
        description="Objects to find, such as cat or red car. Default: all that the detector knows.",
    )

    def sentences(self) -> Iterator[str]:
        yield from super().sentences()
        if self.labels:
            yield f"Find: {', '.join(self.labels)}."


class GuiDetection(Instructed):
    task = "gui_detection"
    source: _Source


class SpeechToText(Instructed):
    task = "speech_to_text"
    source: _Source
    by_word: bool = Field(False, description="Return one chunk with times for each word.")
    diarize: bool = Field(False, description="Distinguish the speakers.")
    source_language: _Language | None = Field(
        None, description="Spoken language, by English name or ISO 639 code. Default: recognised automatically."
    )

    def sentences(self) -> Iterator[str]:
        yield from super().sentences()
        if self.by_word:
            yield "Word by word."
        if self.diarize:
            yield "Identify the speakers."
        if self.source_language:
            yield f"Spoken in {_spell_out(self.source_language)}."


class Translate(Arguments):
    task = "translate"
    needs = ("text", "source")
    text: _Text | None = None
    source: _Source | None = None
    target_language: _Language
    source_language: _Language | None = Field(
        None, description="Language of the text, by English name or ISO 639 code. Default: recognised automatically."
    )

    def sentences(self) -> Iterator[str]:
        origin = f"from {_spell_out(self.source_language)} " if self.source_language else ""
        yield f"Translate {origin}into {_spell_out(self.target_language)}."


class WebSearch(Instructed):
    task = "web_search"
    needs = ("text",)
    text: str = Field(min_length=1, max_length=2000, description="Search query.")

    def parts(self) -> Iterator[Part]:
        yield {"type": "text", "text": " ".join([self.text, *self.sentences()])}


class Scraper(Instructed):
    task = "scraper"
    source: str = Field(min_length=1, max_length=8000, pattern="^https?://", description="URL of the page.")


class Forecast(Instructed):
    task = "forecast"
    needs = ("text", "source")
    text: Annotated[str, Field(min_length=1, description="The series, as CSV or as numbers in a row.")] | None = None
    source: _Source | None = None
    horizon: int | None = Field(
        None, ge=1, le=256, description="Number of steps to forecast. Default: as the instructions say."
    )

    def sentences(self) -> Iterator[str]:
        if self.horizon:
            yield f"Forecast the next {self.horizon} steps."
        yield from super().sentences()


class CodeSandbox(Arguments):
    task = "code_sandbox"
    needs = ("text",)
    text: str = Field(min_length=1, max_length=200_000, description="Python source code.")

    def parts(self) -> Iterator[Part]:
        yield {"type": "text", "text": self.text}


class Extract(Instructed):
    needs = ("text", "source")
    text: _Text | None = None
    source: _Source | None = None
    schema_: Annotated[dict[str, Any], BeforeValidator(_from_json)] = Field(
        alias="schema", description="JSON Schema of the fields to extract. Its type must be object."
    )

    def sentences(self) -> Iterator[str]:
        yield self.instructions or "Extract the fields of the schema."

    def request(self) -> dict[str, Any]:
        # A larger schema would be encoded and parsed once more before the pipeline refuses it.
        refuse_large(self.schema_, SCHEMA)
        form = {"type": "json_schema", "json_schema": {"name": "extract", "schema": self.schema_}}
        if is_open(ResponseFormat.model_validate(form)):
            raise BadRequest(
                f"Field '{SCHEMA}' names no fields to extract: give it 'properties', such as "
                '{"type": "object", "properties": {"total": {"type": "number"}}}.',
                param=SCHEMA,
            )
        return {
            "model": MODEL,
            "messages": [{"role": "user", "content": list(self.parts())}],
            "response_format": form,
            "evidence": True,
        }


class Extracted(BaseModel):
    """The result of `extract`."""

    data: dict[str, Any] = Field(description="Valid against the schema.")
    evidence: dict[str, Any] = Field(
        default_factory=dict, description="Place in the source and probability of each value, by JSON pointer."
    )
    unsupported: list[str] = Field(
        default_factory=list, description="JSON pointers of values without a place in the source."
    )


@dataclass(frozen=True)
class McpTool:
    name: str
    description: str
    arguments: type[Arguments]
    result: Any
    """Type of the result."""
    is_open_world: bool = False
    """True if the tool reads something beyond its arguments and this server, such as the web."""

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        schema = self.arguments.model_json_schema(by_alias=True)
        schema.pop("description", None)
        return dict(_simplify(schema))

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """Schema of the result, which is always an object. If the result is too large, the object names a file
        instead."""
        schema = TypeAdapter(self.result).json_schema()
        definitions = schema.pop("$defs", {})
        if schema.get("type") != "object":
            schema = {"type": "object", "properties": {LIST: schema}, "required": [LIST]}
        required_sets = [schema.pop("required", []), [FILE]]
        schema["properties"] = schema.get("properties", {}) | {FILE: _FILE_SCHEMA}
        return {
            **_simplify(schema),
            "$defs": _simplify(definitions),
            "anyOf": [{"required": names} for names in required_sets],
        }

    def called_with(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of the chat request. Raises BadRequest and InputError, which name the argument."""
        try:
            return self.arguments.model_validate(arguments).request()
        except ValidationError as error:
            problem = first_problem(error)
            raise BadRequest(problem.message, param=problem.path) from None


TOOLS: Mapping[str, McpTool] = {
    tool.name: tool
    for tool in (
        McpTool(
            "ocr",
            "Read the text of a picture, a scan, a PDF or an office file, with the boxes of its lines and words.",
            Ocr,
            OcrData,
        ),
        McpTool(
            "object_detection", "Find objects in a picture, and return their boxes.", ObjectDetection, DetectionData
        ),
        McpTool("gui_detection", "Find buttons, inputs, links and icons in a screenshot.", GuiDetection, GuiData),
        McpTool(
            "speech_to_text", "Transcribe the speech in a recording or a video, with times.", SpeechToText, SpeechData
        ),
        McpTool("translate", "Translate a text or a document.", Translate, TranslateData),
        McpTool("web_search", "Search the web.", WebSearch, list[FoundPage], is_open_world=True),
        McpTool(
            "scraper",
            "Read a web page: its text, Markdown, links, and the fields named in the instructions.",
            Scraper,
            ScrapedPage,
            is_open_world=True,
        ),
        McpTool(
            "forecast", "Forecast how a series of numbers continues, with prediction intervals.", Forecast, ForecastData
        ),
        McpTool("code_sandbox", "Run Python code in a sandbox without network access.", CodeSandbox, CodeData),
        McpTool(
            "extract",
            "Extract the fields of a JSON schema from a document or a text, each with its place and probability.",
            Extract,
            Extracted,
        ),
    )
}


def _simplify(schema: Any) -> Any:
    """Return the schema without titles and without `null` for optional fields, for language models.

    Titles would only repeat names.
    """
    match schema:
        case {"anyOf": [dict() as only, {"type": "null"}], "default": None, **rest}:
            return _simplify({key: value for key, value in rest.items() if key != "title"} | only)
        case dict():
            return {
                key: _simplify(value)
                for key, value in schema.items()
                if not (key == "title" and isinstance(value, str))
            }
        case list():
            return [_simplify(one) for one in schema]
    return schema


def offered(tasks: Collection[str], allowed: Collection[str] | None = None) -> list[McpTool]:
    """Return the tools whose tasks the server has and the key may run."""
    return [
        tool
        for tool in TOOLS.values()
        if (tool.name == EXTRACT or tool.name in tasks) and (allowed is None or _task_needed(tool) in allowed)
    ]


def _task_needed(tool: McpTool) -> str:
    return CHAT if tool.name == EXTRACT else tool.name


def _spell_out(language: str) -> str:
    """Return the name of a language. Its code is avoided, because many codes are also words, such as `it` and `no`."""
    return language_name(language.lower()) if len(language) <= _LONGEST_CODE else language


def _file_of_source(source: str) -> dict[str, str]:
    if source.startswith("file-"):
        return {"file_id": source}
    if source.startswith(("http://", "https://", "data:")):
        return {"file_data": source}
    raise BadRequest(
        f"Field 'source': '{source[:80]}' is neither a URL (http, https), a data URL nor the id of a file (file-…).",
        param="source",
    )


def _file_of_text(text: str) -> dict[str, str]:
    coded = base64.b64encode(text.encode()).decode()
    return {"file_data": f"data:text/plain;charset=utf-8;base64,{coded}", "filename": "text.txt"}
