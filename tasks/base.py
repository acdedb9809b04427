"""The interface of tasks, which turn a typed request into a typed result."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from models.capability import Capability, EngineConfig
from models.runtime import Runtime
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.fetch.politeness import Politeness
from tasks.inputs.kinds import Kind
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tasks.result import Result
from tasks.scrape.browser import LateBrowser
from tasks.search.failover import SearchFailover
from tasks.tools import Tool
from tasks.wording.options import TaskOptions

Progress = Callable[[str, int, int], None]
"""Function that is called with the stage, the number of units done and the number of all units. It must not block."""


def unreported(_stage: str, _done: int, _total: int) -> None:
    """Report no progress: the `Progress` of a request for which no caller wants reports."""


Redact = Callable[[str], Awaitable[str]]
"""Function that removes from a text the parts that no language model may see."""


async def unredacted(text: str) -> str:
    """Return `text` unchanged: the `Redact` of a request without redaction."""
    return text


Options = TypeVar("Options", bound=TaskOptions)


@dataclass(frozen=True, slots=True)
class TaskRequest(Generic[Options]):
    options: Options
    sources: tuple[Source, ...] = ()
    """The media of the request, in order."""
    progress: Progress = unreported
    redact: Redact = unredacted


class Task(Protocol):
    @property
    def name(self) -> str:
        """The name under which the task is declared."""

    async def run(self, request: TaskRequest[Any]) -> Result[Any]:
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


Parse = Callable[[str, bool], TaskOptions]
"""Function that returns the options which a user's words ask for. The flag is True if there are inputs beside them.
Raises InputError if the words lack what the task needs. A worker runs it on long words, so it is a function of a
module."""
Restore = Callable[[Any], Result[Any]]
"""Function that rebuilds a result from the JSON that the result's method `kept` returned. Raises ValueError, TypeError
or KeyError for any other JSON."""


@dataclass(frozen=True, slots=True)
class Specialist:
    """The declaration of a task, at the end of its module, where `tasks.catalog` finds it."""

    name: str
    build: Callable[[Parts], Task]
    options: type[TaskOptions]
    parse: Parse
    """Function by which a user's words become options."""
    tool: Tool
    reads: frozenset[Kind] = frozenset()
    """Kinds of inputs that the task reads; empty if it needs none."""
    is_web: bool = False
    """True if the task sends something of the request to the web."""
    with_texts: Callable[[Any, Sequence[str]], TaskOptions] | None = None
    """Function that puts the texts of other tasks' results into the options; None if the task works on no texts."""
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
    restore: Restore | None = None
    """Function that rebuilds a stored result. None if results are not stored, because this would save nothing or be
    wrong. A stored result depends on the options and the contents of the inputs alone."""
    order: int = 1000
    """Position of the task in lists of tasks."""

    def options_of(self, words: str, given: Mapping[str, Any], *, has_sources: bool) -> TaskOptions:
        """Return the options that a user's words and the `given` fields ask for. A given field prevails over the words.
        Raises InputError, and ValidationError for given fields that do not fit."""
        if not given:
            return self.parse(words, has_sources)
        self.options.refuse_internal(given)
        if not words.strip():
            return self.options.model_validate(dict(given))
        try:
            parsed = self.parse(words, has_sources)
        except InputTooLarge:
            raise
        except InputError:
            # The fields may say what the words lack. Then the words are the text to work on.
            parsed = self.options.model_validate(dict(given))
            if self.with_texts is not None and not has_sources:
                parsed = self.with_texts(parsed, (words,))
        return self.options.model_validate({**dict(parsed), **given})
