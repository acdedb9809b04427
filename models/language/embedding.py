"""Sentence embeddings: what they are, what the engines that make them share, and who offers them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from models.concurrency import side_by_side
from models.fair_executor import Slices
from models.host import EngineHost

DIMENSIONS = 384
"""Numbers in a vector of every engine here."""
_AT_ONCE = 32
"""Passages of one request that are with the engine at a time: it has a batch of them while another is computed."""
LANGUAGES = frozenset({"en"})
"""ISO 639-1 codes of the languages whose sentences all-MiniLM-L6-v2 was trained to compare."""

Vector = NDArray[np.float32]
"""float32[384] of length 1: the cosine of two texts is the dot product of their vectors."""

Passage = Sequence[int]
"""Tokens that the engine reads at once, those included that begin and end it."""

Role = Literal["query", "passage"]
"""What a text is for: to be compared with others like it and to search by, or to be found."""
QUERY: Role = "query"


class Embedder(Protocol):
    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """n × 384, rows of length 1 in the order of `texts`; what the engine does not read at once of a text is cut
        off. Raises ModelError."""


class PassageEmbedder(Embedder, Protocol):
    """Also for texts of any length."""

    def cuts_at_once(self) -> bool:
        """Whether `passages` need not wait for a tokenizer that is still to be read."""

    def passages(self, text: str, role: Role = QUERY) -> Slices[list[Passage]]:
        """All of `text`, in parts that are read at once. Blocks, in slices."""

    def frame(self, role: Role = QUERY) -> int:
        """Tokens of each passage that are no part of the text."""

    async def embed_passages(self, passages: Sequence[Passage]) -> NDArray[np.float32]:
        """As `embed`."""


_PIECE_CHARS = 16_000
"""Characters that are tokenized at once."""
_SHORT_CHARS = 1000
"""Characters that are tokenized, in a quarter of a millisecond, without letting other threads run meanwhile."""


def read_tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    return tokenizer


class Passages:
    """Cuts texts of any length into what a network reads at once. In any thread."""

    def __init__(
        self,
        find_tokenizer: Callable[[], Path],
        marks: tuple[str, str],
        max_tokens: int,
        prefixes: Mapping[Role, str] | None = None,
    ) -> None:
        """`find_tokenizer` may raise EngineUnavailable; `marks` begin and end each passage, and `max_tokens` counts
        them and the prefix, which each part of a text has."""
        self._find_tokenizer = find_tokenizer
        self._marks = marks
        self._max_tokens = max_tokens
        self._prefixes = prefixes or {}

    def is_loaded(self) -> bool:
        """Whether the tokenizer has been read."""
        return "_tokenizer" in vars(self)

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = read_tokenizer(self._find_tokenizer())
        tokenizer.no_truncation()
        return tokenizer

    @cached_property
    def _begins(self) -> Mapping[Role, list[int]]:
        """By which a passage begins. Prefixes end with a word, so that their tokens are the same alone."""
        tokenizer, mark = self._tokenizer, self._tokenizer.token_to_id(self._marks[0])
        prefixes = {role: tokenizer.encode(said, add_special_tokens=False).ids for role, said in self._prefixes.items()}
        return {role: [mark, *prefixes.get(role, ())] for role in ("query", "passage")}

    def of(self, text: str, role: Role = QUERY) -> Slices[list[Passage]]:
        """Raises EngineUnavailable."""
        tokenizer = self._tokenizer
        ids: list[int] = []
        for piece in _pieces(text):
            if len(piece) <= _SHORT_CHARS:
                ids += tokenizer.encode(piece, add_special_tokens=False).ids
            else:
                # A batch of one: it alone lets other threads run, for which who is done waits then.
                [encoding] = tokenizer.encode_batch_fast([piece], add_special_tokens=False)
                ids += encoding.ids
            yield
        begin, end = self._begins[role], tokenizer.token_to_id(self._marks[1])
        most = self._max_tokens - self.frame(role)
        # A text without a token is a passage, too.
        return [[*begin, *ids[at : at + most], end] for at in range(0, max(1, len(ids)), most)]

    def frame(self, role: Role = QUERY) -> int:
        """Tokens of a passage that are no part of the text. Raises EngineUnavailable."""
        return len(self._begins[role]) + 1


def _pieces(text: str) -> Iterator[str]:
    """`text` in pieces that end between words, where it has spaces: cut there, its tokens stay the same."""
    at = 0
    while len(text) - at > _PIECE_CHARS:
        cut = text.rfind(" ", at, at + _PIECE_CHARS) + 1 or at + _PIECE_CHARS
        yield text[at:cut]
        at = cut
    yield text[at:]


_PADDING = 1.5
"""How many times as long as the shortest a sentence may be that is computed together with it."""

Encode = Callable[[NDArray[np.int64], NDArray[np.bool_]], NDArray[np.float32]]
"""The last hidden states (sentences × tokens × width) of tokens, and of which of them are no padding."""


def mean_pooled(sentences: Sequence[Passage], encode: Encode) -> list[Vector]:
    """The mean of each sentence's last hidden states, at length 1. Sentences of similar length are encoded together."""
    vectors = [np.empty(0, np.float32)] * len(sentences)
    for group in _of_similar_length([len(sentence) for sentence in sentences]):
        longest = max(len(sentences[index]) for index in group)
        ids = np.zeros((len(group), longest), np.int64)
        is_token = np.zeros((len(group), longest), np.bool_)
        for row, index in enumerate(group):
            ids[row, : len(sentences[index])] = sentences[index]
            is_token[row, : len(sentences[index])] = True
        # The sum has the direction of the mean, and the length becomes 1 anyway.
        sums = np.einsum("stw,st->sw", encode(ids, is_token), is_token.astype(np.float32))
        sums /= np.linalg.norm(sums, axis=1, keepdims=True)
        for index, vector in zip(group, sums, strict=True):
            vectors[index] = vector
    return vectors


def _of_similar_length(lengths: Sequence[int]) -> list[list[int]]:
    """The indices of `lengths` in groups, so that short sentences are not padded to a long one's length."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not groups or lengths[index] > lengths[groups[-1][0]] * _PADDING:
            groups.append([])
        groups[-1].append(index)
    return groups


class HostedEmbedder:
    """An embedding engine behind its host. A long list waits for room in the queue instead of being refused. Implements
    `PassageEmbedder`."""

    def __init__(self, host: EngineHost[str | Passage, Vector], passages: Passages) -> None:
        self._host = host
        self.passages = passages.of
        self.frame = passages.frame
        self.cuts_at_once = passages.is_loaded

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return _rows(await self._host.run_many(texts, wait=True))

    async def embed_passages(self, passages: Sequence[Passage]) -> NDArray[np.float32]:
        if len(passages) <= _AT_ONCE:
            return _rows(await self._host.run_many(passages, wait=True))
        run = partial(self._host.run, wait=True)
        return _rows(await side_by_side(run, passages, at_most=_AT_ONCE))


def _rows(vectors: Sequence[Vector]) -> NDArray[np.float32]:
    if len(vectors) == 1:
        return vectors[0][np.newaxis]
    return np.stack(vectors) if vectors else np.empty((0, DIMENSIONS), np.float32)
