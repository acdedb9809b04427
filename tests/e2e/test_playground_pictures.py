"""The pictures of the playground in the docs: each is of what is there, and what the docs say of it is to be seen.

PICTURES=write .venv/bin/pytest -m "" tests/e2e/test_playground_pictures.py    writes them into docs/images

What other tests of the playground draw, too, is deep.
"""

import html
import io
import json
import os
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import PIL.Image
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from models.sandbox.bubblewrap import missing
from tests.e2e.conftest import needs_browser
from tests.e2e.test_cli import openfaze_here
from tests.origin import Origin, serving_origin
from tests.playground import WAIT_MS, Playground, corners, watched
from tests.search_engines import searxng
from tests.server import Server, serving

pytestmark = [pytest.mark.browser, needs_browser]
IMAGES = Path(__file__).parents[2] / "docs" / "images"
MAX_BYTES = 120_000
PLOT = """Run this:
```python
import matplotlib.pyplot as plt
import numpy as np

hours = np.arange(24)
tide = 2 + 1.6 * np.sin(hours * np.pi / 6.2)
plt.figure(figsize=(6, 3), layout="tight")
plt.plot(hours, tide)
plt.xlabel("hour")
plt.ylabel("metres")
plt.show()
print(f"High water at {hours[tide.argmax()]}:00, {tide.max():.2f} m")
```"""

TIDES = {
    "tides": (
        "Tides, explained",
        "The sea rises and falls twice a day, drawn by the moon and, less, by the sun.",
        "When both stand in a line, at new and at full moon, the water rises highest: these are spring tides.",
        "At half moon they pull across each other, and the difference is small: these are neap tides.",
    ),
    "tables": (
        "How to read a tide table",
        "A tide table lists high and low water of a harbour, with the hour and the height of each.",
        "Heights are above the level of the chart, so add them to the depths that the chart prints.",
    ),
}


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    """A small web, and a search engine that knows it."""
    with serving_origin() as origin:
        links = []
        for name, (title, *lines) in TIDES.items():
            body = "".join(f"<p>{line}</p>" for line in lines)
            page = f"<html lang=en><title>{title}</title><body><article><h1>{title}</h1>{body}</article></body></html>"
            origin.files[f"/{name}"] = page.encode()
            origin.headers[f"/{name}"] = {"content-type": "text/html"}
            links.append((title, origin.url(f"/{name}"), lines[0]))
        origin.files["/search"] = json.dumps(searxng(*links)).encode()
        origin.headers["/search"] = {"content-type": "application/json"}
        yield origin


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, origin: Origin) -> Iterator[Server]:
    """As one starts it, without an LLM."""
    settings: dict[str, Any] = {"forecast": "statsmodels", "code_sandbox": "auto" if missing() else "on"}
    settings |= {"search_provider": "searxng", "search_url": origin.url(""), "fetch_allow": "127.0.0.1/32"}
    settings["browser"] = "off"
    with serving(tmp_path_factory.mktemp("pictures") / "log", preload="ocr", **settings) as server:
        yield server


@pytest.fixture(scope="module")
def page(browser: Browser, server: Server) -> Iterator[Page]:
    with watched(browser, server.base_url, viewport={"width": 1440, "height": 900}) as page:
        yield page


@pytest.fixture
def playground(page: Page, server: Server) -> Playground:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    playground = Playground(page, server.base_url)
    playground.open()
    return playground


def sample(playground: Playground, name: str, scheme: str = "light") -> None:
    playground.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    playground.page.get_by_role("button", name=name).click()
    playground.done()
    assert not playground.part("error").is_visible()


def shoot(playground: Playground, name: str, *seen: Locator) -> None:
    """`seen`: what the docs say is in the picture."""
    page = playground.page
    page.mouse.move(0, 0)
    for one in seen:
        expect(one).to_be_in_viewport(ratio=0.9, timeout=WAIT_MS)
    save_picture(page, name)


