"""What tasks give to models is redacted."""

from functools import partial
from pathlib import Path

from app.chat.plan import Plan
from app.chat.redaction import Redaction
from app.chat.run_plan import execute_plan
from models.translation.capability import remedy_into
from models.workers.pool import Workers
from tasks.base import TaskRequest, unreported
from tasks.catalog import SPECIALISTS
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.translate import TranslateTask
from tasks.wording.translation import TranslateOptions
from tests.kit.chats.plans import step_of
from tests.kit.internet.scraped import INVOICE, PARAM, answering, html, site
from tests.kit.servers.llm_server import Reply
from tests.unit.app.chat.test_run_plan import PICTURE, finder, giving
from tests.unit.tasks.test_translate import Tagging


async def test_what_a_step_has_from_another() -> None:
    asked: list[object] = []

    async def translate(request: TaskRequest[TranslateOptions]) -> object:
        asked.append(request.options.text)
        return {"translated_text": "…"}

    plan = Plan((step_of("ocr", PICTURE), step_of("translate", after=(0,), target_language="fr")))
    found = giving({"extracted_text": "Write to ann@example.org"})
    hide = Redaction(Workers()).of_text
    await execute_plan(plan, finder(ocr=found, translate=translate), unreported, hide)
    assert asked == ["Write to [EMAIL]"]


async def test_what_is_translated() -> None:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    remedy = partial(remedy_into, weights_dir=Path("nowhere"))
    task = TranslateTask(lambda: [Tagging("a", "en-fr")], loader, remedy=remedy)
    asked = TranslateOptions(
        text="The big house belongs to ann@example.org today.", target_language="fr", source_language="en"
    )
    result = (await task.run(TaskRequest(asked, redact=Redaction(Workers()).of_text))).data
    assert "[EMAIL]" in result["translated_text"]
    await loader.close()


async def test_what_of_a_page_an_llm_finds_fields_in() -> None:
    page = INVOICE.replace("</p>", " Write to ann@example.org.</p>", 1)
    async with answering(Reply('{"items": []}')) as (llm, upstream), site(llm, page=html(page)) as here:
        source = Source(Origin(PARAM), url=here.server.url("page"))
        options = SPECIALISTS["scraper"].parse(f"Extract the amount and the due date from {source.url}", True)
        await here.task.run(TaskRequest(options, (source,), redact=Redaction(Workers()).of_text))
    assert "[EMAIL]" in str(upstream.requests[0].body)
