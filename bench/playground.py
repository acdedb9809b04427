"""Draws the samples of the playground, and measures its page.

The pictures of the playground in the docs are made by `tests/e2e/test_playground_pictures.py`.

    python -m bench.playground samples      writes app/playground/samples
    python -m bench.playground speed        measures the time until the page works, and the panning over 5,000 words
"""

import io
import json
import math
import sys
import tempfile
from bisect import bisect_right
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from playwright.sync_api import Page, ViewportSize, sync_playwright

from tasks.result import Bounds, bounds_of
from tasks.scrape.browser import find_browser
from tests.pages import FONTS
from tests.playground import file_of
from tests.recordings import encoded
from tests.screens import sign_up
from tests.server import serving
from tests.speech import RATE, SENTENCES, in_a_row, pause, say

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "app" / "playground" / "samples"
COLOURS = 64
A4 = (2480, 3508)
SCREEN: ViewportSize = {"width": 1440, "height": 900}

ITEMS = (
    ("Sourdough loaf", 1, 4.80),
    ("Oat milk 1 l", 2, 2.35),
    ("Tomatoes 500 g", 1, 3.10),
    ("Olive oil 0.5 l", 1, 8.95),
    ("Dark chocolate", 3, 1.90),
)
PAPER, INK, FAINT = (253, 252, 248), (38, 40, 44), (120, 122, 126)
DRAWN = """() => new Promise(done => {
  const look = () => requestAnimationFrame(
    document.querySelector('#status').textContent.startsWith('Done') ? () => done(performance.now()) : look);
  look();
})"""
PANNING = """async () => {
  const stage = document.querySelector('.stage');
  for (let at = 0; at < 120; at += 1) {
    await new Promise(requestAnimationFrame);
    stage.scrollTop = at * 12;
    stage.scrollLeft = at * 4;
  }
}"""
TRACED = ("__metadata", "devtools.timeline", "disabled-by-default-devtools.timeline")


def receipt() -> PIL.Image.Image:
    """Return an invented receipt: shop, street and number do not exist."""
    width, height, margin = 520, 760, 44
    picture = PIL.Image.new("RGB", (width, height), PAPER)
    pen = PIL.ImageDraw.Draw(picture)

    def write(
        y: int, text: str, size: int = 19, font: str = "mono", at: str = "left", ink: tuple[int, ...] = INK
    ) -> None:
        anchors = {"left": (margin, "ls"), "middle": (width // 2, "ms"), "right": (width - margin, "rs")}
        x, anchor = anchors[at]
        pen.text((x, y), text, fill=ink, font=PIL.ImageFont.truetype(str(FONTS[font]), size), anchor=anchor)

    def rule(y: int) -> None:
        for x in range(margin, width - margin, 9):
            pen.line((x, y, x + 4, y), fill=FAINT)

    write(76, "Corner Bakery", 34, "serif-bold", "middle")
    write(108, "14 Linden Street, Millbrook", 16, "sans", "middle", FAINT)
    write(132, "Tel. 555-0142", 16, "sans", "middle", FAINT)
    rule(160)
    write(194, "Receipt No: 20417")
    write(222, "Date: 2026-03-14")
    write(222, "09:42", at="right")
    rule(246)
    y = 282
    for name, count, price in ITEMS:
        write(y, f"{count} x {name}")
        write(y, f"{count * price:.2f}", at="right")
        y += 34
    total = sum(count * price for _, count, price in ITEMS)
    rule(y - 6)
    write(y + 32, "Subtotal")
    write(y + 32, f"{total / 1.07:.2f}", at="right")
    write(y + 62, "VAT 7%")
    write(y + 62, f"{total - total / 1.07:.2f}", at="right")
    write(y + 104, "TOTAL EUR", 25, "sans-bold")
    write(y + 104, f"{total:.2f}", 25, "sans-bold", "right")
    rule(y + 130)
    write(y + 164, "Paid by card")
    write(y + 164, f"{total:.2f}", at="right")
    write(y + 226, "Thank you, come again!", 20, "serif", "middle")
    return picture


def sales() -> str:
    """Return four years of monthly sales, with growth and a summer season."""
    rows = ["month,ice cream sold"]
    for month in range(48):
        season = math.sin((month - 3) / 12 * math.tau)
        wobble = math.sin(month * 12.9898) * 43758.5453 % 1 - 0.5
        rows.append(
            f"{2022 + month // 12}-{month % 12 + 1:02}-01,{round(900 + 9 * month + 420 * season + 90 * wobble)}"
        )
    return "\n".join(rows) + "\n"


def voices() -> bytes:
    """Return a recording of two voices, in turn."""
    said = (("en-gb", 0), ("en-us+f3", 9), ("en-gb", 3))
    turns = [say(SENTENCES[number], voice=voice) for voice, number in said]
    sound = in_a_row([part for turn in turns for part in (turn, pause(0.4))])
    return encoded(sound[None], "mp3", rate=RATE)


def write_samples() -> None:
    SAMPLES.mkdir(parents=True, exist_ok=True)
    for name, picture in (("receipt", receipt()), ("form", PIL.Image.fromarray(sign_up().screen.image))):
        picture.quantize(COLOURS).save(SAMPLES / f"{name}.png", optimize=True)
    (SAMPLES / "sales.csv").write_text(sales())
    (SAMPLES / "voices.mp3").write_bytes(voices())


def full_page() -> dict[str, Any]:
    """Return a response body with 5,000 words, in 100 lines of a page at 300 DPI."""

    def bounds(left: int, top: int, width: int) -> Bounds:
        right, bottom = left + width, top + 24
        return bounds_of(((left, top), (right, top), (right, bottom), (left, bottom)), *A4)

    lines = []
    for top in range(40, 3440, 34):
        words = [
            {"text": f"word{left}", "bounds": bounds(left, top, 40), "confidence": 0.9} for left in range(40, 2390, 47)
        ]
        text = " ".join(str(word["text"]) for word in words)
        lines.append({"text": text, "bounds": bounds(40, top, 2350), "average_confidence": 0.9, "words": words})
    text = "\n".join(str(line["text"]) for line in lines)
    result = {"extracted_text": text, "sections": [{"text": text, "lines": lines}], "width": A4[0], "height": A4[1]}
    content = json.dumps({"name": "ocr", "result": result})
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}]}


