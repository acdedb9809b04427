"""Where personal data is looked for in what tasks read: by keys in turn, in no thread of everyone's."""

import threading
from functools import partial
from pathlib import Path

import pytest

from app.chat.guard.redaction import Redaction
from app.chat.plan import Plan, Step
from app.chat.plan_executor import execute_plan
from models.fair_executor import FairExecutor, Slices
from models.safety.personal_data import PersonalDataSpan
from models.translation.capability import remedy_into
from tasks import redaction
from tasks.base import TaskRequest, unreported
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.translate import TranslateTask
from tests.llm_server import Reply
from tests.scraped import INVOICE, PARAM, answering, html, site
from tests.unit.app.chat.test_plan_executor import PICTURE, finder, giving
from tests.unit.tasks.test_translate import Tagging

HERE = "guarded"


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of those in which texts were searched."""
    searched: list[str] = []
    search = redaction.find_in_slices

    def noted(text: str, before: str = "") -> Slices[list[PersonalDataSpan]]:
        searched.append(threading.current_thread().name)
        return search(text, before)

    monkeypatch.setattr(redaction, "find_in_slices", noted)
    return searched


async def test_what_a_step_has_from_another(threads: list[str]) -> None:
    asked: list[str] = []

    async def translate(request: TaskRequest) -> object:
        asked.append(request.text)
        return {"translated_text": "…"}

    plan = Plan((Step("ocr", (PICTURE,), ""), Step("translate", (), "Into French:", after=(0,))))
    found = giving({"extracted_text": "Write to ann@example.org"})
    hide = Redaction(FairExecutor(HERE)).of_text
    await execute_plan(plan, finder(ocr=found, translate=translate), unreported, hide)
    assert asked == ["Into French:\n\nWrite to [EMAIL]"]
    assert threads == [HERE]


async def test_what_is_translated(threads: list[str]) -> None:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    remedy = partial(remedy_into, weights_dir=Path("nowhere"))
    task = TranslateTask(lambda: [Tagging("a", "en-fr")], loader, remedy=remedy)
    asked = "Translate from English into French: The big house belongs to ann@example.org today."
    result = (await task.run(TaskRequest(asked, redact=Redaction(FairExecutor(HERE)).of_text))).data
    assert "[EMAIL]" in result["translated_text"]
    assert set(threads) == {HERE}
    await loader.close()


async def test_what_of_a_page_an_llm_finds_fields_in(threads: list[str]) -> None:
    page = INVOICE.replace("</p>", " Write to ann@example.org.</p>", 1)
    async with answering(Reply('{"items": []}')) as (llm, upstream), site(llm, page=html(page)) as here:
        source = Source(Origin(PARAM), url=here.server.url("page"))
        asked = f"Extract the amount and the due date from {source.url}"
        await here.task.run(TaskRequest(asked, (source,), redact=Redaction(FairExecutor(HERE)).of_text))
    assert "[EMAIL]" in str(upstream.requests[0].body)
    assert threads == [HERE, HERE]
