"""What a task is: a typed request in, a typed result out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from tasks.inputs.source import Source
from tasks.result import Result

TASK_NAMES = (
    "ocr",
    "object_detection",
    "gui_detection",
    "web_search",
    "scraper",
    "speech_to_text",
    "translate",
    "forecast",
)
"""The names that a request may ask for, in the order in which errors list them."""

ALIASES = {"stt": "speech_to_text"}
"""Other spellings of a task's name."""

PRECONTEXT_NAMES = {"speech_to_text": "stt"}
"""What a task is called in `precontext`, where that is not its own name."""

Progress = Callable[[str, int, int], None]
"""Called with the stage, the units done and the units in all. Must not block."""


def unreported(_stage: str, _done: int, _total: int) -> None:
    """The `Progress` of a request that nobody watches."""


Redact = Callable[[str], Awaitable[str]]
"""Takes out of a text of the inputs what no language model may be shown. It works where long texts are worked on, by
keys in turn."""


async def as_it_is(text: str) -> str:
    """The `Redact` of a request that hides nothing."""
    return text


@dataclass(frozen=True, slots=True)
class TaskRequest:
    text: str
    """What the user wrote, directives removed."""
    sources: tuple[Source, ...] = ()
    """The media of the request, in order."""
    progress: Progress = unreported
    redact: Redact = as_it_is

    def wording(self, most_chars: int) -> str:
        """What of the text is read for wishes: of a long one its beginning and its end, `most_chars` in all. What is
        asked for is said there; what lies between is something to read."""
        if len(self.text) <= most_chars:
            return self.text
        end = most_chars // 4
        return f"{self.text[: most_chars - end]}\n{self.text[-end:]}"


class Task(Protocol):
    @property
    def name(self) -> str:
        """One of TASK_NAMES."""

    async def run(self, request: TaskRequest) -> Result:
        """Raises InputError for what the client can mend and ModelError for what it cannot."""
