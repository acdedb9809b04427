"""Draws the samples of the playground, makes the pictures of it in the docs, and measures it.

python -m tests.bench.playground samples    writes app/playground/samples
python -m tests.bench.playground pictures   writes docs/images/playground*.png, as a browser shows it
python -m tests.bench.playground speed      tells how soon the page works, and how smoothly 5,000 words pan
"""

import io
import json
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from playwright.sync_api import Page, sync_playwright

from tasks.result import Bounds, bounds_of
from tasks.scrape.browser import find_browser
from tests.pages import FONTS
from tests.playground import file_of
from tests.recordings import encoded
from tests.screens import sign_up
from tests.server import serving
from tests.speech import RATE, SENTENCES, in_a_row, pause, say

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "app" / "playground" / "samples"
IMAGES = ROOT / "docs" / "images"
COLOURS = 64
A4 = (2480, 3508)

ITEMS = (
    ("Sourdough loaf", 1, 4.80),
    ("Oat milk 1 l", 2, 2.35),
    ("Tomatoes 500 g", 1, 3.10),
    ("Olive oil 0.5 l", 1, 8.95),
    ("Dark chocolate", 3, 1.90),
)
PAPER, INK, FAINT = (253, 252, 248), (38, 40, 44), (120, 122, 126)


def receipt() -> PIL.Image.Image:
    """A made one: the shop, its street and its number do not exist."""
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
    """Four years of months: growth, and a summer."""
    rows = ["month,ice cream sold"]
    for month in range(48):
        season = math.sin((month - 3) / 12 * math.tau)
        wobble = math.sin(month * 12.9898) * 43758.5453 % 1 - 0.5
        rows.append(
            f"{2022 + month // 12}-{month % 12 + 1:02}-01,{round(900 + 9 * month + 420 * season + 90 * wobble)}"
        )
    return "\n".join(rows) + "\n"


def voices() -> bytes:
    """Two, in turn."""
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


def take_pictures(page: Page, base_url: str, folder: Path) -> None:
    """The page with a receipt's words, with its fields and their sources, with a form, and with a forecast."""
    page.set_viewport_size({"width": 1440, "height": 900})

    def shoot(sample: str, name: str, scheme: str = "light") -> None:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(f"{base_url}/")
        page.get_by_role("button", name=sample).click()
        page.get_by_text("Done in").wait_for(timeout=60_000)
        if "extract" in sample:
            page.get_by_test_id("evidence").get_by_role("button", name="total").click()
        page.screenshot(path=folder / f"{name}.png")

    shoot("Receipt: extract fields", "playground")
    shoot("Receipt: read it", "playground-words")
    shoot("Sign-up form", "playground-form", "dark")
    shoot("Sales table", "playground-forecast", "dark")


def full_page() -> dict[str, Any]:
    """A body that says 5,000 words, in 100 lines of a page of 300 DPI."""

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


DRAWN = """() => new Promise(done => {
  const look = () => requestAnimationFrame(
    document.querySelector('#status').textContent.startsWith('Done') ? () => done(performance.now()) : look);
  look();
})"""
PANNING = """async () => {
  const stage = document.querySelector('.stage'), frames = [];
  for (let at = 0, last = performance.now(); at < 120; at += 1) {
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - last);
    last = performance.now();
    stage.scrollTop = at * 12;
    stage.scrollLeft = at * 4;
  }
  return frames.sort((one, other) => one - other);
}"""


def measure(page: Page, base_url: str) -> None:
    page.goto(f"{base_url}/", wait_until="networkidle")
    ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    print(f"works after {ready:.0f} ms")
    page.route("**/v1/chat/completions", lambda route: route.fulfill(json=full_page()))
    picture = io.BytesIO()
    PIL.Image.effect_noise(A4, 40).save(picture, "JPEG", quality=60)
    page.get_by_test_id("task").select_option("ocr")
    page.get_by_test_id("file").set_input_files(file_of("page.jpg", picture.getvalue(), "image/jpeg"))
    page.locator(".sheet img").wait_for()
    begun = page.evaluate("performance.now()")
    page.get_by_test_id("run").click()
    print(f"5,000 words are drawn after {page.evaluate(DRAWN) - begun:.0f} ms")
    for _ in range(2):
        page.get_by_label("Larger").click()
    frames = page.evaluate(PANNING)
    middle, high, most = frames[len(frames) // 2], frames[len(frames) * 95 // 100], frames[-1]
    print(f"panning: {middle:.0f} ms a frame, 95 % within {high:.0f} ms, {most:.0f} ms at most")


def main() -> None:
    if sys.argv[1:] == ["samples"]:
        write_samples()
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "log", preload="ocr", forecast="statsmodels") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        if sys.argv[1:] == ["speed"]:
            measure(browser.new_page(viewport={"width": 1440, "height": 900}), server.base_url)
            return
        take_pictures(browser.new_page(), server.base_url, Path(folder))
        IMAGES.mkdir(exist_ok=True)
        for path in sorted(Path(folder).glob("*.png")):
            picture = PIL.Image.open(path).convert("RGB")
            picture.quantize(256, kmeans=2, dither=PIL.Image.Dither.NONE).save(IMAGES / path.name, optimize=True)
            print(f"{path.name}: {(IMAGES / path.name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