class Frame(NamedTuple):
    """A frame of the page, from its beginning to the beginning of the next frame, in milliseconds."""

    whole: float
    work: float
    """Processor time of the thread for layout, painting and scripts, which other programs do not change."""


def open_full_page(page: Page, base_url: str) -> float:
    """Show a page of 5,000 words that is larger than its frame. Return the milliseconds from the click to the words."""
    page.goto(f"{base_url}/", wait_until="networkidle")
    page.route("**/v1/chat/completions", lambda route: route.fulfill(json=full_page()))
    picture = io.BytesIO()
    PIL.Image.effect_noise(A4, 40).save(picture, "JPEG", quality=60)
    page.get_by_test_id("task").select_option("ocr")
    page.get_by_test_id("file").set_input_files(file_of("page.jpg", picture.getvalue(), "image/jpeg"))
    page.locator(".sheet img").wait_for()
    begun = page.evaluate("performance.now()")
    page.get_by_test_id("run").click()
    took: float = page.evaluate(DRAWN) - begun
    for _ in range(2):
        page.get_by_label("Larger").click()
    return took


def panned(page: Page) -> list[Frame]:
    """Return the frames of panning over the page, from Chromium's trace."""
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=list(TRACED))
    page.evaluate(PANNING)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    name = "CrRendererMain"
    [thread] = {(one["pid"], one["tid"]) for one in events if one["name"] == "FireAnimationFrame"} & {
        (one["pid"], one["tid"]) for one in events if one["name"] == "thread_name" and one["args"]["name"] == name
    }
    main = [one for one in events if (one["pid"], one["tid"]) == thread]
    begins = sorted(one["ts"] for one in main if one["name"] == "FireAnimationFrame")
    work = [0.0] * len(begins)
    for one in main:
        if one["name"] == "RunTask" and one["ph"] == "X":
            # A task belongs to the last frame that begins before the task's end.
            work[bisect_right(begins, one["ts"] + one["dur"]) - 1] += one.get("tdur", 0) / 1000
    return [Frame((end - begin) / 1000, done) for (begin, end), done in zip(pairwise(begins), work, strict=False)]


def measure(page: Page, base_url: str) -> None:
    drawn = open_full_page(page, base_url)
    ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    print(f"works after {ready:.0f} ms")
    print(f"5,000 words are drawn after {drawn:.0f} ms")
    frames = panned(page)
    for name, times in (("", [one.whole for one in frames]), (" of the processor", [one.work for one in frames])):
        times.sort()
        middle, high, most = times[len(times) // 2], times[len(times) * 95 // 100], times[-1]
        print(f"panning: {middle:.1f} ms{name} a frame, 95 % within {high:.1f} ms, {most:.1f} ms at most")


def main() -> None:
    if sys.argv[1:] == ["samples"]:
        write_samples()
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "log", llm="off") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        measure(browser.new_page(viewport=SCREEN), server.base_url)


if __name__ == "__main__":
    main()
