"""Logs say what happened and never what a request said."""

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.telemetry import Stages, configure_logging, log_stray_exceptions

SECRET = "what the request said"


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def broken() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        raise RuntimeError(SECRET) from error


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    text = capsys.readouterr().err
    line: dict[str, object] = json.loads(text.splitlines()[-1])
    return line


def test_a_failure_is_logged_by_its_types_and_frames(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info")
    try:
        broken()
    except RuntimeError:
        structlog.get_logger("app.test").exception("broke")
    line = last_line(capsys)
    assert SECRET not in json.dumps(line)
    exception = line["exception"]
    assert isinstance(exception, dict)
    assert (exception["type"], exception["cause"]["type"]) == ("RuntimeError", "ValueError")
    assert any("test_telemetry.py" in frame and frame.endswith("broken") for frame in exception["frames"])


def test_debug_shows_the_messages(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug")
    try:
        broken()
    except RuntimeError:
        structlog.get_logger("app.test").exception("broke")
    assert SECRET in json.dumps(last_line(capsys))


async def test_an_exception_that_nobody_awaits_is_logged_without_its_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("info")
    loop = asyncio.get_running_loop()
    log_stray_exceptions(loop)
    loop.call_exception_handler({"message": SECRET, "exception": ValueError(SECRET)})
    line = last_line(capsys)
    assert line["event"] == "stray_exception"
    assert SECRET not in json.dumps(line)


def test_stages_add_up_and_keep_their_order() -> None:
    stages = Stages()
    for stage in ("read", "task", "read"):
        stages.done(stage)
    assert list(stages.milliseconds) == ["read", "task"]
    assert stages.header.startswith("read;dur=")
