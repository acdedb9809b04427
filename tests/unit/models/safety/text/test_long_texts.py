"""Long texts are judged in workers, window by window."""

import pytest

from models.safety.guard import TEXT_CODES
from models.safety.text import engine
from models.safety.text.engine import WINDOW, OwnTextGuard, windows_of
from models.safety.text.head import load_head
from tasks.errors import InputTooLarge
from tasks.guardrails import Guardrails
from tests.kit.processes.shared_workers import shared_workers

LONG = "The committee met on Tuesday and approved the minutes. " * 4000


class NoMeaning:
    async def embed(self, texts: object) -> list[object]:
        raise AssertionError("harmless words are not embedded")


async def test_a_long_text_is_read_in_a_worker_and_a_short_one_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = OwnTextGuard(NoMeaning(), load_head, shared_workers())  # type: ignore[arg-type]
    judgement = await guard.judge(LONG, TEXT_CODES)
    assert max(judgement.scores.values()) < 0.5
    read = []
    monkeypatch.setattr(engine, "folded", lambda text: read.append(text) or text.encode())
    await guard.judge(LONG, TEXT_CODES)
    assert read == []
    await guard.judge("The weather is lovely today.", TEXT_CODES)
    assert read


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
    assert "1.00 MB" in refused.value.message
