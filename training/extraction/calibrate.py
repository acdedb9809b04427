"""Fits the function that estimates the probability that a field of an LLM's answer is right, into
`tasks/extraction/calibration.json`.

    .venv/bin/python -m training.extraction.calibrate ../shared/data/receipts

The documents were not used for training the network: they are half of the receipts that are held out, and generated
documents of half of the kinds, with templates and names of fields that do not occur in training. The answers are
simulated ones of an LLM, in which one value in five is wrong. `calibrate_papers` is for copied fields.
"""

import argparse
import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from tasks.extraction.probability import FILE
from training.extraction.judged_answers import AnswerMaker

SIGNS = ("probability", "score", "own", "other")


def fit(answers: Iterator[tuple[tuple[float, ...], bool]]) -> tuple[list[float], float, int]:
    """Fit a logistic regression in which evidence for a field never lowers the field's probability."""
    rows = list(answers)
    features, right = np.array([row for row, _ in rows]), np.array([1.0 if is_right else -1.0 for _, is_right in rows])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        odds = right * (features @ weights[:-1] + weights[-1])
        share = -right / (1 + np.exp(odds))
        slope = np.append(features.T @ share + weights[:-1], share.sum())
        return float(np.logaddexp(0, -odds).sum() + (weights[:-1] ** 2).sum() / 2), slope

    bounds = [(None, 0.0) if name == "other" else (0.0, None) for name in SIGNS] + [(None, None)]
    found = minimize(loss, np.zeros(len(bounds)), jac=True, bounds=bounds).x
    return [round(float(weight), 4) for weight in found[:-1]], round(float(found[-1]), 4), len(rows)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("receipts", type=Path)
    parser.add_argument("--documents", type=int, default=400)
    given = parser.parse_args()
    maker = AnswerMaker(given.receipts)
    answers = [answer async for answer in maker.answers("validate", given.documents, random.Random(5))]
    rows = [one.evidence_input for one in answers if one.evidence_input and one.evidence_input.by == "llm"]
    near = [one.is_near for one in answers if one.evidence_input and one.evidence_input.by == "llm"]
    weights, bias, count = fit(zip((one.features for one in rows), near, strict=True))
    print(f"{count} answers: {weights}, {bias}")
    fitted = {**json.loads(FILE.read_text("utf-8")), "llm": {"weights": weights, "bias": bias}}
    FILE.write_text(json.dumps(fitted) + "\n", "utf-8")
    await maker.services.close()


if __name__ == "__main__":
    asyncio.run(main())
