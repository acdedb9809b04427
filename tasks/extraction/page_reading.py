"""Scores spans as values of fields by what the encoder of pages says of their first and last tokens."""

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.extraction.page_encoder import PageToRead, ReadPage
from tasks.extraction.boxes import box_of
from tasks.extraction.candidates import Candidates, CandidateSpan
from tasks.extraction.features import Matrix
from tasks.extraction.fields import WantedField
from tasks.extraction.passages import Passage
from tasks.extraction.prompts import prompt_of

LONGEST = 12.0
INSIDE = float(os.environ.get("ENC_INSIDE", "0.5"))


def page_to_read(passage: Passage, fields: Sequence[WantedField]) -> PageToRead | None:
    boxes = [box_of(passage, [word]) for word in range(len(passage.words))]
    if not passage.words or any(box is None for box in boxes):
        return None
    return PageToRead(passage.words, [tuple(map(float, box)) for box in boxes if box], [prompt_of(one.path, one.schema, in_list=one.in_list) for one in fields])  # type: ignore[misc]


def span_scores(candidates: Candidates, read: dict[int, ReadPage], fields: int) -> Matrix:
    """Return log-odds of fields × spans. `read` holds what was read of each passage, by the passage's identity."""
    found = np.zeros((fields, len(candidates.spans)), np.float32)
    by_passage: dict[int, list[int]] = {}
    for index, span in enumerate(candidates.spans):
        by_passage.setdefault(id(span.passage), []).append(index)
    for passage, spans in by_passage.items():
        page = read.get(passage)
        if page is None or not len(page.tokens.ids):
            continue
        places = np.array([_tokens_of(candidates.spans[index], page) for index in spans])
        known = places[:, 0] >= 0
        first, last = places[known].T
        inside = np.cumsum(np.pad(page.scores[:, 2], ((0, 0), (1, 0))), axis=1)
        mean = (inside[:, last + 1] - inside[:, first]) / (last + 1 - first)
        scores = page.scores[:, 0, first] + page.scores[:, 1, last] + INSIDE * mean
        found[:, np.array(spans)[known]] = np.clip(scores, -LONGEST, LONGEST)
    return found


def _tokens_of(span: CandidateSpan, page: ReadPage) -> tuple[int, int]:
    tokens, words = page.tokens, span.passage.words
    pieces = span.text.split() or [""]
    first = _token(tokens.words, tokens.starts, tokens.signs, span.words[0], max(0, words[span.words[0]].find(pieces[0])), None)
    at = words[span.words[-1]].rfind(pieces[-1])
    end = at + len(pieces[-1]) if at >= 0 else len(words[span.words[-1]])
    last = _token(tokens.words, tokens.starts, tokens.signs, span.words[-1], 0, end)
    return (first, last) if 0 <= first <= last else (-1, -1)


def _token(
    of: NDArray[np.int32], starts: NDArray[np.int32], signs: NDArray[np.bool_], word: int, start: int, end: int | None
) -> int:
    low, high = np.searchsorted(of, [word, word + 1])
    if end is None:
        return next((token for token in range(low, high) if not signs[token] and starts[token] >= start), -1)
    return next((token for token in range(high - 1, low - 1, -1) if not signs[token] and starts[token] < end), -1)
