"""Measures the extractor on the documents of `training.extraction.judged_answers`: the share of fields that are right,
the probability that the extractor gives them, and its time.

    python -m eval.extraction [made documents]
"""

import asyncio
import random
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence

from tests.conftest import SHARED
from training.extraction.judged_answers import AnswerMaker, JudgedAnswer


def bins_of(answers: Sequence[JudgedAnswer]) -> dict[int, list[tuple[float, bool]]]:
    """Return, by tenths of the probability, pairs of the probability of a field and whether the field is near."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for answer in answers:
        bins[min(9, int(10 * answer.probability))].append((answer.probability, answer.is_near))
    return dict(sorted(bins.items()))


def report(answers: Sequence[JudgedAnswer], maker: AnswerMaker) -> None:
    groups: dict[str, list[JudgedAnswer]] = defaultdict(list)
    for answer in answers:
        for name in answer.groups if answer.by == "extractor" else ():
            groups[name].append(answer)
    for name, group in groups.items():
        right = sum(answer.is_right for answer in group) / len(group)
        near = sum(answer.is_near for answer in group) / len(group)
        seconds = f", {statistics.median(maker.seconds[name]):.2f} s a document" if name in maker.seconds else ""
        print(f"{name}: {right:.1%} right, {near:.1%} near of {len(group)}{seconds}")
    for by, kinds in (("extractor", ("extractor",)), ("LLM", ("llm", "wrong llm"))):
        said = [answer for answer in answers if answer.by in kinds]
        sure = [(answer.probability, answer.is_near) for answer in said]
        bins = bins_of(said)
        gaps = (abs(sum(c for c, _ in group) - sum(r for _, r in group)) for group in bins.values())
        error = sum(gaps) / max(1, len(sure))
        high = [is_right for chance, is_right in sure if chance >= 0.9]
        print(
            f"{by}: expected calibration error {error:.3f}; at 0.9 and more {sum(high) / max(1, len(high)):.1%} right"
        )
        print(
            "  ",
            {
                f"{b / 10:.1f}": f"{sum(r for _, r in bins[b]) / len(bins[b]):.2f} of {len(bins[b])}"
                for b in sorted(bins)
            },
        )
        if by == "LLM":
            good = [chance for (chance, _), answer in zip(sure, said, strict=True) if answer.by == "llm"]
            bad = [chance for (chance, _), answer in zip(sure, said, strict=True) if answer.by == "wrong llm"]
            above = sum((one > other) + (one == other) / 2 for one in good for other in bad) / (len(good) * len(bad))
            print(f"  wrong fields below right ones: AUC {above:.3f}")


async def main() -> None:
    maker = AnswerMaker(SHARED / "data" / "receipts")
    made = int(sys.argv[1]) if len(sys.argv) > 1 else 250
    answers = [answer async for answer in maker.answers("test", made, random.Random(3))]
    pasted = [answer async for answer in maker.pasted(made, random.Random(3))]
    await maker.count_lists(made, random.Random(3))
    report(answers, maker)
    items = maker.items
    print(f"cells of items: F1 {2 * items['right'] / max(1, items['said'] + items['meant']):.2f}; "
          f"{items['all rows']} of {items['lists']} lists have as many rows as are meant")  # fmt: skip
    print(f"{items['left empty']} of {items['absent']} texts that are not there are left empty")
    print("As the text of a message:")
    report(pasted, maker)
    await maker.services.close()


if __name__ == "__main__":
    asyncio.run(main())
