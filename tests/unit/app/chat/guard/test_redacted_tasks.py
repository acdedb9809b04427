"""What tasks give to models is redacted."""

from functools import partial
from pathlib import Path

import pytest

from app.chat.guard.redaction import Redaction
from app.chat.inputs import latest_turn
from app.chat.plan import Plan, Step
from app.chat.plan_executor import execute_plan
from models.translation.capability import remedy_into
from models.workers.pool import SMALL, Workers
from tasks import redaction
from tasks.base import TaskRequest, unreported
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.ocr_result import document_result
from tasks.precontext import Entry
from tasks.result import JsonResult
from tasks.translate import TranslateTask
from tests.llm_server import Reply
from tests.scraped import INVOICE, PARAM, answering, html, site
from tests.shared_workers import shared_workers
from tests.unit.app.chat.guard.test_redaction import request_of
from tests.unit.app.chat.test_plan_executor import PICTURE, finder, giving
from tests.unit.tasks.test_translate import Tagging


async def test_what_a_step_has_from_another() -> None:
    asked: list[str] = []

    async def translate(request: TaskRequest) -> object:
        asked.append(request.text)
        return {"translated_text": "…"}

    plan = Plan((Step("ocr", (PICTURE,), ""), Step("translate", (), "Into French:", after=(0,))))
    found = giving({"extracted_text": "Write to ann@example.org"})
    hide = Redaction(Workers()).of_text
    await execute_plan(plan, finder(ocr=found, translate=translate), unreported, hide)
    assert asked == ["Into French:\n\nWrite to [EMAIL]"]


async def test_what_is_translated() -> None:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    remedy = partial(remedy_into, weights_dir=Path("nowhere"))
    task = TranslateTask(lambda: [Tagging("a", "en-fr")], loader, remedy=remedy)
    asked = "Translate from English into French: The big house belongs to ann@example.org today."
    result = (await task.run(TaskRequest(asked, redact=Redaction(Workers()).of_text))).data
    assert "[EMAIL]" in result["translated_text"]
    await loader.close()


async def test_what_of_a_page_an_llm_finds_fields_in() -> None:
    page = INVOICE.replace("</p>", " Write to ann@example.org.</p>", 1)
    async with answering(Reply('{"items": []}')) as (llm, upstream), site(llm, page=html(page)) as here:
        source = Source(Origin(PARAM), url=here.server.url("page"))
        asked = f"Extract the amount and the due date from {source.url}"
        await here.task.run(TaskRequest(asked, (source,), redact=Redaction(Workers()).of_text))
    assert "[EMAIL]" in str(upstream.requests[0].body)


async def test_a_long_text_is_redacted_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "find", None)
    redact = Redaction(shared_workers()).of_text
    text = "The committee met on Tuesday. " * SMALL
    assert await redact(f"{text}Write to ann@example.org") == f"{text}Write to [EMAIL]"


async def test_long_messages_and_results_are_redacted_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "find", None)
    redacted = Redaction(shared_workers())
    text = "The committee met on Tuesday. " * SMALL
    parts = [{"type": "text", "text": "Phone:"}, {"type": "text", "text": f"2127365000. {text}"}]
    request = request_of(f"{text}Write to ann@example.org", {"role": "user", "content": parts}, user="ann@example.org")
    redone, _ = await redacted.of_request(request, latest_turn(request, 16))
    assert redone.messages[0].content == f"{text}Write to [EMAIL]"
    assert redone.messages[1].model_dump()["content"][1]["text"] == f"[PHONE]. {text}"
    assert redone.user == "[EMAIL]"
    entries = [
        Entry("ocr", document_result([f"{text}Write to ann@example.org"], [], 0)),
        Entry("x", JsonResult({"a": 1})),
    ]
    results = await redacted.of_results(entries)
    assert [one.result.text() for one in results] == [f"{text}Write to [EMAIL]", ""]
    counted = {check["source"]: check["redacted"] for check in redacted.checks}
    one = {"EMAIL": 1}
    assert counted == {"messages[0].content": one, "messages[1].content": {"PHONE": 1}, "user": one, "ocr": one}
