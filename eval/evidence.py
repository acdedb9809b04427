"""Measures the accuracy and the time of evidence: the share of true fields that are traced to the right line, and of
invented fields that wrongly count as supported.

    python -m eval.evidence [pages]

There are three measurements: 20 fields on a page of 600 words; the fields of annotated receipts, with their true values
and with the values of other fields of the same receipt; and drawn invoices with repeated amounts, read by the real OCR.
"""

import asyncio
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

from app.assembly.services import Services
from app.settings import Settings
from tasks.ocr_result import page_section, picture_result
from tasks.precontext import Entry
from tests.conftest import SHARED
from tests.entries import ground
from tests.pages import noisy, prose
from tests.receipts import Receipt, receipts
from tests.unit.tasks.extraction.test_evidence import text_line
from tests.unit.tasks.extraction.test_evidence_pages import INVENTED, invoice, read, stands_within


async def accuracy(pages: int) -> None:
    services = Services(Settings(_env_file=None))
    outcome: Counter[str] = Counter()
    for seed in range(100, 100 + pages):
        page, answer, lines = invoice(seed)
        entry = await read(services, noisy(page, seed, noise=8).encoded())
        evidence = ground(answer, [entry])["evidence"]
        for pointer, line in lines.items():
            found = evidence.get(pointer)
            right = found is not None and stands_within(found, [line.box])
            outcome["right" if right else "wrong" if found else "missed"] += 1
            if not right:
                print(seed, pointer, line.text, found and (found["text"], found["pointer"]))
        lies = ground(INVENTED, [entry])
        outcome["invented, believed"] += len(lies["evidence"])
        outcome["invented, refused"] += len(lies["unsupported"])
        for lie in lies["evidence"].items():
            print(seed, lie)
    await services.close()
    print(dict(outcome))


def speed() -> None:
    words = prose(1, 600)
    lines = [text_line(" ".join(words[at : at + 10]), 0, 3 * at) for at in range(0, 600, 10)]
    entry = Entry("ocr", picture_result(page_section(lines, 1, 2000, 3000)))
    said = [" ".join(words[at : at + 4]) for at in range(5, 400, 40)]
    answer = {f"said{index}": text for index, text in enumerate(said)} | {
        f"not{index}": INVENTED[index] for index in range(10)
    }
    seconds = []
    for _ in range(50):
        start = time.perf_counter()
        grounding = ground(answer, [entry])
        seconds.append(time.perf_counter() - start)
    print(f"{len(answer)} fields, {len(grounding['evidence'])} supported, over {len(words)} words:")
    print(f"p50 {1000 * statistics.median(seconds):.1f} ms, most {1000 * max(seconds):.1f} ms")


def labels(shared: Path) -> None:
    """Print how many true fields count as supported, and how many fields with another field's value do."""
    for name, kinds in (("true", Receipt.true_fields), ("wrong", Receipt.wrong_fields)):
        asked: Counter[str] = Counter()
        proven: Counter[str] = Counter()
        for receipt in receipts(shared):
            if not receipt.is_looked_at:
                for kind, key, value in kinds(receipt):
                    asked[kind] += 1
                    proven[kind] += not ground({key: value}, [receipt.entry])["unsupported"]
        print(f"{name}: {proven.total()} of {asked.total()} supported")
        for kind, count in asked.items():
            print(f"  {kind}: {proven[kind]} of {count}")


if __name__ == "__main__":
    speed()
    if SHARED.is_dir():
        labels(SHARED)
    asyncio.run(accuracy(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
