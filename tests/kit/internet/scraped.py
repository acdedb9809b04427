"""Scraper task that reads pages on loopback."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from models.base import EngineUnavailable
from models.language.llm import Llm
from models.language.openai_http import ServerPatience
from models.language.openai_server import OpenAiServer
from tasks.base import Task
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.fetch.politeness import Politeness, ScrapePolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.ocr import OcrTask
from tasks.scrape.browser import Renderer
from tasks.scraper import ScraperParts, ScraperTask
from tests.kit.chats.requests import request_of
from tests.kit.internet.web import TLS, Names, Server, response, serving
from tests.kit.internet.web_pages import document
from tests.kit.processes.shared_workers import shared_workers
from tests.kit.servers.llm_server import LlmServer, Reply, serving_llm

PARAM = "messages[0].content"
PATIENT = FetchPolicy(allow=("127.0.0.1/32",), connect_timeout=60, read_timeout=60, total_timeout=60)
"""Fetch policy that waits long enough however busy the machine is."""


@dataclass
class Site:
    task: ScraperTask
    server: Server

    async def scrape(self, path: str = "", text: str = "Scrape {}", **source: Any) -> Any:
        url = self.server.url(path)
        request = request_of("scraper", text.format(url), (Source(Origin(PARAM), url=url, **source),))
        return (await self.task.run(request)).data


def html(body: bytes | str, *headers: str) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    return response(data, *(headers or ("Content-Type: text/html; charset=utf-8",)))


@asynccontextmanager
async def site(
    llm: Callable[[], Llm] | None = None,
    renderer: Renderer | None = None,
    limits: MediaLimits | None = None,
    robots: bool = False,
    **pages: Any,
) -> AsyncIterator[Site]:
    limits = limits or MediaLimits()
    policy = ScrapePolicy(robots=robots, host_rps=1000, host_concurrent=16)
    async with serving(**pages) as server:
        fetcher = Fetcher(PATIENT, resolver=Names(), tls=TLS)
        loader = MediaLoader(fetcher, limits, shared_workers())

        def find_task(name: str) -> Task:
            if name == "ocr":
                return OcrTask(no_reader, loader)
            raise EngineUnavailable(name, "None here.")

        async def browser() -> Renderer | None:
            return renderer

        parts = ScraperParts(Politeness(fetcher, policy), loader.workers, find_task, llm, browser, limits)
        try:
            yield Site(ScraperTask(parts), server)
        finally:
            await loader.close()


def no_reader() -> Any:
    raise EngineUnavailable("ocr", "None here.")


@asynccontextmanager
async def answering(*replies: Reply) -> AsyncIterator[tuple[Callable[[], Llm], LlmServer]]:
    with serving_llm(list(replies)) as upstream:
        llm = OpenAiServer(upstream.base_url, model="scripted", patience=ServerPatience(backoff_s=0.0))
        try:
            yield lambda: llm, upstream
        finally:
            await llm.close()


INVOICE = document("Invoice", "<main><h1>Invoice 17</h1><p>Due on 3 May 2026, the sum is 512.40 euros.</p></main>")
