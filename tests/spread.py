"""Plugin of pytest that spreads tests over processes: `pytest -p tests.spread --processes 3`.

The processes are forked after the collection, so that modules are imported, and tests collected, only once. Tests of a
file share servers, so they stay in one process, which fetches one file after another, in their order. Where tests
are marked `together("a machine")`, the name counts instead of the file.
"""

import atexit
import itertools
import os
import signal
import sys
import warnings
from collections import deque
from collections.abc import Iterator
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any, Literal

import pytest

Part = deque[pytest.Item]
"""Tests that one process has to run, in this order."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--processes", type=int, default=1, help="number of processes that share the tests")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the tests in processes, or leave a single process to pytest."""
    options = session.config.option
    if options.processes < 2 or options.collectonly or options.usepdb or session.testsfailed:
        return None
    spread = _Spread(session)
    try:
        is_child = spread.run(options.processes)
    except BaseException:
        spread.interrupt()
        raise
    if not is_child and session.shouldfail:
        raise session.Failed(session.shouldfail)
    return True


class _Spread:
    """The processes of a run, and what they have not been given yet."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._hook = session.config.hook
        self._numbers = {item: number for number, item in enumerate(session.items)}
        parts: dict[object, Part] = {}
        for item in session.items:
            mark = item.get_closest_marker("together")
            parts.setdefault(mark.args if mark else item.path, deque()).append(item)
        self._parts = deque(parts.values())
        # Processes have folders of their own in it.
        self._folder: Path = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        self._forked = itertools.count()
        self._running: dict[Connection, tuple[int, Part]] = {}
        """Process id of each process, and which of its tests have not ended."""

    def run(self, processes: int) -> bool:
        """Return when all tests have ended: True in the processes, False in this one."""
        for _ in range(min(processes, len(self._parts))):
            if self._fork():
                return True
        while self._running:
            for connection in wait(list(self._running)):
                assert isinstance(connection, Connection)
                try:
                    self._heed(connection)
                except (EOFError, ConnectionResetError):
                    self._take_back(connection)
                    if self._parts and not self._session.shouldfail and self._fork():
                        return True
        return False

    def interrupt(self) -> None:
        for pid, _ in self._running.values():
            os.kill(pid, signal.SIGINT)
        for pid, _ in self._running.values():
            os.waitpid(pid, 0)

    def _fork(self) -> bool:
        """Return True in the process that has been forked, at the end of its tests."""
        ours, theirs = Pipe()
        number = next(self._forked)
        self._session.config.get_terminal_writer().flush()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            # Python 3.12 and later warn of threads. There are only those of OpenBLAS, which knows of forks.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid:
            theirs.close()
            self._running[ours] = pid, deque()
            return False
        for connection in (ours, *self._running):
            connection.close()
        self._running.clear()
        _run_as_told(self._session, theirs, self._folder / str(number))
        return True

    def _heed(self, connection: Connection) -> None:
        _, part = self._running[connection]
        kind, value = connection.recv()
        if kind == "next":
            further = self._parts.popleft() if self._parts and not self._session.shouldfail else ()
            part.extend(further)
            connection.send([self._numbers[item] for item in further])
        elif kind == "stopped":
            part.clear()
        elif kind == "warning":
            self._hook.pytest_warning_recorded.call_historic(kwargs=value)
        else:
            item = part.popleft()
            read = self._hook.pytest_report_from_serializable
            self._report(item, [read(config=self._session.config, data=data) for data in value])

    def _take_back(self, connection: Connection) -> None:
        """Report the test in which a process has ended, and give its further tests to others."""
        pid, part = self._running.pop(connection)
        connection.close()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if part:
            lost = part.popleft()
            told = f"the process that ran this test has ended with status {status}"
            keywords: dict[str, Literal[1]] = dict.fromkeys(lost.keywords, 1)
            self._report(lost, [pytest.TestReport(lost.nodeid, lost.location, keywords, "failed", told, "call")])
        if part:
            self._parts.appendleft(part)

    def _report(self, item: pytest.Item, reports: list[pytest.TestReport]) -> None:
        self._hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in reports:
            self._hook.pytest_runtest_logreport(report=report)
        self._hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


class _Teller:
    """Plugin that tells the first process what it would otherwise show itself."""

    def __init__(self, config: pytest.Config, connection: Connection) -> None:
        self._config = config
        self._connection = connection
        self._reports: list[Any] = []

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._reports.append(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))

    @pytest.hookimpl
    def pytest_runtest_logfinish(self) -> None:
        self._connection.send(("ended", self._reports))
        self._reports = []

    @pytest.hookimpl
    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, when: str, nodeid: str, location: tuple[str, int, str] | None
    ) -> None:
        if when != "runtest":
            return  # it comes again, as the first process has recorded it before
        # A warning may hold anything, and its source cannot leave the process.
        shown = warnings.WarningMessage(
            str(warning_message.message), UserWarning, warning_message.filename, warning_message.lineno
        )
        told = {"warning_message": shown, "when": when, "nodeid": nodeid, "location": location}
        self._connection.send(("warning", told))


def _run_as_told(session: pytest.Session, connection: Connection, folder: Path) -> None:
    # What is registered later runs before it. Libraries that have started threads on import would wait for them at the
    # end, and there are none in this process.
    atexit.register(os._exit, 0)
    config = session.config
    folder.mkdir()
    config._tmp_path_factory._basetemp = folder  # type: ignore[attr-defined]
    # The file into which the first process captures output is the same in all that are forked.
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()
    capture.start_global_capturing()
    capture.suspend_global_capture()
    config.pluginmanager.unregister(name="terminalreporter")
    config.pluginmanager.register(_Teller(config, connection))
    for item, following in _followed(session, connection):
        config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    connection.send(("stopped", None))


def _followed(session: pytest.Session, connection: Connection) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Yield each test with the one after it, for which its fixtures are kept."""
    part: Part = deque()
    while not (session.shouldfail or session.shouldstop):
        if len(part) < 2:
            connection.send(("next", None))
            part.extend(session.items[number] for number in connection.recv())
        if not part:
            break
        yield part.popleft(), part[0] if part else None
