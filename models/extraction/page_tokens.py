"""Tokens of pages and of fields, as `models.extraction.page_encoder` sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int32]
Box = tuple[float, float, float, float]
"""An upright rectangle: left, top, right, bottom."""

FieldKind = Literal["text", "number", "date", "time"]
FIELD_KINDS: tuple[FieldKind, ...] = get_args(FieldKind)

ROWS = 256
"""Number of rows of a page that are distinguished; all further rows count as the last one."""
COLUMNS = 64
"""Number of equal parts of the width of what is printed."""
SIZES = 8
"""Number of classes of a line's height."""
PROMPT_TOKENS = 28
"""A field's prompt has at most this many tokens."""
SAME_ROW = 0.5
"""Two lines are in one row if their middles are nearer than this, in heights of the line before."""
WIDE_GAP = 0.9
"""A gap below a row of more than this, in heights of a line, counts as an empty row."""
WORDS_AT_ONCE = 256
"""One slice of the work divides this many words into tokens, which takes about 2 ms."""
CLS, SEP, MARKER = 101, 102, 103
"""Identifiers of [CLS], [SEP] and [MASK] in the vocabulary of BERT; [MASK] is before each field."""


@dataclass(frozen=True)
class PageTokens:
    """The T tokens of the words of a page."""

    ids: Indices
    rows: Indices
    lefts: Indices
    rights: Indices
    sizes: Indices
    words: Indices
    """Index of each token's word."""
    starts: Indices
    """First character of each token in its word."""
    signs: NDArray[np.bool_]
    """True for a token without letters and digits."""

    def part(self, first: int, last: int) -> "PageTokens":
        return PageTokens(*(array[first:last] for array in self.arrays))

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        return (self.ids, self.rows, self.lefts, self.rights, self.sizes, self.words, self.starts, self.signs)


def page_tokens(tokenizer: Any, words: Sequence[str], boxes: Sequence[Box]) -> PageTokens:
    """Return the tokens of `words`. `boxes` are the words' boxes on one page, or on pages one below the
    other."""
    ids: list[int] = []
    starts: list[int] = []
    signs: list[bool] = []
    of_word: list[int] = []
    for first in range(0, len(words), WORDS_AT_ONCE):
        part = words[first : first + WORDS_AT_ONCE]
        # encode_batch_fast() leaves the offsets out.
        for index, one in enumerate(tokenizer.encode_batch(list(part), add_special_tokens=False)):
            ids += one.ids
            starts += [start for start, _ in one.offsets]
            signs += [not any(map(str.isalnum, part[index][start:end])) for start, end in one.offsets]
            of_word += [first + index] * len(one.ids)
    words_of_tokens = np.array(of_word, np.int32)
    rows, lefts, rights, sizes = (one[words_of_tokens] for one in _places(np.array(boxes, np.float32).reshape(-1, 4)))
    return PageTokens(
        np.array(ids, np.int32),
        rows,
        lefts,
        rights,
        sizes,
        words_of_tokens,
        np.array(starts, np.int32),
        np.array(signs, np.bool_),
    )


def _places(boxes: NDArray[np.float32]) -> tuple[Indices, Indices, Indices, Indices]:
    """Return the rows, lefts, rights and sizes of boxes."""
    if not len(boxes):
        none = np.zeros(0, np.int32)
        return none, none, none, none
    left, right = boxes[:, 0].min(), boxes[:, 2].max()
    columns = ((boxes[:, [0, 2]] - left) * (COLUMNS - 1) / max(1.0, right - left)).astype(np.int32)
    heights = np.maximum(1.0, boxes[:, 3] - boxes[:, 1])
    # Each class of sizes is larger than the one before by the square root of 2.
    sizes = np.rint(2 * np.log2(heights / np.median(heights))) + SIZES // 2 - 1
    return rows_of(boxes), columns[:, 0], columns[:, 1], np.clip(sizes, 0, SIZES - 1).astype(np.int32)


def rows_of(boxes: NDArray[np.float32]) -> Indices:
    """Return the number of each box's row, from the top; a wide gap between two rows counts as a row."""
    middles, heights = (boxes[:, 1] + boxes[:, 3]) / 2, np.maximum(1.0, boxes[:, 3] - boxes[:, 1])
    rows = np.zeros(len(boxes), np.int32)
    row, middle, height, bottom = 0, -np.inf, 0.0, -np.inf
    for index in np.argsort(middles, kind="stable"):
        if middles[index] - middle > SAME_ROW * height:
            if np.isfinite(middle):
                row += 2 if boxes[index, 1] - bottom > WIDE_GAP * heights[index] else 1
            middle, height, bottom = middles[index], heights[index], boxes[index, 3]
        bottom = max(bottom, boxes[index, 3])
        rows[index] = min(row, ROWS - 1)
    return rows


@dataclass(frozen=True)
class Prompt:
    """A field as the encoder sees it."""

    text: str
    """The words of the keys around the field and of its own, and its description."""
    kind: FieldKind
    in_list: bool


@dataclass(frozen=True)
class EncoderInput:
    """The N tokens of the prompts of F fields and of a part of a page, in this order."""

    ids: Indices
    positions: Indices
    segments: Indices
    """1 for the tokens of prompts, 0 for the others."""
    kinds: Indices
    """Numbers of the kinds of fields, from 1, at their markers; 0 for all other tokens."""
    rows: Indices
    """Rows of the page's tokens, from 1; 0 for all other tokens. The same holds for `lefts`, `rights` and `sizes`."""
    lefts: Indices
    rights: Indices
    sizes: Indices
    owners: Indices
    """Numbers of the fields of the tokens of prompts, from 1; 0 for all other tokens."""
    listed: NDArray[np.bool_]
    """True for each field in a list, which therefore has many values."""
    page_start: int
    """Index of the page's first token."""


def encoder_input(tokenizer: Any, prompts: Sequence[Prompt], page: PageTokens) -> EncoderInput:
    """Return the input for a page and the first PROMPT_TOKENS tokens of each prompt, its marker included."""
    encoded = tokenizer.encode_batch_fast([one.text for one in prompts], add_special_tokens=False)
    ids, positions, kinds, owners = [CLS], [0], [0], [0]
    for number, (prompt, one) in enumerate(zip(prompts, encoded, strict=True), 1):
        tokens = one.ids[: PROMPT_TOKENS - 1]
        ids += [MARKER, *tokens]
        positions += range(1, len(tokens) + 2)
        owners += [number] * (len(tokens) + 1)
        kinds += [1 + FIELD_KINDS.index(prompt.kind) + len(FIELD_KINDS) * prompt.in_list, *[0] * len(tokens)]
    ids.append(SEP)
    positions.append(0)
    kinds.append(0)
    owners.append(0)
    before, count = len(ids), len(page.ids)
    blank, none = np.zeros(before, np.int32), np.zeros(count, np.int32)
    rows, lefts, rights, sizes = (
        np.concatenate([blank, 1 + one]) for one in (page.rows, page.lefts, page.rights, page.sizes)
    )
    return EncoderInput(
        np.concatenate([np.array(ids, np.int32), page.ids]),
        np.concatenate([np.array(positions, np.int32), np.arange(count, dtype=np.int32)]),
        np.concatenate([np.ones(before, np.int32), none]),
        np.concatenate([np.array(kinds, np.int32), none]),
        rows,
        lefts,
        rights,
        sizes,
        np.concatenate([np.array(owners, np.int32), none]),
        np.array([one.in_list for one in prompts], np.bool_),
        before,
    )
