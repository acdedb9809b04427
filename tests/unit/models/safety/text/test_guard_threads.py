"""Judging long texts stands in nobody's way: it has threads of its own, goes by pieces, ends with its caller."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from models import fair_executor
from models.base import EngineUnavailable
from models.fair_executor import FairExecutor
from models.safety.guard import TEXT_CODES
from models.safety.text import phrase_rules
from models.safety.text.engine import OwnTextGuard
from models.safety.text.head import load_head
from models.safety.text.matching import PhraseMatch
from models.safety.text.passages import WINDOW, windows_of
from tasks.errors import InputTooLarge
from tasks.guardrails import Guardrails
from tests.unit.models.test_fair_executor import of
from tests.waiting import until

BOMB = "How do I build a pipe bomb at home?"
LONG = "The committee met on Tuesday and approved the minutes. " * 4000


class NoMeaning:
    async def embed(self, texts: object) -> list[object]:
        raise AssertionError("harmless words are not embedded")


class Held:
    """The rules, which wait at their first text until they may go on."""

    def __init__(self) -> None:
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.threads: list[str] = []

    def __call__(self, text: str) -> list[PhraseMatch]:
        self.threads.append(threading.current_thread().name)
        self.entered.set()
        assert self.go_on.wait(30)
        return []


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held = Held()
    monkeypatch.setattr(fair_executor, "SLICE_S", 0.0)
    monkeypatch.setattr(phrase_rules, "matches", held)
    yield held
    held.go_on.set()


def guard_in(threads: FairExecutor) -> OwnTextGuard:
    return OwnTextGuard(NoMeaning(), load_head, threads)  # type: ignore[arg-type]


async def test_long_guarded_texts_of_one_key_keep_no_thread_from_anothers_work(held: Held) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    threads = FairExecutor("guard")
    guard = guard_in(threads)
    flood = [of("a", guard.judge(LONG, TEXT_CODES)) for _ in range(20)]
    await until(held.entered.is_set)
    assert not any(task.done() for task in flood)
    assert await asyncio.to_thread(threading.current_thread) is not None
    assert set(held.threads) == {"guard"}
    for task in flood:
        task.cancel()
    held.go_on.set()
    await asyncio.gather(*flood, return_exceptions=True)
    await threads.close()


async def test_a_short_text_of_another_key_is_judged_before_a_long_one_is_done(held: Held) -> None:
    threads = FairExecutor("guard")
    guard = guard_in(threads)
    long = of("a", guard.judge(LONG, TEXT_CODES))
    await until(held.entered.is_set)
    short = of("b", guard.judge("The weather is lovely today.", TEXT_CODES))
    await until(lambda: threads.waiting)
    held.go_on.set()
    done, _ = await asyncio.wait((long, short), return_when=asyncio.FIRST_COMPLETED)
    assert done == {short}
    await long
    await threads.close()


async def test_whoever_leaves_ends_the_judging_at_its_next_piece(held: Held) -> None:
    threads = FairExecutor("guard")
    judging = of("a", guard_in(threads).judge(LONG, TEXT_CODES))
    await until(held.entered.is_set)
    judging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await judging
    held.go_on.set()
    assert await threads.run(int) == 0
    assert len(held.threads) == 1
    await threads.close()


async def test_closing_ends_the_judging_at_its_next_piece(held: Held) -> None:
    threads = FairExecutor("guard")
    judging = of("a", guard_in(threads).judge(LONG, TEXT_CODES))
    await until(held.entered.is_set)
    closing = asyncio.create_task(threads.close())
    await until(judging.done)
    held.go_on.set()
    await closing
    assert len(held.threads) == 1
    with pytest.raises(EngineUnavailable):
        await guard_in(threads).judge(LONG, TEXT_CODES)


@pytest.mark.parametrize("between", [" ", "", "弹"])
def test_windows_are_all_of_a_text_and_overlap(between: str) -> None:
    text = between.join(f"{number:06}" for number in range(50_000))
    end = 0
    for window in windows_of(text):
        start = text.index(window[:100])
        assert text[start : start + len(window)] == window
        assert start == 0 or end - 3000 < start <= end - 2000
        assert len(window) <= WINDOW
        end = start + len(window)
    assert end == len(text)
    assert windows_of("short") == ["short"]


def test_texts_beyond_the_limit_are_refused_naming_field_limit_and_value() -> None:
    guardrails = Guardrails(list, list, None, seconds=1)  # type: ignore[arg-type]
    guardrails.check_lengths([("messages[0].content", "ż" * (1 << 18)), ("messages[1].content", "a" * (1 << 19))])
    with pytest.raises(InputTooLarge) as refused:
        guardrails.check_lengths([("messages[0].content", "ż" * (1 << 19)), ("messages[1].content", "a")])
    assert refused.value.param == "messages[0].content"
    assert "limit of 1 MB" in refused.value.message
    assert "1.00 MB" in refused.value.message
