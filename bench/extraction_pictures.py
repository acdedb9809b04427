"""Pictures of docs/extraction.md, drawn from the results of the benchmark.

python -m bench.extraction_pictures docs/images
"""

import asyncio
import io
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from bench.extraction import Bench, JudgedAnswer, bins_of, evidence_of, wanted_of
from models.fair_executor import all_of
from tasks.base import TaskRequest
from tasks.extraction.choice import choose_values
from tasks.inputs.source import Origin, Source
from tasks.precontext import Entry
from tests.conftest import SHARED
from training.extraction.documents import documents, draw
from training.extraction.examples import asked_of

COLOURS = ("#c0392b", "#2471a3", "#1e8449", "#b9770e", "#7d3c98", "#117a65", "#a04000", "#34495e")


def reliability(groups: Sequence[tuple[str, str, Sequence[JudgedAnswer]]]) -> str:
    """Return an SVG of the share of right fields by probability. A group is given by its name, colour and answers."""
    size, edge = 300, 45
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size + 2 * edge}" height="{size + 2 * edge}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<path d="M{edge} {edge}V{edge + size}H{edge + size}" fill="none" stroke="#333"/>',
        f'<path d="M{edge} {edge + size}L{edge + size} {edge}" stroke="#bbb" stroke-dasharray="4"/>',
        f'<text x="{edge + size / 2}" y="{size + 2 * edge - 8}" text-anchor="middle">probability</text>',
        f'<text x="14" y="{edge + size / 2}" text-anchor="middle" '
        f'transform="rotate(-90 14 {edge + size / 2})">share that is right</text>',
    ]
    for tick in (0, 0.5, 1):
        parts.append(f'<text x="{edge + size * tick}" y="{edge + size + 16}" text-anchor="middle">{tick:g}</text>')
        parts.append(f'<text x="{edge - 6}" y="{edge + size * (1 - tick) + 4}" text-anchor="end">{tick:g}</text>')
    for row, (name, colour, answers) in enumerate(groups):
        points = []
        for chances in bins_of(answers).values():
            x = edge + size * sum(chance for chance, _ in chances) / len(chances)
            y = edge + size * (1 - sum(is_right for _, is_right in chances) / len(chances))
            radius = 2 + min(8, len(chances) ** 0.5 / 4)
            points.append(f"{x:.1f},{y:.1f}")
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}" fill-opacity="0.6"/>')
        parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}"/>')
        parts.append(f'<text x="{edge + 10}" y="{edge + 16 * (row + 1)}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


async def drawn(bench: Bench, kind: str, seed: int) -> Image.Image:
    """Return a picture of a generated document of `kind`, with the box, name and probability of each field."""
    made = next(document for document in documents(seed, 1_000, split="test") if document.kind == kind)
    page = draw(made).convert("RGB")
    data = io.BytesIO()
    page.save(data, "PNG")
    ocr = bench.services.tasks.find("ocr")
    entry = Entry("ocr", await ocr.run(TaskRequest("", (Source(Origin("page"), data=data.getvalue()),))))
    asked = [one for one in asked_of(made, random.Random(seed), most=8) if one.value is not None]
    scored = await bench.extractor.score([entry], wanted_of(asked))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(15)
    for index, (path, choice) in enumerate(all_of(choose_values(scored)).items()):
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
    answers = [answer async for answer in bench.answers("test", 300, random.Random(3))]
    groups = [
        ("copied by the extractor", COLOURS[1], [one for one in answers if one.by == "extractor"]),
        ("written by an LLM that is wrong in 1 of 5", COLOURS[0], [one for one in answers if one.by != "extractor"]),
    ]
    (folder / "extraction-reliability.svg").write_text(reliability(groups), "utf-8")
    await bench.services.close()


if __name__ == "__main__":
    asyncio.run(main())
