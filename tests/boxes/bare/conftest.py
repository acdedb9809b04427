"""Machines that these tests share: a container and an environment take longer than most tests."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from _pytest.mark import ParameterSet

from tests.boxes.bare.machines import PACKAGES, Answer, Machine, Server, machine
from tests.boxes.containers import RELEASES, reason_to_skip

BESIDE = 8001
"""The port of servers that run beside the first, one after another."""


@dataclass(frozen=True)
class Newcomer:
    """Somebody who has just followed the README's first steps on a bare machine, and whose server runs."""

    machine: Machine
    checkout: str
    server: Server
    first_answer: Answer
    """The playground's receipt, read."""
    seconds: float
    """From the beginning of the clone to that answer."""


@pytest.fixture(scope="session", autouse=True)
def _containers() -> None:
    if reason := reason_to_skip(13, *PACKAGES):
        pytest.skip(reason)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests recorded as `shown`: they may run in processes of their own, which print nothing."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "shown":
                terminalreporter.write_line(text)


def _newcomers() -> Iterator[ParameterSet]:
    for debian in RELEASES:
        for user in ("root", "somebody"):
            name = f"debian{debian}-{user}"
            # Tests of one machine stay in one process.
            yield pytest.param((debian, user), id=name, marks=pytest.mark.xdist_group(name))


@pytest.fixture(scope="session", params=_newcomers())
def newcomer(request: pytest.FixtureRequest) -> Iterator[Newcomer]:
    debian, user = request.param
    with machine(debian, user) as bare:
        began = time.perf_counter()
        checkout = bare.clone("openfaze")
        with bare.serving(checkout, 8000) as server:
            answer = server.task("ocr", "Read it.", "receipt.png")
            yield Newcomer(bare, checkout, server, answer, time.perf_counter() - began)


@pytest.fixture(scope="session")
def server(newcomer: Newcomer) -> Server:
    return newcomer.server
