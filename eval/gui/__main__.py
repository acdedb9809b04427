"""Recall, precision and time of `gui_detection` on the measuring pages.

    .venv/bin/python -m eval.gui [--folder DIR] [--draw DIR]

Needs Chromium, and npm with its registry for the frameworks. The frameworks, the rendered pages and their texts read by
OCR are stored in --folder, so that a second run starts to measure at once. `eval.gui.speed` measures requests.
"""

import argparse
import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import PIL.Image
import PIL.ImageDraw

from eval.gui.scores import Scores
from models.vision.gui.elements import INTERACTIVE, GuiElement, Screen
from models.vision.gui.engine import ScreenNetwork, found_in
from training.gui.frameworks import fetched
from training.gui.labelled import Labelled, labelled
from training.gui.pages import measuring_pages

DRAWN = ("bootstrap-toolbox-light-desktop", "pico-settings-dark-desktop", "bulma-shop-light-mobile")
"""Beginnings of the names of the pages that are drawn with boxes."""
COLOURS: Mapping[str, str] = {
    "button": "#e6194b", "input": "#4363d8", "textarea": "#000075", "select": "#911eb4", "checkbox": "#3cb44b",
    "radio": "#008080", "switch": "#f58231", "slider": "#9a6324", "tab": "#f032e6", "link": "#00a5cf",
    "icon": "#c9a800", "menu": "#ff69b4", "image": "#808080", "text": "#b0b0b0",
}  # fmt: skip
_LARGEST = 900
"""Largest width of a drawn page, in pixels."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/openfaze-gui"))
    parser.add_argument("--draw", type=Path, help="where to put the pictures for the documents")
    arguments = parser.parse_args()

    pages = asyncio.run(labelled(measuring_pages(fetched(arguments.folder / "npm")), arguments.folder / "measuring"))
    network = ScreenNetwork()
    total, groups, seconds = Scores(), defaultdict[str, Scores](Scores), []
    for page in pages:
        started = time.process_time()
        found = found_in(Screen(page.image, page.lines), network)
        seconds.append(time.process_time() - started)
        total.add(page.elements, found)
        for group in groups_of(page):
            groups[group].add(page.elements, found)
        if arguments.draw and page.page.name.startswith(DRAWN):
            draw(page, found, arguments.draw)
    print("\n".join(total.table()))
    print("\n| pages | elements | found | with the right type | precision |\n|---|---:|---:|---:|---:|")
    for name, scores in sorted(groups.items()):
        shares = f"{scores.recall:.2f} | {scores.typed_recall:.2f} | {scores.precision:.2f}"
        print(f"| {name} | {scores.true.total()} | {shares} |")
    print(
        f"\n{len(pages)} pages; seconds of one core a page without OCR: median {statistics.median(seconds):.2f}, "
        f"most {max(seconds):.2f}"
    )


def groups_of(one: Labelled) -> Sequence[str]:
    page = one.page
    return (
        page.framework,
        "dark" if page.dark else "light",
        "phone or tablet" if "-mobile-" in page.name else "desktop",
        f"scale {page.screen.scale:g}",
        f"language {page.language}",
        "lossless" if page.jpeg is None else "JPEG",
        f"kind {page.name.split('-')[1]}",
    )


def draw(one: Labelled, found: Sequence[GuiElement], folder: Path) -> None:
    """Draw the page with the detected boxes, in a colour for each type."""
    picture = PIL.Image.fromarray(one.image)
    pen = PIL.ImageDraw.Draw(picture)
    width = max(2, round(2 * one.page.screen.scale))
    for element in found:
        pen.rectangle(element.box, outline=COLOURS[element.type], width=width if element.type in INTERACTIVE else 1)
    picture.thumbnail((_LARGEST, 4 * _LARGEST))
    folder.mkdir(parents=True, exist_ok=True)
    picture.quantize(160).save(folder / f"gui-{one.page.framework}.png", optimize=True)


if __name__ == "__main__":
    main()