def save_picture(page: Page, name: str) -> None:
    if os.environ.get("PICTURES") != "write":
        return
    picture = PIL.Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    file = IMAGES / f"{name}.png"
    picture.quantize(256, kmeans=2, dither=PIL.Image.Dither.NONE).save(file, optimize=True)
    assert file.stat().st_size <= MAX_BYTES


def test_a_receipt_with_its_words(playground: Playground) -> None:
    sample(playground, "Receipt: read it")
    words = playground.page.locator('polygon[data-kind="word"]')
    assert words.count() > 40
    first = playground.result["sections"][0]["lines"][0]
    shoot(playground, "playground-words", words.first, words.last, playground.part("answer").get_by_text(first["text"]))


def test_a_receipt_with_its_fields_and_the_place_of_the_total(playground: Playground) -> None:
    sample(playground, "Receipt: extract fields")
    rows = playground.part("evidence").get_by_role("button")
    assert [name.split("\n")[0] for name in rows.all_inner_texts()] == ["shop", "date", "total"]
    assert all("%" in text for text in rows.all_inner_texts())
    rows.nth(2).click()
    assert playground.polygons("evidence") == [corners(playground.body["evidence"]["/total"]["bounds"])]
    shoot(playground, "playground", *rows.all(), playground.page.locator('[data-kind="evidence"]'))


def test_a_form_with_its_elements_in_the_dark(playground: Playground) -> None:
    sample(playground, "Sign-up form", "dark")
    elements = playground.page.locator('polygon[data-kind="element"]')
    types = set(elements.evaluate_all("all => all.map(one => one.dataset.type)"))
    assert {"button", "input", "checkbox"} <= types
    colours = playground.page.eval_on_selector_all(".frame", "all => all.map(one => getComputedStyle(one).stroke)")
    assert len(set(colours)) == len(types), "coloured by type"
    shoot(playground, "playground-form", *elements.all())


def test_two_voices_by_their_speakers(playground: Playground) -> None:
    sample(playground, "Two voices")
    page = playground.page
    speakers = [chunk["speaker"] for chunk in playground.result["chunks"]]
    changes = [speakers[0], *(there for here, there in pairwise(speakers) if here != there)]
    assert len(set(changes)) == 2
    names = page.locator(".speaker")
    assert names.all_text_contents() == [one.replace("_", " ") for one in changes], "one before each turn"
    hues = names.evaluate_all("all => all.map(one => getComputedStyle(one).color)")
    assert len(set(hues)) == 2
    page.locator(".chunk").nth(1).click()
    page.locator("audio").evaluate("audio => audio.pause()")
    lit = page.locator(".chunk[aria-current]")
    page.locator("audio").evaluate(
        "(audio, at) => { audio.currentTime = at; }", playground.result["chunks"][1]["timestamp"][0] + 0.5
    )
    shoot(playground, "playground-speech", page.locator("canvas.wave"), lit, *names.all())


@pytest.mark.deep
def test_a_forecast_with_its_interval_in_the_dark(playground: Playground) -> None:
    sample(playground, "Sales table", "dark")
    chart = playground.part("chart")
    assert chart.locator("circle").count() == 12
    assert chart.locator("path.known").count() == 1
    shoot(playground, "playground-forecast", chart.locator("svg"), chart.locator(".interval"))


@pytest.mark.deep
@pytest.mark.skipif(missing() is not None, reason=missing() or "")
def test_code_with_its_output_and_its_figure(playground: Playground) -> None:
    pytest.importorskip("matplotlib")
    playground.run("code_sandbox", PLOT)
    answer = playground.part("answer")
    figure = answer.get_by_role("img")
    shoot(playground, "playground-code", answer.get_by_text("High water at 3:00, 3.60 m", exact=True), figure)


