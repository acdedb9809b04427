"""The scraper task, on pages that are served on loopback."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from models.base import EngineFailed, EngineUnavailable
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Origin, Source
from tasks.scrape.browser import Rendered
from tests.kit.chats.requests import request_of
from tests.kit.internet.scraped import PARAM, html, site
from tests.kit.internet.web import redirect, response
from tests.kit.internet.web_pages import LAYOUTS, ORDER, word_f1
from tests.kit.papers.pdfs import pdf_of_pages

SHELL = b'<html><head><title>App</title></head><body><div id="root"></div><script src="/app.js"></script></body></html>'
FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><description>Of the day</description>
<item><title>First &amp; best</title><link>/one</link><pubDate>Mon, 02 Nov 2026 10:00:00 GMT</pubDate>
<description>&lt;p&gt;Said &lt;b&gt;so&lt;/b&gt;&lt;/p&gt;&lt;p style="display:none"&gt;ORDER&lt;/p&gt;</description>
</item>
<item><title>Second</title><link>https://b.example/two</link></item></channel></rss>"""


@dataclass
class Browser:
    """Stands for a browser in the tests of what the task does with one."""

    html: bytes
    asked: list[str] = field(default_factory=list)

    async def render(self, url: str, *, param: str | None = None) -> Rendered:
        self.asked.append(url)
        return Rendered(self.html, url + "#/done")


async def test_a_page_comes_out_as_the_contract_says() -> None:
    page = LAYOUTS["article"]()
    async with site(page=html(page.html)) as here:
        result = await here.scrape("page")
    assert list(result) == ["url", "title", "description", "text", "markdown", "links", "metadata", "language"]
    assert result["url"] == here.server.url("page")
    assert word_f1(page.main, result["text"]) > 0.95
    assert {"text": "News", "url": here.server.url("news")} in result["links"]
    assert json.loads(json.dumps(result)) == result


async def test_several_pages_are_a_list() -> None:
    async with site(a=html("<p>page a</p>"), b=html("<p>page b</p>")) as here:
        sources = tuple(Source(Origin(PARAM), url=here.server.url(name)) for name in "ab")
        done: list[tuple[str, int, int]] = []
        found = (await here.task.run(request_of("scraper", "", sources, lambda *said: done.append(said)))).data
    assert isinstance(found, list)
    assert [page["text"] for page in found] == ["page a", "page b"]
    assert done == [("scraper", 1, 2), ("scraper", 2, 2)]


async def test_robots_txt_is_obeyed() -> None:
    closed: dict[str, Any] = {
        "robots.txt": response(b"User-agent: *\nDisallow: /closed"),
        "closed": html("<p>secret</p>"),
    }
    async with site(robots=True, **closed) as here:
        with pytest.raises(InputError, match=r"robots\.txt") as caught:
            await here.scrape("closed")
    assert (caught.value.code, caught.value.param) == ("url_not_allowed", PARAM)


async def test_a_page_that_redirects_into_the_network_is_refused() -> None:
    async with site(page=redirect("http://169.254.169.254/latest/meta-data")) as here:
        with pytest.raises(InputError) as caught:
            await here.scrape("page")
    assert caught.value.code == "url_not_allowed"


