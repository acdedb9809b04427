"""Logging, without any content of requests."""

import asyncio
import contextlib
import errno
import logging
import os
import sqlite3
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import structlog
from structlog.types import EventDict, WrappedLogger


def logs_for_people() -> bool:
    """True if logs are lines for people, as a terminal gets them; elsewhere, they are JSON."""
    return sys.stderr.isatty()


def configure_logging(level: str) -> None:
    """Set up logs on stderr, also for uvicorn and libraries. Must be called once, before the first log line."""
    with_messages = level == "debug"
    for_people = logs_for_people()

    def describe_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        error = event.pop("exc_info", None)
        if error is True:
            error = sys.exc_info()[1]
        elif isinstance(error, tuple):
            error = error[1]
        if isinstance(error, BaseException):
            event["exception"] = _describe(error, with_messages)
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper("%H:%M:%S", utc=False)
        if for_people
        else structlog.processors.TimeStamper("iso"),
        describe_exception,
    ]
    rendered = [_as_plain_text, _console()] if for_people else [structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # A `logging` record for each request would cost three times as much.
        logger_factory=_Lines,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *rendered,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    warnings.showwarning = _shown_as_line(with_messages)
    # Libraries log URLs and texts at lower levels, so only their warnings pass.
    root.setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(level.upper())
    # The parser of forms warns of each invalid form, although the client gets an error anyway.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


def _shown_as_line(with_message: bool) -> Callable[..., None]:
    """Return a function that logs Python's warnings, such as PIL's warning about a large picture, with their place in
    the library.

    Messages are logged only `with_message`, because they can quote a file.
    """

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object) -> None:
        place = f"{'/'.join(Path(filename).parts[-2:])}:{lineno}"
        fields = {"message": str(message)} if with_message else {}
        structlog.get_logger(__name__).warning("library_warning", kind=category.__name__, place=place, **fields)

    return show


class _Lines:
    """Writes lines to stderr, in any thread.

    A line that cannot be written (full disk, closed pipe) is lost: no request fails because of the log.
    """

    def __init__(self, *_: str) -> None:
        """Accept and ignore the logger's name that structlog passes."""

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: stderr is closed
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = msg


def _console() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        pad_event_to=0,
        pad_level=False,
        colors=sys.stderr.isatty() and not os.environ.get("NO_COLOR"),
        sort_keys=False,
        exception_formatter=structlog.dev.plain_traceback,
    )


def _as_plain_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Escape control characters, so that a path or a name that a caller chose cannot control the terminal."""
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[name] = repr(value)[1:-1]
    described = event.pop("exception", None)
    if described is not None:
        event["exception"] = "\n".join(_lines(described))
    return event


def _lines(described: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a described exception, the cause first, as in Python's tracebacks."""
    if cause := described.get("cause"):
        yield from _lines(cause)
        yield "which led to:"
    message = repr(described["message"]) if "message" in described else described.get("reason", "")
    yield f"  {described['type']} {message}".rstrip()
    yield from (f"    {frame}" for frame in described["frames"])


def log_stray_exceptions(loop: asyncio.AbstractEventLoop) -> None:
    """Log exceptions of tasks that nobody awaits, without the message that asyncio would print."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        structlog.get_logger(__name__).error("stray_exception", exc_info=context.get("exception"))

    loop.set_exception_handler(handle)


def _describe(error: BaseException, with_messages: bool) -> dict[str, object]:
    """Return the types and frames of a chain of exceptions, and the reasons of failed system calls.

    Messages can quote a request, so they are included only `with_messages`.
    """
    described: dict[str, object] = {
        "type": type(error).__qualname__,
        "frames": [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ],
    }
    if reason := _reason(error):
        described["reason"] = reason
    if with_messages:
        described["message"] = str(error)
    cause = error.__cause__ or error.__context__
    if cause is not None:
        described["cause"] = _describe(cause, with_messages)
    return described


def _reason(error: BaseException) -> str | None:
    """Return the reason that the operating system or SQLite states, such as a full disk; None for other errors. Such a
    reason never quotes content."""
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno)
    return getattr(error, "sqlite_errorname", None) if isinstance(error, sqlite3.Error) else None
