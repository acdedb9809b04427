"""Fits results into a language model's context: what the question asks about stays, in its order.

Only the prompt is trimmed, never the `precontext` that the client gets. The same arguments give the same texts.
"""

import re
from collections.abc import Callable, Sequence

import structlog

from app.chat.relevance import with_neighbours, word_overlap
from app.chat.result_text import GAP, Piece, assembled, pieces_of
from app.wire.response import PrecontextEntry
from models.base import ModelError
from models.language.embedding import Embedder

log = structlog.get_logger(__name__)

MAX_PIECE_CHARS = 400
"""A longer line is kept or left out in parts: some 100 tokens each."""
HEAD_PIECES = 3
"""The beginning says what the rest is about: a title, a letterhead, a table's first row."""
HEAD_SHARE = 0.2
"""Of the budget, at most, for the beginning."""
MAX_EMBEDDED = 64
"""Passages whose meaning is compared with the question's, the others by their words alone. 4 ms each on a core."""

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])")


async def trim(
    entries: Sequence[PrecontextEntry],
    question: str,
    budget_tokens: int,
    count: Callable[[str], int],
    embedder: Embedder | None = None,
) -> list[str]:
    """One text an entry, `budget_tokens` together at most as `count` counts them, whole if they fit.

    With `embedder`, meaning counts as much as words; where it fails, words alone do.
    """
    results = [pieces_of(entry) for entry in entries]
    texts = [assembled(pieces) for pieces in results]
    needs = [count(text) for text in texts]
    shares = _fair_shares(needs, budget_tokens)
    return [
        text if need <= share else await _shortened(pieces, question, share, count, embedder)
        for text, pieces, need, share in zip(texts, results, needs, shares, strict=True)
    ]


def _fair_shares(needs: Sequence[int], budget: int) -> list[int]:
    """Small needs are met in full; what they leave is divided evenly among the others."""
    shares = [0] * len(needs)
    left = max(0, budget)
    ascending = sorted(range(len(needs)), key=needs.__getitem__)
    for position, index in enumerate(ascending):
        shares[index] = min(needs[index], left // (len(needs) - position))
        left -= shares[index]
    return shares


async def _shortened(
    whole: Sequence[Piece], question: str, budget: int, count: Callable[[str], int], embedder: Embedder | None
) -> str:
    pieces = [Piece(part, piece.heading) for piece in whole for part in _parts(piece.text)]
    scores = await _relevance(question, [piece.text for piece in pieces], embedder)
    spread = _evenly_spread(len(pieces))
    ranked = sorted(range(len(pieces)), key=lambda index: (-scores[index], spread[index]))
    kept = _affordable(pieces, ranked, budget, count)
    # Pieces were counted one by one, and tokens do not add up exactly.
    while kept and count(assembled(pieces, sorted(kept))) > budget:
        kept.pop()
    text = assembled(pieces, sorted(kept))
    return text if count(text) <= budget else ""


def _affordable(pieces: Sequence[Piece], ranked: Sequence[int], budget: int, count: Callable[[str], int]) -> list[int]:
    """Indices in the order of their worth: the head, then the best that the budget still holds."""
    gap = count(GAP) + 1
    kept: list[int] = []
    members: set[int] = set()
    headings: set[str] = set()
    spent = gap

    def take(index: int, limit: float) -> None:
        nonlocal spent
        piece = pieces[index]
        cost = count(piece.text) + 1
        if not members & {index - 1, index + 1}:
            cost += gap
        if piece.heading not in headings:
            cost += count(piece.heading) + 1
        if index not in members and spent + cost <= limit:
            kept.append(index)
            members.add(index)
            headings.add(piece.heading)
            spent += cost

    for index in range(min(HEAD_PIECES, len(pieces))):
        take(index, budget * HEAD_SHARE)
    for index in ranked:
        if spent + gap >= budget:
            break
        take(index, budget)
    return kept


def _parts(text: str) -> list[str]:
    """`text` in parts of at most MAX_PIECE_CHARS, cut between sentences, else between words, else anywhere."""
    parts: list[str] = []
    for sentence in _SENTENCE_END.split(text) if len(text) > MAX_PIECE_CHARS else [text]:
        rest = sentence
        while len(rest) > MAX_PIECE_CHARS:
            cut = rest.rfind(" ", 1, MAX_PIECE_CHARS)
            cut = MAX_PIECE_CHARS if cut < 0 else cut
            parts.append(rest[:cut])
            rest = rest[cut:].lstrip()
        if rest and parts and len(parts[-1]) + len(rest) < MAX_PIECE_CHARS:
            parts[-1] = f"{parts[-1]} {rest}"
        elif rest:
            parts.append(rest)
    return parts


async def _relevance(question: str, texts: Sequence[str], embedder: Embedder | None) -> list[float]:
    scores = with_neighbours(word_overlap(question, texts))
    if embedder is None or not question.strip():
        return scores
    spread = _evenly_spread(len(texts))
    promising = sorted(range(len(texts)), key=lambda index: (-scores[index], spread[index]))[:MAX_EMBEDDED]
    try:
        vectors = await embedder.embed([question, *(texts[index] for index in promising)])
    except ModelError as error:
        log.warning("relevance_failed", error=type(error).__name__)
        return scores
    best = max(scores) or 1.0
    scores = [score / best for score in scores]
    for index, similarity in zip(promising, (vectors[1:] @ vectors[0]).tolist(), strict=True):
        scores[index] += max(0.0, similarity)
    return scores


def _evenly_spread(length: int) -> list[int]:
    """Ranks of which the first n lie evenly over `length` places, for every n (van der Corput's sequence)."""
    bits = max(1, (length - 1).bit_length())
    return [int(f"{index:0{bits}b}"[::-1], 2) for index in range(length)]