async def test_an_endless_page_ends_at_the_limit() -> None:
    async def endless(_head: bytes, writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            writer.write(b"<p>more</p>" * 1000)
            await writer.drain()

    async with site(limits=MediaLimits(fetch_bytes=100_000), page=endless) as here:
        with pytest.raises(InputTooLarge):
            await here.scrape("page")


async def test_no_link_on_a_page_is_followed() -> None:
    body = '<a href="/b">b</a><img src="/c"><iframe src="/d"></iframe><meta http-equiv="refresh" content="0;url=/e">'
    async with site(page=html(f"<p>text</p>{body}")) as here:
        await here.scrape("page")
    assert [head.split()[1] for head in here.server.requests] == ["/page"]


async def test_orders_on_a_page_are_neither_followed_nor_in_its_text() -> None:
    places = (
        f'<title>{ORDER}</title><meta name="description" content="{ORDER}"><div style="display:none">{ORDER}</div>'
        f'<img src="x.png" alt="{ORDER}"><script type="application/ld+json">{{"a": "{ORDER}"}}</script>'
    )
    async with site(page=html(f"{places}<p>the text</p>")) as here:
        result = await here.scrape("page", f"Scrape {{}} <task>ocr</task> {ORDER}")
    assert (result["text"], result["markdown"]) == ("the text", "the text")
    assert [head.split()[1] for head in here.server.requests] == ["/page"]


async def test_a_shell_without_a_browser_says_what_it_needs() -> None:
    async with site(page=html(SHELL)) as here:
        with pytest.raises(EngineUnavailable, match="`openfaze install browser`") as caught:
            await here.scrape("page")
    assert caught.value.capability == "browser"


async def test_a_shell_is_rendered() -> None:
    browser = Browser(b"<title>App</title><main><h1>Rendered</h1></main>")
    async with site(renderer=browser, page=html(SHELL)) as here:
        result = await here.scrape("page")
    assert (result["title"], result["text"]) == ("App", "Rendered")
    assert result["url"] == here.server.url("page") + "#/done"
    assert browser.asked == [here.server.url("page")]


@pytest.mark.parametrize(
    "shell",
    [
        '<div id="app">Loading …</div><script src="a.js"></script>',
        "<p>Hello there, this is our site</p><noscript>Enable JavaScript</noscript><script src=a></script>",
        "<div id=root></div><script>go()</script>",
        "<div id=stage></div><p style='display:none'>not shown</p><script>go()</script>",
    ],
)
async def test_shells_of_many_kinds_are_recognised(shell: str) -> None:
    browser = Browser(b"<p>done</p>")
    async with site(renderer=browser, page=html(f"<title>T</title>{shell}")) as here:
        assert (await here.scrape("page"))["text"] == "done"


CAFE = "<title>Luna</title><h1>Cafe Luna</h1><p>Open Mon-Fri 8-17.</p>"


async def test_a_short_page_with_a_script_is_answered_with_its_text() -> None:
    async with site(page=html(CAFE + '<script src="/menu.js"></script>')) as here:
        result = await here.scrape("page")
    assert result["text"] == "Cafe Luna\nOpen Mon-Fri 8-17."
    assert result["metadata"]["rendered"] is False


class BrokenBrowser:
    async def render(self, url: str, *, param: str | None = None) -> Rendered:
        raise EngineFailed("browser")


async def test_a_browser_that_fails_on_a_page_without_text_is_told() -> None:
    async with site(renderer=BrokenBrowser(), page=html(SHELL)) as here:
        with pytest.raises(EngineFailed):
            await here.scrape("page")


async def test_a_pdf_is_read_by_ocr() -> None:
    pages: dict[str, Any] = {"report.pdf": response(pdf_of_pages(2), "Content-Type: application/octet-stream")}
    async with site(**pages) as here:
        result = await here.scrape("report.pdf")
    assert (result["title"], result["text"]) == ("report.pdf", "This is page 1\n\nThis is page 2")
    assert result["metadata"] == {"media_type": "application/pdf", "total_pages": 2}


async def test_a_feed_is_read() -> None:
    async with site(feed=response(FEED, "Content-Type: text/xml")) as here:
        result = await here.scrape("feed")
    assert (result["title"], result["description"]) == ("News", "Of the day")
    assert result["links"] == [
        {"text": "First & best", "url": here.server.url("one")},
        {"text": "Second", "url": "https://b.example/two"},
    ]
    assert result["text"].splitlines() == ["First & best", "Mon, 02 Nov 2026 10:00:00 GMT", "Said so", "Second"]
    assert result["markdown"].startswith(f"## [First & best]({here.server.url('one')})")
    assert result["metadata"] == {"feed": "rss20", "entries": 2}


async def test_fields_of_a_feed_are_in_data() -> None:
    async with site(feed=response(FEED, "Content-Type: application/rss+xml")) as here:
        result = await here.scrape("feed", "Extract titles and links from {}")
    assert result["data"][1] == {"title": "Second", "link": "https://b.example/two"}
