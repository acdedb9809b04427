"""Planned tasks side by side: what waits for what, and what a failure means."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from app.chat.plan import Plan
from app.chat.run_plan import (
    answer_from_results,
    as_entry,
    execute_plan,
    without_empty_readings,
    without_unread_links,
)
from models.base import EngineFailed, EngineUnavailable
from tasks.base import Task, TaskRequest, unreported
from tasks.catalog import PRECONTEXT_NAMES
from tasks.errors import InputError
from tasks.inputs.source import Origin, Source
from tasks.precontext import Entry
from tasks.result import Result
from tasks.wording.translation import TranslateOptions
from tests.kit.chats.entries import entry_of, failure_of, result_of
from tests.kit.chats.plans import step_of
from tests.unit.app.chat.test_inputs import PIXEL

PICTURE = Source.from_reference(PIXEL, origin=Origin("image_url", "url", 0, 0))
Work = Callable[[TaskRequest[Any]], Awaitable[object]]


class Scripted:
    """A task that does what the test says."""

    def __init__(self, name: str, work: Work) -> None:
        self.name = name
        self._work = work

    async def run(self, request: TaskRequest[Any]) -> Result:
        return result_of(PRECONTEXT_NAMES.get(self.name, self.name), await self._work(request))


def finder(**works: Work) -> Callable[[str], Task]:
    def find(name: str) -> Task:
        if name not in works:
            raise EngineUnavailable(name, "There is none.")
        return Scripted(name, works[name])

    return find


def giving(result: object) -> Work:
    async def work(_: TaskRequest[Any]) -> object:
        return result

    return work


def failing(error: Exception) -> Work:
    async def work(_: TaskRequest[Any]) -> object:
        raise error

    return work


def plan_of(*tasks: str, last_result_only: bool = False) -> Plan:
    return Plan(tuple(step_of(task, PICTURE) for task in tasks), last_result_only)


async def gathered(plan: Plan, **works: Work) -> tuple[Entry, ...]:
    return await execute_plan(plan, finder(**works), unreported)


UNREADABLE = InputError("'a.png' is empty (0 bytes).")
BLANK: dict[str, object] = {"extracted_text": "", "sections": [], "width": 9, "height": 9}


async def test_steps_run_side_by_side_and_their_entries_are_in_the_plans_order() -> None:
    meeting = asyncio.Barrier(2)

    async def meet(request: TaskRequest[Any]) -> object:
        await meeting.wait()
        return request.options.pages

    plan = Plan((step_of("gui_detection", PICTURE, pages="3"), step_of("ocr", PICTURE, pages="2")))
    entries = await gathered(plan, ocr=meet, gui_detection=meet)
    assert [(entry.name, entry.result.data) for entry in entries] == [("gui_detection", "3"), ("ocr", "2")]


async def test_a_step_works_on_the_texts_of_those_before_it() -> None:
    plan = Plan(
        (
            step_of("ocr", PICTURE),
            step_of("speech_to_text", PICTURE),
            step_of("translate", after=(0, 1), target_language="fr"),
        )
    )
    asked: list[TranslateOptions] = []

    async def translate(request: TaskRequest[Any]) -> object:
        asked.append(request.options)
        return {"translated_text": "…"}

    entries = await gathered(
        plan, ocr=giving({"extracted_text": "nine"}), speech_to_text=giving({"text": "ten"}), translate=translate
    )
    assert asked == [TranslateOptions(text="nine\n\nten", target_language="fr")]
    assert [entry.name for entry in entries] == ["ocr", "stt", "translate"]


async def test_a_step_fails_with_the_one_that_it_waits_for_and_never_runs() -> None:
    plan = Plan(
        (
            step_of("ocr", PICTURE),
            step_of("ocr"),
            step_of("translate", after=(0,), target_language="fr"),
        )
    )

    async def read(request: TaskRequest[Any]) -> object:
        if request.sources:
            raise UNREADABLE
        return {"extracted_text": "nine"}

    entries = await gathered(plan, ocr=read, translate=failing(AssertionError("it ran")))
    assert [entry.error for entry in entries] == [UNREADABLE.message, None, UNREADABLE.message]


LINK = Source.from_reference("https://example.com/a.pdf", origin=Origin(message=0))


@pytest.mark.parametrize("is_all", [False, True])
@pytest.mark.parametrize("last_result_only", [False, True])
async def test_a_link_that_cannot_be_read_is_an_entry_with_its_url(is_all: bool, last_result_only: bool) -> None:
    translated = step_of("translate", after=(0,), target_language="fr")
    plan = Plan((step_of("ocr", LINK), translated), last_result_only)
    find = finder(ocr=failing(UNREADABLE), translate=failing(AssertionError("it ran")))
    entries = await execute_plan(plan, find, unreported, is_all=is_all)
    assert [entry.error for entry in entries] == [UNREADABLE.message] * 2
    assert all("https://example.com/a.pdf" in one for entry in entries for one in entry.result.warnings())
    assert without_unread_links(plan, entries) == (Plan((), last_result_only), (), entries)


async def test_a_translation_goes_without_a_link_that_cannot_be_read() -> None:
    steps = (
        step_of("ocr", LINK),
        step_of("ocr", PICTURE),
        step_of("translate", after=(0, 1), target_language="fr"),
    )

    async def read(request: TaskRequest[Any]) -> object:
        if request.sources == (LINK,):
            raise UNREADABLE
        return {"extracted_text": "nine"}

    async def translate(request: TaskRequest[Any]) -> object:
        return {"translated_text": request.options.text}

    entries = await execute_plan(Plan(steps), finder(ocr=read, translate=translate), unreported, is_all=True)
    plan, read_entries, unread = without_unread_links(Plan(steps), entries)
    assert [entry.result.text() for entry in read_entries] == ["nine", "nine"]
    assert (plan.steps, unread) == ((steps[1], replace(steps[2], after=(0,))), entries[:1])


def only_results(plan: Plan, **works: Work) -> Awaitable[tuple[Entry, ...]]:
    """Gathered for an LLM that can do nothing by itself."""
    return execute_plan(plan, finder(**works), unreported, is_all=True)


async def test_without_a_capable_llm_what_was_asked_for_and_failed_is_raised() -> None:
    with pytest.raises(EngineUnavailable, match="object_detection"):
        await only_results(plan_of("ocr", "object_detection"), ocr=giving(BLANK))
    with pytest.raises(EngineFailed):
        await only_results(plan_of("ocr", "forecast"), ocr=giving(BLANK), forecast=failing(EngineFailed("x")))
    with pytest.raises(EngineUnavailable):
        await only_results(plan_of("ocr", last_result_only=True))


async def test_what_others_of_its_kind_can_do_without_it_is_not_raised() -> None:
    answers = iter([UNREADABLE, None])

    async def read(_: TaskRequest[Any]) -> object:
        if (failure := next(answers)) is not None:
            raise failure
        return {}

    broken, found = await only_results(plan_of("ocr", "ocr"), ocr=read)
    assert (broken.error, found.error) == (UNREADABLE.message, None)


async def test_a_failure_does_not_end_a_request_that_another_step_may_answer() -> None:
    page: dict[str, object] = {**BLANK, "extracted_text": "Platform nine"}
    read, lost = await only_results(plan_of("ocr", "forecast"), ocr=giving(page), forecast=failing(EngineFailed("x")))
    assert (read.error, lost.result.data) == (None, None)
    assert lost.error is not None
    assert list(lost.result.warnings()) == [lost.error]


async def test_things_that_no_detector_knows_are_an_error_only_where_nothing_is_written() -> None:
    plan = Plan((step_of("ocr", PICTURE),), unfindable=EngineUnavailable("object_detection", "None."))
    assert len(await only_results(plan, ocr=giving({**BLANK, "extracted_text": "Platform nine"}))) == 1
    with pytest.raises(EngineUnavailable, match="object_detection"):
        await only_results(plan, ocr=giving(BLANK))
    assert len(await gathered(plan, ocr=giving(BLANK))) == 1


async def test_cancelling_cancels_every_step() -> None:
    begun = asyncio.Barrier(3)
    cancelled: list[str] = []

    async def work(request: TaskRequest[Any]) -> object:
        try:
            await begun.wait()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append("one")
            raise
        return None

    gathering = asyncio.create_task(gathered(plan_of("ocr", "gui_detection"), ocr=work, gui_detection=work))
    await begun.wait()
    gathering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gathering
    assert len(cancelled) == 2


def test_an_empty_reading_is_told_unless_it_is_secondary() -> None:
    asked = step_of("ocr", PICTURE)
    secondary = replace(asked, is_secondary=True)
    found, empty = entry_of("ocr", {"extracted_text": "nine"}), entry_of("ocr", {"extracted_text": "\n"})
    broken, seen = as_entry("ocr", UNREADABLE), entry_of("object_detection", {"detected_objects": []})
    plan = Plan((secondary, secondary, secondary, asked, step_of("object_detection", PICTURE)))
    assert without_empty_readings(plan, [found, empty, broken, empty, seen]) == (found, broken, empty, seen)


def test_results_that_are_all_that_is_asked_for_are_the_answer() -> None:
    steps = (step_of("speech_to_text"), step_of("translate", after=(0,), target_language="es"))
    entries = [
        entry_of("stt", {"text": "Good day."}),
        entry_of("translate", {"translated_text": "Buenos días."}),
    ]
    both = Plan(steps, reads_out=True, results_only=True)
    heard = entry_of("stt", {"text": "Hi.", "chunks": [{"timestamp": (0.5, 2.0), "text": "Hi.", "speaker": "A"}]})
    timed = Plan(steps[:1], reads_out=True, results_only=True, shows_times=True)
    assert answer_from_results(timed, [heard]) == "[0.5–2.0] A: Hi."
    assert answer_from_results(both, entries) == "Good day.\n\nBuenos días."
    assert answer_from_results(Plan(steps, results_only=True), entries) == "Buenos días."
    assert answer_from_results(Plan(steps, reads_out=True), entries) is None
    assert answer_from_results(both, [failure_of("stt", "There is none."), entries[1]]) is None
    assert answer_from_results(Plan(steps[:1], results_only=True), [entry_of("stt", {"text": " "})]) is None
