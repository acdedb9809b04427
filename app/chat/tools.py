"""Tasks that a capable LLM may call by itself, without the client seeing the calls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json

from app.chat.inputs import Kind, Turn, kind_of
from app.chat.plan import Plan
from tasks.base import TaskRequest
from tasks.errors import InputError
from tasks.inputs.source import Source

PREFIX = "openfaze_"
"""Prefix of the names of internal tools, so that they differ from the names of the client's tools."""

Arguments = Mapping[str, Any]
_INPUT = {"type": "integer", "minimum": 1, "description": "The number of the user's input, in order."}


@dataclass(frozen=True, slots=True)
class InternalTool:
    task: str
    description: str
    properties: Mapping[str, Mapping[str, Any]]
    """JSON schemas of the arguments. All arguments are required except those in `optional`."""
    text: Callable[[Arguments], str]
    """Function that makes the task's input text from the arguments."""
    optional: tuple[str, ...] = ()
    kinds: frozenset[Kind] = frozenset()
    """Kinds of inputs or links that the tool reads."""

    @property
    def name(self) -> str:
        return PREFIX + self.task

    def definition(self) -> dict[str, Any]:
        """Return the definition of the tool in OpenAI's form."""
        parameters = {
            "type": "object",
            "properties": dict(self.properties),
            "required": [name for name in self.properties if name not in self.optional],
            "additionalProperties": False,
        }
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": parameters},
        }

    def request(self, arguments: str, turn: Turn) -> TaskRequest:
        """Return the request of the task for the LLM's `arguments` (JSON). Raises InputError, which the LLM reads."""
        try:
            # This parser has a limit on nesting, and raises ValueError beyond it.
            given = from_json(arguments or "{}")
            text = self.text(given)
            return TaskRequest(text, self._sources(given, turn), form=replace(turn.form, is_read=True))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"The arguments do not fit: {error}") from error

    def _sources(self, arguments: Arguments, turn: Turn) -> tuple[Source, ...]:
        if self.task == "scraper":
            # Only URLs in the user's messages are fetched. Any other URL may come from a page that tries to make the
            # LLM open it.
            found = [source for source in turn.sources if source.url == arguments["url"]]
            if not found:
                raise InputError("Only URLs in the user's own messages can be opened.")
            return (found[0],)
        names_input = "input" in arguments if "input" in self.optional else "input" in self.properties
        numbers = [arguments["input"]] if names_input else arguments.get("files", ())
        for number in numbers:
            if not isinstance(number, int) or not 1 <= number <= len(turn.sources):
                raise InputError(f"There is no input {number!r}; there are {len(turn.sources)}.")
        return tuple(turn.sources[number - 1] for number in dict.fromkeys(numbers))


TOOLS: Sequence[InternalTool] = (
    InternalTool(
        "web_search",
        "Search the web for what is recent or not known.",
        {"query": {"type": "string"}},
        lambda given: str(given["query"]),
    ),
    InternalTool(
        "scraper",
        "Read a web page that the user linked to.",
        {"url": {"type": "string"}},
        lambda given: f"Scrape this page: {given['url']}",
        kinds=frozenset({"page"}),
    ),
    InternalTool(
        "code_sandbox",
        "Run Python code for exact computation, with numpy, pandas and matplotlib. It has no network. "
        "What it prints comes back, and the user sees the figures that it shows.",
        {
            "code": {"type": "string"},
            "files": {
                "type": "array",
                "items": {"type": "integer", "minimum": 1},
                "description": "The numbers of the user's inputs, in order, that the code finds as files in /input.",
            },
        },
        lambda given: str(given["code"]),
        optional=("files",),
    ),
    InternalTool(
        "translate",
        "Translate a text.",
        {"text": {"type": "string"}, "to": {"type": "string", "description": "Name or code of the language."}},
        lambda given: f"Translate the following into {given['to']}:\n\n{given['text']}",
    ),
    InternalTool(
        "forecast",
        "Forecast a series of numbers, with the bounds of each value. The series is either given or in an input.",
        {
            "horizon": {"type": "string", "description": "Such as 4 weeks, or 12 steps."},
            "series": {"type": "string", "description": "CSV with a date and a value a line, or numbers in a row."},
            "input": _INPUT,
        },
        lambda given: f"Forecast the next {given['horizon']}.\n\n{given.get('series') or ''}",
        optional=("series", "input"),
    ),
    InternalTool(
        "ocr",
        "Read the text of an input of the user's: an image, pages of a document, or frames of a video.",
        {"input": _INPUT, "pages": {"type": "string", "description": "Such as 3, or 2-4; all without it."}},
        lambda given: f"Read pages {given['pages']}." if given.get("pages") else "Read it.",
        optional=("pages",),
        kinds=frozenset({"image", "video", "document", "table"}),
    ),
    InternalTool(
        "object_detection",
        "Find objects in an image of the user's, with their positions.",
        {"input": _INPUT, "labels": {"type": "array", "items": {"type": "string"}}},
        lambda given: f"Find: {', '.join(given.get('labels', ()))}",
        optional=("labels",),
        kinds=frozenset({"image"}),
    ),
    InternalTool(
        "gui_detection",
        "Find the buttons, fields and icons of a screenshot of the user's.",
        {"input": _INPUT},
        lambda _: "Find the elements of the user interface.",
        kinds=frozenset({"image"}),
    ),
)


def offered(turn: Turn, plan: Plan, has_task: Callable[[str], bool]) -> list[InternalTool]:
    """Return the tools that can contribute. A tool can contribute if its task runs here and, for a task that reads
    inputs or links, if there is an input that the plan has not given to the task already."""
    planned = {(step.task, source) for step in plan.steps for source in step.sources}

    def is_new(tool: InternalTool, source: Source) -> bool:
        return kind_of(source) in tool.kinds and (tool.task, source) not in planned

    return [
        tool
        for tool in TOOLS
        if (not tool.kinds or any(is_new(tool, source) for source in turn.sources)) and has_task(tool.task)
    ]
