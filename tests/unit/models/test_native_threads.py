"""Threads of native libraries: which are found, and that they let others go ahead."""

import os
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from models.native_threads import NativeThreads
from models.program_priority import NICENESS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux only")


@pytest.fixture
def start() -> Iterator[Callable[[], int]]:
    """A function that starts a thread and returns its id."""
    ended, threads = threading.Event(), list[threading.Thread]()

    def start() -> int:
        thread = threading.Thread(target=ended.wait)
        threads.append(thread)
        thread.start()
        assert thread.native_id is not None
        return thread.native_id

    yield start
    ended.set()
    for thread in threads:
        thread.join()


def test_the_threads_of_a_block_let_others_go_ahead_and_no_others_do(start: Callable[[], int]) -> None:
    before = start()
    usual = os.getpriority(os.PRIO_PROCESS, before)
    with NativeThreads.started_here() as threads:
        inside = start()
    after = start()
    assert threads.ids == [inside]
    threads.lower_priority(NICENESS)
    threads.lower_priority(NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, inside) > usual
    assert {os.getpriority(os.PRIO_PROCESS, one) for one in (0, before, after)} == {usual}


def test_threads_that_others_start_meanwhile_are_not_found(start: Callable[[], int]) -> None:
    begun, may_start = threading.Event(), threading.Event()
    started: list[int] = []

    def other() -> None:
        begun.set()
        may_start.wait()
        started.append(start())

    starting = threading.Thread(target=other)
    starting.start()
    begun.wait()
    with NativeThreads.started_here() as threads:
        may_start.set()
        starting.join()
    assert started
    assert threads.ids == []


def test_threads_that_have_ended_are_passed_over() -> None:
    with NativeThreads.started_here() as threads:
        threading.Thread(target=int).start()
        lasting = threading.Thread(target=(ended := threading.Event()).wait)
        lasting.start()
    ended.set()
    lasting.join()
    threads.lower_priority(NICENESS)
