"""The picture of docs/extraction.md: a made invoice with boxes around the fields that were found.

python -m bench.extraction_pictures docs/images
"""

import asyncio
import io
import random
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from bench.extraction import Bench, evidence_of, wanted_of
from tasks.base import TaskRequest
from tasks.extraction.choice import choose_values
from tasks.inputs.source import Origin, Source
from tasks.precontext import Entry
from tasks.schema.awaited import in_thread
from tests.conftest import SHARED
from training.extraction.documents import documents, draw
from training.extraction.examples import asked_of

COLOURS = ("#c0392b", "#2471a3", "#1e8449", "#b9770e", "#7d3c98", "#117a65", "#a04000", "#34495e")


async def drawn(bench: Bench, kind: str, seed: int) -> Image.Image:
    """Return a picture of a generated document of `kind`, with the box, name and probability of each field."""
    made = next(document for document in documents(seed, 1_000, split="test") if document.kind == kind)
    page = draw(made).convert("RGB")
    data = io.BytesIO()
    page.save(data, "PNG")
    ocr = bench.services.tasks.find("ocr")
    entry = Entry("ocr", await ocr.run(TaskRequest("", (Source(Origin("page"), data=data.getvalue()),))))
    asked = [one for one in asked_of(made, random.Random(seed), most=8) if one.value is not None]
    scored = await in_thread(bench.extractor.score, [entry], wanted_of(asked))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(15)
    for index, (path, choice) in enumerate(choose_values(scored).items()):
        evidence: Any = evidence_of(scored, entry, path, choice.value)
        if evidence is None or "bounds" not in evidence:
            continue
        colour, bounds = COLOURS[index % len(COLOURS)], evidence["bounds"]
        corners = [(bounds[name]["x"], bounds[name]["y"]) for name in ("top_left", "bottom_right")]
        (left, top), (right, bottom) = corners
        pen.rectangle([left - 3, top - 3, right + 3, bottom + 3], outline=colour, width=2)
        said = f"{'.'.join(path)} {evidence['probability']:.2f}"
        at = (left - 3, top - 20)
        pen.rectangle(pen.textbbox(at, said, font=font), fill="white")
        pen.text(at, said, fill=colour, font=font)
    return page


async def main() -> None:
    folder = Path(sys.argv[1])
    bench = Bench(SHARED / "data" / "receipts")
    (await drawn(bench, "invoice", 5)).save(folder / "extraction-invoice.png", optimize=True)
    await bench.services.close()


if __name__ == "__main__":
    asyncio.run(main())
