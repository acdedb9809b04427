"""Each task on the playground from what goes in to what is drawn, with the engines themselves behind it; and what
several of them share: evidence in texts, files that are pasted and dropped, guard codes, failures."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from models.sandbox.bubblewrap import missing
from tests.e2e.conftest import needs_browser
from tests.e2e.full_model import FullModel, serving_full_model
from tests.kit.clients.playground import WAIT_MS, Playground, watched
from tests.kit.internet.origin import Origin, serving_origin
from tests.kit.servers.llm_server import Reply

pytestmark = [pytest.mark.browser, needs_browser]
EVIL = "<img src=x onerror='window.ran=1'><b>bold</b>"
HOSTILE = f"""<html><head><title>Trains {EVIL.replace("<", "&lt;")}</title></head><body><h1>Night trains</h1>
<p>The carriages have beds, and whoever wrote &lt;script&gt;window.ran=1&lt;/script&gt; here meant no good by it.</p>
<p>Tickets are sold <a href="javascript:window.ran=1">at the station</a>, and on
<a href="/tickets">a page for tickets</a>, by whoever is there.</p></body></html>"""
FILLER = "<p>Filler number {} is a sentence about nothing at all, as long as the main text of a page mostly is.</p>"
TRAINS = f"""<html><title>Trains</title><body><h1>Trains</h1><p>Arrival: 22:40 from Porto, with few people in it.</p>
{"".join(map(FILLER.format, range(80)))}
<p>Departure: 22:40 on the dot, by the night train to <b>Lisbon</b>, from platform nine.</p></body></html>"""
PLOT = """Run this:
```python
import zlib, struct
def part(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\\x00" + b"\\xff\\x00\\x00" * 20 for _ in range(10))
png = b"\\x89PNG\\r\\n\\x1a\\n" + part(b"IHDR", struct.pack(">2I5B", 20, 10, 8, 2, 0, 0, 0))
open("red.png", "wb").write(png + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b""))
print("<b>drawn</b>")
```"""


def fields(*names: str) -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in names}
    return {"type": "object", "properties": properties, "required": list(names), "additionalProperties": False}


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving_origin() as origin:
        origin.files |= {"/hostile": HOSTILE.encode(), "/trains": TRAINS.encode()}
        yield origin


@pytest.fixture(scope="module")
def model() -> Iterator[FullModel]:
    settings: dict[str, Any] = {
        "translate": "apertium",
        "code_sandbox": "auto" if missing() else "on",
        "fetch_allow": "127.0.0.1/32",
        "browser": "off",
        "scrape_host_rps": 1000,
    }
    with serving_full_model(preload=("ocr",), **settings) as model:
        yield model


@pytest.fixture(scope="module")
def page(browser: Browser, model: FullModel) -> Iterator[Page]:
    with watched(browser, model.base_url) as page:
        yield page


@pytest.fixture
def playground(page: Page, model: FullModel) -> Playground:
    page.unroute_all()
    page.emulate_media(color_scheme="light")
    playground = Playground(page, model.base_url)
    playground.open()
    return playground


@pytest.mark.skipif(missing() is not None, reason=missing() or "")
def test_code_is_run_and_shown_with_its_output_and_pictures(playground: Playground) -> None:
    playground.run("code_sandbox", PLOT)
    answer = playground.part("answer")
    [script, output] = answer.locator("pre").all_text_contents()
    assert script.splitlines() == PLOT.splitlines()[2:-1]
    assert output.strip() == "<b>drawn</b>"
    picture = answer.locator("img")
    picture.wait_for()
    assert picture.get_attribute("alt") == "red.png"
    size = picture.evaluate("one => one.decode().then(() => [one.naturalWidth, one.naturalHeight])")
    assert size == [20, 10]
    playground.run("code_sandbox", "```python\nraise SystemExit(3)\n```")
    assert "It ended with status 3." in answer.inner_text()


def test_a_page_of_the_web_is_a_card_in_which_nothing_runs(playground: Playground, origin: Origin) -> None:
    playground.run("scraper", origin.url("/hostile"))
    answer = playground.part("answer")
    said = playground.result
    assert answer.get_by_role("heading").inner_text() == said["title"] == f"Trains {EVIL}"
    assert r"whoever wrote \<script>window.ran=1\</script> here" in answer.inner_text()
    answer.get_by_text(f"{len(said['links'])} links").click()
    links = answer.get_by_role("link").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert links == [said["url"], origin.url("/tickets")]
    assert playground.page.evaluate("window.ran") is None
    assert answer.locator("b, script, img").count() == 0


def test_the_source_of_a_field_is_marked_in_the_page_it_comes_from(
    playground: Playground, model: FullModel, origin: Origin
) -> None:
    """In the passage that is meant, though the same words stand before it; and across what parts the text."""
    model.script(Reply('{"city": "Lisbon", "departure": "22:40", "track": "forty"}'))
    asked = fields("city", "departure", "track")
    playground.run("chat", f"Extract from {origin.url('/trains')}", schema=asked)
    page, evidence = playground.page, playground.part("evidence")
    mark = page.locator("#found mark")
    assert mark.count() == 0
    evidence.get_by_role("button", name="departure").click()
    assert mark.text_content() == "22:40"
    assert mark.evaluate("one => one.nextSibling.data.slice(0, 12)") == " on the dot,"
    expect(mark).to_be_in_viewport(timeout=WAIT_MS)  # it was scrolled to, in the text and in the page
    evidence.get_by_role("button", name="city").click()
    assert "Lisbon" in (mark.text_content() or "")
    evidence.get_by_role("button", name="track").click()
    assert mark.count() == 0
    whole = playground.body["precontext"][0]["result"]["markdown"]
    assert page.locator("#found .prose").text_content() == whole, "the text is as it was"


def test_guard_codes_that_are_ticked_are_sent(playground: Playground, model: FullModel) -> None:
    page = playground.page
    page.get_by_text("More", exact=False).first.click()
    boxes = playground.part("guard").get_by_role("checkbox")
    codes = boxes.evaluate_all("all => all.map(one => one.value)")
    assert len(codes) > 10
    boxes.nth(0).check()
    boxes.nth(2).check()
    assert f"<guard>{codes[0]}, {codes[2]}</guard>" in (playground.part("code").text_content() or "")
    model.script(Reply("Nothing bad."))
    with page.expect_request("**/v1/chat/completions") as request:
        playground.run("chat", "Is the weather fine?")
    [told, _] = json.loads(request.value.post_data or "")["messages"]
    assert told == {"role": "system", "content": f"<guard>{codes[0]}, {codes[2]}</guard>"}
