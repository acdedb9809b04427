"""Logs say what happened and never what a request said."""

import asyncio
import contextlib
import errno
import io
import json
import logging
import os
import re
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from app import telemetry
from app.telemetry import configure_logging, log_stray_exceptions, logs_for_people

SECRET = "what the request said"


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, shown = root.handlers, root.level, warnings.showwarning
    yield
    root.handlers, root.level = handlers, level
    warnings.showwarning = shown
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


def full_disk() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), f"/files/{SECRET}")


def full_database() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.execute("PRAGMA max_page_count=1")
        database.execute(f"CREATE TABLE {SECRET.replace(' ', '_')} (x)")


@pytest.mark.parametrize("is_for_people", [False, True])
@pytest.mark.parametrize(("fails", "reason"), [(full_disk, "No space left on device"), (full_database, "SQLITE_FULL")])
def test_what_the_system_says_of_a_failure_is_logged_and_the_name_of_the_file_is_not(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fails: Callable[[], None],
    reason: str,
    is_for_people: bool,
) -> None:
    monkeypatch.setattr(telemetry, "logs_for_people", lambda: is_for_people)
    configure_logging("info")
    try:
        fails()
    except (OSError, sqlite3.Error):
        structlog.get_logger("app.test").exception("broke")
    logged = capsys.readouterr().err
    assert reason in logged
    assert SECRET not in logged


@pytest.mark.filterwarnings("default")
def test_warnings_of_libraries_are_lines_like_all_others(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info")
    warnings.warn(SECRET, UserWarning, stacklevel=1)
    text = capsys.readouterr().err
    assert SECRET not in text
    assert str(Path(__file__).parent) not in text
    line = json.loads(text.splitlines()[-1])
    assert (line["level"], line["event"], line["kind"]) == ("warning", "library_warning", "UserWarning")
    assert re.fullmatch(r"app/test_telemetry\.py:\d+", line["place"])


def test_debug_shows_the_messages(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug")
    try:
        broken()
    except RuntimeError:
        structlog.get_logger("app.test").exception("broke")
    assert SECRET in json.dumps(last_line(capsys))


def test_logs_are_json_unless_somebody_watches(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_logging("info")
    assert not logs_for_people()
    structlog.get_logger("app.test").info("loaded", engine="x")
    assert last_line(capsys)["engine"] == "x"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert logs_for_people()


def test_lines_for_people_have_a_failures_types_and_frames_and_no_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "logs_for_people", lambda: True)
    configure_logging("info")
    try:
        broken()
    except RuntimeError:
        structlog.get_logger("app.test").exception("broke", engine="x")
    first, *lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d \[error\] broke engine=x", first)
    assert [line.strip() for line in lines if not line.startswith("    ")] == [
        "ValueError",
        "which led to:",
        "RuntimeError",
    ]
    assert any("test_telemetry.py" in line and line.endswith("broken") for line in lines)
    assert SECRET not in "".join(lines)


def test_what_a_caller_sends_does_not_steer_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "logs_for_people", lambda: True)
    configure_logging("info")
    structlog.get_logger("app.test").info("request", path="/v1/\x1b[2Jx\r\nü", name="a\x9bb")
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith(r"path=/v1/\x1b[2Jx\r\nü name=a\x9bb")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_line_that_there_is_no_room_for_is_lost_and_fails_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_logging("info")
    log = structlog.get_logger("app.test")
    with io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True) as full, monkeypatch.context() as patched:
        with pytest.raises(OSError, match="No space left"):
            full.write("x")
        patched.setattr(sys, "stderr", full)
        log.info("lost")
    log.info("written")
    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "written"


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
