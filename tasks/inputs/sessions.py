"""A file that is open somewhere else: in a thread of this process, or in another process."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from tasks.inputs.blob import Blob

P = ParamSpec("P")
T = TypeVar("T")


class Closable(Protocol):
    def close(self) -> None: ...


S = TypeVar("S", bound=Closable)
OpenedT = TypeVar("OpenedT", bound=Closable, covariant=True)


class Session(Protocol[OpenedT]):
    """An object of a class whose methods run elsewhere, called by the class's own methods:

    session = await sessions.open(PdfPages, blob, limits)
    picture = await session.run(PdfPages.picture, 3)
    await session.close()

    A method is looked up by its name, so that one of a base class calls the override.
    """

    async def run(self, call: Callable[Concatenate[OpenedT, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises what the method raises."""

    async def close(self) -> None:
        """After the calls made so far, and even when the caller is cancelled meanwhile."""


class Sessions(Protocol):
    """Where files can be opened."""

    async def open(
        self, factory: Callable[Concatenate[Blob, P], S], blob: Blob, /, *args: P.args, **kwargs: P.kwargs
    ) -> Session[S]:
        """`factory(blob, *args)` there. Raises what the factory raises."""

    async def close(self) -> None: ...
