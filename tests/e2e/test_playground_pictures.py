"""The pictures of the playground in the docs: each is of what is there.

PICTURES=write .venv/bin/pytest -m "" tests/e2e/test_playground_pictures.py    writes them into docs/images
"""

import html
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import PIL.Image
import pytest
from playwright.sync_api import Browser, Page, expect

from models.sandbox.bubblewrap import missing
from tests.e2e.conftest import needs_browser
from tests.e2e.test_cli import openfaze_here
from tests.origin import Origin, serving_origin
from tests.playground import WAIT_MS, Playground, watched
from tests.search_engines import searxng
from tests.server import Server, serving

pytestmark = [pytest.mark.browser, needs_browser]
IMAGES = Path(__file__).parents[2] / "docs" / "images"
SAMPLES = IMAGES.parents[1] / "app" / "playground" / "samples"
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
WORD, EVIDENCE, ELEMENT = (f'polygon[data-kind="{kind}"]' for kind in ("word", "evidence", "element"))
SHOWN = [
    # The picture's name, a sample or a task with its prompt, the colours, what is clicked in the end, what is seen
    ("playground-words", "Receipt: read it", None, "light", None, WORD),
    ("playground", "Receipt: extract fields", None, "light", '[data-testid="evidence"] button >> nth=2', EVIDENCE),
    ("playground-form", "Sign-up form", None, "dark", None, ELEMENT),
    ("playground-speech", "Two voices", None, "light", None, ".speaker"),
    ("playground-forecast", "Sales table", None, "dark", None, '[data-testid="chart"] .interval'),
    ("playground-code", "code_sandbox", PLOT, "light", None, '[data-testid="answer"] img'),
    ("playground-translation", "translate", "Translate into Spanish: The house is red.", "light", None, "[lang=es]"),
    ("playground-search", "web_search", "Why are there spring tides?", "light", None, '[data-testid="answer"] a'),
    ("playground-scraper", "scraper", "/tides", "light", None, '[data-testid="answer"] .prose'),
]
NEEDED = {
    "playground-code": missing(),
    "playground-translation": None if shutil.which("apertium") else "needs Apertium with apertium-eng-spa",
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
    with serving(tmp_path_factory.mktemp("pictures") / "log", preload="ocr", browser="off", **settings) as server:
        yield server


@pytest.fixture(scope="module")
def page(browser: Browser, server: Server) -> Iterator[Page]:
    with watched(browser, server.base_url, viewport={"width": 1440, "height": 900}) as page:
        yield page


def save_picture(page: Page, name: str) -> None:
    if os.environ.get("PICTURES") != "write":
        return
    picture = PIL.Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    file = IMAGES / f"{name}.png"
    picture.quantize(256, kmeans=2, dither=PIL.Image.Dither.NONE).save(file, optimize=True)
    assert file.stat().st_size <= MAX_BYTES


@pytest.mark.parametrize(("name", "asked", "prompt", "scheme", "clicked", "seen"), SHOWN)
def test_a_picture_shows_the_task_that_it_is_of(
    page: Page, server: Server, origin: Origin,
    name: str, asked: str, prompt: str | None, scheme: Any, clicked: str | None, seen: str,
) -> None:  # fmt: skip
    if reason := NEEDED.get(name):
        pytest.skip(reason)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    playground = Playground(page, server.base_url)
    playground.open()
    if prompt is None:
        page.get_by_role("button", name=asked).click()
        playground.done()
    else:
        playground.run(asked, origin.url(prompt) if prompt.startswith("/") else prompt)
    assert not playground.part("error").is_visible()
    if clicked:
        page.locator(clicked).click()
    page.mouse.move(0, 0)
    expect(page.locator(seen).first).to_be_in_viewport(timeout=WAIT_MS)
    save_picture(page, name)


SHEET = """
body { margin: 1rem; font: 14px system-ui, sans-serif; display: grid; gap: 1rem; justify-items: start; }
table { border-collapse: collapse; } caption { text-align: start; font-weight: 600; padding-bottom: 0.25rem; }
td { border: 1px solid #d4d4d4; padding: 0.2rem 0.5rem; max-width: 22rem; overflow: hidden; white-space: nowrap; }
tr:first-of-type td { font-weight: 600; background: #f3f3f3; }
"""


@pytest.mark.deep
def test_a_folder_as_a_workbook(browser: Browser, server: Server, tmp_path: Path) -> None:
    """Drawn cell by cell from the workbook, with its colours."""
    (tmp_path / "invoices").mkdir()
    shutil.copy(SAMPLES / "receipt.png", tmp_path / "invoices")
    text = "Oak & Sons\nInvoice number: A-1041\nDate: 2 March 2026\n\nGarden chair    149.00\n\nTotal: 149.00 EUR\n"
    (tmp_path / "invoices" / "A-1041.txt").write_text(text)
    (tmp_path / "invoices" / "scan.pdf").write_text("cut off")
    fields = "number, date, total: number, items[what, price: number]"
    command = ("extract", "invoices", "--schema", fields, "--out", "invoices.xlsx", "--url", server.base_url)
    openfaze_here(*command, folder=tmp_path)
    book = openpyxl.load_workbook(tmp_path / "invoices.xlsx")
    page = browser.new_page(viewport={"width": 1080, "height": 420})
    page.set_content(f"<style>{SHEET}</style>{drawn(book['papers'])}{drawn(book['items'])}")
    expect(page.get_by_text("A-1041").first).to_be_in_viewport()
    save_picture(page, "folder-workbook")
    page.close()


def drawn(sheet: Any) -> str:
    def cell(one: Any) -> str:
        colour = f" style='background:#{one.fill.fgColor.rgb[2:]}'" if one.fill.fill_type else ""
        return f"<td{colour}>{'' if one.value is None else html.escape(str(one.value))}</td>"

    rows = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in sheet.iter_rows())
    return f"<table><caption>{sheet.title}</caption>{rows}</table>"
