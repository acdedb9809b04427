"""Rendered pages with their true elements and their text read by OCR, stored in a folder between runs."""

import asyncio
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image

from models.capability import EngineConfig
from models.catalog import CATALOG
from models.runtime import Runtime
from models.vision.ocr.capability import OCR
from models.vision.text import Image, TextLine
from training.gui.browser import Browser
from training.gui.pages import Page
from training.gui.truth import TrueElement


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    page: Page
    image: Image
    elements: tuple[TrueElement, ...]
    lines: tuple[TextLine, ...]


async def labelled(pages: Sequence[Page], folder: Path) -> list[Labelled]:
    """Return `pages`, rendered and read; pages that are stored in `folder` are not rendered again."""
    missing = await asyncio.to_thread(_missing, pages, folder)
    if missing:
        runtime = Runtime(CATALOG, EngineConfig())
        document = folder / "page.html"
        try:
            async with Browser.started() as browser:
                for number, page in enumerate(missing, start=1):
                    document.write_text(page.html)
                    rendered = await browser.render(document.resolve().as_uri(), page.screen)
                    image = rendered.image if page.jpeg is None else compressed(rendered.image, page.jpeg)
                    lines = await runtime.use(OCR).read(image)
                    _keep(folder, Labelled(page, image, rendered.elements, tuple(lines)))
                    print(f"\rrendered and read {number} of {len(missing)} pages", end="", flush=True)
        finally:
            await runtime.close()
        print()
    return [_kept(folder, page) for page in pages]


def _missing(pages: Sequence[Page], folder: Path) -> list[Page]:
    folder.mkdir(parents=True, exist_ok=True)
    return [page for page in pages if not (folder / f"{page.name}.pickle").is_file()]


def compressed(image: Image, quality: int) -> Image:
    """Return `image` after compression as a JPEG of `quality`."""
    buffer = BytesIO()
    PIL.Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(buffer).convert("RGB"))


def _keep(folder: Path, one: Labelled) -> None:
    PIL.Image.fromarray(one.image).save(folder / f"{one.page.name}.png")
    (folder / f"{one.page.name}.pickle").write_bytes(pickle.dumps((one.elements, one.lines)))


def _kept(folder: Path, page: Page) -> Labelled:
    image = np.asarray(PIL.Image.open(folder / f"{page.name}.png").convert("RGB"))
    elements, lines = pickle.loads((folder / f"{page.name}.pickle").read_bytes())
    return Labelled(page, image, elements, lines)
