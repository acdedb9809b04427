"""Limits the time of parts of a call, such as one page, that run native code which nothing in the process can
interrupt."""

from collections.abc import Callable

from tasks.errors import InputError

Reporter = Callable[[float, InputError], None]

_reporter: Reporter | None = None


def allow(seconds: float, error: InputError) -> None:
    """Let the parent end this process unless the running call ends, or calls `allow` again, within `seconds`. The
    client then gets `error`. Outside a decode process, nothing is limited."""
    if _reporter:
        _reporter(seconds, error)


def set_reporter(reporter: Reporter) -> None:
    """Set the function that reports limits to the parent process, which ends this process when one has passed."""
    global _reporter
    _reporter = reporter
