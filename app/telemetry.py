"""Logs, which hold no content of requests, and the timed stages of a request."""

import asyncio
import contextlib
import errno
import logging
import os
import sqlite3
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import structlog
from structlog.types import EventDict, WrappedLogger

LogFormat = Literal["auto", "json", "console"]


def logs_for_people(log_format: LogFormat) -> bool:
    """Whether logs are lines for people: on a terminal, unless the operator chose a format."""
    return log_format == "console" or (log_format == "auto" and sys.stderr.isatty())


def configure_logging(level: str, log_format: LogFormat = "auto") -> None:
    """Sets up logs on stderr, also for uvicorn and libraries. It is called once, before the first log line."""
    with_messages = level == "debug"
    for_people = logs_for_people(log_format)

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


def _shown_as_line(with_message: bool) -> Callable[..., None]:
    """A function that logs Python's warnings, such as PIL's of a large picture, as lines with their place in the
    library. Their messages are left out, as they can quote a file."""

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object) -> None:
        place = f"{'/'.join(Path(filename).parts[-2:])}:{lineno}"
        about = {"message": str(message)} if with_message else {}
        structlog.get_logger(__name__).warning("library_warning", kind=category.__name__, place=place, **about)

    return show


class _Lines:
    """Writes lines to stderr, in any thread. A line that cannot be written (full disk, closed pipe) is lost, so that no
    request fails because of the log."""

    def __init__(self, *_: str) -> None:
        """Accepts a logger's name, as structlog passes one, and ignores it."""

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: it was closed
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
    """Escapes control characters, so that a path or a name that a caller chose cannot control the terminal."""
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[name] = repr(value)[1:-1]
    described = event.pop("exception", None)
    if described is not None:
        event["exception"] = "\n".join(_lines(described))
    return event


def _lines(described: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a described exception, the cause first, as Python prints it."""
    if cause := described.get("cause"):
        yield from _lines(cause)
        yield "which led to:"
    message = repr(described["message"]) if "message" in described else described.get("reason", "")
    yield f"  {described['type']} {message}".rstrip()
    yield from (f"    {frame}" for frame in described["frames"])


def log_stray_exceptions(loop: asyncio.AbstractEventLoop) -> None:
    """Logs exceptions of tasks that nobody awaits, without the message that asyncio would print."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        structlog.get_logger(__name__).error("stray_exception", exc_info=context.get("exception"))

    loop.set_exception_handler(handle)


def _describe(error: BaseException, with_messages: bool) -> dict[str, object]:
    """Types and frames of a chain of exceptions, and the reasons of failed system calls. Messages can quote a request,
    and are shown at level `debug` only."""
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
    """The operating system's reason, such as a full disk, which quotes no content."""
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno)
    return getattr(error, "sqlite_errorname", None) if isinstance(error, sqlite3.Error) else None


class Stages:
    """The stages of one request with their times, for `server-timing`, the log and the metrics."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self.milliseconds: dict[str, float] = {}
        self.task = ""
        """The task that the request runs, `chat` for the full model; empty where it runs none or is broken."""
        self.first_token_s: float | None = None
        """Seconds until the first chunk of the answer."""
        self.input_tokens = 0
        self.output_tokens = 0
        self.rejected: str | None = None
        """The reason of a refusal that is not the request's fault, as in `openfaze_rejected_total`."""
        self.failed: int | None = None
        """The status that a stream would have had, had it failed before its first byte."""

    @property
    def seconds(self) -> float:
        """Seconds since the request came."""
        return time.perf_counter() - self._started

    def answers(self) -> None:
        """Notes a chunk of the answer."""
        if self.first_token_s is None:
            self.first_token_s = self.seconds

    def done(self, stage: str) -> None:
        """Ends `stage`, which began where the one before it ended."""
        now = time.perf_counter()
        self.milliseconds[stage] = round(self.milliseconds.get(stage, 0.0) + (now - self._last) * 1000, 1)
        self._last = now

    @property
    def header(self) -> str:
        """The value of `server-timing` (W3C Server Timing): `read;dur=0.4, task;dur=231.0`."""
        return ", ".join(f"{stage};dur={ms}" for stage, ms in self.milliseconds.items())
