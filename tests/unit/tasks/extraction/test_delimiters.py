"""Values are cut out of lines between the same words and signs as on an example."""

import pytest

from tasks.extraction.candidates import Candidates, find_candidates
from tasks.extraction.delimiters import (
    CutValue,
    cut_values,
    delimiters_of,
    find_values,
)
from tasks.extraction.passages import passages_to_trace
from tests.unit.tasks.extraction.test_evidence import ocr


def read(*lines: str) -> Candidates:
    return find_candidates(passages_to_trace([ocr(*lines)]))


def taught(example: Candidates, text: str) -> CutValue:
    find_values(example, {"field": text})
    span = next(one for one in example.spans if one.text == text)
    return CutValue(delimiters_of(example, span.words, span.first, span.last), len(span.words))


def cut(paper: Candidates, *values: CutValue) -> list[str]:
    before = len(paper.spans)
    cut_values(paper, values)
    return [span.text for span in paper.spans[before:]]


@pytest.mark.parametrize(
    ("example", "value", "paper", "expected"),
    [
        pytest.param("Server 01 · MR-6170", "01", "Server Chloe · 41-92", "Chloe", id="a word and a sign"),
        pytest.param(
            "Wood & Sons Water · 12 Quay St · DE73 7780",
            "12 Quay St",
            "Allen Mobile · 9 Elm Drive, London · IT60 M857",
            "9 Elm Drive, London",
            id="two signs",
        ),
        pytest.param(
            "Sent by van Number 7 to Ann, at noon",
            "van Number 7",
            "Sent by the slow green boat of Uncle Bob to Sue, at noon",
            "the slow green boat of Uncle Bob",
            id="two words, and a longer value",
        ),
    ],
)
def test_a_value_is_cut_between_the_delimiters_of_the_example(
    example: str, value: str, paper: str, expected: str
) -> None:
    candidates = read(paper)
    assert expected not in [span.text for span in candidates.spans]
    assert expected in cut(candidates, taught(read(example), value))


def test_a_value_that_goes_on_in_the_next_line_ends_above_the_line_of_the_example() -> None:
    one = taught(read("Via Roma 3, Milano, +39 031 44", "Ricevuta 17"), "+39 031 44")
    found = cut(read("Via Dante 37, Verona, +39 037", "2615735", "Ricevuta 18"), one)
    assert "+39 037 2615735" in found
    assert not any("Ricevuta" in text for text in found)
