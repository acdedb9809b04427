"""The playground draws what the server says, in a real browser: each kind of task from its file to its picture."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import SHARED
from tests.e2e.conftest import needs_browser
from tests.e2e.full_model import FullModel, serving_full_model
from tests.kit.clients.playground import Playground, corners, file_of, is_near, watched
from tests.kit.papers.pages import paragraph_page, single_line
from tests.kit.papers.pdfs import pdf_of_pages
from tests.kit.servers.llm_server import Reply

pytestmark = [pytest.mark.browser, needs_browser]
SALES = "month,sold\n" + "\n".join(f"{2024 + i // 12}-{i % 12 + 1:02}-01,{100 + 10 * i}" for i in range(24))
FIELDS = {
    "type": "object",
    "properties": {"platform": {"type": "string"}, "track": {"type": "string"}},
    "required": ["platform", "track"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def model() -> Iterator[FullModel]:
    weights = str(SHARED / "weights")
    with serving_full_model(preload=("ocr",), weights_dir=weights, forecast="statsmodels") as model:
        yield model


@pytest.fixture(scope="module")
def page(browser: Browser, model: FullModel) -> Iterator[Page]:
    with watched(browser, model.base_url) as page:
        yield page


@pytest.fixture
def playground(page: Page, model: FullModel) -> Playground:
    page.unroute_all()
    playground = Playground(page, model.base_url)
    playground.open()
    return playground


def test_the_sample_receipt_shows_its_words_at_a_click(playground: Playground) -> None:
    """The first thing that a newcomer does."""
    playground.page.get_by_role("button", name="Receipt: read it").click()
    playground.done()
    expect(playground.part("answer")).to_contain_text("Corner Bakery")
    words = [word for line in playground.result["sections"][0]["lines"] for word in line["words"]]
    assert len(words) > 40
    drawn = playground.polygons("word")
    assert sorted(drawn) == sorted(corners(word["bounds"]) for word in words)
    shown = playground.shown_bounds("word")
    assert all(is_near(*pair) for pair in zip(shown, drawn, strict=True))
    assert playground.part("overlay").get_attribute("viewBox") == "0 0 520 760"
    # What is less sure can be hidden.
    visible = playground.page.locator('polygon[data-kind="word"]:not(.off)')
    assert visible.count() == len(words)
    playground.part("confidence").fill("100")
    assert visible.count() == sum(word["confidence"] >= 1 for word in words) < len(words)


def test_a_word_and_its_box_light_up_together(playground: Playground) -> None:
    playground.run("ocr", files=[file_of("page.png", paragraph_page(seed=2, lines=3).encoded())])
    page = playground.page
    polygon = page.locator('polygon[data-kind="word"]').nth(5)
    polygon.hover()
    lit = playground.part("answer").locator(".lit")
    assert lit.count() == 1
    assert lit.get_attribute("data-box") == polygon.get_attribute("data-box")
    text = playground.part("answer").locator(".word")
    text.nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    box = text.nth(2).get_attribute("data-box")
    assert page.locator("polygon.lit").get_attribute("data-box") == box
    playground.part("overlay").focus()
    page.keyboard.press("ArrowDown")
    assert lit.get_attribute("data-box") == page.locator("polygon.lit").get_attribute("data-box") != box


def test_pages_of_a_pdf_are_drawn_one_at_a_time(playground: Playground) -> None:
    playground.run("ocr", files=[file_of("three.pdf", pdf_of_pages(3), "application/pdf")])
    buttons = playground.part("pages").get_by_role("button")
    assert buttons.all_inner_texts() == ["1", "2", "3"]
    buttons.nth(1).click()
    playground.page.get_by_label("Page 2:").wait_for()
    section = playground.result["sections"][1]
    assert section["text"] == "This is page 2"
    expect(playground.part("answer")).to_have_text(section["text"])
    words = [corners(word["bounds"]) for word in section["lines"][0]["words"]]
    assert sorted(playground.polygons("word")) == sorted(words)
    # The page below is drawn by the same measures: its ink is in the boxes, and nowhere else.
    inside, outside = playground.page.evaluate(
        """() => {
          const canvas = document.querySelector('.sheet canvas'), pen = canvas.getContext('2d');
          const overlay = document.querySelector('[data-testid="overlay"]'), size = overlay.viewBox.baseVal;
          const boxes = [...overlay.querySelectorAll('polygon[data-kind="word"]')].map(one => one.getBBox());
          const {data, width, height} = pen.getImageData(0, 0, canvas.width, canvas.height), counts = [0, 0];
          for (let at = 0; at < data.length; at += 4) {
            if (data[at] > 100) continue;
            const x = at / 4 % width / width * size.width, y = Math.floor(at / 4 / width) / height * size.height;
            const isIn = (value, start, size) => value >= start - 2 && value <= start + size + 2;
            const hit = boxes.some(box => isIn(x, box.x, box.width) && isIn(y, box.y, box.height));
            counts[hit ? 0 : 1] += 1;
          }
          return counts;
        }"""
    )
    assert inside > 100
    assert outside == 0


def test_a_transcript_plays_from_the_chunk_that_is_chosen(playground: Playground, shared: Path) -> None:
    speech = (shared / "samples" / "speech_jfk.flac").read_bytes()
    playground.run("speech_to_text", "By word.", files=[file_of("speech.flac", speech, "audio/flac")])
    chunks = playground.part("transcript").locator("[data-start]")
    said = playground.result["chunks"]
    assert [chunk["timestamp"] for chunk in said] == [
        [float(chunk.get_attribute(f"data-{end}") or "") for end in ("start", "end")] for chunk in chunks.all()
    ]
    third = said[3]
    chunks.nth(3).click()
    playground.page.wait_for_function("() => document.querySelector('audio').currentTime > 0")
    playground.page.eval_on_selector("audio", "audio => audio.pause()")
    now = playground.page.eval_on_selector("audio", "audio => audio.currentTime")
    assert now >= third["timestamp"][0]
    playground.page.eval_on_selector("audio", f"audio => {{ audio.currentTime = {sum(third['timestamp']) / 2} }}")
    current = playground.part("transcript").locator('[aria-current="true"]')
    playground.page.wait_for_function(
        "start => document.querySelector('[data-start][aria-current]')?.dataset.start == start",
        arg=third["timestamp"][0],
    )
    assert third["text"] in current.inner_text()


def test_a_forecast_is_a_chart_with_its_interval(playground: Playground) -> None:
    playground.run("forecast", "The next 6 months.", files=[file_of("sales.csv", SALES.encode(), "text/csv")])
    predictions = playground.result["predictions"]
    points = (
        playground.part("chart")
        .locator("circle")
        .evaluate_all("all => all.map(one => ({...one.dataset, x: one.cx.baseVal.value, y: one.cy.baseVal.value}))")
    )
    assert [(point["date"], float(point["value"])) for point in points] == [
        (one["date"], one["value"]) for one in predictions
    ]
    assert [point["x"] for point in points] == sorted(point["x"] for point in points)
    rising = [point["y"] for point in sorted(points, key=lambda point: float(point["value"]))]
    assert rising == sorted(rising, reverse=True), "what is more stands higher"
    assert playground.part("chart").locator(".interval").count() == 1
    known = playground.part("chart").locator("path.known").get_attribute("d") or ""
    assert known.count("L") == 18, "before it is what was sent: thrice as much, and on to the first that is predicted"


def test_a_field_leads_to_its_source(playground: Playground, model: FullModel) -> None:
    model.script(Reply('{"platform": "nine", "track": "forty"}'))
    body = playground.run(
        "chat", "Which platform?", files=[file_of("sign.png", single_line("Platform nine").encoded())], schema=FIELDS
    )
    found = body["evidence"]["/platform"]
    assert body["unsupported"] == ["/track"]
    evidence = playground.part("evidence")
    assert playground.polygons("evidence") == []
    evidence.get_by_role("button", name="platform").click()
    assert playground.polygons("evidence") == [corners(found["bounds"])]
    assert is_near(playground.shown_bounds("evidence")[0], corners(found["bounds"]))
    assert found["text"] in evidence.inner_text()
    assert evidence.get_by_role("button", name="track").inner_text().split() == ["track", "forty", "unsure"]
    evidence.get_by_role("button", name="track").click()
    assert playground.polygons("evidence") == []


def test_an_answer_comes_piece_by_piece_and_can_be_stopped(playground: Playground, model: FullModel) -> None:
    model.script(Reply(chunks=["One ", "two ", "three"], hang_after=3))
    playground.start("chat", "Count.")
    answer = playground.part("answer")
    answer.get_by_text("One two").wait_for()
    assert answer.get_attribute("aria-live") == "polite"
    assert playground.part("run").is_disabled()
    playground.part("stop").click()
    model.llm.wait_for_cancelled()
    playground.page.get_by_text("Stopped").wait_for()
    assert answer.inner_text().startswith("One two")
    assert playground.part("stop").is_disabled()
    model.script(Reply(chunks=["Four ", "five."], reasoning="I count on."))
    playground.page.get_by_text("More", exact=False).first.click()
    playground.part("reasoning").select_option("high")
    body = playground.run("chat", "Go on.")
    assert answer.inner_text() == "Four five." == body["choices"][0]["message"]["content"]
    assert body["reasoning"] == "I count on."
    assert body["usage"]["completion_tokens"] > 0
    assert "first words" in playground.part("timings").inner_text().lower()


def test_fields_are_listed_as_one_adds_them(playground: Playground) -> None:
    playground.page.get_by_role("button", name="Add a field").click()
    playground.page.get_by_label("Name of field 1").fill("total")
    playground.page.get_by_label("Type of field 1").select_option("number")
    playground.page.get_by_label("Description of field 1").fill("What is to be paid")
    schema = json.loads(playground.part("schema").input_value())
    total = {"type": ["number", "null"], "description": "What is to be paid"}
    assert schema["properties"] == {"total": total}
    assert schema["required"] == ["total"]
    assert '"total"' in (playground.part("code").text_content() or "")
    playground.page.get_by_role("button", name="Add a field").click()
    playground.page.get_by_label("Name of field 2", exact=True).fill("lines")
    playground.page.get_by_label("Type of field 2", exact=True).select_option("list of rows")
    playground.page.get_by_label("Name of field 2.1").fill("item")
    playground.page.get_by_role("button", name="Add a column").click()
    playground.page.get_by_label("Name of field 2.2").fill("amount")
    playground.page.get_by_label("Type of field 2.2").select_option("number")
    columns = {"item": {"type": ["string", "null"]}, "amount": {"type": ["number", "null"]}}
    rows = {"type": "object", "properties": columns, "required": ["item", "amount"], "additionalProperties": False}
    schema = json.loads(playground.part("schema").input_value())
    assert schema["properties"] == {"total": total, "lines": {"type": "array", "items": rows}}
    # The raw text, typed, is shown as the same list.
    playground.part("schema").fill(json.dumps(schema))
    assert playground.page.get_by_label("Name of field 2.2").input_value() == "amount"
    playground.page.get_by_role("button", name="Remove field 2.1").click()
    schema = json.loads(playground.part("schema").input_value())
    assert schema["properties"]["lines"]["items"]["required"] == ["amount"]
