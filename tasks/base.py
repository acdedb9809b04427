"""What a task is: a typed request in, a typed result out."""

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
from tasks.search.fall_over import FallOver
from tasks.wording.page_range import PLAIN, Form

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
    form: Form = PLAIN
    """What of a page's layout is asked for beside the text."""

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
        """As it is declared."""

    async def run(self, request: TaskRequest) -> Result[Any]:
        """Raises InputError for what the client can mend and ModelError for what it cannot."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What tasks are put together from."""

    config: EngineConfig
    engines: Runtime
    loader: MediaLoader
    politeness: Politeness
    search: FallOver
    browser: LateBrowser
    find_task: Callable[[str], Task]
    """Raises EngineUnavailable."""


@dataclass(frozen=True, slots=True)
class ReadingCachePolicy:
    """How a task's results may be kept for other requests about the same files."""

    asked: Callable[[TaskRequest, MediaLimits], Any]
    """What of a request, besides its files, the result depends on, as JSON."""
    restore: Callable[[Any], Result[Any]]
    """The result from what its `kept` was, as JSON. Raises ValueError, TypeError or KeyError for anything else."""


@dataclass(frozen=True, slots=True)
class Specialist:
    """What a module of a task declares of it; `tasks.catalog` finds it there."""

    name: str
    build: Callable[[Parts], Task]
    uses: Sequence[Capability[Any]] = ()
    """What it may ask for: these are put together, off the event loop, before it runs."""
    aliases: Sequence[str] = ()
    """Other spellings of its name."""
    precontext_name: str | None = None
    """What it is called in `precontext`, where that is not its own name."""
    is_public: Callable[[EngineConfig], bool] = lambda _: True
    """Whether a request may ask for it."""
    is_at_hand: Callable[[Parts], bool] = lambda _: True
    """Whether it may be guessed at, or offered to an LLM: nobody asked for it in so many words, so it must not cost a
    download. That of the capability of its name is at hand is seen besides."""
    sees_names: bool = False
    """Whether its result depends on what its inputs are called, or where they are."""
    reading: ReadingCachePolicy | None = None
    """None where another request is answered anew, or nothing is saved by it."""
    order: int = 1000
    """Its place among the others, where these are listed."""