@pytest.mark.deep
@pytest.mark.skipif(shutil.which("apertium") is None, reason="needs Apertium with apertium-eng-spa")
def test_a_translation(playground: Playground) -> None:
    playground.run("translate", "Translate into Spanish: The house is red, and the garden is green.")
    shoot(playground, "playground-translation", playground.part("answer").locator("[lang=es]"))


def test_what_a_search_finds(playground: Playground, origin: Origin) -> None:
    playground.run("web_search", "Why are there spring tides?")
    found = playground.part("answer").get_by_role("link")
    assert sorted(found.all_inner_texts()) == sorted(title for title, *_ in TIDES.values())
    shoot(playground, "playground-search", *found.all())


def test_a_page_of_the_web(playground: Playground, origin: Origin) -> None:
    playground.run("scraper", origin.url("/tides"))
    answer = playground.part("answer")
    title, *lines = TIDES["tides"]
    text = answer.locator(".prose")
    assert all(line in text.inner_text() for line in lines)
    shoot(playground, "playground-scraper", answer.get_by_role("link", name=title), text)


INVOICES = (
    ("Oak & Sons", "A-1041", "2 March 2026", (("Garden chair", "149.00"), ("Lantern", "23.50")), "172.50"),
    ("Miller Paper Ltd", "2026/77", "9 March 2026", (("A4 paper, 5 boxes", "92.00"),), "92.00"),
)


@pytest.mark.deep
def test_a_folder_as_a_workbook(browser: Browser, server: Server, tmp_path: Path) -> None:
    """Drawn cell by cell from the workbook, with its colours."""
    (tmp_path / "invoices").mkdir()
    receipt = IMAGES.parents[1] / "app" / "playground" / "samples" / "receipt.png"
    shutil.copy(receipt, tmp_path / "invoices")
    for seller, number, day, items, total in INVOICES:
        lines = "".join(f"{what}    {price}\n" for what, price in items)
        text = f"{seller}\nInvoice number: {number}\nDate: {day}\n\n{lines}\nTotal: {total} EUR\n"
        (tmp_path / "invoices" / f"{number.replace('/', '-')}.txt").write_text(text)
    (tmp_path / "invoices" / "scan.pdf").write_text("cut off")
    fields = "number, date, total: number, items[what, price: number]"
    command = ("extract", "invoices", "--schema", fields, "--out", "invoices.xlsx", "--url", server.base_url)
    openfaze_here(*command, folder=tmp_path)
    book = openpyxl.load_workbook(tmp_path / "invoices.xlsx")
    assert {sheet.title for sheet in book} == {"papers", "items", "probabilities", "warnings"}
    page = browser.new_page(viewport={"width": 1080, "height": 420})
    page.set_content(f"<style>{SHEET}</style>{drawn(book['papers'])}{drawn(book['items'])}")
    expect(page.get_by_text("172.5").first).to_be_in_viewport()
    expect(page.get_by_text("not a readable PDF").first).to_be_in_viewport(ratio=0.1)
    save_picture(page, "folder-workbook")
    page.close()


SHEET = """
body { margin: 1rem; font: 14px system-ui, sans-serif; display: grid; gap: 1rem; justify-items: start; }
table { border-collapse: collapse; } caption { text-align: start; font-weight: 600; padding-bottom: 0.25rem; }
td { border: 1px solid #d4d4d4; padding: 0.2rem 0.5rem; max-width: 22rem; overflow: hidden; white-space: nowrap; }
tr:first-of-type td { font-weight: 600; background: #f3f3f3; }
"""


def drawn(sheet: Any) -> str:
    def cell(one: Any) -> str:
        colour = f" style='background:#{one.fill.fgColor.rgb[2:]}'" if one.fill.fill_type else ""
        return f"<td{colour}>{'' if one.value is None else html.escape(str(one.value))}</td>"

    rows = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in sheet.iter_rows())
    return f"<table><caption>{sheet.title}</caption>{rows}</table>"
