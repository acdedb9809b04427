"""What the server says about itself: JSON logs without content, and a request's stages."""

import asyncio
import logging
import sys
import time
import traceback
from typing import Any

import structlog
from structlog.types import EventDict, WrappedLogger


def configure_logging(level: str) -> None:
    """JSON lines on stderr, uvicorn's and libraries' included. Call once, before the first log line."""
    with_messages = level == "debug"

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
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        describe_exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries log what they read (URLs, texts) at their lower levels: only their warnings are let through.
    root.setLevel(logging.WARNING)
    for name in ("app", "tasks", "models", "uvicorn.error"):
        logging.getLogger(name).setLevel(level.upper())


def log_stray_exceptions(loop: asyncio.AbstractEventLoop) -> None:
    """What nobody awaited is logged like any other failure: asyncio itself would print its message."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        structlog.get_logger(__name__).error("stray_exception", exc_info=context.get("exception"))

    loop.set_exception_handler(handle)


def _describe(error: BaseException, with_messages: bool) -> dict[str, object]:
    """Types and frames of the chain. Messages can quote what a request said: only `debug` shows them."""
    described: dict[str, object] = {
        "type": type(error).__qualname__,
        "frames": [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ],
    }
    if with_messages:
        described["message"] = str(error)
    cause = error.__cause__ or error.__context__
    if cause is not None:
        described["cause"] = _describe(cause, with_messages)
    return described


class Stages:
    """The time that each stage of one request took, for `server-timing` and the log."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.milliseconds: dict[str, float] = {}

    def done(self, stage: str) -> None:
        """Ends `stage`, which began where the one before it ended."""
        now = time.perf_counter()
        self.milliseconds[stage] = round(self.milliseconds.get(stage, 0.0) + (now - self._last) * 1000, 1)
        self._last = now

    @property
    def header(self) -> str:
        """The value of `server-timing` (W3C Server Timing): `read;dur=0.4, task;dur=231.0`."""
        return ", ".join(f"{stage};dur={ms}" for stage, ms in self.milliseconds.items())
