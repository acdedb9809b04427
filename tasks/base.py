"""The interface of tasks, which turn a typed request into a typed result."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from models.capability import Capability, EngineConfig
from models.runtime import Runtime
from tasks.inputs.fetch.politeness import Politeness
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tasks.result import Result
from tasks.scrape.browser import LateBrowser
from tasks.search.failover import SearchFailover
from tasks.wording.page_range import PLAIN, Form

Progress = Callable[[str, int, int], None]
"""Function that is called with the stage, the number of units done and the number of all units. It must not block."""


def unreported(_stage: str, _done: int, _total: int) -> None:
    """Report no progress: the `Progress` of a request for which no caller wants reports."""


Redact = Callable[[str], Awaitable[str]]
"""Function that removes from a text the parts that no language model may see."""


async def unredacted(text: str) -> str:
    """Return `text` unchanged: the `Redact` of a request without redaction."""
    return text


@dataclass(frozen=True, slots=True)
class TaskRequest:
    text: str
    """The user's text without directives."""
    sources: tuple[Source, ...] = ()
    """The media of the request, in order."""
    progress: Progress = unreported
    redact: Redact = unredacted
    form: Form = PLAIN
    """Parts of a page's layout that the request asks for in addition to the text."""

    def wording(self, max_chars: int) -> str:
        """Return the part of the text that is searched for the user's wishes: at most `max_chars` characters, from its
        beginning and its end. Users put their instructions there, whereas the middle is usually material to work on."""
        if len(self.text) <= max_chars:
            return self.text
        end = max_chars // 4
        return f"{self.text[: max_chars - end]}\n{self.text[-end:]}"


class Task(Protocol):
    @property
    def name(self) -> str:
        """The name under which the task is declared."""

    async def run(self, request: TaskRequest) -> Result[Any]:
        """Run the task. Raises InputError for faults that the client can correct, and ModelError for all others."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The shared objects that tasks are built from."""

    config: EngineConfig
    engines: Runtime
    loader: MediaLoader
    politeness: Politeness
    search: SearchFailover
    browser: LateBrowser
    find_task: Callable[[str], Task]
    """Function that returns the task of this name. Raises EngineUnavailable."""


@dataclass(frozen=True, slots=True)
class ReadingCachePolicy:
    """Rules for storing a task's results for later requests about the same files."""

    depends_on: Callable[[TaskRequest, MediaLimits], Any]
    """Function that returns, as JSON, everything on which the result depends other than the request's files."""
    restore: Callable[[Any], Result[Any]]
    """Function that rebuilds a result from the JSON that the result's method `kept` returned. Raises ValueError,
    TypeError or KeyError for any other JSON."""


@dataclass(frozen=True, slots=True)
class Specialist:
    """The declaration of a task, at the end of its module, where `tasks.catalog` finds it."""

    name: str
    build: Callable[[Parts], Task]
    uses: Sequence[Capability[Any]] = ()
    """Capabilities that the task may use. They are built off the event loop before the task runs."""
    aliases: Sequence[str] = ()
    """Other spellings of the task's name."""
    precontext_name: str | None = None
    """The task's name in `precontext`, if it differs from `name`."""
    is_public: Callable[[EngineConfig], bool] = lambda _: True
    """Function that returns True if a request may name the task."""
    is_at_hand: Callable[[Parts], bool] = lambda _: True
    """Function that returns True if the task may be guessed or offered to an LLM. Such a task must not cause a
    download, because the request does not name it. The catalog checks separately that the capability of the same name
    is ready."""
    sees_names: bool = False
    """True if the result depends on the names or places of the inputs."""
    reading: ReadingCachePolicy | None = None
    """Policy for storing results. None if results are not stored, because this would save nothing or be wrong."""
    order: int = 1000
    """Position of the task in lists of tasks."""
